//! The header fields that keep what depends on a credential out of shared caches.

/// A header field for every answer that depends on a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerField {
    name: &'static str,
    value: &'static str,
}

impl AnswerField {
    /// The field's name, in lower case.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value of the line to append.
    #[must_use]
    pub fn value(&self) -> &'static str {
        self.value
    }

    /// Whether the lines of this name that an answer already has leave nothing to add: for `cache-control` whatever the
    /// handler said, for `vary`, which is a list, only the same line or `*`.
    pub fn is_settled_by<'v>(&self, lines: impl IntoIterator<Item = &'v [u8]>) -> bool {
        lines.into_iter().any(|line| self.name != "vary" || line == self.value.as_bytes() || line == b"*")
    }
}

/// What depends on a credential belongs in no shared cache (RFC 9111 §5.2.2.5, RFC 9110 §12.5.5).
pub(crate) const PRIVATE: &[AnswerField] = &[
    AnswerField { name: "cache-control", value: "no-store" },
    AnswerField { name: "vary", value: "Authorization, Cookie" },
];
