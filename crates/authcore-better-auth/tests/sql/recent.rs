//! What is remembered over a real database.

use std::time::Duration;

use authcore::UserId;
use authcore_better_auth::{RecentSessions, Schema, SessionStore as _, SqlSessions};

use crate::bench::SqlBench;
use crate::database::{Database, SqliteFile};
use crate::sqlite::built_in;
use crate::store_suite::{Bench, Seed, token};

#[tokio::test]
async fn a_revoked_session_goes_on_for_max_age_and_ends_at_once_when_it_is_forgotten() {
    let file = SqliteFile::new("recent");
    let bench = SqlBench::new(Database::sqlite(&file).await, &file.url(), built_in(), Schema::better_auth()).await;
    let age = Duration::from_millis(100);
    let brief = RecentSessions::over(bench.sessions.clone()).max_age(age).build().expect("good settings");
    let long = RecentSessions::over(bench.sessions.clone()).max_age(age * 600).build().expect("good settings");
    bench.insert(&Seed::live("SignedOutLater", 1)).await;
    assert!(is_live(&brief).await && is_live(&long).await);
    bench.delete_session("SignedOutLater").await;
    assert!(is_live(&long).await);
    assert!(long.session_now(&token("SignedOutLater")).await.expect("it answers").is_none());
    assert!(!is_live(&long).await, "the newer answer is remembered");

    bench.insert(&Seed::live("SignedOutLater", 2)).await;
    long.forget(&token("SignedOutLater"));
    assert!(is_live(&long).await);
    bench.delete_session("SignedOutLater").await;
    long.forget_user(&UserId::new(&bench.user_id(2)).expect("an id"));
    assert!(!is_live(&long).await);

    tokio::time::sleep(age).await;
    assert!(!is_live(&brief).await);
}

async fn is_live(sessions: &RecentSessions<SqlSessions>) -> bool {
    sessions.session(&token("SignedOutLater")).await.expect("it answers").is_some()
}
