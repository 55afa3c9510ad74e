//! Who the suite's requests come from: four users and their tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use better_auth_harness::{BetterAuthServer, Member};
use serde_json::Value;

use crate::Request;
use crate::signer::Signer;

/// A user and a token of theirs that the server accepts.
#[derive(Clone, Debug)]
pub struct Person {
    /// The token's `sub`: the user's id in paths and bodies.
    pub id: String,
    /// A JWT.
    pub token: String,
    /// The token's claims, unverified: that is the server's part.
    pub claims: Value,
}

impl Person {
    /// Reads the user's id from the token. `None` for what is no JWT with a `sub`.
    #[must_use]
    pub fn of_token(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        let id = claims.get("sub")?.as_str()?.to_owned();
        Some(Self { id, token: token.to_owned(), claims })
    }

    /// Somebody with a session at a real Better Auth, and a fresh JWT from there.
    ///
    /// # Errors
    ///
    /// When Better Auth gives none.
    pub fn of_session(server: &BetterAuthServer, member: &Member) -> Result<Self, String> {
        let token = server.jwt(member)?;
        Self::of_token(&token).ok_or_else(|| format!("a token without a subject: {token}"))
    }
}

/// The cast of every check. Their tasks are the suite's to delete.
#[derive(Clone, Debug)]
pub struct People {
    /// A plain user.
    pub alice: Person,
    /// Another.
    pub bob: Person,
    /// Has the role `admin`.
    pub root: Person,
    /// Holds no role that lets her see others' tasks.
    pub pia: Person,
}

impl People {
    /// The four users of a server in demo mode, from its `/demo/token`.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or gives no token.
    pub fn of_demo(authority: &str) -> Result<Self, String> {
        let fetch = |user: &str| {
            let target = format!("/demo/token?user={user}");
            let answer =
                Request::new("GET", target).send_to(authority).map_err(|error| format!("{authority}: {error}"))?;
            let token = answer.json()["token"].as_str().and_then(Person::of_token);
            token.ok_or_else(|| format!("{authority}: no token at /demo/token (status {})", answer.status))
        };
        Ok(Self { alice: fetch("alice")?, bob: fetch("bob")?, root: fetch("root")?, pia: fetch("pia")? })
    }

    /// Four people with accounts made at a real Better Auth. `root@example.com` must be among its `ADMIN_EMAILS`.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want one of them.
    pub fn of_better_auth(server: &BetterAuthServer) -> Result<Self, String> {
        let person = |name: &str| Person::of_session(server, &server.sign_up(&format!("{name}@example.com"))?);
        Ok(Self { alice: person("alice")?, bob: person("bob")?, root: person("root")?, pia: person("pia")? })
    }

    /// Four users nobody has met before, with tokens signed by the server's own secret.
    #[must_use]
    pub fn of_secret(signer: &Signer) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let person = |name: &str, role: &str| {
            let id = format!("conformance-{name}-{:x}", since_epoch.as_micros());
            let mint = signer.mint(&id).claim("name", name).claim("email", format!("{name}@example.com"));
            let token = signer.sign(&mint.claim("role", role));
            Person::of_token(&token).expect("a minted token has a subject")
        };
        let (alice, bob) = (person("alice", "user"), person("bob", "user"));
        Self { alice, bob, root: person("root", "admin"), pia: person("pia", "premium") }
    }
}
