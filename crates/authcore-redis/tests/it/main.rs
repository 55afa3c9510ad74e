//! `RedisRates` on real servers: a Redis that each test starts for itself.

mod cluster;
mod decisions;
mod given_up;
mod outages;
mod revocations;
#[allow(dead_code, reason = "shared with the tests of other crates")]
mod server;
mod shared;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use authcore::Unavailable;
use authcore::rate::{Counted, Counter, Decision, Quota, RateKey, RateStore as _};
use authcore_redis::RedisRates;
use server::RedisServer;

/// For tests in which nobody is to be late, on a machine that has other things to do.
const LENIENT: Duration = Duration::from_secs(5);

async fn rates(redis: &RedisServer) -> RedisRates {
    RedisRates::builder(redis.url()).deadline(LENIENT).connect().await.expect("Redis listens")
}

fn counter(rates: &RedisRates, quota: &str) -> Arc<dyn Counter> {
    rates.counter("test", quota.parse::<Quota>().expect("a quota"))
}

async fn count(counter: &Arc<dyn Counter>, key: &str, cost: u32) -> Result<Decision, Unavailable> {
    counter.count(&RateKey::custom(key), cost).wait().await
}

async fn decide(counter: &Arc<dyn Counter>, key: &str, cost: u32) -> Decision {
    count(counter, key, cost).await.expect("Redis answers")
}

async fn is_allowed(counter: &Arc<dyn Counter>, key: &str) -> bool {
    decide(counter, key, 1).await.is_allowed()
}

/// A decision made without asking.
fn remembered(counter: &Arc<dyn Counter>, key: &str, cost: u32) -> Option<Decision> {
    match counter.count(&RateKey::custom(key), cost) {
        Counted::Now(decision) => Some(decision),
        Counted::Later(_) => None,
    }
}
