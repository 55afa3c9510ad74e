//! Header fields that a guard adds to answers: those that keep what depends on a credential out of shared caches, and
//! those that tell the client of its limits.

use std::sync::Arc;

use crate::rate::Tally;

/// The header fields for one answer. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerFields {
    /// What the answer varies by, if it depends on a credential.
    private: Option<Arc<str>>,
    /// Policy and state of the limits.
    limits: Option<Arc<[String; 2]>>,
}

/// A header field for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerField<'f> {
    name: &'static str,
    value: &'f str,
}

impl AnswerFields {
    /// For an answer that depends on a credential in one of these header fields, or on none.
    pub(crate) fn new(private: Option<Arc<str>>) -> Self {
        Self { private, limits: None }
    }

    pub(crate) fn measured_by(self, limits: &Tally) -> Self {
        let limits = (!limits.is_empty()).then(|| Arc::new([limits.policy(), limits.state()]));
        Self { limits, ..self }
    }

    /// The fields, each to be appended to the answer unless it [is settled](AnswerField::is_settled_by).
    pub fn iter(&self) -> impl Iterator<Item = AnswerField<'_>> {
        // What depends on a credential belongs in no shared cache (RFC 9111 §5.2.2.5, RFC 9110 §12.5.5).
        let private = self.private.as_deref().map(|vary| {
            [AnswerField { name: "cache-control", value: "no-store" }, AnswerField { name: "vary", value: vary }]
        });
        let limits = self.limits.as_deref().map(|[policy, state]| {
            [AnswerField { name: "ratelimit-policy", value: policy }, AnswerField { name: "ratelimit", value: state }]
        });
        private.into_iter().chain(limits).flatten()
    }
}

impl<'f> AnswerField<'f> {
    /// The field's name, in lower case.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value of the line to append.
    #[must_use]
    pub fn value(&self) -> &'f str {
        self.value
    }

    /// Whether the lines of this name that an answer already has leave nothing to add: for `cache-control` whatever the
    /// handler said, for the others, which are lists, only the same line, and for `vary` also `*`.
    pub fn is_settled_by<'v>(&self, lines: impl IntoIterator<Item = &'v [u8]>) -> bool {
        let settles = |line: &[u8]| match self.name {
            "cache-control" => true,
            "vary" => line == self.value.as_bytes() || line == b"*",
            _ => line == self.value.as_bytes(),
        };
        lines.into_iter().any(settles)
    }
}
