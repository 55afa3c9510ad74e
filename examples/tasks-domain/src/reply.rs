//! An answer in no framework's types; each server turns it into its own in a few lines.

use authcore::Refusal;
use serde::Serialize;

/// An HTTP answer: status, header fields, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case, each at most once.
    pub fields: Vec<(&'static str, String)>,
    /// The body; empty where the status allows none.
    pub body: String,
}

impl Reply {
    /// JSON with this status.
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value).expect("texts, numbers and lists always serialise");
        Self { status, fields: vec![("content-type", "application/json".to_owned())], body }
    }

    /// A page with this status.
    #[must_use]
    pub fn html(status: u16, page: &str) -> Self {
        Self { status, fields: vec![("content-type", "text/html; charset=utf-8".to_owned())], body: page.to_owned() }
    }

    /// `204`: done, and nothing to say.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, fields: Vec::new(), body: String::new() }
    }

    /// With one more header field.
    #[must_use]
    pub fn with_field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status(), fields: refusal.fields(), body: refusal.body() }
    }
}
