//! Credentials, through the whole guard: C-1 to C-20 of docs/security/cases.md.

use authcore::{
    Admission, ApiKeyFault, AuthError, Authenticator, Guard, Identity, Method, Part, Refusal, SessionFault, UserId,
};
use authcore::{RequestHead, credential::cookie};
use authcore_testkit::TestHead;

use crate::support::{ed25519, good, verifier};

/// Reads a cookie called `session` whose value names the user: a stand-in for a second kind of credential.
struct CookieSession;

impl Authenticator for CookieSession {
    type Credential = String;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<String>, AuthError> {
        let value = cookie::value(head, "session").map_err(|_| AuthError::BadSignature)?;
        Ok(value.map(|value| String::from_utf8_lossy(value).into_owned()))
    }

    async fn verify(&self, user: String) -> Result<Identity, AuthError> {
        let user = UserId::new(&user).map_err(|_| AuthError::BadSignature)?;
        Ok(Identity::assertion(user, Method::Other("cookie")).into_identity())
    }
}

fn guard() -> Guard {
    Guard::builder()
        .authenticator(verifier())
        .authenticator(CookieSession)
        .realm("tests")
        .open("/health")
        .optional("/feed/**")
        .build()
        .expect("good settings")
}

fn token() -> String {
    good().sign(ed25519())
}

/// Runs a guard to its end. These requests never wait for anything outside.
fn run(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.begin(head).finish())
}

fn verdict(head: &TestHead) -> Result<Admission, Refusal> {
    run(&guard(), head)
}

#[track_caller]
fn refusal(head: &TestHead) -> (u16, &'static str, String) {
    let refusal = verdict(head).expect_err("this is refused");
    (refusal.status(), refusal.reason(), refusal.challenge().unwrap_or_default())
}

#[track_caller]
fn user(head: &TestHead) -> String {
    let admission = verdict(head).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
    admission.identity().map(|identity| identity.user_id().to_string()).unwrap_or_default()
}

fn with(value: impl AsRef<[u8]>) -> TestHead {
    TestHead::get("/api/tasks").header("authorization", value)
}

const BARE: &str = r#"Bearer realm="tests""#;

#[test]
fn c01_without_a_credential_the_challenge_is_bare() {
    assert_eq!(refusal(&TestHead::get("/api/tasks")), (401, "missing", BARE.into()));
}

#[test]
fn c02_the_scheme_is_case_insensitive() {
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(user(&with(format!("{scheme} {}", token()))), "alice");
    }
}

#[test]
fn c03_c20_other_schemes_are_not_ours_to_judge() {
    let dpop = format!("DPoP {}", token());
    let bare_token = token();
    for value in ["Basic YTpi", "Digest username=\"a\"", "Negotiate YII=", &dpop, "Bearerx abc", &bare_token, ""] {
        assert_eq!(refusal(&with(value)), (401, "missing", BARE.into()), "{value}");
    }
}

#[test]
fn c04_c05_c08_c09_c10_a_bearer_that_is_not_one_token_is_malformed() {
    let good = token();
    let malformed: Vec<Vec<u8>> = [
        "Bearer",
        "Bearer ",
        "Bearer   ",
        "Bearer\tabc",
        "Bearer \tabc",
        "Bearer\u{a0}abc",
        "Bearer \u{200b}abc",
        "Bearer a, Bearer b",
        "Bearer a,b",
        "Bearer Bearer x",
        "Bearer \"abc\"",
        "Bearer token=\"x\"",
        "Bearer a b",
        "Bearer =",
        "Bearer a=b",
        "Bearer,abc",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into_iter()
    .chain([
        [b"Bearer ".as_slice(), good.as_bytes(), b"\xff"].concat(),
        b"Bearer \x80".to_vec(),
        b"Bearer a\0".to_vec(),
        [b"\xa0Bearer ".as_slice(), good.as_bytes()].concat(),
        [b"\"Bearer\" ".as_slice(), good.as_bytes()].concat(),
    ])
    .collect();
    for value in malformed {
        let (status, reason, challenge) = refusal(&with(&value));
        assert_eq!((status, reason), (400, "malformed_bearer"), "{}", String::from_utf8_lossy(&value));
        assert!(challenge.contains(r#"error="invalid_request""#));
    }
}

#[test]
fn c06_more_than_one_space_after_the_scheme_is_accepted() {
    assert_eq!(user(&with(format!("Bearer   {}", token()))), "alice");
    assert_eq!(user(&with(format!("Bearer {} ", token()))), "alice");
}

#[test]
fn c07_two_authorization_lines_are_never_chosen_from() {
    let bearer = format!("Bearer {}", token());
    for (first, second) in [(&*bearer, &*bearer), (&bearer, "Bearer x"), ("Basic YTpi", &bearer), (&bearer, "")] {
        let head = with(first).header("authorization", second.as_bytes());
        let (status, reason, challenge) = refusal(&head);
        assert_eq!((status, reason), (400, "repeated_authorization"));
        assert!(challenge.contains(r#"error="invalid_request""#));
    }
}

#[test]
fn c11_control_characters_are_refused_even_where_a_server_lets_them_by() {
    for value in [b"Bearer a\0b".as_slice(), b"Bearer a\r\nX: y", b"Bearer a\nb"] {
        assert_eq!(refusal(&with(value)).1, "malformed_bearer");
    }
    // At the ends too, where only space and tab are white space (RFC 9110 §5.6.3).
    for end in ["\r\n", "\n", "\r", "\x0c", "\0"] {
        for value in [format!("Bearer {}{end}", token()), format!("{end}Bearer {}", token())] {
            assert_eq!(refusal(&with(&value)).1, "malformed_bearer", "{end:?}");
        }
    }
    assert_eq!(user(&with(format!("\tBearer {}\t", token()))), "alice");
}

#[test]
fn c12_c13_length_and_dots_are_bounded_before_any_work() {
    for value in ["A".repeat(20 * 1024), ".".repeat(100_000), "A".repeat(1 << 20)] {
        let (status, reason, challenge) = refusal(&with(format!("Bearer {value}")));
        assert_eq!((status, reason), (401, "too_long"));
        assert!(challenge.contains(r#"error="invalid_token""#));
    }
    assert_eq!(refusal(&with(format!("Bearer {}", ".".repeat(10_000)))).1, "not_compact");
}

#[test]
fn c14_a_token_in_the_query_is_not_read() {
    let target = format!("/api/tasks?access_token={}", token());
    assert_eq!(refusal(&TestHead::get(&target)), (401, "missing", BARE.into()));
}

#[test]
fn c15_an_explicit_header_wins_over_a_cookie_and_identities_are_never_merged() {
    let head = with(format!("Bearer {}", token())).header("cookie", b"session=bob");
    assert_eq!(user(&head), "alice");
    assert_eq!(user(&TestHead::get("/api/tasks").header("cookie", b"session=bob")), "bob");
}

#[test]
fn c16_a_refused_token_is_not_followed_by_the_cookie() {
    let told = |value| {
        let (status, reason, challenge) = refusal(&with(value).header("cookie", b"session=bob"));
        (status, reason, challenge.contains(r#"error="invalid_token""#))
    };
    assert_eq!(told("Bearer a.b.c"), (401, "header_not_base64", true));
    assert_eq!(told("Bearer a b"), (400, "malformed_bearer", false));
}

#[test]
fn c17_optional_does_not_mean_that_anything_goes() {
    assert_eq!(user(&TestHead::get("/feed/today")), "");
    assert_eq!(user(&TestHead::get("/feed/today").bearer(token())), "alice");
    let expired = good().expires_at(1).sign(ed25519());
    assert_eq!(refusal(&TestHead::get("/feed/today").bearer(&expired)).1, "expired");
    assert_eq!(refusal(&TestHead::get("/feed/today").header("authorization", b"Bearer")).1, "malformed_bearer");
}

#[test]
fn c18_headers_that_name_a_user_are_not_read() {
    let mut head = TestHead::get("/api/tasks");
    for name in ["x-user-id", "x-forwarded-user", "x-forwarded-authorization", "x-authenticated-user"] {
        head = head.header(name, format!("Bearer {}", token()).into_bytes());
    }
    assert_eq!(refusal(&head), (401, "missing", BARE.into()));
}

#[test]
fn c19_a_preflight_passes_without_an_identity() {
    let preflight = TestHead::new("OPTIONS", "/api/tasks")
        .header("origin", b"https://app.example.com")
        .header("access-control-request-method", b"PUT");
    let admission = verdict(&preflight).expect("for the CORS layer to answer");
    assert!(admission.identity().is_none() && admission.scope().is_none());
    assert_eq!(admission.require_user_scope().expect_err("nobody").reason(), "missing");
    let field = |head: TestHead, name| head.header(name, "PUT");
    let [origin, method] = ["origin", "access-control-request-method"];
    for (none, fields) in [
        ("OPTIONS", &[][..]),
        ("OPTIONS", &[origin]),
        ("OPTIONS", &[method]),
        ("GET", &[origin, method]),
        ("options", &[origin, method]),
    ] {
        let head = fields.iter().fold(TestHead::new(none, "/api/tasks"), |head, name| field(head, *name));
        assert_eq!(refusal(&head).1, "missing", "{none} {fields:?}");
    }
}

#[test]
fn open_paths_look_at_no_credential() {
    assert_eq!(user(&TestHead::get("/health").header("authorization", b"Bearer")), "");
    assert!(verdict(&TestHead::get("/health")).expect("open").answer_fields().iter().next().is_none());
    for other_spelling in ["/health/", "/%68ealth", "/health/x", "/Health", "/%66eed/x", "/"] {
        assert_eq!(refusal(&TestHead::get(other_spelling)).1, "missing", "{other_spelling}");
    }
}

#[test]
fn of_rules_for_the_same_paths_the_one_that_asks_more_decides() {
    for (open, protected) in [("/x", "/x"), ("/x/{id}", "/x/*"), ("/x/*", "/x/{id}"), ("/**", "/**")] {
        let builder = || Guard::builder().authenticator(verifier());
        for builder in [builder().open(open).protect(protected), builder().protect(protected).open(open)] {
            let path = open.replace("{id}", "1").replace("**", "y").replace('*', "1");
            let refused = run(&builder.build().unwrap(), &TestHead::get(&path)).expect_err("protected");
            assert_eq!(refused.reason(), "missing", "{open} {protected}");
        }
    }
}

#[test]
fn another_spelling_evades_no_rule_that_asks_more() {
    let guard = Guard::builder()
        .authenticator(verifier())
        .open("/**")
        .optional("/feed/mine")
        .protect("/feed/mine/secret")
        .build()
        .unwrap();
    let reason = |path: &str| run(&guard, &TestHead::get(path).bearer("x")).map_err(|refusal| refusal.reason()).err();
    assert_eq!(reason("/feed/others"), None);
    for path in
        ["/feed/mine", "/feed/mine/", "/feed/%6dine", "/%66eed/mine", "/feed/mine/secret", "/feed/mine/secre%74"]
    {
        assert_eq!(reason(path), Some("not_compact"), "{path}");
    }
}

#[test]
fn a_guard_that_lets_nobody_in_is_a_mistake() {
    assert!(Guard::builder().build().is_err());
    assert!(Guard::builder().authenticator(verifier()).realm("a\"b").build().is_err());
    assert!(Guard::builder().authenticator(verifier()).open("health").build().is_err());
}

#[test]
fn cookies_of_one_name_must_agree() {
    let values = |lines: &[&str]| {
        let head = lines.iter().fold(TestHead::get("/"), |head, line| head.header("cookie", line.as_bytes()));
        cookie::value(&head, "s").map(|value| value.map(|value| String::from_utf8_lossy(value).into_owned()))
    };
    assert_eq!(values(&["a=1; s=x;b=2"]), Ok(Some("x".into())));
    assert_eq!(values(&["a=1", "s = x "]), Ok(Some("x".into())));
    assert_eq!(values(&["s=x; s=x"]), Ok(Some("x".into())));
    assert_eq!(values(&["s=x; s=y"]), Err(cookie::Ambiguous));
    assert_eq!(values(&["s=x", "s="]), Err(cookie::Ambiguous));
    assert_eq!(values(&["S=x; =s=x; \u{a0}s=x; \"s\"=x; sx=1; s"]), Ok(None));
    assert_eq!(values(&["s=a=b"]), Ok(Some("a=b".into())));
}

/// Sessions and API keys that stand for nobody are refused in one way each, whatever is wrong with them; for the log only
/// there is a reason.
#[test]
fn what_stands_for_nobody_is_told_by_its_kind_and_no_more() {
    fn refused_alike<F: Copy>(code: &str, error: impl Fn(F, bool) -> AuthError, faults: &[(F, &str)]) {
        let refusal = |fault, bearer| Refusal::from(error(fault, bearer));
        let body = refusal(faults[0].0, false).body();
        for &(fault, reason) in faults {
            let (bare, bearer) = (refusal(fault, false), refusal(fault, true));
            assert_eq!((bare.status(), bare.code(), bare.reason()), (401, code, reason));
            assert_eq!((bare.challenge().as_deref(), bare.body()), (Some("Bearer"), body.clone()));
            assert_eq!((bearer.status(), bearer.code(), bearer.reason()), (401, code, reason));
            assert!(bearer.challenge().is_some_and(|text| text.contains(r#"error="invalid_token""#)));
        }
    }
    let sessions = [
        (SessionFault::Malformed, "session_malformed"),
        (SessionFault::BadSignature, "session_bad_signature"),
        (SessionFault::Unknown, "session_unknown"),
        (SessionFault::Expired, "session_expired"),
        (SessionFault::UserMissing, "user_missing"),
        (SessionFault::UserBanned, "user_banned"),
    ];
    refused_alike("session_invalid", |fault, bearer| AuthError::Session { fault, bearer }, &sessions);
    let keys = [
        (ApiKeyFault::Malformed, "api_key_malformed"),
        (ApiKeyFault::Unknown, "api_key_unknown"),
        (ApiKeyFault::Disabled, "api_key_disabled"),
        (ApiKeyFault::Expired, "api_key_expired"),
        (ApiKeyFault::Limited, "api_key_limited"),
        (ApiKeyFault::OwnerMissing, "api_key_owner_missing"),
        (ApiKeyFault::OwnerBanned, "api_key_owner_banned"),
    ];
    refused_alike("api_key_invalid", |fault, bearer| AuthError::ApiKey { fault, bearer }, &keys);
}

#[test]
fn messages_say_which_part_of_a_token_is_wrong() {
    for (part, word) in [(Part::Header, "header"), (Part::Payload, "payload"), (Part::Signature, "signature")] {
        assert_eq!(AuthError::NotBase64(part).to_string(), format!("{word} is not canonical base64url"));
    }
}
