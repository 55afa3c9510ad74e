//! `wrk` on one core against servers on another, and what Linux tells of a process meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// The core of whatever is measured.
pub const SERVERS_CORE: &str = "0";

/// The core that asks.
pub const WRK_CORE: &str = "1";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wrk/tokens.lua");

/// 32 connections, each of which asks again once it is answered.
#[derive(Debug)]
pub struct Load<'t> {
    /// What is asked for.
    pub url: String,
    /// A file of tokens, one a line, that are sent in turn.
    pub tokens: &'t Path,
    /// For how long.
    pub seconds: u32,
}

/// What came of a load. Times are in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Answers {
    /// How many came.
    pub count: f64,
    /// Those of status 400 and above, and what was never answered.
    pub failures: f64,
    /// How long it took.
    pub micros: f64,
    /// Half of the answers came within this time.
    pub p50: f64,
    /// 99 of 100 did.
    pub p99: f64,
}

impl Load<'_> {
    /// All of it.
    ///
    /// # Panics
    ///
    /// When there is no `wrk`, or no second core for it.
    #[must_use]
    pub fn run(&self) -> Answers {
        let (seconds, file) = (format!("-d{}s", self.seconds), self.tokens.to_str().expect("a path of UTF-8"));
        let asked = ["-c", WRK_CORE, "wrk", "-t1", "-c32", &seconds, "-s", SCRIPT, &self.url, "--", file];
        let said = run("taskset", &asked);
        let ([count, micros, failures], [p50, p99]) = (numbers(&said, "told "), numbers(&said, "within "));
        Answers { count, failures, micros, p50, p99 }
    }
}

/// The numbers behind a word of the script's.
fn numbers<const N: usize>(said: &str, word: &str) -> [f64; N] {
    let line = said.lines().find_map(|line| line.strip_prefix(word)).expect("the script's last words");
    let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
    numbers.try_into().expect("as many as the script tells")
}

/// Keeps this process to one core: the threads and processes that it starts from here on inherit it.
///
/// # Panics
///
/// When there is no such core.
pub fn pin_to(core: &str) {
    run("taskset", &["-cp", core, &std::process::id().to_string()]);
}

/// What a program prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let install = "install taskset and wrk: apt-get install util-linux wrk";
    let Output { status, stdout, stderr } = Command::new(program).args(arguments).output().expect(install);
    assert!(status.success(), "{install}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}

/// How long a process has had the processors, threads that ended since included, to 10 ms.
///
/// # Panics
///
/// Where there is no such process, or no Linux.
#[must_use]
pub fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    let (_, numbers) = stat.rsplit_once(')').expect("a name");
    let ticks = numbers.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// How long the threads of a process, by its id or `self`, have had the processor, and how long they have been kept
/// from it; those that are there now.
///
/// # Panics
///
/// Where there is no such process, or no Linux.
#[must_use]
pub fn processor_times(process: &str) -> [Duration; 2] {
    let mut times = [Duration::ZERO; 2];
    for thread in fs::read_dir(format!("/proc/{process}/task")).expect("Linux") {
        // One that has ended since tells nothing.
        let stat = fs::read_to_string(thread.expect("a thread").path().join("schedstat")).unwrap_or_default();
        for (time, nanos) in times.iter_mut().zip(stat.split(' ')) {
            *time += Duration::from_nanos(nanos.parse().unwrap_or_default());
        }
    }
    times
}

/// Resident memory of a process in MiB: `VmRSS` as it is now, `VmHWM` at its most.
///
/// # Panics
///
/// Where there is no such process, or no Linux.
#[must_use]
pub fn memory(process: &str, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib: f64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).expect("a size");
    kib / 1024.0
}
