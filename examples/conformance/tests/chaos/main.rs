//! Both example servers under load while what they need fails: an auth server, Redis and PostgreSQL, stopped, killed, ended
//! or slowed down, one after another and two at once. No answer may be wrong.

#[path = "../servers/cluster.rs"]
#[expect(dead_code, reason = "shared with the tests of the servers")]
mod cluster;
#[path = "../../../../crates/authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "not every test of an engine needs all of it")]
mod engines;
mod judge;
mod lanes;
mod logs;
mod needs;
mod newcomers;
mod outages;
mod proxy;
#[path = "../../../../crates/authcore-redis/tests/it/server.rs"]
#[expect(dead_code, reason = "shared with the tests of authcore-redis")]
mod redis_server;
mod report;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use judge::{Judge, Verdict};
use lanes::{Client, HABITS, Run};
use logs::Secrets;
use needs::KEY_SET;
use newcomers::Newcomers;
use outages::Part;
use world::{Way, World};

type Outage = &'static [(Part, Way)];

/// Each part once.
const SHORT: [Outage; 3] =
    [&[(Part::Auth, Way::Killed)], &[(Part::Redis, Way::Stopped)], &[(Part::Postgres, Way::Stopped)]];

const LONG: [Outage; 14] = [
    &[(Part::Auth, Way::Stopped)],
    &[(Part::Auth, Way::Ended)],
    &[(Part::Auth, Way::Slow)],
    &[(Part::Auth, Way::Killed)],
    &[(Part::Redis, Way::Stopped)],
    &[(Part::Redis, Way::Killed)],
    &[(Part::Redis, Way::Slow)],
    &[(Part::Postgres, Way::Stopped)],
    &[(Part::Postgres, Way::Killed)],
    &[(Part::Postgres, Way::Slow)],
    &[(Part::Auth, Way::Killed), (Part::Redis, Way::Stopped)],
    &[(Part::Redis, Way::Killed), (Part::Postgres, Way::Slow)],
    &[(Part::Auth, Way::Stopped), (Part::Postgres, Way::Killed)],
    &[(Part::Redis, Way::Killed), (Part::Postgres, Way::Stopped)],
];

/// While this one lasts servers are started.
const WITH_NEWCOMERS: Outage = LONG[3];

/// How long after the parts are back it may take until all that is good is served again.
const BOUND: Duration = Duration::from_secs(10);

/// About 20 s, each part once; or as many seconds as `AUTHCORE_SOAK_SECONDS` says, each part in every way and two at once:
/// `scripts/chaos`.
#[test]
fn no_outage_lets_a_stranger_in_or_keeps_a_user_out() {
    let asked = std::env::var("AUTHCORE_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse::<u32>().ok());
    let (outages, lasting) = match asked {
        // Three parts of five are outages, one is recovery and one is quiet.
        Some(seconds) => (LONG.as_slice(), Duration::from_secs(3) * seconds / 70),
        None => (SHORT.as_slice(), Duration::from_millis(2500)),
    };
    let foreign = World::foreign_token();
    let mut world = World::start();
    let (sites, judge, issuer) = (world.sites(), Judge::new(), world.auth_url());
    let (is_over, left, let_through) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let run = Arc::new(Run { sites, judge, is_over, left, let_through, issuer, foreign });
    let begun = Instant::now();
    let clients = (0..run.sites.len()).flat_map(|number| HABITS.map(|(habit, _)| (number, habit)));
    let clients: Vec<_> = clients
        .map(|(number, habit)| {
            let client = Client::of(number, &run);
            thread::spawn(move || client.live_by(habit))
        })
        .collect();
    drive(&mut world, &run, outages, lasting);
    run.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("a client that judges everything");
    }
    conclude(Arc::into_inner(run).expect("nobody asks any more"), begun.elapsed());
}

/// Prints the tables. Whatever was wrong fails the test.
fn conclude(run: Run, lasted: Duration) {
    let Run { sites, judge, left, let_through, foreign, .. } = run;
    println!("{}", report::tables(&sites, &judge.outages.phases(), &judge.counts()));
    let secrets = Secrets::of(&sites, &foreign);
    for mut site in sites {
        secrets.look_for(&judge, site.example.name(), &mut site.server);
    }
    // Ten at once and one each 6 s for each of six users: counted in Redis, and in process while that is out. Each of them asks
    // for more than ten.
    let (let_through, least, most) = (let_through.into_inner(), 6 * 10, 6 * 2 * (10 + lasted.as_secs() / 6 + 1));
    println!("let through by a limit of ten a minute, of six users: {let_through}, {least} at least, {most} at most");
    if !(least..=most).contains(&let_through) {
        judge.complain(format!("{let_through} were let through by a limit that lets {least} to {most} through"));
    }
    // On a machine that does other things a look-up may miss its deadline now and then, and no more often.
    let counts = judge.counts();
    let count =
        |is: fn(Verdict) -> bool| counts.iter().filter(|((.., verdict), _)| is(*verdict)).map(|(_, (n, _))| n).sum();
    let (late, all): (u64, u64) = (count(|is| is == Verdict::Late), count(|_| true));
    if late > 3 + all / 1000 {
        judge.complain(format!("{late} of {all} were put off while nothing was out"));
    }
    let (violations, left) = (judge.violations(), left.into_inner());
    let first = violations.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(violations.is_empty(), "{} violations:\n{first}", violations.len());
    assert!(left > 0, "nobody left a session: this run shows nothing of it");
}

/// Takes the parts out and brings them back.
fn drive(world: &mut World, run: &Arc<Run>, outages: &[Outage], lasting: Duration) {
    let Run { sites, judge, .. } = &**run;
    let mut newcomers: Option<Newcomers> = None;
    let good = HABITS.iter().filter_map(|(_, good)| *good);
    let good: Vec<_> = good.flat_map(|kind| (0..sites.len()).map(move |server| (server, kind))).collect();
    judge.watch(Instant::now());
    until_served(judge, &good, "at first");
    for outage in outages {
        // Who waits for keys is not to find them out once more.
        if outage.iter().any(|(part, _)| KEY_SET.contains(part))
            && let Some(watched) = newcomers.take()
        {
            watched.conclude(run);
        }
        let names = outage.iter().map(|(part, way)| format!("{} {}", part.name(), format!("{way:?}").to_lowercase()));
        let name = names.collect::<Vec<_>>().join(" and ");
        // What is slow answers in time.
        let out = outage.iter().filter(|(_, way)| *way != Way::Slow).map(|(part, _)| *part);
        judge.outages.begin(name.clone(), out.collect());
        outage.iter().for_each(|(part, way)| world.fail(*part, *way));
        if outages.len() == LONG.len() && *outage == WITH_NEWCOMERS {
            newcomers = Some(Newcomers::watch(run, |example| world.newcomer(example)));
        }
        thread::sleep(lasting);
        // The auth server needs the others to start.
        outage.iter().rev().for_each(|(part, way)| world.mend(*part, *way));
        judge.watch(judge.outages.mend());
        until_served(judge, &good, &name);
        judge.outages.recover();
        thread::sleep(lasting / 3);
    }
}

/// Three times in a row, all of them, within the bound.
fn until_served(judge: &Judge, good: &[(usize, &'static str)], when: &str) {
    let begun = Instant::now();
    loop {
        let missing = judge.missing(good, 3);
        if missing.is_empty() {
            return;
        }
        if begun.elapsed() > BOUND {
            return judge.complain(format!("{when}: not served again within {BOUND:?}: {missing:?}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}
