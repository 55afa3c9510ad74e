//! The script that runs, with its clock taken from an argument: step by step beside a plain second version, and beside
//! counting in process.

#[expect(dead_code, reason = "the server of all tests, of which these need little")]
#[path = "../../tests/it/server.rs"]
mod server;

use std::collections::HashMap;
use std::time::Duration;

use authcore::rate::{Counted, Decision, InProcess, Quota, RateKey, RateStore as _};
use authcore::{ManualClock, Timestamp};
use redis::aio::MultiplexedConnection;
use server::RedisServer;
use tokio::net::TcpStream;

use super::*;
use authcore_redis_link::RedisUrl;

const GIVEN_CLOCK: &str = "local now = tonumber(ARGV[3])\n";

/// A leaky bucket: so much is in it, it leaks one microsecond each microsecond, and it must not run over.
#[derive(Clone, Copy, Default)]
struct Bucket {
    level: i128,
    at: i128,
}

impl Bucket {
    fn pour(&mut self, now: u64, cost: u64, window: u64) -> Verdict {
        let leaked = i128::from(now) - self.at;
        *self = Self { level: (self.level - leaked).max(0), at: i128::from(now) };
        let allowed = self.level + i128::from(cost) <= i128::from(window);
        if allowed {
            self.level += i128::from(cost);
        }
        Verdict { allowed, debt: u64::try_from(self.level).expect("never negative") }
    }
}

/// xorshift64*, from a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % end
    }

    /// Often none or to an edge, now and then until everything is forgotten.
    fn wait(&mut self, interval: u64, window: u64) -> u64 {
        match self.below(8) {
            0 => 0,
            1..=3 => self.below(interval + 1),
            4 => interval,
            5 => interval - 1,
            6 => self.below(2 * window + 1) / 4,
            _ => self.below(20) / 19 * window,
        }
    }

    /// Mostly one, now and then a little more than there ever is.
    fn cost(&mut self, burst: u64) -> u64 {
        [0, 1, 1, 1, 1, 2, self.below(burst + 2), burst][usize::try_from(self.below(8)).expect("small")]
    }
}

async fn connect(redis: &RedisServer) -> MultiplexedConnection {
    let url = RedisUrl::parse(&redis.url()).expect("a URL");
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await.expect("Redis listens");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let made = MultiplexedConnection::new_with_config(&url.login, stream, config).await;
    let (connection, driver) = made.expect("Redis answers");
    tokio::spawn(driver);
    connection
}

/// What is sent, in full.
fn of(Ask { key, cost, window, .. }: &Ask<'_>, script: &str) -> redis::Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(1).arg(key).arg(cost).arg(window);
    command
}

async fn run(connection: &MultiplexedConnection, ask: &Ask<'_>, now: u64) -> Verdict {
    let script = [GIVEN_CLOCK, DECIDE].concat();
    let mut command = of(ask, &script);
    let answer: i64 = command.arg(now).query_async(&mut connection.clone()).await.expect("an answer");
    Verdict::from(answer)
}

#[tokio::test]
async fn every_step_is_that_of_a_plain_second_version() {
    let redis = RedisServer::start();
    let connection = connect(&redis).await;
    let mut random = Random(0x5eed);
    let year = 366 * 24 * 60 * 60 * 1_000_000;
    // Interval and burst, from one a microsecond to one a year.
    let quotas = [(1, 1), (1, 1000), (333_334, 3), (6_000_000, 10), (9_000_000, 100), (86_400_000_000, 5), (year, 1)];
    let (mut allowed, mut refused) = (0, 0);
    for (index, (interval, burst)) in quotas.into_iter().enumerate() {
        let window = interval * burst;
        let mut buckets: HashMap<u64, Bucket> = HashMap::new();
        let mut now = 1_763_686_800_000_000;
        // Centuries are beyond what Lua counts exactly.
        let steps = if interval == year { 200 } else { 600 };
        for step in 0..steps {
            now += random.wait(interval, window);
            let cost = random.cost(burst);
            let key = random.below(3);
            let cost = (cost * interval).min(window + 1);
            let expected = buckets.entry(key).or_default().pour(now, cost, window);
            let text = format!("{{{index}:{key}}}");
            let verdict = run(&connection, &Ask { key: &text, cost, window, now: None }, now).await;
            assert_eq!(verdict, expected, "step {step} of {burst} by {interval} us: cost {cost} at {now}");
            if verdict.allowed { allowed += 1 } else { refused += 1 }
        }
    }
    assert!(allowed > 1000 && refused > 500, "{allowed} {refused}");
}

/// As [`run`], and the key is kept for good: only the given clock may say that it is over.
async fn run_and_keep(connection: &MultiplexedConnection, ask: &Ask<'_>, now: u64) -> Verdict {
    let script = [GIVEN_CLOCK, DECIDE].concat();
    let mut command = of(ask, &script);
    command.arg(now);
    let mut both = redis::pipe();
    both.atomic().add_command(command).cmd("PERSIST").arg(ask.key).ignore();
    let (answer,): (i64,) = both.query_async(&mut connection.clone()).await.expect("an answer");
    Verdict::from(answer)
}

/// Equal decisions tell the same: allowed or not, what is left, when it is whole, and when to come back.
#[tokio::test]
async fn redis_and_counting_in_process_decide_alike_at_each_arrival() {
    let redis = RedisServer::start();
    let connection = connect(&redis).await;
    let mut random = Random(0xa11ce);
    let quota = |text: &str| text.parse::<Quota>().expect("a quota");
    let quotas = [
        quota("1000000/second").burst(1).expect("a burst"),
        quota("1000/ms"),
        quota("3/second"),
        quota("3/second").burst(70).expect("a burst"),
        quota("10/minute"),
        quota("100/15min"),
        quota("7/2d").burst(2).expect("a burst"),
        quota("1/366d"),
    ];
    let (mut allowed, mut refused, mut never) = (0, 0, 0);
    for quota in quotas {
        let (interval, burst) = (micros(quota.interval()), u64::from(quota.burst_size()));
        let window = interval * burst;
        let begin = 1_763_686_800_000_000;
        let clock = ManualClock::at(1_763_686_800);
        let counter = InProcess::new().clock(clock.clone()).counter("limit", quota);
        let mut now = begin;
        for step in 0..1_500 {
            now += random.wait(interval, window);
            // Counting in process has a clock for 34 years.
            if now - begin > 33 * micros(Quota::MAX_WINDOW) {
                break;
            }
            clock.set(Timestamp::from_micros(i64::try_from(now).expect("before the year 9999")));
            let name = random.below(4).to_string();
            let cost = u32::try_from(random.cost(burst)).expect("a burst and a little");
            let Counted::Now(expected) = counter.count(&RateKey::custom(&name), cost) else {
                unreachable!("decides at once");
            };
            let key = format!("{quota}{{{name}}}");
            let ask = Ask { key: &key, cost: (interval * u64::from(cost)).min(window + 1), window, now: None };
            let verdict = run_and_keep(&connection, &ask, now).await;
            let decision = Decision::new(quota, verdict.allowed, cost, verdict.debt);
            assert_eq!(decision, expected, "step {step} of {quota}: cost {cost} at {now}");
            match decision.is_allowed() {
                true => allowed += 1,
                false if decision.is_never() => never += 1,
                false => refused += 1,
            }
        }
    }
    assert!(allowed + refused + never > 10_000 && refused > 1_000 && never > 300, "{allowed} {refused} {never}");
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a year at most")
}

#[tokio::test]
async fn a_clock_that_is_set_back_costs_a_window_at_most() {
    let redis = RedisServer::start();
    let connection = connect(&redis).await;
    let ask = Ask { key: "{k}", cost: 1_000_000, window: 3_000_000, now: None };
    let hour = 3_600_000_000;
    let now = 1_763_686_800_000_000;
    assert_eq!(run(&connection, &ask, now + hour).await, Verdict { allowed: true, debt: 1_000_000 });
    assert_eq!(run(&connection, &ask, now).await, Verdict { allowed: false, debt: 3_000_000 });
}

#[tokio::test]
async fn what_somebody_else_wrote_is_nothing_or_a_window() {
    let redis = RedisServer::start();
    let connection = connect(&redis).await;
    let now = 1_763_686_800_000_000;
    for (text, debt) in [
        ("", 0),
        ("x", 0),
        ("nan", 0),
        ("-nan", 0),
        ("-1", 0),
        ("-inf", 0),
        ("1763686800", 0),
        ("0x10", 0),
        ("inf", 3_000_000),
        ("1e400", 3_000_000),
        ("9007199254740993", 3_000_000),
        ("1763686802000000", 2_000_000),
    ] {
        redis.run(&["SET", "{k}", text]);
        let peek = Ask { key: "{k}", cost: 0, window: 3_000_000, now: None };
        assert_eq!(run(&connection, &peek, now).await, Verdict { allowed: true, debt }, "{text}");
    }
}

#[test]
fn a_script_goes_by_its_sha1() {
    let script = Script::with_clock("");
    assert_eq!(script.sha1.len(), 40);
    let nothing = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, b"");
    assert_eq!(nothing.as_ref()[..4], [0xda, 0x39, 0xa3, 0xee]);
}
