//! Demo mode: four users, and tokens for them, without any Better Auth server.

use std::time::Duration;

use authcore::{Algorithm, ConfigError};
use authcore_better_auth::BetterAuthSettings;
use authcore_testkit::{SigningKey, mint};
use uuid::Uuid;

use crate::caller::Profile;

/// The users of demo mode and the key that signs for them, made at start and never kept.
#[derive(Debug)]
pub(crate) struct Demo {
    secret: String,
    key: SigningKey,
    user_claim: String,
    role_claim: String,
}

struct User {
    id: &'static str,
    name: &'static str,
    email: &'static str,
    role: &'static str,
}

const USERS: [User; 4] = [
    User { id: "alice", name: "Alice", email: "alice@example.com", role: "user" },
    User { id: "bob", name: "Bob", email: "bob@example.com", role: "user" },
    User { id: "root", name: "Root", email: "root@example.com", role: "admin" },
    User { id: "pia", name: "Pia", email: "pia@example.com", role: "premium" },
];

const ISSUER: &str = "http://demo.localhost";
const AUDIENCE: &str = "http://demo.localhost";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

impl Demo {
    pub(crate) fn new(variable: &impl Fn(&str) -> Option<String>) -> Self {
        // 244 random bits from the system.
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let key = SigningKey::hmac(Algorithm::Hs256, secret.as_bytes());
        let claim = |name, default: &str| variable(name).map_or(default.to_owned(), |claim| claim.trim().to_owned());
        let (user_claim, role_claim) = (claim("AUTH_USER_CLAIM", "sub"), claim("AUTH_ROLE_CLAIM", "role"));
        Self { secret, key, user_claim, role_claim }
    }

    /// What judges the tokens: the settings as they are, with this secret, issuer and audience.
    pub(crate) fn auth(&self, variable: &impl Fn(&str) -> Option<String>) -> Result<BetterAuthSettings, ConfigError> {
        let settings = BetterAuthSettings::from_vars(|name| match name {
            "BETTER_AUTH_SECRET" => Some(self.secret.clone()),
            "BETTER_AUTH_ISSUER" => Some(ISSUER.to_owned()),
            "BETTER_AUTH_AUDIENCE" => Some(AUDIENCE.to_owned()),
            other => variable(other),
        })?;
        Ok(settings.expect("there is a secret"))
    }

    /// A token for one of the users, good for 15 minutes, with the claims that Better Auth gives.
    pub(crate) fn token(&self, user_id: &str) -> Option<String> {
        let user = USERS.iter().find(|user| user.id == user_id)?;
        let token = mint()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .subject(user.id)
            .claim("id", user.id)
            .claim("name", user.name)
            .claim("email", user.email)
            .claim("emailVerified", true)
            .claim(self.role_claim.as_str(), user.role)
            .claim(self.user_claim.as_str(), user.id)
            .expires_in(LIFETIME);
        Some(token.sign(&self.key))
    }

    pub(crate) fn profile(&self, user_id: &str) -> Option<Profile> {
        let user = USERS.iter().find(|user| user.id == user_id)?;
        Some(Profile {
            user_id: user.id.to_owned(),
            email: Some(user.email.to_owned()),
            name: Some(user.name.to_owned()),
            role: Some(user.role.to_owned()),
        })
    }

    /// Commands to paste into a terminal: for each user the own list, and one that is refused.
    pub(crate) fn commands(&self, origin: &str) -> Vec<String> {
        let curl = |user: &str, path: &str| {
            let token = self.token(user).unwrap_or_default();
            format!("curl -i -H 'Authorization: Bearer {token}' {origin}{path}")
        };
        let mut lines = Vec::new();
        for user in &USERS {
            let note = format!("# {} (role {}): their own tasks, 200", user.id, user.role);
            lines.extend([note, curl(user.id, &format!("/api/{}/tasks", user.id))]);
        }
        lines.extend(["# alice on bob's tasks: 403".to_owned(), curl("alice", "/api/bob/tasks")]);
        lines
    }
}

#[cfg(test)]
mod tests {
    use authcore::JwtVerifier;

    use super::*;

    async fn verifier(demo: &Demo, variable: &impl Fn(&str) -> Option<String>) -> JwtVerifier {
        let auth = demo.auth(variable).expect("good settings").connect().await.expect("buildable");
        auth.verifier().expect("JWTs").clone()
    }

    #[tokio::test]
    async fn tokens_are_believed_by_their_own_server_only() {
        let none = |_: &str| None;
        let (demo, other) = (Demo::new(&none), Demo::new(&none));
        let token = demo.token("root").expect("a demo user");

        let caller = verifier(&demo, &none).await.check(&token).expect("its own token");
        assert_eq!(caller.user_id().as_str(), "root");
        assert!(caller.has_role("admin"));
        assert_eq!(verifier(&other, &none).await.check(&token).expect_err("another secret").reason(), "bad_signature");
        assert_eq!(demo.token("mallory"), None);
    }

    #[tokio::test]
    async fn claims_are_named_as_the_settings_say() {
        let variable = |name: &str| match name {
            "AUTH_USER_CLAIM" => Some("uid".to_owned()),
            "AUTH_ROLE_CLAIM" => Some("groups".to_owned()),
            _ => None,
        };
        let demo = Demo::new(&variable);
        let caller =
            verifier(&demo, &variable).await.check(&demo.token("pia").expect("a demo user")).expect("a good token");
        assert!(caller.user_id().as_str() == "pia" && caller.has_role("premium"));
    }
}
