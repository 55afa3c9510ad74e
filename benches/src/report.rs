//! Where benches put what they measured: each its section of `docs/performance.md`, written anew by each run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use criterion::Criterion;

use crate::is_measured;

const HEAD: &str = "# Performance

Written by the benches themselves (`scripts/performance`); [BENCHMARKS.md](BENCHMARKS.md) says what is measured and how. Believe
the ratios rather than the times: the machine is named above each table.
";

/// Puts a table, or text that is one, into its section, in place of what an earlier run put there.
///
/// # Panics
///
/// When the document cannot be written.
pub fn section(title: &str, bench: &str, table: &str) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let was = fs::read_to_string(&document).unwrap_or_default();
    let mut sections: Vec<(String, String)> = was
        .split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(title, body)| (title.to_owned(), body.trim().to_owned()))
        .collect();
    let body = format!("{}. `cargo bench -p authcore-benches --bench {bench}`\n\n{}", machine(), table.trim_end());
    match sections.iter_mut().find(|(known, _)| known == title) {
        Some((_, old)) => *old = body,
        None => sections.push((title.to_owned(), body)),
    }
    let sections = sections.iter().map(|(title, body)| format!("\n## {title}\n\n{body}\n")).collect::<String>();
    fs::write(document, format!("{HEAD}{sections}")).expect("docs/performance.md can be written");
}

/// Runs groups of criterion, and puts the medians of those whose names begin so into a section: what `criterion_main!` does,
/// and a table.
///
/// # Panics
///
/// When nothing was measured, or the document cannot be written.
pub fn run(groups: fn(), title: &str, bench: &str, group: &str) {
    let began = SystemTime::now();
    groups();
    Criterion::default().configure_from_args().final_summary();
    if !is_measured() {
        return;
    }
    let mut rows = Vec::new();
    medians(&target().join("criterion"), began, &mut rows);
    rows.retain(|(name, _)| name.starts_with(group));
    assert!(!rows.is_empty(), "criterion has measured nothing of {group}");
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut table = "| | median |\n|---|---|\n".to_owned();
    for (name, nanos) in rows {
        let _ = writeln!(table, "| {} | {} |", name[group.len()..].trim_start_matches('/'), duration(nanos));
    }
    section(title, bench, &table);
}

/// Nanoseconds as people read them.
#[must_use]
pub fn duration(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 100.0 => format!("{nanos:.1} ns"),
        nanos if nanos < 1_000.0 => format!("{nanos:.0} ns"),
        nanos if nanos < 1_000_000.0 => format!("{:.2} µs", nanos / 1e3),
        nanos => format!("{:.2} ms", nanos / 1e6),
    }
}

/// What criterion has written since then, by name.
fn medians(folder: &Path, since: SystemTime, rows: &mut Vec<(String, f64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if entry.file_name() == "new" {
            let read = |file: &str| -> Option<serde_json::Value> {
                serde_json::from_slice(&fs::read(path.join(file)).ok()?).ok()
            };
            let written = fs::metadata(path.join("estimates.json")).and_then(|file| file.modified());
            if written.is_ok_and(|written| written < since) {
                continue; // of an earlier run
            }
            let name = read("benchmark.json").and_then(|found| found["full_id"].as_str().map(str::to_owned));
            let median = read("estimates.json").and_then(|found| found["median"]["point_estimate"].as_f64());
            rows.extend(name.zip(median));
        } else {
            medians(&path, since, rows);
        }
    }
}

fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

/// What processor it is, how many of it, and how busy they are.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, model)| model);
    // Of the machine, also where this process is kept to one of them.
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{cores} cores of {model}, load {}", load.split(' ').next().unwrap_or("unknown"))
}
