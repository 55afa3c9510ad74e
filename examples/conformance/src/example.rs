//! The example servers of this workspace, built on demand.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::{NotStarted, Server};

/// One of the servers that serve the task API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// `tasks-axum`.
    Axum,
    /// `tasks-actix`.
    Actix,
}

impl Example {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Axum, Self::Actix];

    /// The name of its package and of its program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Axum => "tasks-axum",
            Self::Actix => "tasks-actix",
        }
    }

    /// Starts it on a free loopback port, with these variables and no others. There are no limits unless they are switched
    /// on.
    ///
    /// # Errors
    ///
    /// When it ends instead of listening.
    ///
    /// # Panics
    ///
    /// When it does not compile.
    pub fn start(self, settings: &[(&str, &str)]) -> Result<Server, NotStarted> {
        self.start_built_for("dev", settings)
    }

    /// The same, compiled as benches are.
    ///
    /// # Errors
    ///
    /// When it ends instead of listening.
    ///
    /// # Panics
    ///
    /// When it does not compile.
    pub fn start_to_be_measured(self, settings: &[(&str, &str)]) -> Result<Server, NotStarted> {
        self.start_built_for("bench", settings)
    }

    fn start_built_for(self, profile: &'static str, settings: &[(&str, &str)]) -> Result<Server, NotStarted> {
        let mut command = Server::command(
            self.program(profile),
            &[("BIND_ADDR", "127.0.0.1:0"), ("RUST_LOG", "warn"), ("RATE_LIMIT", "off")],
        );
        command.envs(settings.iter().copied());
        Server::start(command)
    }

    /// The program, from a build in the workspace's own target directory.
    fn program(self, profile: &'static str) -> PathBuf {
        static PROGRAMS: Mutex<BTreeMap<&str, HashMap<String, PathBuf>>> = Mutex::new(BTreeMap::new());
        let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
        let programs = programs.entry(profile).or_insert_with(|| build(profile));
        programs.get(self.name()).unwrap_or_else(|| panic!("cargo built no program {}", self.name())).clone()
    }
}

/// Builds both servers. `CARGO_BIN_EXE_…` is there for a package's own programs only, so cargo is asked where they are.
fn build(profile: &str) -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--message-format=json-render-diagnostics",
        "--profile",
        profile,
    ]);
    cargo.args(Example::ALL.iter().flat_map(|example| ["--package", example.name()]));
    let built = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "the example servers do not compile");
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let program = |message: Value| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, PathBuf::from(message["executable"].as_str()?)))
    };
    messages.lines().filter_map(|line| program(serde_json::from_str(line).ok()?)).collect()
}
