//! Running the command.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

pub(crate) const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

/// The command with these arguments, and nothing in its environment but these variables.
pub(crate) fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authcore"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn spawn(arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    command(arguments, variables).spawn().expect("the command starts")
}

/// Runs to the end. Standard input is written from a thread, since answers come before it ends.
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut child = spawn(arguments, variables);
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // Who has seen enough closes the pipe.
    let writer = std::thread::spawn(move || _ = stdin.write_all(&input));
    let output = child.wait_with_output().expect("the command ends");
    writer.join().expect("the writer ends");
    Ran::of(output)
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, &[("SECRET", SECRET)], b"")
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// Wrong use: one line on standard error that holds all of these, and nothing on standard output.
    pub(crate) fn is_usage(&self, holds: &[&str]) {
        assert_eq!((self.code, self.out.as_str(), self.err.lines().count()), (Some(2), "", 1), "{self:?}");
        assert!(self.err.starts_with("authcore: "), "{self:?}");
        holds.iter().for_each(|text| assert!(self.err.contains(text), "{text}: {self:?}"));
    }
}

/// Asks a batch, a line each, and hands the answers back; exit status 0 and nothing on standard error.
pub(crate) fn batch(arguments: &[&str], lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = run_with(arguments, &[("SECRET", SECRET)], input.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments:?}");
    let answers = ran.lines();
    assert_eq!(answers.len(), lines.len(), "one answer to each line");
    answers
}

/// A folder that goes away.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("authcore-cli-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file with this in it; its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on it any more.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
