//! What either side says of a request.

use authcore::{AuthError, Identity};
use serde_json::Value;

/// The kinds of verdict that a difference is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// There is a session.
    Session,
    /// There is none: `null` from the server, no identity or a refusal for this reason from us.
    Nobody(&'static str),
}

/// A verdict, with who it is that has the session.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Session(Box<Seen>),
    Nobody(&'static str),
    /// Nobody could tell, which is never right here.
    Failed(String),
}

/// What both sides tell of a session. What is missing and what is null are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    session: Value,
    user: Value,
    email: Value,
    email_verified: Value,
    name: Value,
    image: Value,
    role: Value,
    impersonated_by: Value,
    organization: Value,
    team: Value,
}

impl Verdict {
    /// From the body of `get-session`.
    pub(crate) fn of_server(body: &Value) -> Self {
        let (session, user) = (&body["session"], &body["user"]);
        if body.is_null() {
            return Self::Nobody("null");
        }
        if !session.is_object() || !user.is_object() || session["userId"] != user["id"] {
            return Self::Failed(format!("get-session: {body}"));
        }
        Self::Session(Box::new(Seen {
            session: session["id"].clone(),
            user: user["id"].clone(),
            email: user["email"].clone(),
            email_verified: user["emailVerified"].clone(),
            name: user["name"].clone(),
            image: user["image"].clone(),
            role: user["role"].clone(),
            impersonated_by: session["impersonatedBy"].clone(),
            organization: session["activeOrganizationId"].clone(),
            team: session["activeTeamId"].clone(),
        }))
    }

    /// From our authenticator.
    pub(crate) fn of_ours(answer: Result<Option<Identity>, AuthError>) -> Self {
        let identity = match answer {
            Ok(Some(identity)) => identity,
            Ok(None) => return Self::Nobody("nothing presented"),
            Err(AuthError::Unavailable(cause)) => return Self::Failed(cause.to_string()),
            Err(error) => return Self::Nobody(error.reason()),
        };
        let claims: Value = identity.claims().expect("JSON");
        Self::Session(Box::new(Seen {
            session: claims["sessionId"].clone(),
            user: identity.user_id().as_str().into(),
            email: claims["email"].clone(),
            email_verified: claims["emailVerified"].clone(),
            name: claims["name"].clone(),
            image: claims["image"].clone(),
            role: claims["role"].clone(),
            impersonated_by: identity.impersonated_by().map_or(Value::Null, |id| id.as_str().into()),
            organization: claims["activeOrganizationId"].clone(),
            team: claims["activeTeamId"].clone(),
        }))
    }

    pub(crate) fn says(&self) -> Option<Says> {
        match self {
            Self::Session(_) => Some(Says::Session),
            Self::Nobody(why) => Some(Says::Nobody(why)),
            Self::Failed(_) => None,
        }
    }

    /// Whether both mean the same: the same session of the same user, or nobody for whatever reason.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session(one), Self::Session(other)) => one == other,
            (Self::Nobody(_), Self::Nobody(_)) => true,
            _ => false,
        }
    }

    /// The two in a few words: who it is only where that is what they differ in.
    pub(crate) fn beside(&self, ours: &Self) -> String {
        match (self, ours) {
            (Self::Session(theirs), Self::Session(ours)) => format!("theirs {theirs:?}, ours {ours:?}"),
            _ => format!("theirs {}, ours {}", self.word(), ours.word()),
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Session(_) => "a session".to_owned(),
            Self::Nobody(why) => format!("nobody ({why})"),
            Self::Failed(why) => format!("no verdict: {why}"),
        }
    }

    pub(crate) fn seen(&self) -> Option<&Seen> {
        if let Self::Session(seen) = self { Some(seen) } else { None }
    }
}

impl Seen {
    pub(crate) fn organization(&self) -> Option<&str> {
        self.organization.as_str()
    }

    pub(crate) fn is_impersonated(&self) -> bool {
        self.impersonated_by.is_string()
    }
}
