//! The real Better Auth server of `examples/better-auth`, on a free port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::Request;
use crate::people::{People, Person};
use crate::process::Server;

/// A Better Auth server, running until dropped.
#[derive(Debug)]
pub struct BetterAuthServer {
    server: Server,
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
    /// Starts the pinned version with these variables, such as `("JWT_ALG", "ES256")`.
    ///
    /// # Errors
    ///
    /// When node or npm is missing, or the server does not start.
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_in(&folder(), settings)
    }

    /// Starts the newest version, which has a folder of its own.
    ///
    /// # Errors
    ///
    /// When node or npm is missing, or the server does not start.
    pub fn start_latest(settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_in(&folder().join("latest"), settings)
    }

    fn start_in(folder: &Path, settings: &[(&str, &str)]) -> Result<Self, String> {
        install(folder)?;
        let mut command = Server::command("node", &[("PORT", "0")]);
        command.arg(folder.join("server.mjs")).envs(settings.iter().copied());
        let server = Server::start(command).map_err(|error| format!("Better Auth: {error}"))?;
        Ok(Self { server })
    }

    /// The base URL: issuer and audience of its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.server.authority()
    }

    /// Makes an account with this address, and signs in.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want it.
    pub fn sign_up(&self, email: &str) -> Result<Member, String> {
        let name = email.split('@').next().unwrap_or(email);
        let body = json!({"name": name, "email": email, "password": "correct horse battery"});
        let request = Request::new("POST", "/api/auth/sign-up/email").field("Origin", self.url()).json(body);
        let answer = request.send_to(self.authority()).map_err(|error| format!("sign-up: {error}"))?;
        let cookies = answer.fields_without(&[]).into_iter().filter(|(name, _)| name == "set-cookie");
        let pairs = cookies.map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned());
        let cookie = pairs.collect::<Vec<_>>().join("; ");
        match &answer.json()["user"]["id"] {
            Value::String(id) => Ok(Member { id: id.clone(), email: email.to_owned(), cookie }),
            _ => Err(format!("sign-up: {} {}", answer.status, answer.text())),
        }
    }

    /// A fresh JWT for this session.
    ///
    /// # Errors
    ///
    /// When Better Auth gives none.
    pub fn token(&self, member: &Member) -> Result<Person, String> {
        let request = Request::new("GET", "/api/auth/token").field("Cookie", member.cookie.as_str());
        let answer = request.send_to(self.authority()).map_err(|error| format!("token: {error}"))?;
        let token = answer.json()["token"].as_str().and_then(Person::of_token);
        token.ok_or_else(|| format!("token: {} {}", answer.status, answer.text()))
    }

    /// Four people for the suite. `root@example.com` must be among `ADMIN_EMAILS`.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want one of them.
    pub fn people(&self) -> Result<People, String> {
        let person = |name: &str| self.token(&self.sign_up(&format!("{name}@example.com"))?);
        Ok(People { alice: person("alice")?, bob: person("bob")?, root: person("root")?, pia: person("pia")? })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../better-auth")
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
