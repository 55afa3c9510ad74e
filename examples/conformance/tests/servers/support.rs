//! Servers that judge tokens of these tests.

use std::fs;
use std::path::PathBuf;

use tasks_conformance::{Example, Report, Server, Signer, Target, Verdict};

pub(crate) const SECRET: &str = "these tests sign with a secret of their own: 0123456789 abcdef";
pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "tasks-api";

/// All that a server needs to judge the tokens of [`signer`].
pub(crate) const VERIFYING: [(&str, &str); 3] =
    [("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_ISSUER", ISSUER), ("BETTER_AUTH_AUDIENCE", AUDIENCE)];

pub(crate) fn signer() -> Signer {
    Signer::new(SECRET, Some(ISSUER.to_owned()), Some(AUDIENCE.to_owned()))
}

pub(crate) fn start(example: Example, settings: &[(&str, &str)]) -> Server {
    example.start(settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()))
}

pub(crate) fn with_secret(example: Example) -> (Server, Target) {
    with_tasks_in(example, "sqlite::memory:")
}

pub(crate) fn with_tasks_in(example: Example, database: &str) -> (Server, Target) {
    let server = start(example, &[VERIFYING.as_slice(), &[("DATABASE_URL", database)]].concat());
    let target = Target::with_secret(server.url(), signer()).expect("a URL the server gave");
    (server, target)
}

pub(crate) fn assert_passed(report: &Report) {
    let failed = report.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_)));
    let failed: Vec<_> = failed.map(|outcome| format!("{outcome}\n")).collect();
    assert!(failed.is_empty(), "{}{}", failed.concat(), report.summary());
}

/// Whatever was asked, nothing broke, and no token was written down.
pub(crate) fn assert_clean_log(server: &Server, target: &Target) {
    let (log, people) = (server.log(), &target.people);
    assert!(!log.contains("panicked"), "{log}");
    let told = [&people.alice, &people.bob, &people.root, &people.pia].iter().any(|person| log.contains(&person.token));
    assert!(!told, "the log of {} holds a token", server.url());
}

/// A folder of this test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target directory is ours");
    folder
}
