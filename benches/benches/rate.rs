//! One decision in process, beside governor's keyed limiter as it comes, and what a key takes in memory.
//!
//! `cargo bench -p authcore-benches --bench rate`

use std::hash::Hash;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authcore::rate::{Address, Counted, Counter, Decision, InProcess, Quota, RateKey, RateStore};
use authcore_benches::report;
use criterion::{BenchmarkGroup, Criterion, criterion_group, measurement::WallTime};
use governor::DefaultKeyedRateLimiter;

fn decide(counter: &dyn Counter, key: &RateKey<'_>) -> Decision {
    match counter.count(key, 1) {
        Counted::Now(decision) => decision,
        Counted::Later(_) => unreachable!("decides at once"),
    }
}

fn ours(quota: Quota, max_keys: usize) -> Arc<dyn Counter> {
    InProcess::new().max_keys(max_keys).expect("within bounds").counter("bench", quota)
}

/// governor as it comes, by keys of the type that says the same and suits it best.
fn peer<K: Clone + Hash + Eq>(quota: Quota) -> DefaultKeyedRateLimiter<K> {
    let burst = NonZeroU32::new(quota.burst_size()).expect("not zero");
    let quota = governor::Quota::with_period(quota.interval()).expect("not zero").allow_burst(burst);
    governor::RateLimiter::keyed(quota)
}

fn addresses(count: u32) -> Vec<IpAddr> {
    (0..count).map(|index| Ipv4Addr::from_bits(0x0a00_0000 + index).into()).collect()
}

/// Ids as Better Auth makes them.
fn ids(count: u32) -> Vec<String> {
    (0..count).map(|index| format!("S3NBY4swX9ZsphkeenGjZ2Gz{index:08}")).collect()
}

fn address_key(address: &IpAddr) -> RateKey<'static> {
    RateKey::address(Address::of(*address, 64))
}

/// Ten thousand keys in turn, all within their quota.
fn one_thread(criterion: &mut Criterion) {
    let (addresses, ids) = (addresses(10_000), ids(10_000));
    compare(criterion, "address", &addresses, addresses.iter().map(address_key).collect());
    compare(criterion, "user id", &ids, ids.iter().map(|id| RateKey::custom(id.as_str())).collect());
}

fn compare<K: Clone + Hash + Eq>(criterion: &mut Criterion, kind: &str, theirs: &[K], keys: Vec<RateKey<'_>>) {
    let mut group = criterion.benchmark_group(format!("rate/10000 keys/{kind}"));
    let (counter, peer) = (ours(generous(), 100_000), peer::<K>(generous()));
    let mut turn = keys.iter().cycle();
    group.bench_function("authcore", |bench| {
        bench.iter(|| assert!(decide(&*counter, turn.next().expect("endless")).is_allowed()));
    });
    let mut turn = theirs.iter().cycle();
    group.bench_function("governor", |bench| {
        bench.iter(|| assert!(peer.check_key(turn.next().expect("endless")).is_ok()));
    });
    group.finish();
}

/// Nobody comes to its end while it is measured.
fn generous() -> Quota {
    "1000/second".parse::<Quota>().and_then(|quota| quota.burst(1_000_000_000)).expect("good")
}

/// One key that is at its limit, asked for by one thread and by two.
fn denied(criterion: &mut Criterion) {
    let quota: Quota = "1/day".parse().expect("good");
    let address = addresses(1).pop().expect("one");
    let key = address_key(&address);
    let (counter, peer) = (ours(quota, 100_000), peer::<IpAddr>(quota));
    assert!(decide(&*counter, &key).is_allowed() && peer.check_key(&address).is_ok());
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("rate/denied hot key/{threads} threads"));
        on_threads(&mut group, "authcore", threads, || assert!(!decide(&*counter, black_box(&key)).is_allowed()));
        on_threads(&mut group, "governor", threads, || assert!(peer.check_key(black_box(&address)).is_err()));
        group.finish();
    }
}

/// The time that each of so many threads takes for one call while all of them call.
fn on_threads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, threads: u32, call: impl Fn() + Sync) {
    group.bench_function(name, |bench| {
        bench.iter_custom(|rounds| {
            let begin = std::sync::Barrier::new(threads as usize);
            std::thread::scope(|scope| {
                let work = || {
                    begin.wait();
                    let start = Instant::now();
                    (0..rounds).for_each(|_| call());
                    start.elapsed()
                };
                let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
                let times = running.into_iter().map(|thread| thread.join().expect("no panic"));
                times.sum::<Duration>() / threads
            })
        });
    });
}

/// What a million keys that owe something take of the process's memory.
fn memory(_: &mut Criterion) {
    const KEYS: u32 = 1_000_000;
    let quota: Quota = "1000000/day".parse().expect("good");
    let keys = addresses(KEYS);
    let before = resident();
    let counter = ours(quota, KEYS as usize);
    keys.iter().for_each(|key| assert!(decide(&*counter, &address_key(key)).is_allowed()));
    let between = resident();
    let peer = peer::<IpAddr>(quota);
    keys.iter().for_each(|key| assert!(peer.check_key(key).is_ok()));
    let each = |bytes: f64| bytes / f64::from(KEYS);
    let (ours, theirs) = (each(between - before), each(resident() - between));
    println!("rate/bytes a key at a million: authcore {ours:.1}, governor {theirs:.1}");
}

/// Bytes of memory that this process takes, by Linux's account.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}

criterion_group!(benches, memory, one_thread, denied);

fn main() {
    report::run(benches, "A rate limit's decision in process", "rate", "rate/");
}
