//! Tokens that come elsewhere than in `Authorization`: C-14 and C-15 of docs/security/cases.md.

use authcore::{
    Admission, AuthError, Authenticator, ConfigError, Glance, Guard, GuardBuilder, Identity, Method, Refusal,
};
use authcore::{RequestHead, ResourceMetadata, TokenSource, TrustedOrigins, UserId, credential::bearer};
use authcore_testkit::TestHead;

use crate::support::{ed25519, good, verifier};

const APP: &str = "https://app.example.com";

fn guard(sources: impl IntoIterator<Item = TokenSource>) -> Guard {
    let builder = Guard::builder().authenticator(verifier()).realm("tests").optional("/feed");
    sources.into_iter().fold(builder, GuardBuilder::tokens_from).build().expect("good settings")
}

fn nowhere() -> Guard {
    guard([])
}

fn everywhere() -> Guard {
    let origins = TrustedOrigins::new([APP]).expect("an origin");
    guard([
        TokenSource::websocket_protocol("bearer"),
        TokenSource::handshake_query("access_token"),
        TokenSource::cookie("jwt", origins),
    ])
}

fn token() -> String {
    good().sign(ed25519())
}

fn handshake(target: &str) -> TestHead {
    TestHead::get(target).header("upgrade", "websocket").header("connection", "keep-alive, Upgrade")
}

fn run(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.begin(head).finish())
}

#[track_caller]
fn user(guard: &Guard, head: &TestHead) -> Option<String> {
    let admission = run(guard, head).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
    admission.identity().map(|identity| identity.user_id().to_string())
}

#[track_caller]
fn refusal(guard: &Guard, head: &TestHead) -> (u16, &'static str, Option<String>) {
    let refusal = run(guard, head).expect_err("this is refused");
    (refusal.status(), refusal.reason(), refusal.challenge())
}

#[test]
fn a_handshake_carries_its_token_beside_the_marker() {
    let guard = everywhere();
    for protocols in
        [format!("bearer, {}", token()), format!("tasks.v1,bearer,{}", token()), format!("bearer ,\t{}", token())]
    {
        assert_eq!(
            user(&guard, &handshake("/api").header("sec-websocket-protocol", protocols)).as_deref(),
            Some("alice")
        );
    }
    let two_lines =
        handshake("/api").header("sec-websocket-protocol", "bearer").header("Sec-WebSocket-Protocol", token());
    assert_eq!(user(&guard, &two_lines).as_deref(), Some("alice"));
    let fields = run(&guard, &two_lines).expect("a good token");
    let vary =
        fields.answer_fields().iter().find(|field| field.name() == "vary").expect("it varies").value().to_owned();
    assert_eq!(vary, "Authorization, Cookie, Sec-WebSocket-Protocol");
}

#[test]
fn protocols_that_hold_no_token_are_none_and_half_a_token_is_malformed() {
    let guard = everywhere();
    let with = |protocols: &str| handshake("/api").header("sec-websocket-protocol", protocols);
    for none in ["", "tasks.v1", "Bearer, x.y.z", "tasks.bearer, x"] {
        assert_eq!(refusal(&guard, &with(none)).1, "missing", "{none}");
    }
    for malformed in ["bearer", "a, bearer", "bearer,", "bearer, a b", "bearer, \"a\"", "bearer, =", "bearer, a\u{e9}"]
    {
        let (status, reason, challenge) = refusal(&guard, &with(malformed));
        assert_eq!((status, reason), (400, "malformed_token"), "{malformed}");
        assert!(challenge.expect("a challenge").contains(r#"error="invalid_request""#));
    }
    let twice = format!("bearer, {0}, bearer, {0}", token());
    assert_eq!(refusal(&guard, &with(&twice)).1, "repeated_token");
}

#[test]
fn c14_a_token_in_the_query_counts_in_a_handshake_alone() {
    let guard = everywhere();
    let target = format!("/api?x=1&access_token={}&y", token());
    assert_eq!(user(&guard, &handshake(&target)).as_deref(), Some("alice"));

    assert_eq!(refusal(&guard, &TestHead::get(&*target)).1, "missing", "no handshake");
    let half = [("upgrade", "websocket"), ("connection", "upgrade")];
    for (name, value) in half {
        assert_eq!(refusal(&guard, &TestHead::get(&*target).header(name, value)).1, "missing", "{name} alone");
    }
    let post = half.iter().fold(TestHead::new("POST", &*target), |head, (name, value)| head.header(*name, value));
    assert_eq!(refusal(&guard, &post).1, "missing");
    let h2c = TestHead::get(&*target).header("upgrade", "h2c").header("connection", "upgrade");
    assert_eq!(refusal(&guard, &h2c).1, "missing");
    assert_eq!(refusal(&nowhere(), &handshake(&target)).1, "missing", "not unless chosen");

    for none in ["/api", "/api?", "/api?access_token", "/api?Access_Token=a.b.c", "/api?access%5ftoken=a.b.c"] {
        assert_eq!(refusal(&guard, &handshake(none)).1, "missing", "{none}");
    }
    for malformed in ["/api?access_token=", "/api?access_token=a%2Eb", "/api?access_token=a.b.c#"] {
        assert_eq!(refusal(&guard, &handshake(malformed)).1, "malformed_token", "{malformed}");
    }
    let twice = format!("{target}&access_token={}", token());
    assert_eq!(refusal(&guard, &handshake(&twice)).1, "repeated_token");
}

#[test]
fn c14_a_token_in_two_places_is_refused() {
    let guard = everywhere();
    let query = handshake(&format!("/api?access_token={}", token()));
    let protocol = |head: TestHead| head.header("sec-websocket-protocol", format!("bearer, {}", token()));
    for head in [query.clone().bearer(token()), protocol(handshake("/api")).bearer(token()), protocol(query.clone())] {
        let (status, reason, challenge) = refusal(&guard, &head);
        assert_eq!((status, reason), (400, "repeated_token"));
        assert!(challenge.expect("a challenge").contains(r#"error="invalid_request""#));
    }
    // Another scheme is no token.
    assert_eq!(user(&guard, &query.clone().header("authorization", "Basic YTpi")).as_deref(), Some("alice"));
    assert_eq!(refusal(&guard, &query.header("authorization", "Bearer")).1, "malformed_bearer");
}

#[test]
fn a_bad_token_in_a_handshake_is_refused_also_where_none_is_needed() {
    let guard = everywhere();
    assert_eq!(user(&guard, &handshake("/feed")), None);
    let (status, reason, challenge) = refusal(&guard, &handshake("/feed?access_token=a.b.c"));
    assert_eq!((status, reason), (401, "header_not_base64"));
    assert!(challenge.expect("a challenge").contains(r#"error="invalid_token""#));
}

#[test]
fn c15_a_token_in_a_cookie_counts_when_nothing_else_is_presented() {
    let guard = everywhere();
    let get = TestHead::get("/api").header("cookie", format!("a=b; jwt={}", token()));
    assert_eq!(user(&guard, &get).as_deref(), Some("alice"));
    assert_eq!(refusal(&guard, &get.clone().bearer("x.y.z")).1, "header_not_base64", "the header decides alone");
    let bob = good().claim("sub", "bob").sign(ed25519());
    assert_eq!(user(&guard, &get.clone().bearer(&bob)).as_deref(), Some("bob"));
    assert_eq!(refusal(&nowhere(), &get).1, "missing", "not unless chosen");
    assert_eq!(user(&guard, &TestHead::get("/feed").header("cookie", "a=b")), None);
}

#[test]
fn a_refused_token_in_a_cookie_gets_the_bare_challenge() {
    let guard = everywhere();
    let bare = Some(r#"Bearer realm="tests""#.to_owned());
    let cookie = |value: &str| TestHead::get("/feed").header("cookie", format!("jwt={value}"));
    let old = good().expires_at(crate::support::NOW - 1).sign(ed25519());
    assert_eq!(refusal(&guard, &cookie(&old)), (401, "expired", bare.clone()));
    assert_eq!(refusal(&guard, &cookie("a.b.c")), (401, "header_not_base64", bare));
    assert_eq!(refusal(&guard, &cookie("")), (400, "malformed_token", None));
    assert_eq!(refusal(&guard, &cookie("\"a.b.c\"")), (400, "malformed_token", None));
    let two = cookie(&token()).header("cookie", "jwt=a.b.c");
    assert_eq!(refusal(&guard, &two), (400, "repeated_token", None));
    let code = run(&guard, &cookie(&old)).expect_err("expired").code();
    assert_eq!(code, "token_expired");
}

#[test]
fn a_change_by_a_token_in_a_cookie_comes_from_one_of_our_own_origins() {
    let guard = everywhere();
    let cookie = format!("jwt={}", token());
    let post = TestHead::new("POST", "/api").header("cookie", &cookie);
    assert_eq!(refusal(&guard, &post), (403, "cross_site", None));
    assert_eq!(refusal(&guard, &post.clone().header("origin", "https://evil.example")).1, "cross_site");
    assert_eq!(user(&guard, &post.clone().header("origin", APP)).as_deref(), Some("alice"));
    assert_eq!(user(&guard, &post.header("origin", "https://evil.example").bearer(token())).as_deref(), Some("alice"));
    // A page of another site may open a WebSocket, and its handshake is a GET.
    let socket = handshake("/api").header("cookie", &cookie);
    assert_eq!(refusal(&guard, &socket.clone().header("origin", "https://evil.example")).1, "cross_site");
    assert_eq!(refusal(&guard, &socket.clone()).1, "cross_site");
    assert_eq!(user(&guard, &socket.header("origin", APP)).as_deref(), Some("alice"));
}

/// Waits before it says that the user is `bob`, unless the token is `refused`.
struct Waiting;

impl Authenticator for Waiting {
    type Credential = String;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<String>, AuthError> {
        Ok(bearer::token(head)?.filter(|token| !token.contains('.')).map(str::to_owned))
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<String> {
        self.credential(head)
            .map_or_else(|error| Glance::Judged(Err(error)), |found| found.map_or(Glance::Absent, Glance::Pending))
    }

    async fn verify(&self, token: String) -> Result<Identity, AuthError> {
        tokio::task::yield_now().await;
        match &*token {
            "refused" => Err(AuthError::BadSignature),
            "down" => {
                Err(AuthError::Unavailable(authcore::Unavailable::new("down", std::time::Duration::from_secs(7))))
            }
            _ => Ok(Identity::assertion(UserId::new("bob").expect("an id"), Method::Other("waiting")).into_identity()),
        }
    }
}

#[test]
fn tokens_from_elsewhere_are_waited_for_too_and_shown_to_every_authenticator() {
    let origins = TrustedOrigins::new([APP]).expect("an origin");
    let builder = Guard::builder().authenticator(Waiting).authenticator(verifier()).realm("tests");
    let builder = builder.tokens_from(TokenSource::cookie("token", origins));
    let guard = builder.tokens_from(TokenSource::websocket_protocol("bearer")).build().expect("good settings");
    let cookie = |value: &str| TestHead::get("/api").header("cookie", format!("token={value}"));
    assert_eq!(user(&guard, &cookie("opaque")).as_deref(), Some("bob"));
    assert_eq!(user(&guard, &cookie(&token())).as_deref(), Some("alice"));
    assert_eq!(refusal(&guard, &cookie("refused")), (401, "bad_signature", Some(r#"Bearer realm="tests""#.to_owned())));
    let down = run(&guard, &cookie("down")).expect_err("nobody could tell");
    assert_eq!((down.status(), down.reason(), down.challenge()), (503, "unavailable", None));
    let socket = handshake("/api").header("sec-websocket-protocol", "bearer, opaque");
    assert_eq!(user(&guard, &socket).as_deref(), Some("bob"));
}

#[test]
fn names_that_no_field_could_hold_are_refused_at_start() {
    let refused = |source: TokenSource| -> ConfigError {
        Guard::builder().authenticator(verifier()).tokens_from(source).build().expect_err("no name")
    };
    for bad in ["", "a b", "a,b", "a=b", "a;b", "é"] {
        let sources = [
            TokenSource::websocket_protocol(bad),
            TokenSource::handshake_query(bad),
            TokenSource::cookie(bad, TrustedOrigins::default()),
        ];
        for source in sources {
            assert!(refused(source).to_string().starts_with(&format!("token source {bad:?}: ")));
        }
    }
}

#[test]
fn challenges_point_to_the_metadata_which_need_no_credential() {
    let metadata = ResourceMetadata::of("https://api.example.com").build().expect("a resource");
    let path = metadata.path().to_owned();
    let guard = Guard::builder().authenticator(verifier()).realm("tests").resource_metadata(metadata);
    let guard = guard.build().expect("good settings");
    assert_eq!(user(&guard, &TestHead::get(path)), None);
    let pointer = r#"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    let (_, _, challenge) = refusal(&guard, &TestHead::get("/api"));
    assert_eq!(challenge, Some(format!(r#"Bearer realm="tests", {pointer}"#)));
    let (_, _, challenge) = refusal(&guard, &TestHead::get("/api").bearer("a.b.c"));
    let expected =
        format!(r#"Bearer realm="tests", error="invalid_token", error_description="Token is not valid", {pointer}"#);
    assert_eq!(challenge, Some(expected));
}

#[test]
fn metadata_of_a_resource_that_ends_in_a_slash_are_open_at_their_own_path_alone() {
    let metadata = ResourceMetadata::of("https://api.example.com/mcp/").build().expect("a resource");
    let path = metadata.path().to_owned();
    assert_eq!(path, "/.well-known/oauth-protected-resource/mcp/");
    let guard = Guard::builder().authenticator(verifier()).resource_metadata(metadata).build().expect("good settings");
    assert_eq!(user(&guard, &TestHead::get(&*path)), None);
    for other in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/m%63p/", "/mcp/"]
    {
        assert_eq!(refusal(&guard, &TestHead::get(other)).0, 401, "{other}");
    }
}

/// Reads a cookie, whatever stands in `Authorization`.
struct CookieReader;

impl Authenticator for CookieReader {
    type Credential = String;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<String>, AuthError> {
        let value = authcore::credential::cookie::value(head, "sid").map_err(|_| AuthError::BadSignature)?;
        Ok(value.map(|value| String::from_utf8_lossy(value).into_owned()))
    }

    async fn verify(&self, user: String) -> Result<Identity, AuthError> {
        let user = UserId::new(&user).map_err(|_| AuthError::BadSignature)?;
        Ok(Identity::assertion(user, Method::Other("cookie")).into_identity())
    }
}

#[test]
fn c16_a_token_in_a_handshake_counts_before_cookies_whoever_looks_first() {
    let guard = Guard::builder().authenticator(CookieReader).authenticator(verifier());
    let guard = guard.tokens_from(TokenSource::websocket_protocol("bearer")).build().expect("good settings");
    let with = |token: &str| {
        handshake("/api").header("cookie", "sid=mallory").header("sec-websocket-protocol", format!("bearer, {token}"))
    };
    assert_eq!(user(&guard, &with(&token())).as_deref(), Some("alice"));
    assert_eq!(refusal(&guard, &with("x.y.z")).1, "header_not_base64");
    assert_eq!(user(&guard, &handshake("/api").header("cookie", "sid=mallory")).as_deref(), Some("mallory"));
}

#[test]
fn a_websocket_is_no_mere_read() {
    let isolation = authcore::Isolation::path("/api/{user_id}/**").allow_role_to_read("auditor");
    let guard = Guard::builder().authenticator(verifier()).isolate(isolation).build().expect("good settings");
    let auditor = good().claim("role", "auditor").sign(ed25519());
    let get = TestHead::get("/api/bob/live").bearer(&auditor);
    assert_eq!(user(&guard, &get).as_deref(), Some("alice"));
    for upgrade in ["websocket", "WebSocket/13", "h2c, websocket"] {
        assert_eq!(refusal(&guard, &get.clone().header("upgrade", upgrade)).1, "insufficient_role", "{upgrade}");
    }
}
