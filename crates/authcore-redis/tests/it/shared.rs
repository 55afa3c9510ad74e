//! Many clients of several instances at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::server::RedisServer;
use super::{counter, decide, is_allowed, rates};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r140_instances_let_through_exactly_what_one_would() {
    let redis = RedisServer::start();
    let interval = 10_000;
    let (quota, burst) = ("50/500ms", 50);
    let mut counters = Vec::new();
    for _ in 0..3 {
        counters.push(counter(&rates(&redis).await, quota));
    }
    let allowed = Arc::new(AtomicU64::new(0));
    let before = redis.now();
    assert!(is_allowed(&counters[0], "ann").await);
    let after_first = redis.now();

    let begin = Instant::now();
    let clients: Vec<_> = (0..64)
        .map(|client| {
            let (counter, allowed) = (Arc::clone(&counters[client % 3]), Arc::clone(&allowed));
            tokio::spawn(async move {
                while begin.elapsed() < Duration::from_secs(2) {
                    let decision = decide(&counter, "ann", 1).await;
                    if decision.is_allowed() {
                        allowed.fetch_add(1, Ordering::Relaxed);
                    } else {
                        tokio::time::sleep(decision.retry_after().expect("not for ever")).await;
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no panic");
    }
    let before_last = redis.now();
    let mut total = allowed.load(Ordering::Relaxed) + 1;
    // Whatever fell due since the last of them.
    let fresh = counter(&rates(&redis).await, quota);
    while is_allowed(&fresh, "ann").await {
        total += 1;
    }
    let debt = u64::try_from(decide(&fresh, "ann", 0).await.reset_after().as_micros()).expect("little");
    let after = redis.now();

    let let_through = |elapsed: u64| burst + elapsed / interval;
    assert!(
        (let_through(before_last - after_first)..=let_through(after - before)).contains(&total),
        "{total} in {} to {} us",
        before_last - after_first,
        after - before
    );
    // What was poured in is what leaked out and what is left: not one was lost or counted twice.
    let poured = total * interval;
    assert!((poured - (after - before)..=poured - (before_last - after_first)).contains(&debt), "{debt} of {poured}");
}
