//! What a guard shows to its authenticators, and what it hands to handlers and caches.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use authcore::{
    Admission, Algorithm, AnswerFields, Attempt, AuthError, Authenticator, Guard, Identity, Isolation, Method,
    Permissions, Refusal, RequestHead, Secret, TokenSource, TrustedOrigins, UserId, credential::bearer, origin_path,
};
use authcore_testkit::{SigningKey, TestHead};

use crate::support::{builder_for, good, verifier};

/// Notes what it sees of a request that holds the Bearer token `ticket`, and waits before it says who calls: ann, by an API
/// key or as a reader.
#[derive(Clone, Default)]
struct Watching(Arc<Mutex<Vec<String>>>);

impl Authenticator for Watching {
    type Credential = bool;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<bool>, AuthError> {
        let Some("ticket") = bearer::token(head)? else { return Ok(None) };
        let seen = format!("{} {} {:?} {:?}", head.method(), head.path(), head.query(), head.peer());
        self.0.lock().expect("no panic").push(seen);
        Ok(Some(head.sole_field("x-api-key").is_ok_and(|field| field.is_some())))
    }

    async fn verify(&self, by_key: bool) -> Result<Identity, AuthError> {
        tokio::task::yield_now().await;
        let method = if by_key { Method::ApiKey { source: "test" } } else { Method::Other("ticket") };
        let ann = Identity::assertion(UserId::new("ann").expect("an id"), method).roles("reader");
        Ok(ann.claims(r#"{"permissions":{"file":["write"]}}"#).into_identity())
    }

    fn header_fields(&self) -> Vec<String> {
        vec!["X-Api-Key".to_owned()]
    }
}

fn run(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.begin(head).finish())
}

fn guard() -> Guard {
    let permissions = Permissions::new().allow_role("reader", "file", ["read"]);
    let guard = Guard::builder().authenticator(Watching::default()).permissions(permissions).optional("/feed");
    guard.isolate(Isolation::default().allow_role_to_read("reader")).build().expect("good settings")
}

#[test]
fn a_token_from_elsewhere_is_shown_with_the_rest_of_its_request() {
    let watching = Watching::default();
    let sources = [
        TokenSource::websocket_protocol("bearer"),
        TokenSource::cookie("jwt", TrustedOrigins::new(["https://app.example.com"]).expect("an origin")),
    ];
    let guard = Guard::builder().authenticator(watching.clone());
    let guard = sources.into_iter().fold(guard, authcore::GuardBuilder::tokens_from).build().expect("good settings");
    let handshake = TestHead::get("/live?room=1").header("upgrade", "websocket").header("connection", "upgrade");
    let handshake = handshake.header("sec-websocket-protocol", "bearer, ticket").peer("192.0.2.7");
    run(&guard, &handshake).expect("a good ticket");
    let post =
        TestHead::new("POST", "/files").header("cookie", "jwt=ticket").header("origin", "https://app.example.com");
    run(&guard, &post).expect("a good ticket");
    let seen = watching.0.lock().expect("no panic");
    let handshake = r#"GET /live Some("room=1") Some(192.0.2.7)"#;
    assert_eq!(seen.iter().filter(|seen| *seen == handshake).count(), 1, "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("POST /files None None"));
}

#[test]
fn an_admission_holds_what_its_roles_may_or_its_key() {
    let ask = |head: &TestHead, action| {
        let admission = run(&guard(), head).expect("admitted");
        admission.require_permission("file", action).map_err(|refusal| (refusal.status(), refusal.code()))
    };
    let reader = TestHead::get("/").bearer("ticket");
    assert_eq!((ask(&reader, "read"), ask(&reader, "write")), (Ok(()), Err((403, "insufficient_role"))));
    let key = reader.header("x-api-key", "1");
    assert_eq!((ask(&key, "write"), ask(&key, "read")), (Ok(()), Err((403, "insufficient_scope"))));
    assert_eq!(ask(&TestHead::get("/feed"), "read"), Err((401, "missing_credentials")));
}

#[test]
fn decisions_beyond_the_path_are_those_of_the_guard() {
    let guard = guard();
    let admission = run(&guard, &TestHead::get("/").bearer("ticket")).expect("admitted");
    let caller = admission.identity().expect("somebody");
    for isolation in [guard.isolation(), admission.isolation()] {
        assert!(isolation.rows(caller, authcore::Action::Read).are_all());
        assert!(!isolation.rows(caller, authcore::Action::Write).are_all());
    }
}

/// RFC 9110 §12.5.5: a cache that does not know what an answer depends on would give it to somebody else.
#[test]
fn answers_vary_by_every_field_that_a_credential_is_read_from() {
    let vary = |fields: &AnswerFields| {
        let mut fields = fields.iter().filter(|field| field.name() == "vary");
        fields.next().map(|field| field.value().to_owned())
    };
    let admission = run(&guard(), &TestHead::get("/").bearer("ticket")).expect("admitted");
    assert_eq!(vary(admission.answer_fields()).as_deref(), Some("Authorization, Cookie, X-Api-Key"));
    let refusal = run(&guard(), &TestHead::get("/")).expect_err("nobody");
    assert!(refusal.fields().contains(&("vary", "Authorization, Cookie, X-Api-Key".to_owned())));
    let plain = Guard::builder().authenticator(verifier()).build().expect("good settings");
    let refusal = run(&plain, &TestHead::get("/")).expect_err("nobody");
    assert!(refusal.fields().contains(&("vary", "Authorization, Cookie".to_owned())));
}

#[test]
fn a_grpc_client_is_refused_in_its_own_words_and_no_other_is() {
    let status = |content_type: Option<&str>| {
        let head = TestHead::new("POST", "/x");
        let head = content_type.into_iter().fold(head, |head, value| head.header("content-type", value));
        let fields = run(&guard(), &head).expect_err("nobody").fields();
        fields.into_iter().find(|(name, _)| *name == "grpc-status").map(|(_, value)| value)
    };
    for grpc in ["application/grpc", "application/grpc+proto", "application/grpc-web-text"] {
        assert_eq!(status(Some(grpc)).as_deref(), Some("16"), "{grpc}");
    }
    for other in [None, Some("application/json"), Some("text/application/grpc")] {
        assert_eq!(status(other), None, "{other:?}");
    }
}

#[test]
fn a_field_that_may_stand_once_is_never_chosen_from_however_many_there_are() {
    for lines in [2, 3, 255, 256, 257, 300] {
        let head = (0..lines).fold(TestHead::get("/"), |head, _| head.header("x-one", "1"));
        assert!((&head as &dyn RequestHead).sole_field("x-one").is_err(), "{lines}");
    }
}

/// A head of a framework that says no more than it must.
struct Least;

impl RequestHead for Least {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/"
    }

    fn peer(&self) -> Option<IpAddr> {
        None
    }

    fn field_lines<'h>(&'h self, _: &str, _: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {}
}

#[test]
fn a_query_that_is_not_known_is_none() {
    assert_eq!(Least.query(), None);
    let sources = Guard::builder().authenticator(verifier()).tokens_from(TokenSource::handshake_query("token"));
    let Attempt::Ready(decision) = sources.build().expect("good settings").begin(&Least) else { panic!("at once") };
    assert_eq!(decision.expect_err("nobody").reason(), "missing");
}

#[test]
fn a_target_in_absolute_form_has_no_path_up_to_http_1_1() {
    for (names_authority, before_http2, path) in
        [(true, true, ""), (true, false, "/a"), (false, true, "/a"), (false, false, "/a")]
    {
        assert_eq!(origin_path("/a", names_authority, before_http2), path, "{names_authority} {before_http2}");
    }
}

#[test]
fn what_is_printed_holds_no_secret() {
    const SECRET: &str = "0123456789-not-to-be-seen-0123456789";
    let key = SigningKey::hmac(Algorithm::Hs256, SECRET);
    let verifier = builder_for([&key]).build().expect("good settings");
    assert_eq!(format!("{:?}", Secret::new(SECRET)), "Secret(redacted)");
    let token = good().sign(&key);
    let head = TestHead::get("/").bearer(&token);
    let builder = Guard::builder().authenticator(Watching::default()).authenticator(verifier);
    let mut printed = vec![("GuardBuilder", format!("{builder:?}"))];
    let guard = builder.build().expect("good settings");
    printed.push(("Guard", format!("{guard:?}")));
    let Attempt::Ready(Ok(admission)) = guard.begin(&head) else { panic!("a good token") };
    printed.push(("Identity", format!("{:?}", admission.identity())));
    printed.push(("UserScope", format!("{:?}", admission.scope())));
    printed.push(("Admission", format!("{admission:?}")));
    printed.push(("Pending(Pending)", format!("{:?}", guard.begin(&TestHead::get("/").bearer("ticket")))));
    for (name, text) in printed {
        assert!(text.contains(name), "{name}: {text}");
        for secret in [SECRET, &token, "ticket", "NOT-TO-BE-SEEN"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}
