//! One table of requests, each with the one right answer, for every adapter to run.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use authcore::{Access, Algorithm, Guard, Identity, Isolation, JwtVerifier, KeySet, ManualClock, UserScope};

use crate::{AUDIENCE, ISSUER, Mint, SigningKey, mint};

/// The guard that [`cases`] are judged by: one fixed key, one fixed moment.
///
/// `/health` is open, `/optional` optional. `/api/{user_id}/tasks/**` belongs to its owner, `/api/user/**` to the
/// caller; the role `admin` may do everything, `auditor` may read.
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
        .open("/health")
        .optional("/optional")
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
/// keys, L for claims, I for isolation, with a number; H for ordinary use.
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

/// A refusal, word for word.
#[derive(Clone, Copy, Debug)]
struct No {
    status: u16,
    challenge: Option<&'static str>,
    body: &'static str,
}

const SERVER_STATUSES: [u16; 2] = [400, 431];

const MISSING: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_credentials","detail":"This needs a credential: Authorization: Bearer <token>"}"#,
};

const MALFORMED: No = No {
    status: 400,
    challenge: Some(
        r#"Bearer realm="cases", error="invalid_request", error_description="Authorization: Bearer takes exactly one token""#,
    ),
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"malformed_credentials","detail":"Authorization: Bearer takes exactly one token"}"#,
};

const REPEATED: No = No {
    status: 400,
    challenge: Some(
        r#"Bearer realm="cases", error="invalid_request", error_description="There is more than one Authorization field""#,
    ),
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"malformed_credentials","detail":"There is more than one Authorization field"}"#,
};

const INVALID: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token is not valid""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_invalid","detail":"Token is not valid"}"#,
};

const EXPIRED: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token has expired""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_expired","detail":"Token has expired"}"#,
};

const NOT_YET: No = No {
    status: 401,
    challenge: Some(r#"Bearer realm="cases", error="invalid_token", error_description="Token is not valid yet""#),
    body: r#"{"type":"about:blank","title":"Unauthorized","status":401,"code":"token_not_yet_valid","detail":"Token is not valid yet"}"#,
};

const NOT_OWNER: No = No {
    status: 403,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"not_owner","detail":"This belongs to another user"}"#,
};

const ROLE: No = No {
    status: 403,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_role","detail":"Your role does not allow this"}"#,
};

const AMBIGUOUS: No = No {
    status: 400,
    challenge: None,
    body: r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"bad_request","detail":"The path is ambiguous"}"#,
};

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

/// An HTTP/1.1 answer read from a socket, for tests that must send what no client library sends.
#[derive(Clone, Debug)]
pub struct WireAnswer {
    /// The status code.
    pub status: u16,
    /// The field lines, names in lower case, in order.
    pub fields: Vec<(String, String)>,
    /// All that follows the head, as it came.
    pub body: String,
}

impl WireAnswer {
    /// Sends these bytes over a new connection and reads until the server closes it. Blocks for 10 s at most.
    ///
    /// # Panics
    ///
    /// When there is no answer of HTTP/1.1.
    #[must_use]
    pub fn to(server: SocketAddr, request: &[u8]) -> Self {
        let mut connection = TcpStream::connect(server).expect("the server listens");
        connection.set_read_timeout(Some(Duration::from_secs(10))).expect("not zero");
        // A server may answer and hang up before it has read everything.
        let _ = connection.write_all(request);
        let mut read = Vec::new();
        let _ = connection.read_to_end(&mut read);
        let text = String::from_utf8_lossy(&read);
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Self { status: status.expect("a status line"), fields, body: body.to_owned() }
    }

    /// A header field by its name in lower case, several lines joined by `, `.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| &**value).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }
}

/// The table. The application under test is behind [`cases_guard`] and answers [`cases_answer`] on
///
/// | route | methods | with |
/// |---|---|---|
/// | `/api/{user_id}/tasks`, `/api/user/tasks`, `/api/tasks` | `GET`, `HEAD`, `POST` | the caller, who must be there, and the scope |
/// | `/api/{user_id}/tasks` | `OPTIONS` | the caller if there is one, no scope: it stands for a CORS layer |
/// | `/optional` | `GET` | the caller if there is one, no scope |
/// | `/health` | `GET` | nothing |
///
/// Targets are such that a URI type takes them; for what only a socket does, see [`wire_cases`].
#[must_use]
pub fn cases() -> Vec<Case> {
    [ordinary(), credentials(), tokens(), isolation()].concat()
}

fn ordinary() -> Vec<Case> {
    let admin = token_of("root").claim("role", "admin");
    let auditor = token_of("aud").claim("role", "auditor");
    let preflight = |id| {
        Case::new(id, "OPTIONS", "/api/bob/tasks")
            .field("origin", "https://app.example.com")
            .field("access-control-request-method", "POST")
    };
    vec![
        Case::get("H-01-own-path", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::get("H-02-no-user-in-path", "/api/tasks").signed(&alice()).serves_own("alice"),
        Case::get("H-03-static-beats-parameter", "/api/user/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-04-post", "POST", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-05-head", "HEAD", "/api/alice/tasks").signed(&alice()).serves_own("alice"),
        Case::new("H-06-head-refused", "HEAD", "/api/bob/tasks").signed(&alice()).refused(NOT_OWNER),
        Case::get("H-07-admin-reads", "/api/bob/tasks").signed(&admin).serves("root", "bob", "full"),
        Case::new("H-08-admin-writes", "POST", "/api/bob/tasks").signed(&admin).serves("root", "bob", "full"),
        Case::get("H-09-auditor-reads", "/api/bob/tasks").signed(&auditor).serves("aud", "bob", "read"),
        Case::new("H-10-auditor-head", "HEAD", "/api/bob/tasks").signed(&auditor).serves("aud", "bob", "read"),
        Case::new("H-11-auditor-writes", "POST", "/api/bob/tasks").signed(&auditor).refused(ROLE),
        Case::new("H-12-auditor-own", "POST", "/api/aud/tasks").signed(&auditor).serves_own("aud"),
        Case::get("H-13-open", "/health").serves_caller(None, false),
        Case::get("H-14-open-looks-at-nothing", "/health").bearer("broken").serves_caller(None, false),
        Case::get("H-15-optional-anonymous", "/optional").serves_caller(None, true),
        Case::get("H-16-optional-caller", "/optional").signed(&alice()).serves_caller(Some("alice"), true),
        Case::get("H-17-optional-other-scheme", "/optional").authorization("Basic YTpi").serves_caller(None, true),
        Case::get("H-18-unknown-route", "/nowhere").refused(MISSING),
        Case::new("H-19-options", "OPTIONS", "/api/alice/tasks").refused(MISSING),
        Case::new("H-20-options-caller", "OPTIONS", "/api/alice/tasks")
            .signed(&alice())
            .serves_caller(Some("alice"), true),
        preflight("C-19-preflight").serves_caller(None, true),
        preflight("C-19-preflight-with-token").signed(&alice()).serves_caller(None, true),
    ]
}

fn credentials() -> Vec<Case> {
    let token = alice().sign(key());
    let get = |id| Case::get(id, "/api/alice/tasks");
    let authorization = |id, value: &str| get(id).authorization(value);
    let beside = |before: &[u8], after: &[u8]| [before, token.as_bytes(), after].concat();
    vec![
        get("C-01-nothing").refused(MISSING),
        authorization("C-02-lower", &format!("bearer {token}")).serves_own("alice"),
        authorization("C-02-upper", &format!("BEARER {token}")).serves_own("alice"),
        authorization("C-02-mixed", &format!("bEaReR {token}")).serves_own("alice"),
        authorization("C-03-basic", "Basic YWxpY2U6c2VjcmV0").refused(MISSING),
        authorization("C-03-digest", "Digest username=\"alice\"").refused(MISSING),
        authorization("C-03-negotiate", "Negotiate YII=").refused(MISSING),
        authorization("C-03-longer-name", &format!("Bearers {token}")).refused(MISSING),
        authorization("C-04-scheme-alone", "Bearer").refused(MALFORMED),
        authorization("C-04-only-spaces", "Bearer   ").refused(MALFORMED),
        authorization("C-05-tab", &format!("Bearer\t{token}")).refused(MALFORMED),
        get("C-05-nbsp").authorization(beside(b"Bearer\xC2\xA0", b"")).refused(MALFORMED),
        get("C-05-zero-width-space").authorization(beside(b"Bearer\xE2\x80\x8B", b"")).refused(MALFORMED),
        authorization("C-06-two-spaces", &format!("Bearer  {token}")).serves_own("alice"),
        get("C-07-two-lines").bearer(&token).bearer(&token).refused(REPEATED),
        get("C-07-two-different-lines").bearer(&token).authorization("Basic YTpi").refused(REPEATED),
        get("C-07-bad-before-good").bearer("broken").bearer(&token).refused(REPEATED),
        authorization("C-08-list", &format!("Bearer {token}, Bearer {token}")).refused(MALFORMED),
        authorization("C-09-scheme-twice", &format!("Bearer Bearer {token}")).refused(MALFORMED),
        authorization("C-09-quoted", &format!("Bearer \"{token}\"")).refused(MALFORMED),
        authorization("C-09-parameter", &format!("Bearer token=\"{token}\"")).refused(MALFORMED),
        authorization("C-09-inner-space", "Bearer ab cd").refused(MALFORMED),
        get("C-10-byte-80").authorization(beside(b"Bearer ", b"\x80")).refused(MALFORMED),
        get("C-10-byte-ff").authorization(b"Bearer \xFF".as_slice()).refused(MALFORMED),
        get("C-10-bytes-in-scheme").authorization(b"B\xE9arer x".as_slice()).refused(MISSING),
        get("C-12-20-kilobytes").bearer(&"a".repeat(20_000)).refused(INVALID),
        get("C-13-dots").bearer(&".".repeat(100_000)).refused_by_server_or(INVALID),
        get("C-13-megabyte").bearer(&"a".repeat(1_000_000)).refused_by_server_or(INVALID),
        Case::get("C-14-query", format!("/api/alice/tasks?access_token={token}&token={token}")).refused(MISSING),
        get("C-15-cookie-beside-token")
            .bearer(&token)
            .field("cookie", "better-auth.session_token=b.b")
            .serves_own("alice"),
        get("C-16-cookie-beside-bad-token")
            .bearer("a.b.c")
            .field("cookie", "better-auth.session_token=b.b")
            .refused(INVALID),
        Case::get("C-17-optional-bad-token", "/optional").bearer("a.b.c").refused(INVALID),
        Case::get("C-17-optional-malformed", "/optional").authorization("Bearer").refused(MALFORMED),
        Case::get("C-17-optional-two-lines", "/optional").bearer(&token).bearer(&token).refused(REPEATED),
        get("C-18-user-header").field("x-user-id", "alice").field("x-forwarded-user", "alice").refused(MISSING),
        get("C-18-forwarded-authorization")
            .field("x-forwarded-authorization", format!("Bearer {token}"))
            .refused(MISSING),
        get("C-18-user-header-beside-token").bearer(&token).field("x-user-id", "bob").serves_own("alice"),
        authorization("C-20-dpop", &format!("DPoP {token}")).refused(MISSING),
    ]
}

fn tokens() -> Vec<Case> {
    let good = alice().sign(key());
    let get = |id| Case::get(id, "/api/alice/tasks");
    let structure = |id, token: &str| get(id).bearer(token).refused(INVALID);
    let alg = |id, alg: &str| structure(id, &alice().header("alg", alg).sign(key()));
    let claim = |id, name: &str, value: serde_json::Value| get(id).signed(&alice().claim(name, value)).refused(INVALID);
    vec![
        structure("T-21-one-segment", "abc"),
        structure("T-21-two-segments", "abc.def"),
        structure("T-21-four-segments", &format!("{good}.abc")),
        structure("T-21-five-segments", &format!("{good}.abc.def")),
        structure("T-21-leading-dot", &format!(".{good}")),
        structure("T-21-trailing-dot", &format!("{good}.")),
        structure("T-21-only-dots", ".."),
        structure("T-25-padding", &format!("{good}=")),
        structure("A-37-none-unsigned", &alice().unsigned()),
        structure("A-37-none-with-signature", &alice().with_signature([0; 64])),
        alg("A-37-none-signed", "none"),
        alg("A-37-none-capital", "None"),
        alg("A-37-none-mixed", "nOnE"),
        alg("A-37-none-padded", "none "),
        alg("A-37-none-cyrillic", "non\u{435}"),
        alg("A-37-none-nul", "none\0"),
        alg("A-39-other-case", "eddsa"),
        alg("A-43-other-algorithm", "HS256"),
        structure("A-50-other-key", &alice().sign(SigningKey::fixed(Algorithm::Es256))),
        get("L-65-a-second-ago").signed(&alice().expires_at(NOW - 1)).serves_own("alice"),
        get("L-65-inside-leeway").signed(&alice().expires_at(NOW - LEEWAY + 1)).serves_own("alice"),
        get("L-66-at-the-leeway").signed(&alice().expires_at(NOW - LEEWAY)).refused(EXPIRED),
        get("L-66-long-ago").signed(&alice().issued_at(NOW - 7200).expires_at(NOW - 3600)).refused(EXPIRED),
        get("L-64-no-exp").signed(&alice().without("exp")).refused(INVALID),
        claim("L-63-exp-string", "exp", (NOW + 900).to_string().into()),
        claim("L-63-exp-bool", "exp", true.into()),
        claim("L-63-exp-null", "exp", serde_json::Value::Null),
        claim("L-63-exp-array", "exp", serde_json::json!([NOW + 900])),
        claim("L-63-exp-object", "exp", serde_json::json!({ "at": NOW + 900 })),
        get("L-70-nbf-inside-leeway").signed(&alice().not_before(NOW + LEEWAY)).serves_own("alice"),
        get("L-70-nbf-ahead").signed(&alice().not_before(NOW + LEEWAY + 1)).refused(NOT_YET),
        get("L-72-iat-ahead").signed(&alice().issued_at(NOW + LEEWAY + 1)).refused(NOT_YET),
        claim("L-74-other-audience", "aud", "other-api".into()),
        claim("L-77-other-issuer", "iss", "https://id.example.com/".into()),
        claim("L-78-empty-subject", "sub", "".into()),
        get("L-82-role-number").signed(&alice().claim("role", 1)).serves_own("alice"),
        Case::get("L-82-role-object", "/api/bob/tasks")
            .signed(&alice().claim("role", serde_json::json!({ "admin": true })))
            .refused(NOT_OWNER),
    ]
}

fn isolation() -> Vec<Case> {
    let at = |id, path: &str| Case::get(id, path).signed(&alice());
    let within = |id, segment: &str| at(id, &format!("/api/{segment}/tasks"));
    let dashed = |id, path: &str| Case::get(id, path).signed(&token_of("user-1"));
    let override_method = |id, method, to: &str| {
        Case::new(id, method, "/api/bob/tasks")
            .signed(&token_of("aud").claim("role", "auditor"))
            .field("x-http-method-override", to)
            .field("x-http-method", to)
            .field("x-method-override", to)
    };
    vec![
        within("I-117-somebody-else", "bob").refused(NOT_OWNER),
        Case::new("I-117-somebody-elses-post", "POST", "/api/bob/tasks").signed(&alice()).refused(NOT_OWNER),
        Case::get("I-117-credential-first", "/api/bob/tasks").refused(MISSING),
        dashed("I-119-escaped-own-id", "/api/user%2D1/tasks").serves_own("user-1"),
        dashed("I-119-escaped-lower-case", "/api/user%2d1/tasks").serves_own("user-1"),
        within("I-119-escaped-letter", "%61lice").serves_own("alice"),
        dashed("I-120-escaped-twice", "/api/user%252D1/tasks").refused(NOT_OWNER),
        within("I-120-escaped-slash", "alice%2Fx").refused(AMBIGUOUS),
        within("I-120-escaped-backslash", "alice%5Cx").refused(AMBIGUOUS),
        within("I-120-nul", "alice%00").refused(AMBIGUOUS),
        within("I-120-crlf", "alice%0d%0a").refused(AMBIGUOUS),
        within("I-120-byte-ff", "%ff").refused(AMBIGUOUS),
        within("I-120-overlong", "%c0%af").refused(AMBIGUOUS),
        within("I-120-no-escape", "%zz").refused(AMBIGUOUS),
        at("I-120-cut-escape", "/api/alice/tasks/%2").refused(AMBIGUOUS),
        within("I-121-dot-segments", "alice/../bob").refused(AMBIGUOUS),
        within("I-121-escaped-dot-segments", "alice/%2e%2e/bob").refused(AMBIGUOUS),
        within("I-121-half-escaped-dot-segments", "alice/.%2e/bob").refused(AMBIGUOUS),
        within("I-121-one-dot", "./alice").refused(AMBIGUOUS),
        at("I-121-empty-segment", "/api//alice/tasks").refused(AMBIGUOUS),
        at("I-121-two-slashes-first", "//api/alice/tasks").refused(AMBIGUOUS),
        within("I-121-path-parameter", "alice;x=y").refused(AMBIGUOUS),
        within("I-121-backslash", "alice\\..\\bob").refused(AMBIGUOUS),
        at("I-121-absolute-form", "http://cases/api/alice/tasks").refused(AMBIGUOUS),
        at("I-121-absolute-form-somebody-else", "http://cases/api/bob/tasks").refused(AMBIGUOUS),
        at("I-121-absolute-form-open", "http://cases/health").refused(AMBIGUOUS),
        Case::new("I-121-asterisk-form", "OPTIONS", "*").refused(AMBIGUOUS),
        // A router that decodes finds the word `user` here; one that does not finds somebody of that name.
        at("I-121-escaped-literal", "/api/%75ser/tasks").refused(AMBIGUOUS),
        // A router that decodes finds `/health` here; one that does not might find `/{anything}`.
        Case::get("I-121-escaped-open-path", "/%68ealth").refused(MISSING),
        within("I-122-other-case", "Alice").refused(NOT_OWNER),
        Case::get("I-122-nfd", "/api/ame%CC%81lie/tasks").signed(&token_of("am\u{e9}lie")).refused(NOT_OWNER),
        Case::get("I-122-nfc", "/api/am%C3%A9lie/tasks").signed(&token_of("am\u{e9}lie")).serves_own("am\u{e9}lie"),
        within("I-122-homoglyph", "%D0%B0lice").refused(NOT_OWNER),
        Case::get("I-122-kelvin-sign", "/api/%E2%84%AAim/tasks").signed(&token_of("kim")).refused(NOT_OWNER),
        Case::get("I-122-long-s", "/api/%C5%BFam/tasks").signed(&token_of("sam")).refused(NOT_OWNER),
        within("I-122-full-width", "%EF%BD%81lice").refused(NOT_OWNER),
        at("I-123-query", "/api/tasks?user_id=bob&userId=bob&sort=user_id").serves_own("alice"),
        override_method("I-124-override-to-read", "POST", "GET").refused(ROLE),
        override_method("I-124-override-to-write", "GET", "DELETE").serves("aud", "bob", "read"),
    ]
}

/// What no URI or header value type takes, so that it can only be sent over a socket. Servers refuse most of it before
/// any adapter sees it; then the status alone is compared.
#[must_use]
pub fn wire_cases() -> Vec<Case> {
    let token = alice().sign(key());
    let value = |id, value: &[u8]| Case::get(id, "/api/alice/tasks").authorization(value);
    let around = |byte: &[u8]| [b"Bearer ", token.as_bytes(), byte, b"x"].concat();
    vec![
        value("C-11-nul", &around(b"\0")).refused_by_server_or(MALFORMED),
        value("C-11-carriage-return", &around(b"\r")).refused_by_server_or(MALFORMED),
        value("C-11-line-feed", &around(b"\n")).refused_by_server_or(MALFORMED),
        Case::get("I-120-raw-bytes", "/api/\u{e9}/tasks").bearer(&token).refused_by_server_or(AMBIGUOUS),
        Case::new("I-121-authority-form", "CONNECT", "cases:80").bearer(&token).refused_by_server_or(AMBIGUOUS),
    ]
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
