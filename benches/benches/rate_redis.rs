//! Decisions in Redis beside a plain `INCR`, on the same kind of connection, by 64 clients at once.
//!
//! Each client waits for its answer before it asks again. Rounds of the two take turns, so that whatever else the machine does
//! meets both alike; what processor time each took depends least on that.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authcore::rate::{RateKey, RateStore as _};
use authcore_benches::load::processor_time;
use authcore_redis::RedisRates;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::net::TcpStream;

const CLIENTS: usize = 64;
const KEYS: usize = 1000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

fn main() {
    // Run as a test, it has nothing to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(compare());
}

async fn compare() {
    let redis = Redis::start();
    let address = format!("127.0.0.1:{}", redis.port);
    let rates = connect(&address).await;
    let counter = rates.counter("bench", "1000000/s".parse().expect("a quota"));
    let plain = connect_plainly(&address).await;
    let (mut decisions, mut increments) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let decided = hammer(&redis, |client| {
            let counter = Arc::clone(&counter);
            move |turn| {
                let key = (client * KEYS + turn % KEYS).to_string();
                let counted = counter.count(&RateKey::custom(key), 1);
                async move { assert!(counted.wait().await.expect("Redis answers").is_allowed()) }
            }
        });
        let decided = decided.await;
        let incremented = hammer(&redis, |client| {
            let plain = plain.clone();
            move |turn| {
                let key = format!("plain:{{{:032x}}}", client * KEYS + turn % KEYS);
                let mut plain = plain.clone();
                async move {
                    let increment = redis::cmd("INCR").arg(key).query_async::<i64>(&mut plain).await;
                    assert!(increment.expect("Redis answers") > 0);
                }
            }
        });
        let incremented = incremented.await;
        // The first round is for warming up.
        if round > 0 {
            println!("decision {decided}   INCR {incremented}   {:.2}", decided.per_second / incremented.per_second);
            decisions.push(decided);
            increments.push(incremented);
        }
    }
    println!("median   {}   INCR {}", median(&decisions), median(&increments));
}

/// One client, asked to take a turn again and again.
async fn hammer<C, T>(redis: &Redis, client: impl Fn(usize) -> C) -> Figures
where
    C: Fn(usize) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let cpu = [processor_time(std::process::id()), processor_time(redis.child.id())];
    let begin = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|index| {
            let turn = client(index);
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(1 << 14);
                while begin.elapsed() < ROUND {
                    let asked = Instant::now();
                    turn(times.len()).await;
                    times.push(asked.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.expect("no panic"));
    }
    let elapsed = begin.elapsed();
    let cpu = [processor_time(std::process::id()) - cpu[0], processor_time(redis.child.id()) - cpu[1]];
    Figures::of(times, elapsed, cpu)
}

#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    /// Microseconds of processor time for each: ours and the server's.
    cpu: [f64; 2],
}

impl Figures {
    fn of(mut times: Vec<Duration>, elapsed: Duration, cpu: [Duration; 2]) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100];
        let count = f64::from(u32::try_from(times.len()).expect("millions"));
        let cpu = cpu.map(|time| time.as_secs_f64() * 1e6 / count);
        Self { per_second: count / elapsed.as_secs_f64(), p50: at(50), p99: at(99), cpu }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let [ours, servers] = self.cpu;
        write!(f, "{:7.0}/s p50 {:.2} ms p99 {:5.2} ms", self.per_second, millis(self.p50), millis(self.p99))?;
        write!(f, " cpu {ours:.1} + {servers:.1} us")
    }
}

/// The round with the median number.
fn median(rounds: &[Figures]) -> Figures {
    let mut rounds = rounds.to_vec();
    rounds.sort_unstable_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds[rounds.len() / 2]
}

/// With time enough for a busy machine: what is late is to be measured, not given up.
async fn connect(address: &str) -> RedisRates {
    let builder = RedisRates::builder(format!("redis://{address}")).deadline(Duration::from_secs(5));
    builder.connect().await.expect("Redis listens")
}

async fn connect_plainly(address: &str) -> MultiplexedConnection {
    let stream = TcpStream::connect(address).await.expect("Redis listens");
    stream.set_nodelay(true).expect("a socket");
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let made = MultiplexedConnection::new_with_config(&redis::RedisConnectionInfo::default(), stream, config).await;
    let (connection, driver) = made.expect("Redis answers");
    tokio::spawn(driver);
    connection
}

/// A server of our own on a free port of the loopback, killed when dropped.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
        let child = command.stdout(Stdio::null()).spawn().expect("redis-server is installed");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
