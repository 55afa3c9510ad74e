//! The script that runs, with its clock taken from an argument: step by step beside a plain second version.

#[expect(dead_code, reason = "the server of all tests, of which these need little")]
#[path = "../../tests/it/server.rs"]
mod server;

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use server::RedisServer;
use tokio::net::TcpStream;

use super::*;
use crate::url::RedisUrl;

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

async fn run(connection: &MultiplexedConnection, ask: &Ask<'_>, now: u64) -> Verdict {
    let script = [GIVEN_CLOCK, DECIDE].concat();
    let mut command = ask.of(redis::cmd("EVAL"), &script);
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
            // Often at the same moment or on an edge, now and then after everything is forgotten.
            now += match random.below(8) {
                0 => 0,
                1..=3 => random.below(interval + 1),
                4 => interval,
                5 => interval - 1,
                6 => random.below(2 * window + 1) / 4,
                _ => random.below(20) / 19 * window,
            };
            let cost =
                [0, 1, 1, 1, 1, 2, random.below(burst + 2), burst][usize::try_from(random.below(8)).expect("small")];
            let key = random.below(3);
            let cost = (cost * interval).min(window + 1);
            let expected = buckets.entry(key).or_default().pour(now, cost, window);
            let text = format!("{{{index}:{key}}}");
            let verdict = run(&connection, &Ask { key: &text, cost, window }, now).await;
            assert_eq!(verdict, expected, "step {step} of {burst} by {interval} us: cost {cost} at {now}");
            if verdict.allowed { allowed += 1 } else { refused += 1 }
        }
    }
    assert!(allowed > 1000 && refused > 500, "{allowed} {refused}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_costs_a_window_at_most() {
    let redis = RedisServer::start();
    let connection = connect(&redis).await;
    let ask = Ask { key: "{k}", cost: 1_000_000, window: 3_000_000 };
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
        let peek = Ask { key: "{k}", cost: 0, window: 3_000_000 };
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
