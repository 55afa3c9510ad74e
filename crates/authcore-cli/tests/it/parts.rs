//! The parts of a deployment, real ones: a database file, a Redis.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tokio::runtime::Runtime;

use crate::support::Folder;

/// A database file with these statements run.
pub(crate) fn sqlite(folder: &Folder, name: &str, statements: &str) -> String {
    use sqlx::Executor as _;
    let url = format!("sqlite:{}", folder.path().join(name).display());
    let filling = async {
        let pool = sqlx::SqlitePool::connect(&format!("{url}?mode=rwc")).await.expect("a database");
        pool.execute(sqlx::AssertSqlSafe(statements.to_owned())).await.expect("good statements");
        pool.close().await;
    };
    Runtime::new().expect("a runtime").block_on(filling);
    url
}

/// As Better Auth's own migrations make them, with one session of one user.
pub(crate) fn better_auth_tables(token: &str) -> String {
    format!(
        r#"CREATE TABLE "user" ("id" text PRIMARY KEY, "name" text NOT NULL, "email" text NOT NULL UNIQUE,
             "emailVerified" integer NOT NULL, "image" text, "createdAt" date NOT NULL, "updatedAt" date NOT NULL);
           CREATE TABLE "session" ("id" text PRIMARY KEY, "expiresAt" date NOT NULL, "token" text NOT NULL UNIQUE,
             "createdAt" date NOT NULL, "updatedAt" date NOT NULL, "ipAddress" text, "userAgent" text,
             "userId" text NOT NULL REFERENCES "user" ("id"));
           INSERT INTO "user" VALUES ('ann', 'Ann', 'ann@example.com', 1, NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
           INSERT INTO "session" VALUES ('s', '2027-01-01T00:00:00.000Z', '{token}', '2026-01-01T00:00:00.000Z',
             '2026-01-01T00:00:00.000Z', '', '', 'ann');"#
    )
}

/// A Redis of one test's own, which keeps nothing on disk. Killed when dropped.
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        // Somebody else may take a port in between.
        (0..20).find_map(|_| Self::start_at(free_port())).expect("redis-server starts on one of twenty ports")
    }

    fn start_at(port: u16) -> Option<Self> {
        let mut command = Command::new(std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned()));
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("redis-server: {error}; apt-get install redis-server"));
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        if !lines.any(|line| line.contains("Ready to accept connections")) {
            let _ = child.wait();
            return None;
        }
        // Read on, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, port })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs one command that answers in one line.
    pub(crate) fn run(&self, words: &[&str]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis listens");
        let mut command = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| command += &format!("${}\r\n{word}\r\n", word.len()));
        stream.write_all(command.as_bytes()).expect("Redis reads");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).expect("Redis answers");
        assert_eq!(&answer, b"+OK\r\n", "{words:?}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
