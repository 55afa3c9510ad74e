//! A whole request: a head of lines, for a guard with isolation, tokens from everywhere, sessions and limits. After the path
//! some bytes stand for credentials: see [`WORDS`]. Each request is made several times.
#![no_main]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use authcore::rate::{InProcess, Limit, RateLimits};
use authcore::{
    Admission, Algorithm, Guard, Isolation, ManualClock, Method, Refusal, TokenSource, TrustedOrigins, Unavailable,
    UserId,
};
use authcore_better_auth::{
    BearerSessions, BetterAuth, CookieNames, Session, SessionRecord, SessionStore, SessionToken, User,
};
use authcore_fuzz::cookies::{OTHER_SECRET, SECRET, SECRETS, escaped, signed};
use authcore_fuzz::{MARKER, NOW, head, jwt, path::owner_named, planted, replaced};
use authcore_testkit::{SigningKey, TestHead};

/// For the bytes from 2 on, those left out that mean something in a head: good credentials, then bad ones, then fields.
static WORDS: LazyLock<Vec<(u8, String)>> = LazyLock::new(|| {
    let jwt = |user: &str, role: &str| jwt::good().subject(user).claim("role", role).sign(jwt::key(0));
    let session = |token: &str, secret| String::from_utf8(escaped(&signed(token.as_bytes(), secret))).expect("ASCII");
    let forger = SigningKey::fixed(Algorithm::Es384);
    let words = [
        jwt("alice", "user"),
        jwt("bob", "user"),
        jwt("root", "admin"),
        jwt("auditor", "auditor"),
        session(TOKENS[0].0, SECRET),
        session(TOKENS[1].0, SECRET),
        // Bad ones.
        jwt::good().expires_at(NOW - 1).sign(jwt::key(0)),
        jwt::good().header("kid", jwt::key(0).kid()).sign(forger),
        jwt::good().claim("role", "admin").unsigned(),
        session(TOKENS[0].0, OTHER_SECRET),
        session(TOKENS[2].0, SECRET),
        // Fields.
        "Authorization: Bearer ".to_owned(),
        "Cookie: better-auth.session_token=".to_owned(),
        "Upgrade: websocket\nConnection: upgrade\n".to_owned(),
        "Sec-WebSocket-Protocol: bearer, ".to_owned(),
        "Origin: https://app.example.com\n".to_owned(),
    ];
    (2..=8).chain(11..=12).chain(14..=20).zip(words).collect()
});

/// Whose the good credentials are, in the order of [`WORDS`].
const USERS: [&str; 6] = ["alice", "bob", "root", "auditor", "alice", "bob"];

/// Sessions and their users; the last is over.
const TOKENS: [(&str, &str, i64); 3] = [
    ("sessionOfAlice", "alice", NOW + 60),
    ("sessionOfBob", "bob", NOW + 60),
    ("sessionThatIsOver", "alice", NOW - 60),
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Whose rows a path names is no secret, and no place for one.
    let end = data.iter().position(|byte| matches!(byte, b'?' | b'\n')).unwrap_or(data.len());
    let (path, rest) = data.split_at(end);
    let rest = replaced(&planted(rest), |byte| WORDS.iter().find(|(known, _)| *known == byte).map(|(_, word)| &**word));
    let lines = [path, &rest].concat();
    let Some(head) = head::read(&lines) else { return };
    let guard = guard();
    let verdicts: Vec<_> = (0..TIMES).map(|_| ask(&guard, &head)).collect();

    for verdict in &verdicts {
        match verdict {
            Ok(admission) => admitted(admission, &head, &lines),
            Err(refusal) => refused(refusal),
        }
    }
    // What is asked once gets the same answer twice, and too often none.
    let reason = |verdict: &Result<Admission, Refusal>| verdict.as_ref().err().map(Refusal::reason);
    let reasons: Vec<_> = verdicts.iter().map(reason).collect();
    assert!(reasons[0] == reasons[1] && reasons[0] != Some("rate_limited"), "{reasons:?}");
    let last = reasons[TIMES - 1].expect("it was asked too often");
    assert!(matches!(last, "rate_limited" | "ambiguous_path"), "{reasons:?}");
    let first = reasons.iter().position(|reason| *reason == Some("rate_limited")).unwrap_or(TIMES);
    assert!(reasons[..first].iter().all(|reason| *reason == reasons[0]), "{reasons:?}");
    assert!(reasons[first..].iter().all(|reason| *reason == Some("rate_limited")), "{reasons:?}");
    let is_judged_bad = reasons[0].is_some_and(|reason| jwt::REASONS.contains(&reason) && reason != "expired");
    assert!(!is_judged_bad || first == 2, "bad credentials are counted: {reasons:?}");
});

/// By a credential that stands in the request, to rows of its own, or to what it may read.
fn admitted(admission: &Admission, head: &TestHead, lines: &[u8]) {
    let path = head.spec().target.split('?').next().unwrap_or_default();
    let Some(caller) = admission.identity() else {
        let is_preflight = head.spec().method == "OPTIONS"
            && ["origin", "access-control-request-method"].iter().all(|name| head::values(head, name).next().is_some());
        // A credential that is there counts, where one is looked at.
        let is_optional = path == "/public" || path.starts_with("/public/");
        let bearer = head::values(head, "authorization").find_map(head::bearer);
        assert!(path == "/health" || is_preflight || is_optional && bearer.is_none(), "nobody at {path}");
        tells_nothing(&format!("{admission:?}"), "");
        return assert!(admission.scope().is_none());
    };
    let user = caller.user_id().as_str();
    let stands_there = |word: &str| lines.windows(word.len()).any(|window| window == word.as_bytes());
    let mut good = WORDS.iter().zip(USERS).filter(|(_, owner)| *owner == user);
    assert!(good.any(|((_, word), _)| stands_there(word)), "nobody gave {user} leave");
    assert_eq!(caller.has_role("admin"), user == "root");

    let scope = admission.scope().expect("a caller has one");
    let named = owner_named("/api/{user_id}/**", path);
    let owner = scope.owner().as_str();
    assert_eq!(owner, named.as_deref().unwrap_or(user), "{path}");
    tells_nothing(&format!("{admission:?}"), owner);
    match user {
        _ if owner == user => assert!(scope.require_write().is_ok()),
        "root" => assert!(scope.require_write().is_ok()),
        "auditor" => {
            assert!(scope.require_write().is_err() && matches!(&*head.spec().method, "GET" | "HEAD"));
        }
        _ => panic!("{user} at {path}"),
    }
    if owner_named("/api/{user_id}/secret", path).is_some() {
        // A JWT does not tell that nobody acts as its user.
        assert!(matches!(caller.method(), Method::Session { .. }));
    }
}

/// For a reason that is known, in a status that goes with it, and in header fields that can be sent.
fn refused(refusal: &Refusal) {
    let (status, reason) = (refusal.status(), refusal.reason());
    let expected = match reason {
        "ambiguous_path" | "repeated_authorization" | "malformed_bearer" | "repeated_token" | "malformed_token" => 400,
        "not_owner" | "insufficient_role" | "read_only" | "cross_site" | "impersonation_refused" => 403,
        "rate_limited" => 429,
        "missing" | "bearer_unread" | "session_malformed" | "session_bad_signature" | "session_expired" => 401,
        "session_unknown" => 401,
        other => {
            assert!(jwt::REASONS.contains(&other), "not a documented reason: {other}");
            401
        }
    };
    assert_eq!(status, expected, "{reason}");
    let fields = refusal.fields();
    let has = |name| fields.iter().filter(|(known, _)| *known == name).count();
    assert!(has("www-authenticate") == 1 || status != 401, "{fields:?}");
    assert!(has("retry-after") == usize::from(status == 429) && has("vary") == 1, "{fields:?}");
    assert!(fields.iter().all(|(_, value)| value.bytes().all(|byte| matches!(byte, b' '..=b'~'))), "{fields:?}");
    tells_nothing(&format!("{refusal:?} {fields:?} {}", refusal.body()), "");
}

/// Neither a secret nor a credential, unless it was typed for somebody's id.
fn tells_nothing(told: &str, owner: &str) {
    let credentials = WORDS.iter().take(11).map(|(_, word)| &**word);
    let mut secrets = credentials.chain(TOKENS.map(|(token, ..)| token)).chain([MARKER]);
    assert!(secrets.all(|secret| !told.contains(secret) || owner.contains(secret)), "a secret is told: {told}");
}

/// Keys and sessions are at hand, so nothing is ever waited for.
fn ask(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    match pin!(guard.begin(head).finish()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

const TIMES: usize = 8;

/// A new one for each input, so that nothing is counted from one to the next.
fn guard() -> Guard {
    let origins = TrustedOrigins::new(["https://app.example.com"]).expect("an origin");
    let counts = InProcess::new().max_keys(8).expect("few").clock(ManualClock::at(NOW));
    let quota = |text: &str| text.parse().expect("a quota");
    let limits = RateLimits::counted_in(counts)
        .failed_authentications(quota("2/minute"))
        .limit(Limit::new("general", quota("5/minute")))
        .limit(Limit::new("data", quota("3/minute")).per_user().on("/api/**"));
    let sessions = BetterAuth::builder()
        .secrets(&SECRETS)
        .cookie_names(CookieNames::new(false))
        .sessions(Known)
        .trusted_origins(origins.clone())
        .bearer_sessions(BearerSessions::Signed)
        .clock(ManualClock::at(NOW));
    Guard::builder()
        .authenticator(sessions.build().expect("good settings"))
        .authenticator(jwt::verifier())
        .tokens_from(TokenSource::websocket_protocol("bearer"))
        .tokens_from(TokenSource::handshake_query("access_token"))
        .tokens_from(TokenSource::cookie("token", origins))
        .isolate(Isolation::path("/api/{user_id}/**").allow_role("admin").allow_role_to_read("auditor"))
        .open("/health")
        .optional("/public/**")
        .refuse_impersonation("/api/{user_id}/secret")
        .rate_limits(limits)
        .build()
        .expect("good settings")
}

struct Known;

impl SessionStore for Known {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        let found = TOKENS.iter().find(|(known, ..)| *known == token.expose());
        Ok(found.map(|(token, user, until)| {
            let id = UserId::new(user).expect("an id");
            let session = Session {
                id: None,
                token: SessionToken::new(token).expect("a token"),
                user_id: id.clone(),
                expires_at: authcore::Timestamp::from_seconds(*until),
                created_at: None,
                impersonated_by: None,
                active_organization_id: None,
                active_team_id: None,
            };
            SessionRecord::new(session, Some(known(id)))
        }))
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

fn known(id: UserId) -> User {
    let (email, name) = (format!("{id}@example.com"), id.to_string());
    User { id, email, email_verified: true, name, image: None, role: None, banned: false, ban_expires: None }
}
