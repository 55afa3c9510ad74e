//! Real database servers: each test starts its own, on a free port of this machine and in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A PostgreSQL or MariaDB server. Ended, and its folder removed, when dropped.
pub(crate) struct Engine {
    kind: Kind,
    folder: PathBuf,
    port: u16,
    /// Whether it takes encrypted connections, and no others.
    is_encrypted: bool,
    child: Option<Child>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    MariaDb,
}

impl Engine {
    /// A new PostgreSQL server with an empty database `auth`.
    pub(crate) fn postgres() -> Self {
        let engine = Self::new(Kind::Postgres);
        let mut make = engine.program("initdb", "postgresql");
        make.args(["--username=auth", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]);
        run(make.arg(engine.folder.join("data")));
        engine.started()
    }

    /// A new MariaDB server with an empty database `auth`.
    pub(crate) fn mariadb() -> Self {
        let engine = Self::new(Kind::MariaDb);
        let user = "CREATE DATABASE IF NOT EXISTS auth;\n\
                    CREATE USER IF NOT EXISTS 'auth'@'%' IDENTIFIED BY 'pa55word';\n\
                    GRANT ALL ON *.* TO 'auth'@'%' WITH GRANT OPTION;\n"; // one statement in a line, says its manual
        std::fs::write(engine.folder.join("init.sql"), user).expect("a writable folder");
        let mut make = engine.program("mariadb-install-db", "mariadb-server");
        make.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]);
        run(make.arg(option("--datadir", &engine.folder.join("data"))));
        engine.started()
    }

    /// The same server, from now on with this certificate and over TLS only.
    pub(crate) fn encrypted(mut self, folder: &Path) -> Self {
        self.stop();
        for name in ["server.pem", "server.key"] {
            let copy = self.folder.join(name);
            std::fs::copy(folder.join(name), &copy).expect("a certificate and its key");
            run(Command::new("chmod").arg("600").arg(&copy));
            if is_root() {
                run(Command::new("chown").arg("nobody").arg(&copy));
            }
        }
        if self.kind == Kind::Postgres {
            let who = "hostssl all all 127.0.0.1/32 trust\n";
            std::fs::write(self.folder.join("data/pg_hba.conf"), who).expect("a writable folder");
        }
        self.is_encrypted = true;
        self.started()
    }

    /// The URL of a database in it: `auth`, or one that the test has made.
    pub(crate) fn url(&self, database: &str) -> String {
        let scheme = if self.kind == Kind::Postgres { "postgres" } else { "mysql" };
        format!("{scheme}://auth:pa55word@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens, on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The database that is there from the start.
    pub(crate) fn first_database(&self) -> String {
        self.url(if self.kind == Kind::Postgres { "postgres" } else { "auth" })
    }

    /// Ends the server; its data stay.
    pub(crate) fn stop(&mut self) {
        if self.child.is_some() {
            self.thaw(); // a frozen server hears of no other signal
        }
        let Some(mut child) = self.child.take() else { return };
        // SIGQUIT makes PostgreSQL end at once with its children, SIGTERM makes MariaDB end tidily.
        signal(&child, if self.kind == Kind::Postgres { "QUIT" } else { "TERM" });
        let deadline = Instant::now() + Duration::from_secs(10);
        while child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill(); // it has ended: no error here
        let _ = child.wait();
    }

    /// Starts the server again, on the same port.
    pub(crate) fn start(&mut self) {
        let data = self.folder.join("data");
        let (certificate, key) = (self.folder.join("server.pem"), self.folder.join("server.key"));
        let mut server = match self.kind {
            Kind::Postgres => {
                let mut server = self.program("postgres", "postgresql");
                server.arg("-D").arg(data).args(["-h", "127.0.0.1", "-k", "", "-p", &self.port.to_string()]);
                // Another zone than anybody's: nothing may depend on it.
                server.args(["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "timezone=America/New_York"]);
                if self.is_encrypted {
                    server.args(["-c", "ssl=on", "-c"]).arg(option("ssl_cert_file", &certificate));
                    server.arg("-c").arg(option("ssl_key_file", &key));
                }
                server
            }
            Kind::MariaDb => {
                let mut server = self.program("mariadbd", "mariadb-server");
                server.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]);
                server.args(["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]);
                server.args(["--character-set-server=utf8mb4", "--default-time-zone=-05:00"]);
                server.arg(format!("--port={}", self.port)).arg(option("--datadir", &data));
                server.arg(option("--socket", &self.folder.join("socket")));
                server.arg(option("--pid-file", &self.folder.join("pid")));
                server.arg(option("--init-file", &self.folder.join("init.sql")));
                if self.is_encrypted {
                    server.arg(option("--ssl-cert", &certificate)).arg(option("--ssl-key", &key));
                    server.arg("--require-secure-transport=ON");
                }
                server
            }
        };
        let log = std::fs::File::options().append(true).create(true).open(self.folder.join("log")).expect("a log");
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(server.spawn().expect("the program was found"));
    }

    /// Stops the server in the middle of whatever it does, until [`Self::thaw`]: connections stay open, nobody answers.
    pub(crate) fn freeze(&self) {
        let child = self.child.as_ref().expect("it runs");
        signal(child, "STOP");
        // The signal is sent and not yet heeded by every thread.
        while !threads(child).iter().all(|state| *state == 'T') {
            thread::sleep(Duration::from_millis(1));
        }
        // PostgreSQL has a process for each connection, and makes no more of them now.
        signal_children(child, "STOP");
    }

    /// Lets the server go on.
    pub(crate) fn thaw(&self) {
        let child = self.child.as_ref().expect("it runs");
        signal_children(child, "CONT");
        signal(child, "CONT");
    }

    fn new(kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("authcore-engine-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a new folder");
        if is_root() {
            run(Command::new("chown").arg("nobody").arg(&folder));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        Self { kind, folder, port, is_encrypted: false, child: None }
    }

    fn started(mut self) -> Self {
        self.start();
        self
    }

    /// A server's program, as somebody who may do nothing: neither server wants to be root.
    fn program(&self, name: &str, package: &str) -> Command {
        let program = find(name).unwrap_or_else(|| panic!("{name} is missing: apt-get install {package}"));
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // Two servers must not meet in one folder for temporary files.
        command
            .current_dir(&self.folder)
            .envs(["HOME", "TMPDIR"].map(|name| (name, &self.folder)))
            .env_remove("PGDATA");
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            log.lines().rev().take(20).for_each(|line| eprintln!("{line}")); // the last comes first
        }
        let _ = std::fs::remove_dir_all(&self.folder); // a folder left behind fails no test
    }
}

/// In the search path, or where Debian keeps what is not in it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id is there");
    id.stdout == b"0\n"
}

fn signal(child: &Child, name: &str) {
    let id = child.id();
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().expect("a shell is there");
    assert!(sent.success(), "kill -{name} {id}: {sent}");
}

/// What Linux says of each thread: `T` is stopped.
fn threads(child: &Child) -> Vec<char> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("Linux").flatten();
    let state = |stat: String| stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok().and_then(state)).collect()
}

/// Signals those of which Linux names it as the parent.
fn signal_children(child: &Child, name: &str) {
    let parent = child.id().to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let ids = processes.filter_map(|process| process.file_name().into_string().ok());
    let is_child = |id: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(parent.as_str())
    };
    for id in ids.filter(is_child) {
        let kill = format!("kill -{name} {id} 2>/dev/null");
        let _ = Command::new("sh").args(["-c", &kill]).status(); // one that has ended meanwhile needs no signal
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{complained}");
}
