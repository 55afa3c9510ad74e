//! One refusal by a guard, as an adapter asks for it and writes it down.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use authcore::{Attempt, KeySet, Refusal};
use authcore_benches::is_measured;
use authcore_benches::report::duration;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use crate::inputs::{self, Hostile};
use crate::keys;

const HEAD: &str = "Letters are the sections of [cases.md](security/cases.md).

In the library: one thread's processor time from the request's head to the fields and the body of the answer, and the most
bytes that were allocated at once; what aws-lc allocates for itself is not seen. The worst is of as many turns as there were
in a second, what else the machine did included. (*): with the cap on tokens raised from 16 KiB to 1 MiB, since they would be
refused by their length alone. K: what comes once in a cooldown of 30 s.

| | what is sent | answer | median | worst | bytes |
|---|---|---|---|---|---|
";

/// As many turns as fit into a second, but never fewer or more than these.
const TURNS: std::ops::RangeInclusive<usize> = 200..=20_000;

pub(crate) fn table() -> String {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut table = HEAD.to_owned();
    for hostile in inputs::all(&runtime) {
        let refuse = || refuse(&runtime, &hostile);
        let refusal = refuse();
        let answer = (refusal.status(), refusal.reason());
        assert_eq!(answer, hostile.answer, "{}: {}", hostile.section, hostile.what);
        let row = Row { section: hostile.section, what: &hostile.what, answer: format!("{} {}", answer.0, answer.1) };
        row.write(&mut table, &|| {
            let refusal = refuse();
            black_box((refusal.status(), refusal.fields(), refusal.body()));
        });
    }
    for (what, document, expected) in keys::documents() {
        let found = KeySet::from_json(&document).map(|set| set.keys().count());
        assert_eq!(found, expected, "K: {what}");
        let answer = found.map_or_else(|refused| refused.to_string(), |count| format!("{count} keys"));
        Row { section: "K", what, answer }.write(&mut table, &|| drop(black_box(KeySet::from_json(&document))));
    }
    print!("{table}");
    table
}

struct Row<'r> {
    section: &'r str,
    what: &'r str,
    answer: String,
}

impl Row<'_> {
    fn write(&self, table: &mut String, act: &dyn Fn()) {
        let turns = if is_measured() { times(act) } else { vec![time(act)] };
        let (median, worst) = (turns[turns.len() / 2], turns[turns.len() - 1]);
        let bytes = measure(act).bytes_max;
        let [median, worst] = [median, worst].map(|time| duration(time.as_secs_f64() * 1e9));
        let Self { section, what, answer } = self;
        writeln!(table, "| {section} | {what} | {answer} | {median} | {worst} | {bytes} |").expect("text grows");
    }
}

fn refuse(runtime: &Runtime, hostile: &Hostile) -> Refusal {
    let decision = match hostile.guard.begin(&hostile.head) {
        Attempt::Ready(decision) => decision,
        attempt => runtime.block_on(attempt.finish()),
    };
    decision.expect_err("it is refused")
}

/// What each turn takes, the shortest first.
fn times(act: &dyn Fn()) -> Vec<Duration> {
    let (mut turns, mut together) = (Vec::new(), Duration::ZERO);
    while turns.len() < *TURNS.start() || (together < Duration::from_secs(1) && turns.len() < *TURNS.end()) {
        let turn = time(act);
        together += turn;
        turns.push(turn);
    }
    turns.sort_unstable();
    turns
}

fn time(act: &dyn Fn()) -> Duration {
    let before = processor_time();
    act();
    processor_time().saturating_sub(before)
}

/// How long this thread has had the processor. To ask takes some hundred nanoseconds, which are not taken off.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("time does not go below zero")
}
