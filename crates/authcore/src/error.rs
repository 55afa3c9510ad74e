//! What can go wrong, by whose fault: [`ConfigError`] at start-up, [`AuthError`] when a credential yields no identity.
//!
//! What the client is told of it is [`Refusal`](crate::Refusal)'s affair.

use std::time::Duration;

use crate::json;

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why no identity came of a request.
///
/// Each variant has a stable [`reason`](Self::reason) for logs and tests. Messages hold no token, cookie or key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The request carries no credential that anyone here reads (RFC 6750 §3.1: no error code).
    #[error("no credential was presented")]
    Missing,
    /// More than one `Authorization` field line (RFC 9110 §11.6.2 allows one).
    #[error("several Authorization field lines")]
    RepeatedAuthorization,
    /// `Authorization: Bearer` without exactly one well-formed token after it (RFC 6750 §2.1).
    #[error("the Bearer credential is not one well-formed token")]
    MalformedBearer,
    /// More than one token, or one in more than one place (RFC 6750 §2).
    #[error("more than one token was presented")]
    RepeatedToken,
    /// What stands where a token is read from, besides `Authorization`, is not one well-formed token.
    #[error("what was presented is not one well-formed token")]
    MalformedToken,
    /// A token that came in a cookie, which no challenge can ask for.
    #[error(transparent)]
    InCookie(Box<AuthError>),
    /// A Bearer token of a kind that no authenticator here reads: refused also where no credential is needed.
    #[error("nobody here reads this kind of Bearer token")]
    UnreadBearer,
    /// Longer than the verifier's cap; nothing of it was decoded.
    #[error("token is longer than {0} bytes")]
    TooLong(usize),
    /// Not the three segments of a JWS in compact serialisation (RFC 7515 §7.1).
    #[error("not a compact JWS of three segments")]
    NotCompact,
    /// A segment is not canonical base64url without padding (RFC 7515 §2).
    #[error("{0} is not canonical base64url")]
    NotBase64(Part),
    /// A part is not UTF-8 text holding one JSON object (RFC 7515 §4, RFC 7519 §7.2).
    #[error("{0} is not one JSON object")]
    NotJsonObject(Part),
    /// A member name stands twice in one object (RFC 7515 §4, RFC 8725 §2.4).
    #[error("{0} names a member twice")]
    DuplicateMember(Part),
    /// A header parameter that is never served: `crit`, `b64`, `zip`, `enc`, a nested JWT, or one of a wrong type.
    #[error("header parameter `{0}` is refused")]
    RefusedParameter(&'static str),
    /// `typ` names another kind of token than the one expected (RFC 8725 §3.11).
    #[error("token is of another type")]
    WrongType,
    /// `alg` is missing, unknown or not among those allowed (RFC 8725 §3.1).
    #[error("algorithm is not allowed")]
    RefusedAlgorithm,
    /// The token names no key, and the verifier wants it named.
    #[error("token names no key")]
    MissingKeyId,
    /// No key of the set goes by the token's `kid`, or none fits a token without one.
    #[error("no key for this token")]
    UnknownKey,
    /// The token names no key and several would fit, or two keys of the set share its `kid`.
    #[error("several keys could be meant")]
    AmbiguousKey,
    /// The named key was declared for another algorithm than the token's (RFC 8725 §3.1).
    #[error("the key is for another algorithm")]
    KeyMismatch,
    /// The signature does not verify. Says no more, so that it is no oracle.
    #[error("signature does not verify")]
    BadSignature,
    /// A required claim is absent.
    #[error("claim `{0}` is missing")]
    MissingClaim(Box<str>),
    /// A claim is of a wrong JSON type or breaks its own rule.
    #[error("claim `{0}` is malformed")]
    MalformedClaim(Box<str>),
    /// `iss` is not among the expected issuers (RFC 7519 §4.1.1).
    #[error("issuer is not the expected one")]
    WrongIssuer,
    /// `aud` holds none of the expected audiences (RFC 7519 §4.1.3).
    #[error("token is meant for another audience")]
    WrongAudience,
    /// `exp` passed, by this much and by more than the leeway (RFC 7519 §4.1.4).
    #[error("token expired {} s ago", .0.as_secs())]
    Expired(Duration),
    /// `nbf` lies ahead, by this much and by more than the leeway (RFC 7519 §4.1.5).
    #[error("token is not valid for another {} s", .0.as_secs())]
    NotYetValid(Duration),
    /// `iat` lies ahead, by this much and by more than the leeway.
    #[error("token was issued {} s in the future", .0.as_secs())]
    IssuedInFuture(Duration),
    /// The token is genuine and in force, but was taken back.
    #[error("token was revoked")]
    Revoked,
    /// A session credential (signed cookie, session token, cached session) that stands for no live session.
    #[error("no session: {fault}")]
    Session {
        /// What is wrong with it.
        fault: SessionFault,
        /// Whether it came as `Authorization: Bearer`, whose refusal says so in the challenge.
        bearer: bool,
    },
    /// An API key that stands for nobody.
    #[error("no API key: {fault}")]
    ApiKey {
        /// What is wrong with it.
        fault: ApiKeyFault,
        /// Whether it came as `Authorization: Bearer`, whose refusal says so in the challenge.
        bearer: bool,
    },
    /// What the credential itself allows is used up: how often it may be used, or how fast.
    #[error("the credential's own allowance is used up")]
    OverQuota {
        /// When it allows something again; `None` for never.
        retry_after: Option<Duration>,
    },
    /// A state change by cookie that another site may have caused.
    #[error("a state change by cookie from another site")]
    CrossSite,
    /// Keys or sessions could not be loaded: nothing was judged, so this is a 503 and never a 401.
    #[error("verification backend is unavailable")]
    Unavailable(#[source] Unavailable),
}

impl AuthError {
    /// A stable, fine-grained word for logs, metrics and tests. What the client sees is the refusal's coarser `code`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::RepeatedAuthorization => "repeated_authorization",
            Self::MalformedBearer => "malformed_bearer",
            Self::RepeatedToken => "repeated_token",
            Self::MalformedToken => "malformed_token",
            Self::InCookie(error) => error.reason(),
            Self::UnreadBearer => "bearer_unread",
            Self::TooLong(_) => "too_long",
            Self::NotCompact => "not_compact",
            Self::NotBase64(part) => part.pick(["header_not_base64", "payload_not_base64", "signature_not_base64"]),
            Self::NotJsonObject(part) => part.pick(["header_not_json", "payload_not_json", "signature_not_json"]),
            Self::DuplicateMember(part) => {
                part.pick(["header_duplicate_member", "payload_duplicate_member", "signature_duplicate_member"])
            }
            Self::RefusedParameter(_) => "header_parameter_refused",
            Self::WrongType => "wrong_type",
            Self::RefusedAlgorithm => "algorithm_refused",
            Self::MissingKeyId => "key_id_missing",
            Self::UnknownKey => "unknown_key",
            Self::AmbiguousKey => "ambiguous_key",
            Self::KeyMismatch => "key_mismatch",
            Self::BadSignature => "bad_signature",
            Self::MissingClaim(_) => "claim_missing",
            Self::MalformedClaim(_) => "claim_malformed",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired(_) => "expired",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::IssuedInFuture(_) => "issued_in_future",
            Self::Revoked => "revoked",
            Self::Session { fault, .. } => fault.reason(),
            Self::ApiKey { fault, .. } => fault.reason(),
            Self::OverQuota { .. } => "over_quota",
            Self::CrossSite => "cross_site",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// Why a session credential stands for no live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFault {
    /// Not of the shape of a signed value, or two different ones under one name.
    #[error("the credential is malformed")]
    Malformed,
    /// The signature is not that of the secret.
    #[error("the signature does not verify")]
    BadSignature,
    /// No such session, or one that was ended.
    #[error("there is no such session")]
    Unknown,
    /// The session's time is over.
    #[error("the session has expired")]
    Expired,
    /// The session's user is gone.
    #[error("the user does not exist")]
    UserMissing,
    /// The session's user is banned.
    #[error("the user is banned")]
    UserBanned,
}

impl SessionFault {
    fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "session_malformed",
            Self::BadSignature => "session_bad_signature",
            Self::Unknown => "session_unknown",
            Self::Expired => "session_expired",
            Self::UserMissing => "user_missing",
            Self::UserBanned => "user_banned",
        }
    }
}

/// Why an API key stands for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyFault {
    /// Not of the shape of an API key, or two of them.
    #[error("the key is malformed")]
    Malformed,
    /// No such key, or one that was deleted.
    #[error("there is no such key")]
    Unknown,
    /// The key is switched off.
    #[error("the key is disabled")]
    Disabled,
    /// The key's time is over.
    #[error("the key has expired")]
    Expired,
    /// The key carries limits of its own, which are not enforced here.
    #[error("the key has limits that are not enforced here")]
    Limited,
    /// The key's owner is gone.
    #[error("the owner does not exist")]
    OwnerMissing,
    /// The key's owner is banned.
    #[error("the owner is banned")]
    OwnerBanned,
}

impl ApiKeyFault {
    fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "api_key_malformed",
            Self::Unknown => "api_key_unknown",
            Self::Disabled => "api_key_disabled",
            Self::Expired => "api_key_expired",
            Self::Limited => "api_key_limited",
            Self::OwnerMissing => "api_key_owner_missing",
            Self::OwnerBanned => "api_key_owner_banned",
        }
    }
}

/// A part of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first segment: the JOSE header.
    Header,
    /// The second segment: the claims.
    Payload,
    /// The third segment.
    Signature,
}

impl Part {
    pub(crate) fn fault(self, fault: json::Fault) -> AuthError {
        match fault {
            json::Fault::NotAnObject => AuthError::NotJsonObject(self),
            json::Fault::DuplicateMember => AuthError::DuplicateMember(self),
        }
    }

    fn pick<T: Copy>(self, of: [T; 3]) -> T {
        of[self as usize]
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.pick(["header", "payload", "signature"]))
    }
}

/// Something that judging depends on cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct Unavailable {
    source: BoxError,
    retry_after: Duration,
}

impl Unavailable {
    /// With the cause, and when trying again may help.
    pub fn new(source: impl Into<BoxError>, retry_after: Duration) -> Self {
        Self { source: source.into(), retry_after }
    }

    /// When trying again may help.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

/// A setting that cannot be served. Raised while building, never on a request.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    /// With one line that names the setting and the mend. It must not hold a secret.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
