//! After each thing that can happen to a session: does our authenticator say of the same cookies what the server says?

mod differences;
mod rotation;
mod scenarios;
mod site;
mod verdict;

use std::collections::VecDeque;
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use better_auth_harness::Release::{self, Latest, Older, Pinned};

use self::differences::{DIFFERENCES, Difference};
use self::site::{Findings, Plan, Site, Storage};

/// SQLite, no cookie cache, no plugin that is not in all of them.
const fn plan(release: Release, storage: Storage, cache: &'static str) -> Plan {
    Plan { release, storage, cache, chunked: false, https: false, multi_session: false, bearer: "off" }
}

const fn redis(prefix: &'static str, copies: &'static str) -> Storage {
    Storage::Redis { prefix, copies }
}

/// Each store, each cookie cache whole and in chunks, each release, each kind of bearer token: not all combinations, but each
/// cache on each release that has it.
const PLANS: &[Plan] = &[
    // The slow ones first: they take their time while others go on.
    Plan { bearer: "on", ..plan(Pinned, Storage::MariaDb, "jwe") },
    Plan { bearer: "on", ..plan(Pinned, Storage::Postgres, "jwt") },
    plan(Latest, Storage::MariaDb, "off"),
    plan(Latest, Storage::Postgres, "off"),
    Plan { multi_session: true, bearer: "on", ..plan(Pinned, Storage::Sqlite, "compact") },
    Plan { chunked: true, ..plan(Pinned, Storage::Sqlite, "compact") },
    Plan { chunked: true, bearer: "signed", ..plan(Pinned, Storage::Sqlite, "jwt") },
    Plan { https: true, multi_session: true, bearer: "signed", ..plan(Pinned, Storage::Sqlite, "jwe") },
    plan(Pinned, Storage::Sqlite, "jwks"),
    plan(Pinned, redis("better-auth:", "off"), "jwks"),
    Plan { multi_session: true, bearer: "on", ..plan(Pinned, redis("none", "off"), "compact") },
    Plan { chunked: true, ..plan(Pinned, redis("better-auth:", "on"), "jwe") },
    plan(Latest, redis("better-auth:", "preserve"), "off"),
    Plan { https: true, bearer: "on", ..plan(Latest, Storage::Sqlite, "compact") },
    Plan { chunked: true, ..plan(Latest, Storage::Sqlite, "jwt") },
    Plan { multi_session: true, ..plan(Latest, Storage::Sqlite, "jwe") },
    Plan { chunked: true, ..plan(Latest, Storage::Sqlite, "jwks") },
    Plan { bearer: "on", ..plan(Latest, redis("better-auth:", "on"), "off") },
    Plan { multi_session: true, bearer: "on", ..plan(Older, Storage::Sqlite, "compact") },
    Plan { bearer: "signed", ..plan(Older, Storage::Sqlite, "jwt") },
    plan(Older, redis("none", "off"), "off"),
    Plan { https: true, ..plan(Older, Storage::Sqlite, "jwe") },
];

#[test]
fn same_as_get_session() {
    let only = std::env::var("SAME_ONLY").ok(); // part of a plan's name, while working on one
    let chosen = |plan: &&Plan| only.as_ref().is_none_or(|part| plan.name().contains(part.as_str()));
    let plans: Mutex<VecDeque<_>> = Mutex::new((0..).zip(PLANS.iter().filter(chosen).copied()).collect());
    let all = Mutex::new(Findings::default());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let next = || plans.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some((number, plan)) = next() {
                    // One that cannot go on must not hide what the others find.
                    let found = catch_unwind(|| compare(plan, number)).unwrap_or_else(|_| Findings::broken(&plan));
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.comparisons += found.comparisons;
                    all.wrong.extend(found.wrong);
                    all.occurred.extend(found.occurred);
                }
            });
        }
    });
    let Findings { comparisons, wrong, occurred } = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{comparisons} comparisons");
    assert!(wrong.is_empty(), "{} of {comparisons} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    if only.is_none() {
        let idle: Vec<_> = (0..).zip(DIFFERENCES).filter(|(index, _)| !occurred.contains(index)).collect();
        let idle: Vec<_> = idle.iter().map(|(_, it)| it.steps).collect();
        assert!(idle.is_empty(), "listed as differences, and nothing comes to them: {idle:?}");
    }
}

/// Users are told of each difference.
#[test]
fn each_difference_has_its_row_in_the_documents() {
    let document = include_str!("../../../../../../docs/better-auth.md");
    let (_, table) = document.split_once("## Where the two differ").expect("the chapter");
    let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    for Difference { row, .. } in DIFFERENCES {
        assert!(rows.contains(row), "no row for: {row}");
    }
    assert!(rows.contains(&rotation::ROW), "no row for: {}", rotation::ROW);
    for row in rows.iter().filter(|row| !["what", rotation::ROW].contains(row)) {
        assert!(DIFFERENCES.iter().any(|it| it.row == *row), "nothing is listed for: {row}");
    }
}

fn compare(plan: Plan, number: usize) -> Findings {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut site = Site::open(plan, number).await;
        scenarios::run(&mut site).await;
        site.findings
    })
}

/// Configurations at a time: each waits for its server most of the time.
const WORKERS: usize = 3;
