//! A Redis server of its own for each test, on a free port of the loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running `redis-server` that keeps nothing on disk, unless its options say so. Killed when dropped.
#[derive(Debug)]
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
    options: Vec<String>,
    folder: PathBuf,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more options, such as `["--maxmemory", "1mb"]`.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        for _ in 0..20 {
            let port = free_port();
            let folder = std::env::temp_dir().join(format!("authcore-redis-{}-{port}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a temporary folder");
            // Somebody else may have taken the port in between; and a cluster talks on a second one, ten thousand above it.
            if let Some(child) = spawn(port, &folder, &options) {
                return Self { child, port, options, folder };
            }
        }
        panic!("redis-server did not start on any of twenty ports");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the process, with everything that is in its memory alone.
    pub(crate) fn stop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was, with what is on disk: nothing, unless its options say so.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.port, &self.folder, &self.options).expect("the port is still free");
    }

    /// `STOP` keeps it from answering, `CONT` lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    /// Runs one command; errors begin with `-`, a missing value is `nil`.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis listens");
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(command.as_bytes()).expect("Redis reads");
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).expect("Redis answers");
        let line = line.trim_end();
        match line.strip_prefix('$') {
            Some("-1") => "nil".to_owned(),
            Some(length) => {
                let mut value = vec![0; length.parse().expect("a length")];
                reader.read_exact(&mut value).expect("the whole value");
                String::from_utf8(value).expect("text")
            }
            None => line.to_owned(),
        }
    }

    /// The names of all keys, which hold no white space.
    pub(crate) fn names(&self) -> Vec<String> {
        let script = "return table.concat(redis.call('KEYS', '*'), ' ')";
        let names = self.run(&["EVAL", script, "0"]);
        names.split_whitespace().map(str::to_owned).collect()
    }

    /// Microseconds since the epoch, by its clock.
    pub(crate) fn now(&self) -> u64 {
        let now = self.run(&["EVAL", "local t = redis.call('TIME') return t[1] * 1000000 + t[2]", "0"]);
        now.trim_start_matches(':').parse().expect("a number")
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> u32 {
        self.run(&["DBSIZE"]).trim_start_matches(':').parse().expect("a number")
    }

    /// How many connections were ever made, that of this question too.
    pub(crate) fn connections(&self) -> u32 {
        let stats = self.run(&["INFO", "stats"]);
        let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.and_then(|count| count.parse().ok()).expect("a number")
    }

    /// From now on each command that a client sends, as `MONITOR` writes it.
    pub(crate) fn monitor(&self) -> impl Iterator<Item = String> + use<> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis listens");
        stream.write_all(b"MONITOR\r\n").expect("Redis reads");
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        assert_eq!(lines.next().as_deref(), Some("+OK"));
        lines
    }

    /// How often this command was called since the start.
    pub(crate) fn calls(&self, command: &str) -> u32 {
        let stats = self.run(&["INFO", "commandstats"]);
        let calls = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        calls.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().expect("a number"))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn spawn(port: u16, folder: &PathBuf, options: &[String]) -> Option<Child> {
    let program = std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    let mut command = Command::new(&program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
    command.args(["--port", &port.to_string(), "--dir"]).arg(folder).args(options);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; apt-get install redis-server"));
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
    if !ready {
        let _ = child.wait();
        return None;
    }
    // Read on, so that it never waits for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Some(child)
}
