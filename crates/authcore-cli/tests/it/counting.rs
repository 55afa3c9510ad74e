//! `rate`: in process and in Redis, to the microsecond alike.

use serde_json::{Value, json};

use crate::parts::RedisServer;
use crate::support::{batch, run};

/// The rule, written out: the debt is the time until the quota is whole.
fn plainly(arrivals: &[(i64, u32)], interval: i64, burst: i64) -> Vec<Value> {
    let (window, mut whole_at) = (interval * burst, i64::MIN);
    let answer = |(at, (t, cost)): (usize, &(i64, u32))| {
        let debt = whole_at.saturating_sub(*t).max(0);
        let taken = interval * i64::from(*cost);
        let allowed = debt + taken <= window;
        let debt = if allowed { debt + taken } else { debt };
        whole_at = t + debt;
        let retry = (!allowed && taken <= window).then(|| debt + taken - window);
        json!({
            "id": at, "allowed": allowed, "remaining": (window - debt) / interval,
            "reset_after_us": debt, "retry_after_us": retry
        })
    };
    arrivals.iter().enumerate().map(answer).collect()
}

fn lines(arrivals: &[(i64, u32)]) -> Vec<Value> {
    arrivals.iter().enumerate().map(|(at, (t, cost))| json!({ "id": at, "t_us": t, "cost": cost })).collect()
}

fn arrivals() -> Vec<(i64, u32)> {
    let mut at = 1_750_000_000_000_000;
    let step = |n: i64| {
        at += [0, 1, 999_999, 3_000_000, 6_000_001, 20_000_000][usize::try_from(n * n + n / 3).expect("small") % 6];
        (at, [1, 1, 0, 3, 11, 2][usize::try_from(n).expect("small") % 6])
    };
    (0..200).map(step).collect()
}

#[test]
fn arrivals_are_decided_by_their_own_clock() {
    let (asked, arrivals) = (&["rate", "--batch", "--quota", "10/minute"], arrivals());
    assert_eq!(batch(asked, &lines(&arrivals)), plainly(&arrivals, 6_000_000, 10));

    let burst = ["rate", "--batch", "--quota", "100/60s", "--burst", "2"];
    let at_once = [(5, 1), (5, 1), (5, 1), (600_004, 1), (600_005, 1), (0, 0)];
    let answers = batch(&burst, &lines(&at_once));
    assert_eq!(answers[..5], plainly(&at_once[..5], 600_000, 2));

    let bad = [
        json!({}),
        json!({ "t_us": -1 }),
        json!({ "t_us": 1.5 }),
        json!({ "t_us": 1, "cost": -1 }),
        json!({ "t_us": 1e300 }),
    ];
    batch(asked, &bad).iter().for_each(|answer| assert_eq!(answer["code"], "bad_request", "{answer}"));
    assert_eq!(batch(asked, &[json!({ "id": 1, "t_us": 0 })])[0]["remaining"], 9, "a cost of 1 unless said");
}

#[test]
fn redis_decides_the_same() {
    let redis = RedisServer::start();
    let url = redis.url();
    let arrivals = arrivals();
    let asked = ["rate", "--batch", "--quota", "10/minute", "--redis-url", &url];
    assert_eq!(batch(&asked, &lines(&arrivals)), plainly(&arrivals, 6_000_000, 10));
    // Each run begins anew, unless runs are to share.
    assert_eq!(batch(&asked, &lines(&arrivals[..1])), plainly(&arrivals[..1], 6_000_000, 10));
    let shared = [&asked[..], &["--key", "both"]].concat();
    let left: Vec<_> = (0..2).map(|_| batch(&shared, &lines(&[(7, 1)]))[0]["remaining"].clone()).collect();
    assert_eq!(left, [9, 8]);
    drop(redis);
    run(&["rate", "--quota", "1/s", "--redis-url", "http://127.0.0.1"]).is_usage(&["--redis-url", "redis://"]);
}

#[test]
fn people_are_told_too() {
    let ran = run(&["rate", "--quota", "2/minute", "0", "1", "2", "40000000"]);
    assert_eq!(ran.code, Some(1));
    let allowed: Vec<_> = ran.out.lines().map(|line| line.contains("allowed")).collect();
    assert_eq!(allowed, [true, true, false, true]);
    let ran = run(&["rate", "--quota", "2/minute", "--json"]);
    assert_eq!(ran.lines(), [json!({ "burst": 2, "interval_us": 30_000_000, "window_us": 60_000_000 })]);
    run(&["rate", "--quota", "0/minute"]).is_usage(&["--quota"]);
    run(&["rate", "--quota", "1/minute", "--burst", "0"]).is_usage(&["--burst"]);
    run(&["rate", "--batch"]).is_usage(&["--quota"]);
}
