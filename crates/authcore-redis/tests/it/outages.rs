//! Redis down, silent, busy, read-only or back again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use authcore::rate::{Counter, Decision};
use authcore_redis::RedisRates;

use super::server::{RedisServer, free_port};
use super::{LENIENT, count, counter, decide, is_allowed, rates, remembered};

/// Looks until Redis could tell, for ten seconds at most.
async fn recovered(counter: &Arc<dyn Counter>) -> Decision {
    let begin = Instant::now();
    loop {
        match count(counter, "anybody", 0).await {
            Ok(decision) => return decision,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn complaint(counter: &Arc<dyn Counter>) -> String {
    let error = count(counter, "ann", 1).await.expect_err("nobody could tell");
    assert_eq!(error.retry_after(), Duration::from_secs(1));
    error.to_string()
}

#[tokio::test]
async fn r143_a_redis_that_is_down_is_an_outage_at_once_and_a_new_one_is_found() {
    let mut redis = RedisServer::start();
    // Longer than anybody would wait.
    let counter = counter(&rates(&redis).await, "2/hour");
    let denied = "bob";
    decide(&counter, denied, 2).await;
    assert!(!is_allowed(&counter, denied).await && is_allowed(&counter, "ann").await);

    redis.stop();
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let begin = Instant::now();
        assert!(complaint(&counter).await.starts_with("Redis: "));
        slowest = slowest.max(begin.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    assert!(remembered(&counter, denied, 1).is_some(), "who was refused stays so");

    redis.start_again();
    recovered(&counter).await;
    assert_eq!(decide(&counter, "ann", 1).await.remaining(), 1, "a Redis that keeps nothing begins anew");
    assert!(redis.connections() <= 4, "{}", redis.connections());
}

#[tokio::test]
async fn r144_a_redis_that_is_slow_is_an_outage_after_the_deadline_and_then_at_once() {
    let redis = RedisServer::start();
    // The default deadline, but made while there is all the time.
    let counter = counter(&RedisRates::connect(&redis.url()).await.expect("Redis listens"), "1000/hour");
    recovered(&counter).await;
    redis.run(&["CLIENT", "PAUSE", "2000"]);
    let begin = Instant::now();
    assert_eq!(complaint(&counter).await, "Redis: no answer within 20 ms");
    let elapsed = begin.elapsed();
    assert!((20..400).contains(&elapsed.as_millis()), "{elapsed:?}");

    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    for _ in 0..100 {
        assert_eq!(complaint(&counter).await, "Redis: not connected: no answer");
    }
    assert!(begin.elapsed() < Duration::from_millis(500), "nobody waited: {:?}", begin.elapsed());
    recovered(&counter).await;
}

/// The connection stays, and so do the answers that nobody waits for any more.
#[tokio::test]
async fn a_late_answer_is_nobody_elses() {
    let redis = RedisServer::start();
    let rates = RedisRates::builder(redis.url()).deadline(Duration::from_millis(30)).connect().await.expect("listens");
    let counter = counter(&rates, "9/hour");
    recovered(&counter).await;
    while count(&counter, "used", 9).await.is_err() {}
    for _ in 0..10 {
        redis.signal("STOP");
        let given_up = (0..20).map(|_| {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move { count(&counter, "used", 0).await.is_err() })
        });
        let given_up: Vec<_> = given_up.collect();
        for given_up in given_up {
            assert!(given_up.await.expect("no panic"));
        }
        redis.signal("CONT");
        for _ in 0..20 {
            if let Ok(fresh) = count(&counter, "fresh", 0).await {
                assert!(fresh.reset_after().is_zero(), "{fresh:?}");
            }
        }
        assert!(recovered(&counter).await.reset_after().is_zero());
    }
    assert_eq!(redis.connections(), 2, "one connection, and the one that asks");
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_replaced() {
    let redis = RedisServer::start();
    let counter = counter(&RedisRates::connect(&redis.url()).await.expect("Redis listens"), "1000/hour");
    recovered(&counter).await;
    redis.signal("STOP");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(1500) {
        let asked = Instant::now();
        complaint(&counter).await;
        assert!(asked.elapsed() < Duration::from_millis(300), "{:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.signal("CONT");
    recovered(&counter).await;
    // Ours before, ours now, perhaps one that was given up in between, and the one that asks.
    assert!((3..=4).contains(&redis.connections()), "{}", redis.connections());
}

#[tokio::test]
async fn a_connection_that_redis_closes_is_replaced() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "1000/hour");
    // One that lasted is replaced before anybody hears of it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(is_allowed(&counter, "ann").await);
    // One that did not is waited for.
    redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    recovered(&counter).await;
}

#[tokio::test]
async fn a_server_that_lets_in_and_out_again_is_not_run_against() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("redis://{}", listener.local_addr().expect("an address"));
    let visits = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let visitors = Arc::clone(&visits);
    std::thread::spawn(move || {
        while listener.accept().is_ok() {
            visitors.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let counter = counter(&RedisRates::lazy(&url).expect("good settings"), "1/hour");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        complaint(&counter).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let visits = visits.load(std::sync::atomic::Ordering::Relaxed);
    // 50, 100, 200, 400, 800 ms and the half of each.
    assert!((2..=8).contains(&visits), "{visits}");
}

#[tokio::test]
async fn a_replica_is_an_outage_until_it_is_none() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "1000/hour");
    assert!(is_allowed(&counter, "ann").await);
    redis.run(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]);
    assert_eq!(complaint(&counter).await, "Redis: read-only (READONLY)");
    redis.run(&["REPLICAOF", "NO", "ONE"]);
    recovered(&counter).await;
    assert!(is_allowed(&counter, "ann").await);
}

#[tokio::test]
async fn a_service_starts_without_redis_and_counts_once_it_is_there() {
    let mut redis = RedisServer::start();
    redis.stop();
    let rates = RedisRates::lazy(&redis.url()).expect("good settings");
    let counter = counter(&rates, "3/hour");
    let begin = Instant::now();
    assert!(complaint(&counter).await.starts_with("Redis: not connected: Connection refused"));
    assert!(begin.elapsed() < Duration::from_millis(300), "{:?}", begin.elapsed());
    redis.start_again();
    assert_eq!(recovered(&counter).await.remaining(), 3);
}

/// An address that swallows what is sent to it: who connects is not waited for longer than a decision.
#[tokio::test]
async fn the_deadline_holds_while_connecting() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("redis://{}", silent.local_addr().expect("an address"));
    let counter = counter(&RedisRates::lazy(&url).expect("good settings"), "3/hour");
    for _ in 0..20 {
        let begin = Instant::now();
        let why = complaint(&counter).await;
        assert!(["Redis: no answer within 20 ms", "Redis: not connected yet"].contains(&&*why), "{why}");
        assert!(begin.elapsed() < Duration::from_millis(300), "{:?}", begin.elapsed());
    }
    assert_eq!(complaint(&counter).await, "Redis: not connected yet", "known by now");
}

#[tokio::test]
async fn many_decisions_share_one_connection() {
    let redis = RedisServer::start();
    let rates = rates(&redis).await;
    let decisions: Vec<_> = (0..200)
        .map(|client| {
            let counter = counter(&rates.clone(), "1000/hour");
            tokio::spawn(async move { is_allowed(&counter, &client.to_string()).await })
        })
        .collect();
    for decision in decisions {
        assert!(decision.await.expect("no panic"));
    }
    assert_eq!((redis.connections(), redis.keys()), (2, 200));
}

#[tokio::test]
async fn a_redis_out_of_memory_is_an_outage() {
    let redis = RedisServer::start_with(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let counter = counter(&rates(&redis).await, "3/hour");
    assert_eq!(complaint(&counter).await, "Redis: extension error (OOM)");
}

#[test]
fn the_end_of_the_runtime_is_an_outage() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let redis = RedisServer::start();
    let first = runtime();
    let rates = first.block_on(async { RedisRates::builder(redis.url()).deadline(LENIENT).connect().await });
    let counter = counter(&rates.expect("Redis listens"), "3/hour");
    assert!(first.block_on(is_allowed(&counter, "ann")));
    assert!(runtime().block_on(is_allowed(&counter, "ann")), "another runtime may ask");
    drop(first);
    assert!(runtime().block_on(complaint(&counter)).starts_with("Redis: "));
}
