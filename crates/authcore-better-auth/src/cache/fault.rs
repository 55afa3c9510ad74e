//! Why a cache does not count.

/// Why a cookie cache is ignored. No client is ever told; each has a stable [`reason`](Self::reason) for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheFault {
    /// The cookie comes twice with different values, or its chunks have a gap, a repetition or an index that is none.
    #[error("the cookie or its chunks can be put together in several ways, or not at all")]
    Ambiguous,
    /// Longer than is read, or in more than 100 chunks.
    #[error("the cookie is too long")]
    TooLong,
    /// Not of the form that the strategy writes.
    #[error("the cookie is not of the configured strategy's form")]
    Malformed,
    /// Signed or encrypted under something else.
    #[error("the signature does not verify")]
    BadSignature,
    /// The key set holds no such key, or could not be had.
    #[error("no key for this cookie")]
    UnknownKey,
    /// Verified, but not a session with its user as Better Auth caches them, or another kind of token.
    #[error("not a cached session")]
    NotASession,
    /// About another session than the signed cookie's.
    #[error("the cache is of another session")]
    OtherSession,
    /// Session and user do not belong together.
    #[error("the cached user is not the session's")]
    OtherUser,
    /// Of another version than the expected one.
    #[error("the cache is of another version")]
    OtherVersion,
    /// The cache or the session in it is over.
    #[error("the cache or its session has expired")]
    Expired,
    /// Older than the service allows, or from the future.
    #[error("the cache is older than allowed")]
    TooOld,
}

impl CacheFault {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Ambiguous => "cache_ambiguous",
            Self::TooLong => "cache_too_long",
            Self::Malformed => "cache_malformed",
            Self::BadSignature => "cache_bad_signature",
            Self::UnknownKey => "cache_unknown_key",
            Self::NotASession => "cache_not_a_session",
            Self::OtherSession => "cache_other_session",
            Self::OtherUser => "cache_other_user",
            Self::OtherVersion => "cache_other_version",
            Self::Expired => "cache_expired",
            Self::TooOld => "cache_too_old",
        }
    }
}
