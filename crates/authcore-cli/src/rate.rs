//! `authcore rate`: arrivals replayed against a quota, in process or in Redis, by the arrivals' own clock.

use std::sync::Arc;
use std::time::Duration;

use authcore::rate::{Counter, Decision, InProcess, Quota, RateKey, RateStore as _};
use authcore::{Clock as _, ManualClock, Timestamp, Unavailable};
use authcore_redis::RedisRates;
use clap::Args;
use tokio::runtime::Runtime;

use crate::batch::{self, BadLine};
use crate::cli::Asking;
use crate::fault::{Fault, Verdict};
use crate::input;
use crate::json::Object;
use crate::key_source::runtime;
use crate::text::{Page, Tone};

/// Which quota, and what arrives.
#[derive(Debug, Args)]
pub(crate) struct RateArgs {
    /// How much is allowed: 10/minute, 100/60s, 5/15min
    #[arg(long, value_name = "COUNT/TIME")]
    quota: Quota,
    /// How many are allowed at once [default: the count]
    #[arg(long, value_name = "N", value_parser = crate::value::whole::<u32>, allow_negative_numbers = true)]
    burst: Option<u32>,
    /// Counts in this Redis instead of in process, by the arrivals' clock all the same
    #[arg(long, value_name = "URL", conflicts_with = "redis_url_env")]
    redis_url: Option<String>,
    /// The environment variable that holds the URL of the Redis
    #[arg(long, value_name = "VAR")]
    redis_url_env: Option<String>,
    /// Who is counted in Redis: runs that name the same share their count [default: this run alone]
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// When requests of cost 1 arrive, in microseconds
    #[arg(value_name = "T_US", conflicts_with = "batch")]
    #[arg(value_parser = crate::value::whole::<i64>, allow_negative_numbers = true)]
    arrivals: Vec<i64>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) fn run(args: RateArgs) -> Result<Verdict, Fault> {
    let quota = match args.burst {
        Some(burst) => args.quota.burst(burst).map_err(|error| Fault::of("--burst", error))?,
        None => args.quota,
    };
    let runtime = runtime()?;
    let mut replay = Replay::of(&args, quota, &runtime)?;
    if args.asking.batch {
        return batch::run(|line, answer| {
            let at: Option<i64> = line.read("t_us", "a whole number of microseconds")?;
            let at = at.ok_or_else(|| BadLine::member("t_us", "is missing"))?;
            let cost: Option<u32> = line.read("cost", "a whole number from 0 to 4294967295")?;
            Ok(match replay.arrive(at, cost.unwrap_or(1))? {
                Ok(decision) => tell(&decision, answer),
                Err(outage) => unavailable(&outage, answer),
            })
        });
    }
    let mut page = Page::stdout();
    if args.arrivals.is_empty() {
        return describe(&mut page, quota, args.asking.json);
    }
    let mut outcome = Verdict::Accepted;
    for at in args.arrivals {
        let decided = replay.arrive(at, 1).map_err(|BadLine(why)| Fault::of("T_US", why))?;
        if !decided.as_ref().is_ok_and(Decision::is_allowed) {
            outcome = Verdict::Refused;
        }
        match decided {
            Ok(decision) if args.asking.json => page.line(&tell(&decision, Object::new()).end())?,
            Err(outage) if args.asking.json => page.line(&unavailable(&outage, Object::new()).end())?,
            Ok(decision) => {
                let word = match decision.is_allowed() {
                    true => page.mark(Tone::Good, "allowed"),
                    false => page.mark(Tone::Bad, "denied "),
                };
                let retry = decision.retry_after().map(|wait| format!(", again after {wait:?}")).unwrap_or_default();
                page.line(&format!("{at:>16} us  {word}  {} left{retry}", decision.remaining()))?;
            }
            Err(outage) => page.row("outage", &outage.to_string())?,
        }
    }
    Ok(outcome)
}

fn describe(page: &mut Page, quota: Quota, json: bool) -> Result<Verdict, Fault> {
    let (interval, window) = (micros(quota.interval()), micros(quota.window()));
    if json {
        let line = Object::new().with("burst", quota.burst_size()).with("interval_us", interval);
        page.line(&line.with("window_us", window).end())?;
    } else {
        page.row("at once", &quota.burst_size().to_string())?;
        page.row("then one", &format!("every {:?}", quota.interval()))?;
        page.row("whole after", &format!("{:?}", quota.window()))?;
    }
    Ok(Verdict::Accepted)
}

/// A counter by a clock that goes by the arrivals.
struct Replay<'r> {
    runtime: &'r Runtime,
    clock: ManualClock,
    store: Store,
    quota: Quota,
    counter: Option<Arc<dyn Counter>>,
    key: String,
}

enum Store {
    Process,
    Redis(RedisRates),
}

impl<'r> Replay<'r> {
    fn of(args: &RateArgs, quota: Quota, runtime: &'r Runtime) -> Result<Self, Fault> {
        let (option, url) = match (&args.redis_url, &args.redis_url_env) {
            (Some(url), _) => ("--redis-url", Some(url.clone())),
            (None, Some(name)) => ("--redis-url-env", Some(input::variable("--redis-url-env", name)?)),
            (None, None) => ("--redis-url", None),
        };
        let clock = ManualClock::at(0);
        let store = match url {
            None => Store::Process,
            Some(url) => {
                let builder = RedisRates::builder(url).prefix("authcore:replay:").deadline(Duration::from_secs(1));
                let connecting = builder.replaying(clock.clone()).connect();
                Store::Redis(runtime.block_on(connecting).map_err(|error| Fault::of(option, error))?)
            }
        };
        Ok(Self { runtime, clock, store, quota, counter: None, key: args.key.clone().unwrap_or_else(this_run) })
    }

    /// Decides on an arrival; an outage is one of the store.
    fn arrive(&mut self, at: i64, cost: u32) -> Result<Result<Decision, Unavailable>, BadLine> {
        if !(0..=LATEST).contains(&at) {
            return Err(BadLine::member("t_us", format!("is from 0 to {LATEST}")));
        }
        if self.counter.is_none() {
            // Counting in process begins ten years before the first arrival, so that later ones may be earlier, too.
            self.clock.set(Timestamp::from_micros(at - TEN_YEARS));
            self.counter = Some(match &self.store {
                Store::Process => InProcess::new().clock(self.clock.clone()).counter("replay", self.quota),
                Store::Redis(rates) => rates.counter("replay", self.quota),
            });
        }
        self.clock.set(Timestamp::from_micros(at));
        let counter = self.counter.as_ref().ok_or_else(|| BadLine("there is no counter".to_owned()))?;
        Ok(self.runtime.block_on(counter.count(&RateKey::custom(self.key.as_str()), cost).wait()))
    }
}

/// A name that no other run has.
fn this_run() -> String {
    format!("{}-{}", std::process::id(), authcore::SystemClock.now().as_micros())
}

/// Until the year 2255, as far as the arithmetic in Redis is exact.
const LATEST: i64 = 1 << 53;

const TEN_YEARS: i64 = 10 * 366 * 24 * 60 * 60 * 1_000_000;

fn tell(decision: &Decision, answer: Object) -> Object {
    let retry_after = decision.retry_after().map(micros);
    answer
        .with("allowed", decision.is_allowed())
        .with("remaining", decision.remaining())
        .with("reset_after_us", micros(decision.reset_after()))
        .with("retry_after_us", retry_after)
}

fn unavailable(outage: &Unavailable, answer: Object) -> Object {
    answer.with("ok", false).with("code", "store_unavailable").with("detail", outage.to_string())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
