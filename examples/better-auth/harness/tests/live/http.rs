//! What a real server says of live, ended and unknown sessions.

use authcore::{Clock as _, Secret, SystemClock, Unavailable};
use authcore_better_auth::{
    CookieNames, Forward, HttpSessions, Secrets, SessionRecord, SessionStore as _, SessionToken,
};
use better_auth_harness::{BetterAuthServer, Member, Request};

const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

fn cookie(names: &CookieNames) -> Forward {
    let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
    Forward::cookie(names, &secrets).expect("good names")
}

/// With the cookie that the server at this URL sets.
fn by_cookie(url: &str) -> HttpSessions {
    HttpSessions::at(url, cookie(&CookieNames::at(url))).expect("a loopback URL")
}

fn by_bearer(url: &str) -> HttpSessions {
    HttpSessions::at(url, Forward::bearer()).expect("a loopback URL")
}

async fn find(sessions: &HttpSessions, token: &str) -> Result<Option<SessionRecord>, Unavailable> {
    sessions.session(&SessionToken::new(token).expect("a token")).await
}

fn token(member: &Member) -> String {
    let (_, cookie) = member.cookie.split_once("session_token=").expect("a session cookie");
    cookie.split('.').next().expect("a token").to_owned()
}

fn sign_out(server: &BetterAuthServer, member: &Member) {
    let request = Request::new("POST", "/api/auth/sign-out").field("Origin", server.url());
    let answer = request.field("Cookie", member.cookie.as_str()).json("{}").send_to(server.authority());
    assert_eq!(answer.expect("an answer").status, 200);
}

async fn lives_and_ends(server: &BetterAuthServer, sessions: &HttpSessions, name: &str) {
    let member = server.sign_up(&format!("{name}@example.com")).expect("an account");
    let token = SessionToken::new(&token(&member)).expect("a token");
    let record = sessions.session(&token).await.expect("the server answers").expect("a session");
    let identity = record.judge(&token, SystemClock.now(), sessions.source()).expect("a live session");
    assert_eq!(identity.user_id().as_str(), member.id);

    assert!(find(sessions, "unknown").await.expect("the server answers").is_none());
    sign_out(server, &member);
    assert!(sessions.session(&token).await.expect("the server answers").is_none());
}

#[tokio::test]
async fn live_ended_and_unknown_sessions_are_told_apart_in_either_form() {
    let settings = [("BETTER_AUTH_SECRET", SECRET), ("BEARER", "on"), ("COOKIE_CACHE", "compact")];
    let servers = [BetterAuthServer::start(&settings), BetterAuthServer::start_latest(&settings)];
    for server in servers.map(|server| server.expect("Better Auth")) {
        lives_and_ends(&server, &by_cookie(server.url()), "ada").await;
        lives_and_ends(&server, &by_bearer(server.url()), "bob").await;
    }
}

#[tokio::test]
async fn a_server_with_other_names_is_asked_by_them() {
    let settings = [("BETTER_AUTH_SECRET", SECRET), ("COOKIE_PREFIX", "shop")];
    let server = BetterAuthServer::start(&settings).expect("Better Auth");
    let shop = cookie(&CookieNames::at(server.url()).prefix("shop"));
    let shop = HttpSessions::at(server.url(), shop).expect("a loopback URL");
    lives_and_ends(&server, &shop, "ada").await;

    let bob = server.sign_up("bob@example.com").expect("an account");
    assert!(find(&shop, &token(&bob)).await.expect("the server answers").is_some());
    assert!(find(&by_cookie(server.url()), &token(&bob)).await.expect("the server answers").is_none());
}

/// Nobody gets in by a mistake in the settings.
#[tokio::test]
async fn without_the_plugin_or_with_another_secret_no_session_is_known() {
    let server = BetterAuthServer::start(&[("BETTER_AUTH_SECRET", SECRET)]).expect("Better Auth");
    let ada = server.sign_up("ada@example.com").expect("an account");
    assert!(find(&by_cookie(server.url()), &token(&ada)).await.expect("the server answers").is_some());
    assert!(find(&by_bearer(server.url()), &token(&ada)).await.expect("the server answers").is_none());
    let other = Secrets::new(&Secret::new("another-secret-of-32-bytes-or-more-than-that")).expect("a good secret");
    let other = Forward::cookie(&CookieNames::at(server.url()), &other).expect("good names");
    let other = HttpSessions::at(server.url(), other).expect("a loopback URL");
    assert!(find(&other, &token(&ada)).await.expect("the server answers").is_none());
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_outage() {
    let server = BetterAuthServer::start(&[("BETTER_AUTH_SECRET", SECRET)]).expect("Better Auth");
    let sessions = by_cookie(server.url());
    let ada = server.sign_up("ada@example.com").expect("an account");
    assert!(find(&sessions, &token(&ada)).await.expect("the server answers").is_some());
    drop(server);
    let error = find(&sessions, &token(&ada)).await.expect_err("nobody listens").to_string();
    assert!(error.starts_with("get-session: ") && error.contains("Connection refused"), "{error}");
    assert!(!error.contains(&token(&ada)), "{error}");
}
