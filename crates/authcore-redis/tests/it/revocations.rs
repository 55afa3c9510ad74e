//! What is taken back in one instance is refused by the others.

use std::time::Duration;

use authcore::{
    Checked, Clock as _, Identity, Method, Revocation as _, Revoked, SystemClock, Timestamp, Unavailable, UserId,
};
use authcore_redis::RedisRevocations;

use super::LENIENT;
use super::cluster::Cluster;
use super::server::{RedisServer, free_port};

const LIFETIME: Duration = Duration::from_secs(900);

fn user(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn caller(id: &str, issued: Timestamp) -> Identity {
    let assertion = Identity::assertion(user(id), Method::Other("test")).issuer("issuer".into());
    assertion.token_id("t1").session_id("s1").issued_at(issued).into_identity()
}

async fn store(redis: &RedisServer) -> RedisRevocations {
    RedisRevocations::builder(redis.url(), LIFETIME).deadline(LENIENT).connect().await.expect("Redis listens")
}

async fn check(store: &RedisRevocations, caller: &Identity) -> Result<bool, Unavailable> {
    match store.check(caller) {
        Checked::Now(revoked) => Ok(revoked),
        Checked::Later(answer) => answer.await,
    }
}

async fn is_revoked(store: &RedisRevocations, caller: &Identity) -> bool {
    check(store, caller).await.expect("Redis answers")
}

#[tokio::test]
async fn other_instances_refuse_what_one_takes_back() {
    let redis = RedisServer::start();
    let (here, there) = (store(&redis).await, store(&redis).await);
    let ann = caller("ann", now());
    assert!(!is_revoked(&there, &ann).await);

    let issuer = Some("issuer");
    let expires_at = now().saturating_add(LIFETIME);
    here.revoke(issuer, &user("ann"), Revoked::Token { id: "t2", expires_at }).await.expect("written");
    here.revoke(issuer, &user("ann"), Revoked::Session("t1")).await.expect("written");
    here.revoke(issuer, &user("bob"), Revoked::Session("s1")).await.expect("written");
    here.revoke(Some("other"), &user("ann"), Revoked::Session("s1")).await.expect("written");
    here.revoke(None, &user("ann"), Revoked::Session("s1")).await.expect("written");
    assert!(!is_revoked(&there, &ann).await, "another token, session, user, issuer");
    assert!(is_revoked(&there, &caller("bob", now())).await);

    here.revoke(issuer, &user("ann"), Revoked::Session("s1")).await.expect("written");
    assert!(is_revoked(&there, &ann).await && is_revoked(&here, &ann).await);
    here.revoke(issuer, &user("cat"), Revoked::Token { id: "t1", expires_at }).await.expect("written");
    assert!(is_revoked(&there, &caller("cat", now())).await);
}

#[tokio::test]
async fn of_a_user_what_was_issued_before_the_latest_moment_is_refused() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    let moment = Timestamp::from_seconds(now().as_seconds());
    let earlier = Timestamp::from_seconds(now().as_seconds() - 1);
    for moment in [earlier, moment, earlier] {
        store.revoke(Some("issuer"), &user("ann"), Revoked::IssuedBefore(moment)).await.expect("written");
    }
    assert!(is_revoked(&store, &caller("ann", earlier)).await);
    assert!(!is_revoked(&store, &caller("ann", moment)).await);
    let undated = Identity::assertion(user("ann"), Method::Other("test")).issuer("issuer".into()).into_identity();
    assert!(is_revoked(&store, &undated).await, "who knows when");

    let [key] = &redis.names()[..] else { panic!("{:?}", redis.names()) };
    redis.run(&["HSET", key, "before", "somebody else's"]);
    assert!(is_revoked(&store, &caller("ann", moment)).await, "what cannot be read");
}

#[tokio::test]
async fn keys_live_as_long_as_the_tokens_and_show_nobody() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    let ann = user("ann@example.com");
    let of_ann = |what| store.revoke(Some("issuer"), &ann, what);
    let soon = now().saturating_add(Duration::from_secs(10));
    of_ann(Revoked::Token { id: "t1", expires_at: soon }).await.expect("written");
    of_ann(Revoked::Session("session-of-ann")).await.expect("written");
    of_ann(Revoked::IssuedBefore(now())).await.expect("written");
    let over = now().saturating_add(Duration::ZERO);
    let long_over = Timestamp::from_micros(over.as_micros() - 61_000_000);
    of_ann(Revoked::Token { id: "t0", expires_at: long_over }).await.expect("nothing to be done");

    let [name] = &redis.names()[..] else { panic!("{:?}", redis.names()) };
    assert!(name.starts_with("authcore:revoked:{") && !name.contains("ann"), "{name}");
    let fields = redis.run(&["EVAL", "return table.concat(redis.call('HKEYS', KEYS[1]), ' ')", "1", name]);
    assert_eq!((fields.split(' ').count(), fields.contains("ann")), (3, false), "{fields}");
    // The leeway of 60 s included; what goes earlier shortens nothing.
    of_ann(Revoked::Token { id: "t1", expires_at: now() }).await.expect("written");
    let left: i64 = redis.run(&["PTTL", name]).trim_start_matches(':').parse().expect("a number");
    assert!((955_000..=960_000).contains(&left), "{left}");

    store.revoke(None, &user("bob"), Revoked::Token { id: "t1", expires_at: soon }).await.expect("written");
    let bobs = redis.names().into_iter().find(|other| other != name).expect("another key");
    let left: i64 = redis.run(&["PTTL", &bobs]).trim_start_matches(':').parse().expect("a number");
    assert!((65_000..=70_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_moment_to_come_is_kept_until_the_tokens_before_it_are_over() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    let tomorrow = now().saturating_add(Duration::from_secs(86_400));
    store.revoke(None, &user("ann"), Revoked::IssuedBefore(tomorrow)).await.expect("written");
    let left: i64 = redis.run(&["PTTL", &redis.names()[0]]).trim_start_matches(':').parse().expect("a number");
    assert!((87_355_000..=87_360_000).contains(&left), "{left}");
}

#[tokio::test]
async fn one_user_takes_little_room() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    for session in 0..200 {
        store.revoke(Some("issuer"), &user("ann"), Revoked::Session(&session.to_string())).await.expect("written");
    }
    let held = redis.run(&["HLEN", &redis.names()[0]]).trim_start_matches(':').parse::<u32>().expect("a number");
    assert!(held <= 65, "{held}");
    let issued = |after| caller("ann", now().saturating_add(Duration::from_secs(after)));
    assert!(is_revoked(&store, &issued(0)).await, "all until now");
    assert!(!is_revoked(&store, &issued(62)).await);
}

#[tokio::test]
async fn a_token_that_an_issuer_dated_ahead_stays_taken_back_among_many() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    let issued = now().saturating_add(Duration::from_secs(60));
    let (ahead, expires_at) = (caller("ann", issued), issued.saturating_add(LIFETIME));
    let token = Revoked::Token { id: "t1", expires_at };
    store.revoke(Some("issuer"), &user("ann"), token).await.expect("written");
    for session in 0..65 {
        assert!(is_revoked(&store, &ahead).await, "{session}");
        store.revoke(Some("issuer"), &user("ann"), Revoked::Session(&session.to_string())).await.expect("written");
    }
    assert!(is_revoked(&store, &ahead).await);
    let left: i64 = redis.run(&["PTTL", &redis.names()[0]]).trim_start_matches(':').parse().expect("a number");
    assert!((1_016_000..=1_021_000).contains(&left), "until it is over, leeway and all: {left}");
}

#[tokio::test]
async fn a_replica_is_not_believed() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    assert!(!is_revoked(&store, &caller("ann", now())).await);
    redis.run(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    let error = check(&store, &caller("ann", now())).await.expect_err("who knows what it has heard of").to_string();
    assert_eq!(error, "Redis: read-only (READONLY)");
    let error = store.revoke(None, &user("ann"), Revoked::Session("s")).await.expect_err("a replica").to_string();
    let known = ["READONLY", "not connected", "I/O error"];
    assert!(known.iter().any(|known| error.contains(known)), "{error}");
}

#[tokio::test]
async fn a_check_is_one_command() {
    let redis = RedisServer::start();
    let store = store(&redis).await;
    let before = redis.calls("evalsha");
    for _ in 0..10 {
        assert!(!is_revoked(&store, &caller("ann", now())).await);
    }
    // In full the first time, since the server does not know it yet.
    assert_eq!((redis.calls("evalsha") - before, redis.calls("eval")), (10, 1));
}

#[tokio::test]
async fn nobody_can_tell_while_redis_is_down() {
    let mut redis = RedisServer::start();
    let store = store(&redis).await;
    redis.stop();
    let error = check(&store, &caller("ann", now())).await.expect_err("nobody can tell");
    assert!(error.to_string().starts_with("Redis: "), "{error}");
    assert_eq!(error.retry_after(), Duration::from_secs(1));
    store.revoke(None, &user("ann"), Revoked::Session("s")).await.expect_err("nothing was written");
    let lazy = RedisRevocations::builder("redis://u:secret@127.0.0.1:1", LIFETIME).lazy().expect("good settings");
    assert!(!format!("{lazy:?}").contains("secret"));
}

#[tokio::test]
async fn in_a_cluster_a_slot_that_moves_is_followed() {
    let cluster = Cluster::start().await;
    let url = cluster.0[0].url();
    let store = RedisRevocations::builder(url, LIFETIME).deadline(LENIENT).connect().await.expect("Redis listens");
    store.revoke(Some("issuer"), &user("ann"), Revoked::Session("s1")).await.expect("written");
    assert!(is_revoked(&store, &caller("ann", now())).await && !is_revoked(&store, &caller("bob", now())).await);

    cluster
        .move_only_key_and(|| async {
            assert!(is_revoked(&store, &caller("ann", now())).await);
        })
        .await;
    assert!(is_revoked(&store, &caller("ann", now())).await);
    // Somebody of whom nothing is held, in the same slot as far as anybody knows: each user is one key.
    for user in 0..50 {
        assert!(!is_revoked(&store, &caller(&user.to_string(), now())).await, "{user}");
    }
}
