//! The same from outside: the worst of each section, ten thousand times over one kept connection, to both example servers.

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use std::{fs, thread};

use authcore::Algorithm;
use authcore_benches::load::processor_times;
use authcore_testkit::{FakeIssuer, Mint, SigningKey, mint};
use tasks_conformance::{Answer, Example, Request, Server, connect};
use tokio::runtime::Builder;

const HEAD: &str = "In the example servers, built as the benches are: processor time of the whole process for each of 10,000
over one kept connection, HTTP and a line of log included, and the most memory it ever had (`VmHWM`) before and after them.

| | what is sent | answer | axum, ms each | actix, ms each | axum, KiB | actix, KiB |
|---|---|---|---|---|---|---|
";

/// How often each is sent.
const TIMES: u32 = 10_000;

/// How often before that, so that nothing is done for the first time.
const WARM_UP: u32 = 500;

/// How long a server may take to have its keys.
const START_UP: Duration = Duration::from_secs(60);

const SECRET: &str = "a-secret-of-the-benches-with-32-bytes-or-more";

pub(crate) fn table() -> String {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let keys = [Algorithm::EdDsa, Algorithm::Es512, Algorithm::Rs256].map(SigningKey::fixed);
    let issuer = runtime.block_on(FakeIssuer::start(&keys));
    let servers = Example::ALL.map(|example| start(example, &issuer.url()));
    let mut table = HEAD.to_owned();
    for hostile in inputs(&issuer.url()) {
        let [axum, actix] = servers.each_ref().map(|server| hostile.measure(server));
        let ms = |cost: &Cost| format!("{:.3}", cost.processor.as_secs_f64() * 1e3 / f64::from(TIMES));
        let memory = |cost: &Cost| format!("{} → {}", cost.before, cost.after);
        let Hostile { section, what, status, .. } = hostile;
        let times = format!("{} | {}", ms(&axum), ms(&actix));
        writeln!(table, "| {section} | {what} | {status} | {times} | {} | {} |", memory(&axum), memory(&actix))
            .expect("text grows");
    }
    println!("{table}");
    table
}

fn start(example: Example, issuer: &str) -> Server {
    let settings = [
        ("BETTER_AUTH_URL", issuer),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_COOKIE_CACHE", "compact"),
        ("RUST_LOG", "info"),
    ];
    let server = example.start_to_be_measured(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
    let patience = Instant::now() + START_UP;
    while Request::new("GET", "/ready").send_to(server.authority()).expect("an answer").status != 200 {
        assert!(Instant::now() < patience, "{} does not get ready: {}", example.name(), server.log());
        thread::sleep(Duration::from_millis(5));
    }
    server
}

struct Hostile {
    section: &'static str,
    what: &'static str,
    target: String,
    fields: String,
    status: u16,
}

struct Cost {
    processor: Duration,
    /// The most memory it ever had, in KiB.
    before: u64,
    after: u64,
}

impl Hostile {
    fn measure(&self, server: &Server) -> Cost {
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", self.target, server.authority(), self.fields);
        let mut connection = Connection::to(server);
        let mut send = |times: u32| {
            for _ in 0..times {
                assert_eq!(connection.status(request.as_bytes()), self.status, "{}: {}", self.section, self.what);
            }
        };
        send(WARM_UP);
        let busy = || processor_times(&server.id().to_string())[0];
        let (since, before) = (busy(), most_memory(server.id()));
        send(TIMES);
        Cost { processor: busy() - since, before, after: most_memory(server.id()) }
    }
}

/// A connection that is kept, as far as the server keeps it.
struct Connection<'s> {
    server: &'s Server,
    stream: Option<BufReader<TcpStream>>,
}

impl<'s> Connection<'s> {
    fn to(server: &'s Server) -> Self {
        Self { server, stream: None }
    }

    fn status(&mut self, request: &[u8]) -> u16 {
        let open = || BufReader::new(connect(self.server.authority()).expect("the server listens"));
        let stream = self.stream.get_or_insert_with(open);
        // A server that has had enough answers and closes before it has read everything.
        let _ = stream.get_mut().write_all(request);
        let answer = Answer::read(stream, "GET").expect("an answer");
        if answer.field("connection").is_some_and(|said| said.eq_ignore_ascii_case("close")) {
            self.stream = None;
        }
        answer.status
    }
}

fn inputs(issuer: &str) -> Vec<Hostile> {
    let good = || mint().issuer(issuer).audience(issuer);
    let signed = |mint: Mint, algorithm: Algorithm| mint.sign(SigningKey::fixed(algorithm));
    let bearing = |section, what, token: String| Hostile {
        section,
        what,
        target: "/api/alice/tasks".to_owned(),
        fields: format!("Authorization: Bearer {token}\r\n"),
        status: 401,
    };
    let spoilt = |algorithm: Algorithm, wanted: &str| {
        let tokens = SigningKey::fixed(algorithm).spoilt_tokens(&good());
        tokens.into_iter().find(|(what, _)| *what == wanted).expect("there is one").1
    };
    let members: Vec<String> = (0..1_200).map(|number| format!(r#""{number}":0"#)).collect();
    let twice = format!(
        r#"{{"iss":"{issuer}","aud":"{issuer}","sub":"alice","exp":4102444800,{},"\u0030":0}}"#,
        members.join(",")
    );
    let others: Vec<String> = (0..1_300).map(|number| format!("a{number}")).collect();
    let cookies: Vec<String> = (0..3_000).map(|number| format!("c{number:04}={}", "x".repeat(14))).collect();
    let forged = format!("better-auth.session_token=token.{}%3D", "A".repeat(43));
    let own = signed(good(), Algorithm::EdDsa);
    let path = |what, target: String, status| Hostile {
        section: "I",
        what,
        target,
        fields: format!("Authorization: Bearer {own}\r\n"),
        status,
    };
    vec![
        Hostile { fields: String::new(), ..bearing("C", "nothing", String::new()) },
        bearing("C", "a token of 20 KB", "A".repeat(20_000)),
        bearing("C", "60,000 dots", ".".repeat(60_000)),
        bearing("T", "signed, 1,200 members, one twice", signed(good().raw_payload(twice), Algorithm::EdDsa)),
        bearing("A", "ES512, another last bit", spoilt(Algorithm::Es512, "another last bit")),
        bearing("A", "RS256, s + n", spoilt(Algorithm::Rs256, "s + n")),
        bearing("A", "an unknown `kid`", signed(good().header("kid", "stranger"), Algorithm::EdDsa)),
        bearing("L", "an `aud` of 1,300 others", signed(good().claim("aud", others), Algorithm::EdDsa)),
        Hostile {
            fields: format!("Cookie: {}; {forged}\r\n", cookies.join("; ")),
            ..bearing("S", "3,000 cookies of 64 KB, and a forged one of ours", String::new())
        },
        path("somebody else's path", "/api/bob/tasks".to_owned(), 403),
        path("8 KiB of escapes", format!("/api/{}/tasks", "%61".repeat(2_720)), 403),
        path("4,000 segments, dots last", format!("/api{}/..", "/a".repeat(4_000)), 400),
        path("60 KB of escapes", format!("/api/{}/tasks", "%61".repeat(20_000)), 400),
    ]
}

fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
