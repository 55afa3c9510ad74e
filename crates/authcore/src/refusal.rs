//! Every way to say no: status, header fields and problem body, in one table.
//!
//! The challenge is RFC 6750 §3, the body RFC 9457. Bodies are the same for every token that is not believed, so
//! that they are no oracle; the finer reason goes to the log.

mod answer_field;
mod status;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub use answer_field::{AnswerField, AnswerFields};

use crate::error::{AuthError, Unavailable};
use crate::rate::Tally;
use status::{grpc_code, phrase};

/// What a client is told when its request is not served.
///
/// Adapters turn it into their framework's response with [`status`](Self::status), [`fields`](Self::fields) and
/// [`body`](Self::body); applications may make their own with [`Refusal::new`] so that all errors read alike.
#[derive(Clone, Debug)]
pub struct Refusal(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: u16,
    code: &'static str,
    reason: &'static str,
    detail: Cow<'static, str>,
    challenge: Challenge,
    realm: Option<Arc<str>>,
    /// The URL of the resource's metadata.
    metadata: Option<Arc<str>>,
    retry_after: Option<Duration>,
    allow: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    /// Whether the answer depends on a credential.
    private: Option<Arc<str>>,
    /// Whether the client speaks gRPC and wants to be told in its words too.
    grpc: bool,
    limits: Tally,
}

/// One broken rule of a request body or query, for `422` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name as the client sent it.
    pub field: Cow<'static, str>,
    /// What is wrong with it, in words for people.
    pub message: Cow<'static, str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    None,
    Bare,
    Error { error: &'static str, description: &'static str },
    Scope(String),
}

impl Refusal {
    /// A refusal of one's own: an HTTP status, a stable code for programs, a sentence for people.
    #[must_use]
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            reason: code,
            detail: detail.into(),
            challenge: Challenge::None,
            realm: None,
            metadata: None,
            retry_after: None,
            allow: None,
            errors: Vec::new(),
            private: None,
            grpc: false,
            limits: Tally::default(),
        }))
    }

    /// `403 not_owner`: path or body names another user.
    #[must_use]
    pub fn not_owner() -> Self {
        Self::new(403, "not_owner", "This belongs to another user")
    }

    /// `403 insufficient_role`: the caller's roles do not allow this.
    #[must_use]
    pub fn insufficient_role() -> Self {
        Self::new(403, "insufficient_role", "Your role does not allow this")
    }

    /// `403 insufficient_scope`, with the scopes that are needed in the challenge (RFC 6750 §3.1).
    ///
    /// Characters that RFC 6749 §3.3 does not allow in a scope are left out.
    #[must_use]
    pub fn insufficient_scope(needed: &str) -> Self {
        let scope = quotable(needed);
        Self::new(403, "insufficient_scope", "The token does not carry the scope this needs")
            .with(|parts| parts.challenge = Challenge::Scope(scope))
    }

    /// `403 impersonation_refused`: an administrator acts as the user, and may not do this as them.
    #[must_use]
    pub fn impersonation_refused() -> Self {
        Self::new(403, "impersonation_refused", "This is for the user alone, not for somebody acting as them")
    }

    /// `404 not_found`, the same for what does not exist and for what is hidden.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "There is nothing here")
    }

    /// `405 method_not_allowed` with the methods that are.
    #[must_use]
    pub fn method_not_allowed(allow: impl Into<Cow<'static, str>>) -> Self {
        Self::new(405, "method_not_allowed", "This method is not served here")
            .with(|parts| parts.allow = Some(allow.into()))
    }

    /// `400 bad_request`.
    #[must_use]
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "bad_request", detail)
    }

    /// `422 validation_failed`: well-formed, but breaking these rules.
    #[must_use]
    pub fn validation_failed(errors: Vec<FieldError>) -> Self {
        Self::new(422, "validation_failed", "The request breaks a rule").with(|parts| parts.errors = errors)
    }

    /// `429 rate_limited`: a limit is used up; trying again after this long may help, unless it never can.
    #[must_use]
    pub fn rate_limited(retry_after: Option<Duration>) -> Self {
        Self::new(429, "rate_limited", "This was asked too often").with(|parts| parts.retry_after = retry_after)
    }

    /// `503` with a code of one's own: something needed is down; trying again after this long may help.
    #[must_use]
    pub fn unavailable(code: &'static str, detail: &'static str, retry_after: Duration) -> Self {
        Self::new(503, code, detail).with(|parts| parts.retry_after = Some(retry_after))
    }

    /// `500 internal`. The cause is for the log, not for the client.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(500, "internal", "Something went wrong on our side")
    }

    /// Names the protection space in the challenge (RFC 9110 §11.5). Quotes and backslashes are left out.
    #[must_use]
    pub fn in_realm(self, realm: &Arc<str>) -> Self {
        self.with(|parts| parts.realm = Some(Arc::clone(realm)))
    }

    /// Names the metadata of the resource in the challenge (RFC 9728 §5.1).
    pub(crate) fn described_at(self, metadata: Option<&Arc<str>>) -> Self {
        self.with(|parts| parts.metadata = metadata.cloned())
    }

    pub(crate) fn for_reason(self, reason: &'static str) -> Self {
        self.with(|parts| parts.reason = reason)
    }

    /// The answer depends on a credential, so it belongs in no shared cache.
    pub(crate) fn private(self, vary: &Arc<str>) -> Self {
        self.with(|parts| parts.private = Some(Arc::clone(vary)))
    }

    /// The limits that the request was measured by, for the client to see.
    pub(crate) fn measured_by(self, limits: Tally) -> Self {
        self.with(|parts| parts.limits = limits)
    }

    /// The client speaks gRPC: the fields say it in `grpc-status` as well, which such clients read first.
    pub(crate) fn over_grpc(self, grpc: bool) -> Self {
        self.with(|parts| parts.grpc = grpc)
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(&mut self.0);
        self
    }

    /// The HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The stable public word for this refusal, as in the body.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The finer word for logs and tests; never sent.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The sentence for people, as in the body.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The header fields of the answer, `content-type` included, names in lower case.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("content-type", "application/problem+json".to_owned())];
        if let Some(challenge) = self.challenge() {
            fields.push(("www-authenticate", challenge));
        }
        if let Some(after) = self.0.retry_after {
            let whole_seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
            fields.push(("retry-after", whole_seconds.max(1).to_string()));
        }
        if let Some(allow) = &self.0.allow {
            fields.push(("allow", allow.clone().into_owned()));
        }
        let answer = AnswerFields::new(self.0.private.clone()).measured_by(&self.0.limits);
        fields.extend(answer.iter().map(|field| (field.name(), field.value().to_owned())));
        if self.0.grpc {
            fields.push(("grpc-status", grpc_code(self.0.status).to_string()));
            fields.push((
                "grpc-message",
                self.0.detail.chars().filter(|c| matches!(c, ' '..='~' if *c != '%')).collect(),
            ));
        }
        fields
    }

    /// The value of `WWW-Authenticate`, where there is one.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        if self.0.challenge == Challenge::None {
            return None;
        }
        // Long enough for most.
        let mut text = String::with_capacity(96);
        text.push_str("Bearer");
        let mut separator = " ";
        let mut parameter = |name: &str, value: &str| {
            text.extend([separator, name, "=\"", value, "\""]);
            separator = ", ";
        };
        if let Some(realm) = &self.0.realm {
            parameter("realm", &quotable(realm));
        }
        match &self.0.challenge {
            Challenge::None | Challenge::Bare => {}
            Challenge::Error { error, description } => {
                parameter("error", error);
                parameter("error_description", description);
            }
            Challenge::Scope(scope) => {
                parameter("error", "insufficient_scope");
                parameter("scope", scope);
            }
        }
        if let Some(metadata) = &self.0.metadata {
            parameter("resource_metadata", &quotable(metadata));
        }
        Some(text)
    }

    /// The body: `application/problem+json` (RFC 9457).
    #[must_use]
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            code: &'static str,
            detail: &'a str,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            errors: &'a [FieldError],
        }
        let problem = Problem {
            r#type: "about:blank",
            title: phrase(self.0.status),
            status: self.0.status,
            code: self.0.code,
            detail: &self.0.detail,
            errors: &self.0.errors,
        };
        serde_json::to_string(&problem).expect("text and numbers always serialise")
    }

    fn invalid_token(code: &'static str, detail: &'static str) -> Self {
        let challenge = Challenge::Error { error: "invalid_token", description: detail };
        Self::new(401, code, detail).with(|parts| parts.challenge = challenge)
    }

    fn invalid_request(detail: &'static str) -> Self {
        let challenge = Challenge::Error { error: "invalid_request", description: detail };
        Self::new(400, "malformed_credentials", detail).with(|parts| parts.challenge = challenge)
    }
}

/// The one table of what each failure to authenticate tells the client.
impl From<&AuthError> for Refusal {
    fn from(error: &AuthError) -> Self {
        let refusal = match error {
            AuthError::Missing => {
                let detail = "This needs a credential: Authorization: Bearer <token>";
                Self::new(401, "missing_credentials", detail).with(|parts| parts.challenge = Challenge::Bare)
            }
            AuthError::RepeatedAuthorization => Self::invalid_request("There is more than one Authorization field"),
            AuthError::MalformedBearer => Self::invalid_request("Authorization: Bearer takes exactly one token"),
            AuthError::RepeatedToken => Self::invalid_request("There is more than one token"),
            AuthError::MalformedToken => Self::invalid_request("There has to be exactly one token"),
            AuthError::InCookie(error) => Self::from(&**error).with(|parts| {
                // What is wrong with it is nothing that a header field could mend.
                parts.challenge = if parts.status == 401 { Challenge::Bare } else { Challenge::None };
            }),
            AuthError::Expired(_) => Self::invalid_token("token_expired", "Token has expired"),
            AuthError::NotYetValid(_) | AuthError::IssuedInFuture(_) => {
                Self::invalid_token("token_not_yet_valid", "Token is not valid yet")
            }
            AuthError::Revoked => Self::invalid_token("token_revoked", "Token was withdrawn"),
            AuthError::Session { bearer: true, .. } => Self::invalid_token("session_invalid", NO_SESSION),
            AuthError::Session { bearer: false, .. } => {
                Self::new(401, "session_invalid", NO_SESSION).with(|parts| parts.challenge = Challenge::Bare)
            }
            AuthError::ApiKey { bearer: true, .. } => Self::invalid_token("api_key_invalid", NO_KEY),
            AuthError::ApiKey { bearer: false, .. } => {
                Self::new(401, "api_key_invalid", NO_KEY).with(|parts| parts.challenge = Challenge::Bare)
            }
            AuthError::OverQuota { retry_after } => Self::rate_limited(*retry_after),
            AuthError::CrossSite => {
                Self::new(403, "cross_site", "A change by cookie has to come from one of our own origins")
            }
            AuthError::Unavailable(cause) => Self::unavailable(
                "auth_unavailable",
                "Credentials cannot be checked at the moment",
                cause.retry_after(),
            ),
            AuthError::UnreadBearer
            | AuthError::TooLong(_)
            | AuthError::NotCompact
            | AuthError::NotBase64(_)
            | AuthError::NotJsonObject(_)
            | AuthError::DuplicateMember(_)
            | AuthError::RefusedParameter(_)
            | AuthError::WrongType
            | AuthError::RefusedAlgorithm
            | AuthError::MissingKeyId
            | AuthError::UnknownKey
            | AuthError::AmbiguousKey
            | AuthError::KeyMismatch
            | AuthError::BadSignature
            | AuthError::MissingClaim(_)
            | AuthError::MalformedClaim(_)
            | AuthError::WrongIssuer
            | AuthError::WrongAudience => Self::invalid_token("token_invalid", "Token is not valid"),
        };
        refusal.for_reason(error.reason())
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::from(&error)
    }
}

/// A store of the application's own, or of facts beside the credential, cannot be reached. What a credential is judged by is
/// an [`AuthError::Unavailable`].
impl From<Unavailable> for Refusal {
    fn from(outage: Unavailable) -> Self {
        Self::unavailable("store_unavailable", "What this needs cannot be reached at the moment", outage.retry_after())
    }
}

const NO_SESSION: &str = "There is no such session";

const NO_KEY: &str = "There is no such API key";

/// Text without what would have to be escaped, or may not stand, in a quoted string (RFC 9110 §5.6.4).
fn quotable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

#[cfg(test)]
mod tests;
