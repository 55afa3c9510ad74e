//! What is decided, what is written, and what it costs.

use std::time::Duration;

use authcore::rate::RateStore as _;
use authcore_redis::RedisRates;

use super::server::RedisServer;
use super::{count, counter, decide, is_allowed, rates, remembered};

#[tokio::test]
async fn so_many_are_let_through_at_once_and_then_one_after_each_interval() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "3/3s");
    for remaining in [2, 1, 0] {
        let decision = decide(&counter, "ann", 1).await;
        assert!(decision.is_allowed() && decision.remaining() == remaining, "{decision:?}");
    }
    let refused = decide(&counter, "ann", 1).await;
    let wait = refused.retry_after().expect("not for ever");
    assert!(!refused.is_allowed() && !wait.is_zero() && wait <= Duration::from_secs(1), "{wait:?}");
    tokio::time::sleep(wait).await;
    assert!(is_allowed(&counter, "ann").await, "after the time it was told");
    assert!(!is_allowed(&counter, "ann").await);
}

/// The arithmetic is held against a second version beside the script; this is the real clock.
#[tokio::test]
async fn the_debt_follows_the_clock_of_the_server() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "100/minute");
    let interval = 600_000;
    let before = redis.now();
    let first = decide(&counter, "ann", 5).await;
    let after = redis.now();
    assert_eq!(first.reset_after().as_micros(), 5 * interval);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let earliest = redis.now();
    let debt = decide(&counter, "ann", 2).await.reset_after().as_micros();
    let latest = redis.now();
    let (least, most) = (u128::from(earliest - after), u128::from(latest - before));
    assert!((7 * interval - most..=7 * interval - least).contains(&debt), "{debt}, {least} to {most} later");
}

#[tokio::test]
async fn who_only_looks_and_who_is_refused_writes_nothing() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "3/hour");
    let peek = decide(&counter, "ann", 0).await;
    assert!(peek.is_allowed() && peek.remaining() == 3 && peek.reset_after().is_zero());
    let never = decide(&counter, "ann", 4).await;
    assert!(never.is_never() && never.retry_after().is_none() && never.remaining() == 3);
    assert!(decide(&counter, "ann", u32::MAX).await.is_never());
    assert_eq!((redis.keys(), redis.calls("set")), (0, 0));

    assert!(decide(&counter, "ann", 2).await.is_allowed());
    let refused = decide(&counter, "ann", 2).await;
    assert!(!refused.is_allowed() && refused.remaining() == 1);
    assert_eq!((redis.keys(), redis.calls("set")), (1, 1));
    assert!(decide(&counter, "ann", 1).await.is_allowed(), "what is left is for smaller costs");
}

#[tokio::test]
async fn limits_quotas_keys_and_prefixes_are_counted_apart_and_instances_together() {
    let redis = RedisServer::start();
    let (one, two) = (rates(&redis).await, rates(&redis).await);
    let other =
        RedisRates::builder(redis.url()).prefix("b:").deadline(super::LENIENT).connect().await.expect("listens");
    let quota = "1/hour".parse().expect("a quota");
    let twice = "2/2h".parse().expect("a quota");
    assert!(is_allowed(&one.counter("a", quota), "ann").await);
    assert!(!is_allowed(&two.counter("a", quota), "ann").await);
    assert!(!is_allowed(&one.clone().counter("a", quota), "ann").await);
    for apart in [one.counter("a", twice), one.counter("", quota), other.counter("a", quota)] {
        assert!(is_allowed(&apart, "ann").await);
    }
    assert!(is_allowed(&two.counter("a", quota), "bob").await);
    assert_eq!(redis.keys(), 5);
}

#[tokio::test]
async fn keys_stay_until_the_quota_is_whole_again_and_are_gone_then() {
    let redis = RedisServer::start();
    let rates = rates(&redis).await;
    decide(&counter(&rates, "10/minute"), "ann", 3).await;
    let key = redis.run(&["RANDOMKEY"]);
    let digits = key.strip_prefix("authcore:rate:{").and_then(|rest| rest.strip_suffix('}')).expect(&key);
    assert!(digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    let life: i64 = redis.run(&["PTTL", &key]).trim_start_matches(':').parse().expect("a number");
    assert!((17_000..=18_100).contains(&life), "{life}");
    redis.run(&["FLUSHALL"]);

    let short = counter(&rates, "10/100ms");
    for key in 0..100 {
        decide(&short, &key.to_string(), key % 10 + 1).await;
    }
    assert!(redis.keys() > 0);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if redis.keys() == 0 {
            return;
        }
    }
    panic!("{} keys are left", redis.keys());
}

#[tokio::test]
async fn a_decision_is_one_command_and_a_key_that_is_refused_costs_none() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "2/hour");
    assert!(is_allowed(&counter, "ann").await);
    let asked = |redis: &RedisServer| redis.calls("evalsha");
    // The first found the script unknown.
    assert_eq!((asked(&redis), redis.calls("eval")), (1, 1));
    assert!(is_allowed(&counter, "ann").await);
    assert!(!is_allowed(&counter, "ann").await);
    assert_eq!(asked(&redis), 3);
    let mut debt = Duration::MAX;
    for cost in [1, 2, 1, 3, u32::MAX, 1] {
        let decision = remembered(&counter, "ann", cost).expect("no question");
        assert!(!decision.is_allowed() && decision.remaining() == 0 && decision.reset_after() <= debt, "{decision:?}");
        assert_eq!(decision.retry_after().is_none(), cost > 2);
        debt = decision.reset_after();
    }
    let peek = remembered(&counter, "ann", 0).expect("no question");
    assert!(peek.is_allowed() && peek.remaining() == 0 && peek.reset_after() <= debt);
    assert!(remembered(&counter, "bob", 1).is_none());
    assert_eq!((asked(&redis), redis.calls("eval")), (3, 1));
    // GET and SET are the script's own, and TIME.
    assert_eq!((redis.calls("get"), redis.calls("set"), redis.calls("time")), (3, 2, 3));
}

#[tokio::test]
async fn a_refusal_is_forgotten_when_the_store_said() {
    let redis = RedisServer::start();
    let (one, two) = (rates(&redis).await, rates(&redis).await);
    let (one, two) = (counter(&one, "1/1500ms"), counter(&two, "1/1500ms"));
    assert!(is_allowed(&one, "ann").await);
    let wait = decide(&one, "ann", 1).await.retry_after().expect("not for ever");
    assert!(remembered(&one, "ann", 1).is_some() && remembered(&two, "ann", 1).is_none());
    tokio::time::sleep(wait).await;
    assert!(remembered(&one, "ann", 1).is_none());
    assert!(is_allowed(&two, "ann").await, "another instance may be first");
    assert!(!is_allowed(&one, "ann").await);
}

#[tokio::test]
async fn a_script_that_is_flushed_is_sent_again() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "1000/hour");
    for round in 1..=5 {
        assert_eq!(redis.run(&["SCRIPT", "FLUSH"]), "+OK");
        for step in 1..=4 {
            assert_eq!(decide(&counter, "ann", 1).await.remaining(), 1000 - (round - 1) * 4 - step);
        }
        assert_eq!(redis.calls("eval"), round);
    }
}

#[tokio::test]
async fn r145_nothing_that_users_wrote_reaches_redis_and_no_two_of_them_are_one() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "1/hour");
    let mut monitor = redis.monitor();
    let long = "x".repeat(10 * 1024);
    let hostile = ["a", "{a}", "}{", "{}", "a\n", "a\r\nFLUSHALL\r\n", "a\0", " ", "*", "a:b", "ａ", "\u{2028}", &long];
    for key in hostile {
        assert!(is_allowed(&counter, key).await, "{key:?}");
        assert!(!is_allowed(&counter, key).await, "{key:?}");
    }
    assert_eq!(redis.keys(), u32::try_from(hostile.len()).expect("few"));
    let mut questions = 0;
    for line in monitor.by_ref().take_while(|line| !line.contains("\"DBSIZE\"")) {
        if !line.contains("\"EVALSHA\"") {
            continue;
        }
        questions += 1;
        let words: Vec<_> = line.split('"').skip(1).step_by(2).collect();
        let key = words[3].strip_prefix("authcore:rate:{").and_then(|rest| rest.strip_suffix('}')).expect(&line);
        assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
    }
    assert_eq!(questions, 2 * hostile.len());
}

/// Whatever the clock of an instance says, it asks the same, at any time; and what it remembers are durations.
#[tokio::test]
async fn r146_no_clock_but_that_of_redis_is_in_a_question() {
    let redis = RedisServer::start();
    let counter = counter(&rates(&redis).await, "1000/hour");
    decide(&counter, "ann", 1).await;
    let monitor = redis.monitor();
    for _ in 0..5 {
        assert!(count(&counter, "ann", 2).await.is_ok());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    redis.run(&["DBSIZE"]);
    let lines = monitor.take_while(|line| !line.contains("\"DBSIZE\""));
    let questions: Vec<_> = lines.filter_map(|line| line.find("\"EVALSHA\"").map(|at| line[at..].to_owned())).collect();
    assert_eq!(questions.len(), 5);
    assert!(questions.iter().all(|question| question == &questions[0]), "{questions:?}");
    assert!(questions[0].ends_with("\"7200000\" \"3600000000\""), "{}", questions[0]);
}
