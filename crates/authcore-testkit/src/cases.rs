//! One table of requests, each with the one right answer, for every adapter to run.

mod refusals;
mod table;
mod wire;

use std::net::SocketAddr;

use authcore::{
    Access, Algorithm, Guard, Identity, Isolation, JwtVerifier, KeySet, ManualClock, Permissions, UserScope,
};

use crate::{AUDIENCE, ISSUER, Mint, SigningKey, mint};
use refusals::No;
pub use table::{cases, wire_cases};
pub use wire::WireAnswer;

/// The guard that [`cases`] are judged by: one fixed key, one fixed moment.
///
/// `/health` is open, `/optional` optional. `/api/{user_id}/tasks/**` belongs to its owner, `/api/user/**` to the
/// caller; the role `admin` may do everything, `auditor` may read. The role `editor` is permitted to `update` an `article`.
///
/// # Panics
///
/// Never, unless the core is broken.
#[must_use]
pub fn cases_guard() -> Guard {
    let verifier = JwtVerifier::builder(KeySet::new([key().key()]))
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .clock(ManualClock::at(NOW))
        .build()
        .expect("these settings go together");
    let isolation = Isolation::path("/api/{user_id}/tasks/**")
        .own("/api/user/**")
        .allow_role("admin")
        .allow_role_to_read("auditor");
    Guard::builder()
        .authenticator(verifier)
        .isolate(isolation)
        .permissions(Permissions::new().allow_role("editor", "article", ["create", "update"]))
        .open("/health")
        .optional("/optional/**")
        .realm("cases")
        .build()
        .expect("these settings go together")
}

/// What every handler of the application under test answers, as `application/json`.
#[must_use]
pub fn cases_answer(user: Option<&Identity>, scope: Option<&UserScope>) -> String {
    let access = |scope: &UserScope| match scope.access() {
        Access::Full => "full",
        Access::Read => "read",
    };
    answer(user.map(|user| user.user_id().as_str()), scope.map(|scope| (scope.owner().as_str(), access(scope))))
}

fn answer(user: Option<&str>, scope: Option<(&str, &str)>) -> String {
    let (owner, access) = scope.unzip();
    serde_json::json!({ "user": user, "owner": owner, "access": access }).to_string()
}

/// A request and its one right answer.
///
/// The `id` says where the requirement comes from: C for credentials, T for the token's structure, A for algorithms and
/// keys, L for claims, I for isolation, with a number; H for ordinary use, P for what routes ask for.
#[derive(Clone, Debug)]
pub struct Case {
    id: &'static str,
    method: &'static str,
    target: String,
    fields: Vec<(&'static str, Vec<u8>)>,
    expected: Expected,
}

#[derive(Clone, Debug)]
enum Expected {
    /// The handler's answer; `private` when it depends on a credential.
    Served {
        body: String,
        private: bool,
    },
    Refused(No),
    /// No HTTP server hands this over, or not every one: only the status is compared, as one of these and the answer of
    /// an adapter that does see it.
    ByServer(Option<No>),
}
const SERVER_STATUSES: [u16; 2] = [400, 431];
/// The moment at which all cases are judged, in seconds since the epoch.
const NOW: i64 = 1_800_000_000;

/// The default leeway of a verifier, in seconds.
const LEEWAY: i64 = 30;

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn token_of(subject: &str) -> Mint {
    mint().subject(subject).issued_at(NOW - 60).expires_at(NOW + 900)
}

fn alice() -> Mint {
    token_of("alice")
}
impl Case {
    fn new(id: &'static str, method: &'static str, target: impl Into<String>) -> Self {
        Self { id, method, target: target.into(), fields: Vec::new(), expected: Expected::ByServer(None) }
    }

    fn get(id: &'static str, target: impl Into<String>) -> Self {
        Self::new(id, "GET", target)
    }

    fn field(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    fn authorization(self, value: impl Into<Vec<u8>>) -> Self {
        self.field("authorization", value)
    }

    fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    fn signed(self, token: &Mint) -> Self {
        self.bearer(&token.sign(key()))
    }

    fn refused(mut self, no: No) -> Self {
        self.expected = Expected::Refused(no);
        self
    }

    /// Refused by the server, or so by the adapter.
    fn refused_by_server_or(mut self, no: No) -> Self {
        self.expected = Expected::ByServer(Some(no));
        self
    }

    /// Served to `user` with the rows of `owner`.
    fn serves(mut self, user: &str, owner: &str, access: &str) -> Self {
        self.expected = Expected::Served { body: answer(Some(user), Some((owner, access))), private: true };
        self
    }

    fn serves_own(self, user: &str) -> Self {
        self.serves(user, user, "full")
    }

    /// Served by a handler that asks for no scope.
    fn serves_caller(mut self, user: Option<&str>, private: bool) -> Self {
        self.expected = Expected::Served { body: answer(user, None), private };
        self
    }

    /// What the case is called, for messages.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The request's target: in origin form, unless the case is about other forms.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The request's field lines, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.fields.iter().map(|(name, value)| (*name, value.as_slice()))
    }

    /// The request as it goes over an HTTP/1.1 connection, which is closed after it.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = format!("{} {} HTTP/1.1\r\nhost: cases\r\nconnection: close\r\n", self.method, self.target);
        if self.method == "POST" {
            wire.push_str("content-length: 0\r\n");
        }
        let mut wire = wire.into_bytes();
        for (name, value) in self.fields() {
            wire.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        wire.extend(b"\r\n");
        wire
    }

    /// Compares an answer with the right one. `field` looks a header field up by its name in lower case, several lines
    /// joined by `, `.
    ///
    /// # Panics
    ///
    /// With the case's id and what differs.
    pub fn check(&self, status: u16, field: impl Fn(&str) -> Option<String>, body: &str) {
        let id = self.id;
        let (expected_status, challenge, content_type, expected_body, private) = match &self.expected {
            Expected::Served { body, private } => (200, None, "application/json", body.as_str(), *private),
            Expected::Refused(no) => (no.status, no.challenge, "application/problem+json", no.body, true),
            Expected::ByServer(_) if SERVER_STATUSES.contains(&status) => return,
            Expected::ByServer(Some(no)) => (no.status, no.challenge, "application/problem+json", no.body, true),
            Expected::ByServer(None) => panic!("{id}: status {status}, expected one of {SERVER_STATUSES:?}"),
        };
        assert_eq!(status, expected_status, "{id}: status; the body is {body}");
        assert_eq!(field("www-authenticate").as_deref(), challenge, "{id}: challenge");
        assert_eq!(field("content-type").as_deref(), Some(content_type), "{id}: content-type");
        assert_eq!(field("cache-control").as_deref(), private.then_some("no-store"), "{id}: cache-control");
        assert_eq!(field("vary").as_deref(), private.then_some("Authorization, Cookie"), "{id}: vary");
        // Whether a HEAD answer still has its body depends on how far down it is looked at.
        if self.method != "HEAD" {
            assert_eq!(body, expected_body, "{id}: body");
        }
    }

    /// Sends the case to an HTTP/1.1 server and checks the answer.
    ///
    /// # Panics
    ///
    /// As [`check`](Self::check), and when the server cannot be talked to.
    pub fn check_over(&self, server: SocketAddr) {
        let answer = WireAnswer::to(server, &self.wire());
        self.check(answer.status, |name| answer.field(name), &answer.body);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_case_has_its_own_id() {
        let mut ids = HashSet::new();
        for case in cases().into_iter().chain(wire_cases()) {
            assert!(ids.insert(case.id()), "{} stands twice", case.id());
        }
    }

    #[test]
    #[should_panic(expected = "C-01-nothing: status")]
    fn a_wrong_answer_is_told_with_its_case() {
        let cases = cases();
        let case = cases.iter().find(|case| case.id() == "C-01-nothing").expect("the first of them");
        case.check(200, |_| None, "");
    }
}
