//! Answers about the caller, and the small things a caller may send.

use authcore::{Identity, Refusal, UserScope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::JsonObject;

/// What is known of a user; `null` for what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Profile {
    pub(crate) user_id: String,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
}

impl Profile {
    /// The caller's own, from the verified claims.
    #[must_use]
    pub fn of(caller: &Identity) -> Self {
        let claims: Claims = caller.claims().unwrap_or_default();
        let roles: Vec<&str> = caller.roles().collect();
        Self {
            user_id: caller.user_id().to_string(),
            email: text(claims.email),
            name: text(claims.name),
            role: (!roles.is_empty()).then(|| roles.join(",")),
        }
    }

    /// Of somebody of whom nothing but the id is known here.
    #[must_use]
    pub(crate) fn unknown(user_id: &str) -> Self {
        Self { user_id: user_id.to_owned(), ..Self::default() }
    }
}

/// Claims of any type: one of a wrong type says nothing.
#[derive(Default, Deserialize)]
struct Claims {
    email: Option<Value>,
    name: Option<Value>,
}

fn text(claim: Option<Value>) -> Option<String> {
    if let Some(Value::String(text)) = claim { Some(text) } else { None }
}

/// The answer of `GET /api/protected-data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Greeting {
    message: String,
    user_id: String,
    data: &'static str,
}

impl Greeting {
    /// For this caller.
    #[must_use]
    pub fn to(caller: &Identity) -> Self {
        let Profile { user_id, name, .. } = Profile::of(caller);
        let message = format!("Hello {}", name.as_deref().unwrap_or(&user_id));
        Self { message, user_id, data: "Only verified callers read this" }
    }
}

/// The answer of `GET /api/data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Data {
    user_id: String,
    premium: bool,
    data: [u8; 3],
}

impl Data {
    /// For this caller.
    #[must_use]
    pub fn of(caller: &Identity) -> Self {
        Self { user_id: caller.user_id().to_string(), premium: caller.has_role("premium"), data: [1, 2, 3] }
    }
}

/// A message that a caller sent, and the answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    user_id: String,
    text: String,
}

impl Message {
    /// Reads the body of `POST /api/messages`: `text`, 1 to 2,000 characters.
    ///
    /// # Errors
    ///
    /// `400 bad_request`, `422 validation_failed` or `403 not_owner`, in this order.
    pub fn read(body: &[u8], scope: &UserScope) -> Result<Self, Refusal> {
        let mut body = JsonObject::parse(body)?;
        let text = body.line("text", 2_000);
        body.finish(Self { user_id: scope.owner().to_string(), text }, scope)
    }
}

/// Something that a caller asked for, and the answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    user_id: String,
    action: String,
}

impl Action {
    /// Reads the body of `POST /api/user/action`: `action`, 1 to 100 characters.
    ///
    /// # Errors
    ///
    /// `400 bad_request`, `422 validation_failed` or `403 not_owner`, in this order.
    pub fn read(body: &[u8], scope: &UserScope) -> Result<Self, Refusal> {
        let mut body = JsonObject::parse(body)?;
        let action = body.line("action", 100);
        body.finish(Self { user_id: scope.owner().to_string(), action }, scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{identity, scope_of};

    #[test]
    fn a_claim_of_a_wrong_type_says_nothing() {
        let profile = Profile::of(&identity("ann", r#"{"email":["x"],"name":"Ann","role":7}"#));
        let expected = Profile { user_id: "ann".into(), name: Some("Ann".into()), ..Profile::default() };
        assert_eq!(profile, expected);
    }

    #[test]
    fn a_caller_without_a_name_is_greeted_by_id() {
        assert_eq!(Greeting::to(&identity("ann", "{}")).message, "Hello ann");
        assert_eq!(Greeting::to(&identity("ann", r#"{"name":"Ann"}"#)).message, "Hello Ann");
    }

    #[test]
    fn what_is_sent_is_checked_like_a_task() {
        let ann = scope_of("ann");
        assert!(Message::read(br#"{"text":" hi "}"#, &ann).is_ok_and(|message| message.text == "hi"));
        assert_eq!(Message::read(b"{}", &ann).expect_err("no text").status(), 422);
        assert_eq!(Action::read(br#"{"action":"x","userId":"bob"}"#, &ann).expect_err("bob's").status(), 403);
    }
}
