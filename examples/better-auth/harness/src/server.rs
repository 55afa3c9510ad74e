//! The real Better Auth server of `examples/better-auth`, on a free port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::browser::Browser;
use crate::process::Server;

/// The releases of Better Auth that there is a folder for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// 1.4.22.
    Older,
    /// 1.7.7, with exactly the dependencies that it asks for.
    Pinned,
    /// 1.7.24.
    Latest,
}

impl Release {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::Older, Self::Pinned, Self::Latest];

    /// Its number.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::Older => "1.4.22",
            Self::Pinned => "1.7.7",
            Self::Latest => "1.7.24",
        }
    }

    fn folder(self) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        match self {
            Self::Older => folder.join("older"),
            Self::Pinned => folder,
            Self::Latest => folder.join("latest"),
        }
    }
}

/// A Better Auth server, running until dropped.
#[derive(Debug)]
pub struct BetterAuthServer {
    server: Server,
    /// Its base URL, where that is another than the one it listens at.
    base_url: Option<String>,
}

/// Someone with an account and a session there.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user's id.
    pub id: String,
    /// The address they signed up with.
    pub email: String,
    /// The `Cookie` field of their session.
    pub cookie: String,
}

impl BetterAuthServer {
    /// Starts the pinned release with these variables, such as `("JWT_ALG", "ES256")`.
    ///
    /// # Errors
    ///
    /// When node or npm is missing, or the server does not start.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_release(Release::Pinned, settings)
    }

    /// Starts the newest release.
    ///
    /// # Errors
    ///
    /// When node or npm is missing, or the server does not start.
    pub fn start_latest(settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_release(Release::Latest, settings)
    }

    /// Starts this release.
    ///
    /// # Errors
    ///
    /// When node or npm is missing, or the server does not start.
    pub fn start_release(release: Release, settings: &[(&str, &str)]) -> Result<Self, String> {
        let folder = release.folder();
        install(&folder)?;
        let mut command = Server::command("node", &[("PORT", "0")]);
        command.arg(folder.join("server.mjs")).envs(settings.iter().copied());
        let server = Server::start(command).map_err(|error| format!("Better Auth {}: {error}", release.number()))?;
        let base_url = settings.iter().find(|(name, _)| *name == "BETTER_AUTH_URL").map(|(_, url)| (*url).to_owned());
        Ok(Self { server, base_url })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Its base URL, whose origin is the issuer and audience of its tokens: `BETTER_AUTH_URL`, or where it listens.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.base_url.as_deref().unwrap_or(self.server.url())
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.server.authority()
    }

    /// All it wrote to standard error so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Sends a signal by its name, such as `STOP`.
    ///
    /// # Panics
    ///
    /// When there is no shell to send it with.
    pub fn signal(&self, name: &str) {
        self.server.signal(name);
    }

    /// Asks it to end, and waits until it has: killed when it has not within ten seconds.
    pub fn end(mut self) {
        self.signal("TERM");
        // Whoever does not end by themselves is killed when dropped.
        let _ = self.server.ended_within(Duration::from_secs(10));
    }

    /// A browser that has never been here, on a page of the base URL.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.authority(), self.base_url())
    }

    /// Makes an account with this address, and signs in.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want it.
    pub fn sign_up(&self, email: &str) -> Result<Member, String> {
        let mut browser = self.browser();
        let id = browser.sign_up(email)?;
        Ok(Member { id, email: email.to_owned(), cookie: browser.cookie() })
    }

    /// A fresh JWT for this session.
    ///
    /// # Errors
    ///
    /// When Better Auth gives none.
    pub fn jwt(&self, member: &Member) -> Result<String, String> {
        let answer = self.browser().with_cookie(&member.cookie).get("token")?;
        match &answer["token"] {
            Value::String(token) => Ok(token.clone()),
            other => Err(format!("token: {other}")),
        }
    }
}

/// Installs the server's packages, once. Tests that start at the same time wait for each other.
fn install(folder: &Path) -> Result<(), String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for program in ["node", "npm"] {
        let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !there {
            return Err(format!(
                "{program} is missing: install Node.js 20 or later, these tests run a real Better Auth"
            ));
        }
    }
    // npm leaves a copy of the lock file beside what it installed.
    let changed = |file: &str| folder.join(file).metadata().and_then(|metadata| metadata.modified()).ok();
    if changed("node_modules/.package-lock.json")
        .is_some_and(|installed| Some(installed) >= changed("package-lock.json"))
    {
        return Ok(());
    }
    let installed = Command::new("npm").arg("ci").current_dir(folder).output().map_err(|error| error.to_string())?;
    let complaint = || format!("npm ci in {}: {}", folder.display(), String::from_utf8_lossy(&installed.stderr));
    if installed.status.success() { Ok(()) } else { Err(complaint()) }
}
