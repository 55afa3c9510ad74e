//! The example servers beside their twin in Python, `examples/fastapi-twin`, under one load: answers a second, how long they
//! take, memory.
//!
//! `examples/fastapi-twin/install && cargo bench -p authcore-benches --bench fastapi`; it needs two cores, `taskset` and `wrk`.
//! `ROUNDS=3` in front of `cargo` makes it shorter.
//!
//! Each server has one core and no limits, its tasks in SQLite in memory, and no log but warnings; the twin is one worker of
//! uvicorn with uvloop and httptools. `wrk` is on another core. Every load sends its token, whether it is read or not. Rounds
//! take turns, so that whatever else the machine does meets all alike. `cargo test` starts the servers in Rust alone, as cargo
//! builds them for tests, and sends each request once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

use authcore::Algorithm;
use authcore_benches::load::{Answers, Load, SERVERS_CORE, WRK_CORE, memory, pin_to, processor_time};
use authcore_benches::report::section;
use authcore_benches::{ORIGIN, better_auth, is_measured, token_of};
use authcore_testkit::{FakeIssuer, SigningKey};
use better_auth_harness::{Request, Server};
use serde_json::json;

const SECONDS: u32 = 2;
const USER: &str = "alice";
const SECRET: &str = "kept-by-the-bench-and-longer-than-32-bytes";

/// More than any server answers in a second, so that no token comes twice.
const NEW_TOKENS: u32 = 30_000;

/// A kind of request.
struct Asked {
    name: &'static str,
    path: &'static str,
    by: Algorithm,
    /// Whether each request has a token of its own, which nobody can remember.
    new_tokens: bool,
}

const ASKED: [Asked; 5] = [
    Asked { name: "no authentication: /health", path: "/health", by: Algorithm::Hs256, new_tokens: false },
    Asked { name: "a profile, HS256", path: "/api/user/profile", by: Algorithm::Hs256, new_tokens: false },
    Asked { name: "20 tasks, HS256", path: "/api/tasks", by: Algorithm::Hs256, new_tokens: false },
    Asked { name: "20 tasks, EdDSA", path: "/api/tasks", by: Algorithm::EdDsa, new_tokens: false },
    Asked { name: "20 tasks, EdDSA, no token twice", path: "/api/tasks", by: Algorithm::EdDsa, new_tokens: true },
];

/// A program that serves the task API.
struct Contender {
    name: &'static str,
    program: Vec<String>,
    folder: PathBuf,
}

fn main() {
    let contenders = contenders();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    if is_measured() {
        // What is started from here on inherits it, servers apart.
        pin_to(WRK_CORE);
    }
    let keys = Keys::new();
    let issuer = runtime.block_on(FakeIssuer::start(&[keys.of(Algorithm::EdDsa)]));
    let mut started = Vec::new();
    for contender in contenders {
        for by in [Algorithm::Hs256, Algorithm::EdDsa] {
            started.push(Started::new(&contender, by, &issuer, &keys));
        }
    }
    if is_measured() {
        measure(&started, &keys);
    }
}

fn contenders() -> Vec<Contender> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "tasks-axum", "--package", "tasks-actix"]).current_dir(&root);
    if is_measured() {
        build.arg("--release");
    }
    assert!(build.status().is_ok_and(|status| status.success()), "the example servers do not compile");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let built = |name: &str| {
        let profile = if is_measured() { "release" } else { "debug" };
        vec![target.join(profile).join(name).to_str().expect("a path of UTF-8").to_owned()]
    };
    let mut contenders = vec![
        Contender { name: "axum", program: built("tasks-axum"), folder: root.clone() },
        Contender { name: "actix", program: built("tasks-actix"), folder: root.clone() },
    ];
    if is_measured() {
        let python = root.join("target/fastapi-twin/bin/python");
        assert!(python.exists(), "install the twin: examples/fastapi-twin/install");
        let python = python.to_str().expect("a path of UTF-8").to_owned();
        let program = [&python, "-B", "-m", "app"].map(str::to_owned).to_vec();
        contenders.push(Contender { name: "FastAPI", program, folder: root.join("examples/fastapi-twin") });
    }
    contenders
}

/// One of them, listening, with twenty tasks of one user.
struct Started {
    name: &'static str,
    by: Algorithm,
    server: Server,
    /// Memory before the first load, in MiB.
    idle: f64,
}

impl Started {
    fn new(contender: &Contender, by: Algorithm, issuer: &FakeIssuer, keys: &Keys) -> Self {
        let (name, jwks_url) = (contender.name, issuer.jwks_url());
        let keys_from =
            if by == Algorithm::Hs256 { ("BETTER_AUTH_SECRET", SECRET) } else { ("BETTER_AUTH_JWKS_URL", &*jwks_url) };
        let settings = [
            keys_from,
            ("BIND_ADDR", "127.0.0.1:0"),
            ("RATE_LIMIT", "off"),
            ("RUST_LOG", "warn"),
            ("BETTER_AUTH_ISSUER", ORIGIN),
            ("BETTER_AUTH_AUDIENCE", ORIGIN),
        ];
        let pinned = ["taskset", "-c", SERVERS_CORE].map(str::to_owned);
        let words = if is_measured() { [&pinned[..], &contender.program].concat() } else { contender.program.clone() };
        let mut command = Server::command(&words[0], &settings);
        command.args(&words[1..]).current_dir(&contender.folder);
        let server = Server::start(command).unwrap_or_else(|error| panic!("{name}: {error}"));

        let token = token_of(USER, keys.of(by));
        for number in 1..=20 {
            let body = json!({"title": format!("Task {number}"), "description": "One of twenty"});
            let request = Request::new("POST", "/api/tasks").bearer(&token).json(body);
            assert_eq!(request.send_to(server.authority()).expect("an answer").status, 201, "{name}");
        }
        let started = Self { name, by, idle: memory(&server.id().to_string(), "VmRSS"), server };
        started.check(&token);
        started
    }

    /// What is about to be measured is what it is meant to be.
    fn check(&self, token: &str) {
        for asked in ASKED.iter().filter(|asked| asked.by == self.by) {
            let send = |request: Request| request.send_to(self.server.authority()).expect("an answer");
            let answer = send(Request::new("GET", asked.path).bearer(token));
            assert_eq!(answer.status, 200, "{}, {}", self.name, asked.name);
            if asked.path == "/api/tasks" {
                assert_eq!(answer.json()["count"], 20, "{}, {}", self.name, asked.name);
            }
            let bare = send(Request::new("GET", asked.path)).status;
            assert_eq!(bare, if asked.path == "/health" { 200 } else { 401 }, "{}, {}", self.name, asked.name);
        }
    }

    fn measure(&self, asked: &Asked, tokens: &Path) -> Figures {
        let process = self.server.id().to_string();
        let load = Load { url: format!("{}{}", self.server.url(), asked.path), tokens, seconds: SECONDS };
        let before = processor_time(self.server.id());
        let (answers, memory) = thread::scope(|scope| {
            let halfway = scope.spawn(|| {
                thread::sleep(Duration::from_secs(SECONDS.into()) / 2);
                memory(&process, "VmRSS")
            });
            (load.run(), halfway.join().expect("a size"))
        });
        let had = processor_time(self.server.id()).saturating_sub(before);
        let Answers { count, failures, micros, p50, p99 } = answers;
        assert!(count > 0.0 && failures == 0.0, "{}, {}: {failures} of {count} failed", self.name, asked.name);
        assert!(!asked.new_tokens || count <= f64::from(NEW_TOKENS * SECONDS), "{}: tokens came twice", self.name);
        let processor = had.as_secs_f64() * 1e6 / count;
        Figures { rate: count * 1e6 / micros, p50: p50 / 1e3, p99: p99 / 1e3, processor, memory }
    }
}

/// Answers a second; milliseconds till half of them had come, and 99 of 100; microseconds of the server's processor for each;
/// MiB halfway.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
    processor: f64,
    memory: f64,
}

/// Who signs, by algorithm, and files of tokens.
struct Keys {
    secret: SigningKey,
    folder: PathBuf,
}

impl Keys {
    fn new() -> Self {
        let secret = SigningKey::hmac(Algorithm::Hs256, SECRET);
        Self { secret, folder: PathBuf::from(env!("CARGO_TARGET_TMPDIR")) }
    }

    fn of(&self, algorithm: Algorithm) -> &SigningKey {
        if algorithm == Algorithm::Hs256 { &self.secret } else { SigningKey::fixed(algorithm) }
    }

    /// Where `wrk` finds the tokens of a round.
    fn file(&self, asked: &Asked, round: usize) -> PathBuf {
        let key = self.of(asked.by);
        let of_its_own = |number: u32| better_auth(USER).claim("jti", format!("{round}-{number}")).sign(key);
        let tokens = match asked.new_tokens {
            true => (0..NEW_TOKENS * SECONDS).map(of_its_own).collect(),
            false => vec![token_of(USER, key)],
        };
        let file = self.folder.join("fastapi, tokens");
        fs::write(&file, tokens.join("\n")).expect("a file");
        file
    }
}

fn measure(started: &[Started], keys: &Keys) {
    let rounds = env::var("ROUNDS").map_or(7, |rounds| rounds.parse().expect("ROUNDS takes a number"));
    let mut figures: BTreeMap<(usize, usize), Vec<Figures>> = BTreeMap::new();
    // The first is for warming up.
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for (row, asked) in ASKED.iter().enumerate() {
            let tokens = keys.file(asked, round);
            for (column, server) in started.iter().enumerate().filter(|(_, server)| server.by == asked.by) {
                let found = server.measure(asked, &tokens);
                if round > 0 {
                    figures.entry((row, column)).or_default().push(found);
                }
            }
        }
    }
    let table = format!("{}\n{}", loads(started, &figures, rounds), memories(started, &figures));
    print!("{table}");
    section("The task API beside its FastAPI twin", "fastapi", &format!("```text\n{table}```"));
}

fn loads(started: &[Started], figures: &BTreeMap<(usize, usize), Vec<Figures>>, rounds: usize) -> String {
    let columns =
        ["each s", "times", "p50 ms", "p99 ms", "us each", "times"].map(|column| format!("{column:>10}")).concat();
    let mut table = format!("{:<42}{columns}\n", format!("median of {rounds} rounds of {SECONDS} s"));
    for (row, asked) in ASKED.iter().enumerate() {
        let of = |column| figures.get(&(row, column));
        let theirs = started.iter().position(|server| server.by == asked.by && server.name == "FastAPI").and_then(of);
        for (column, server) in started.iter().enumerate() {
            let (Some(ours), Some(theirs)) = (of(column), theirs) else { continue };
            let name = format!("{}, {}", asked.name, server.name);
            let each = |figure: fn(&Figures) -> f64| median(ours.iter().map(figure));
            let times = |ratio: fn((&Figures, &Figures)) -> f64| median(ours.iter().zip(theirs).map(ratio));
            let _ = write!(table, "{name:<42}{:>10.0}", each(|found| found.rate));
            let _ = write!(table, "{:>10.1}", times(|(ours, theirs)| ours.rate / theirs.rate));
            let _ = write!(table, "{:>10.2}{:>10.2}", each(|found| found.p50), each(|found| found.p99));
            let _ = write!(table, "{:>10.1}", each(|found| found.processor));
            let _ = writeln!(table, "{:>10.1}", times(|(ours, theirs)| theirs.processor / ours.processor));
        }
    }
    table
}

fn memories(started: &[Started], figures: &BTreeMap<(usize, usize), Vec<Figures>>) -> String {
    let columns = ["before", "under load", "peak"].map(|column| format!("{column:>12}")).concat();
    let mut table = format!("{:<42}{columns}\n", "resident memory in MiB");
    for (column, server) in started.iter().enumerate() {
        let loaded = figures.iter().filter(|((_, of), _)| *of == column);
        let most = loaded.map(|(_, found)| median(found.iter().map(|found| found.memory))).fold(0.0, f64::max);
        // Linux counts what is resident only roughly, so that it may pass its own peak.
        let peak = memory(&server.server.id().to_string(), "VmHWM").max(most);
        let name = format!("{}, {}", server.name, server.by);
        let _ = writeln!(table, "{name:<42}{:>12.1}{most:>12.1}{peak:>12.1}", server.idle);
    }
    table
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
