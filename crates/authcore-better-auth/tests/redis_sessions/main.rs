//! `RedisSessions` on real servers: a Redis that each test starts for itself.

#![cfg(feature = "redis")]

mod api_keys;
#[path = "../key_suite/mod.rs"]
mod key_suite;
mod look_up;
mod or_database;
mod outages;
#[allow(dead_code, reason = "shared with the tests of authcore-redis")]
#[path = "../../../authcore-redis/tests/it/server.rs"]
mod server;
#[path = "../store_suite/mod.rs"]
mod store_suite;
#[path = "../stored_json/mod.rs"]
mod stored_json;
mod suite;
mod transport;

use authcore::Unavailable;
use authcore_better_auth::{RedisSessions, SessionRecord, SessionStore as _, SessionToken};
use serde_json::Value;
use server::RedisServer;

type Found = Result<Option<SessionRecord>, Unavailable>;

async fn sessions(redis: &RedisServer) -> RedisSessions {
    RedisSessions::connect(&redis.url()).await.expect("Redis listens")
}

async fn find(sessions: &RedisSessions, token: &str) -> Found {
    sessions.session(&SessionToken::new(token).expect("a token")).await
}

/// What somebody who reads the logs is told.
fn complaint(found: Found) -> String {
    found.expect_err("nobody could tell").to_string()
}

fn email(found: Found) -> Option<String> {
    let record = found.expect("Redis could tell");
    record.and_then(|record| record.user).map(|user| user.email)
}

/// What real servers wrote.
fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../testdata/secondary-storage.json")).expect("a JSON file")
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("{} has no {name}", vector["id"]))
}

/// A token and the record that Better Auth stored under it.
fn stored() -> (String, String) {
    let vector = &vectors()[0];
    let token = text(vector, "session_token");
    (token.to_owned(), text(&vector["after_sign_up"][token], "value").to_owned())
}
