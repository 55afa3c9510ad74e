//! `HttpSessions` against servers that behave, and against servers that do not.

#![cfg(feature = "http")]

mod faults;
#[path = "../store_suite/mod.rs"]
mod store_suite;
#[path = "../stored_json/mod.rs"]
mod stored_json;
mod suite;
mod wire;

use authcore::{Secret, Unavailable};
use authcore_better_auth::{
    CookieNames, Forward, HttpSessions, Secrets, SessionRecord, SessionStore as _, SessionToken,
};

type Found = Result<Option<SessionRecord>, Unavailable>;

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

async fn find(sessions: &HttpSessions, token: &str) -> Found {
    sessions.session(&SessionToken::new(token).expect("a token")).await
}
