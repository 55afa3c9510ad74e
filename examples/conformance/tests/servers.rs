//! The example servers as programs: the suite on both, settings, shutdown, storage.

use std::collections::HashSet;
use std::fs;
use std::io::{BufReader, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tasks_conformance::{Answer, Example, Report, Request, Server, Signer, Target, Verdict, connect, run, run_against};

const SECRET: &str = "these tests sign with a secret of their own: 0123456789 abcdef";
const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "tasks-api";

/// All that a server needs to judge the tokens of [`signer`].
const VERIFYING: [(&str, &str); 3] =
    [("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_ISSUER", ISSUER), ("BETTER_AUTH_AUDIENCE", AUDIENCE)];

fn signer() -> Signer {
    Signer::new(SECRET, Some(ISSUER.to_owned()), Some(AUDIENCE.to_owned()))
}

fn start(example: Example, settings: &[(&str, &str)]) -> Server {
    example.start(settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()))
}

fn with_secret(example: Example) -> (Server, Target) {
    let server = start(example, &VERIFYING);
    let target = Target::with_secret(server.url(), signer()).expect("a URL the server gave");
    (server, target)
}

fn assert_passed(report: &Report) {
    let failed = report.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_)));
    let failed: Vec<_> = failed.map(|outcome| format!("{outcome}\n")).collect();
    assert!(failed.is_empty(), "{}{}", failed.concat(), report.summary());
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target directory is ours");
    folder
}

#[test]
fn both_servers_keep_the_contract_and_answer_alike() {
    let (axum, one) = with_secret(Example::Axum);
    let (actix, other) = with_secret(Example::Actix);

    let report = run_against(&one, &other, |_| ());

    assert_passed(&report);
    assert_eq!(report.skipped(), 0, "the secret is known");
    for server in [axum, actix] {
        let log = server.log();
        assert!(!log.contains("panicked"), "{log}");
        for person in [&one.people, &other.people].map(|people| [&people.alice, &people.bob, &people.root, &people.pia])
        {
            let told = person.iter().any(|person| log.contains(&person.token));
            assert!(!told, "the log of {} holds a token", server.url());
        }
    }
}

#[test]
fn demo_mode_keeps_the_contract_too() {
    for example in Example::ALL {
        let server = start(example, &[]);
        let target = Target::in_demo_mode(server.url()).expect("demo mode hands out tokens");
        assert_passed(&run(&target, |_| ()));
    }
}

#[test]
fn demo_mode_prints_a_curl_line_for_each_user_that_works_as_it_stands() {
    for example in Example::ALL {
        let server = start(example, &[]);
        for user in ["alice", "bob", "root", "pia"] {
            let line = server.find_line(|line| {
                let token = line.split("Bearer ").nth(1)?.split(['\'', '"']).next()?;
                let person = tasks_conformance::Person::of_token(token)?;
                (line.contains("curl ") && person.id == user).then(|| token.to_owned())
            });
            let token = line.unwrap_or_else(|| panic!("{}: no curl line for {user}", example.name()));
            let answer =
                Request::new("GET", "/api/tasks").bearer(&token).send_to(server.authority()).expect("an answer");
            assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!(user)));
        }
    }
}

#[test]
fn outside_demo_mode_nobody_hands_out_tokens() {
    for example in Example::ALL {
        let (server, _) = with_secret(example);
        let request = Request::new("GET", "/demo/token?user=alice");
        let answer = request.send_to(server.authority()).expect("an answer");
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{}", example.name());
    }
}

#[test]
fn the_command_says_by_its_status_how_it_went() {
    let server = start(Example::Axum, &[]);
    let suite = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasks-conformance"));
        command.args(arguments).env("GUESS", "a secret that this server does not have").output().expect("it runs")
    };

    let good = suite(&["--url", server.url()]);
    let stdout = String::from_utf8_lossy(&good.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    assert!(good.status.code() == Some(0) && last.contains(" passed, 0 failed, "), "{stdout}");

    // Tokens that the server does not believe: hardly anything passes.
    let failed = suite(&["--url", server.url(), "--secret-env", "GUESS"]);
    assert_eq!(failed.status.code(), Some(1));

    let wrong: [&[&str]; 7] = [
        &[],
        &["--url"],
        &["--uri", server.url()],
        &["--url", "ftp://127.0.0.1"],
        &["--url", server.url(), "--secret-env", "NOT_SET_ANYWHERE"],
        &["--url", server.url(), "--issuer", "x"],
        &["--url", "http://127.0.0.1:9"],
    ];
    for arguments in wrong {
        let refused = suite(arguments);
        assert_eq!((refused.status.code(), &*refused.stdout), (Some(2), &b""[..]), "{arguments:?}");
    }
}

type Environment = &'static [(&'static str, &'static str)];

/// What stops a server at start: the variables its one line may name, and the environment.
const WRONG_SETTINGS: &[(&[&str], Environment)] = &[
    (&["BIND_ADDR"], &[("BIND_ADDR", "garbage")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "127.0.0.1")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "127.0.0.1:65536")]),
    // Without a secret or an issuer this is demo mode, which is for loopback only.
    (&["BIND_ADDR"], &[("BIND_ADDR", "0.0.0.0:0")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "[::]:0")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "short")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "garbage")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "ftp://id.example.com")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "http://id.example.com")]),
    (
        &["BETTER_AUTH_JWKS_URL"],
        &[
            ("BETTER_AUTH_JWKS_URL", "http://id.example.com/jwks"),
            ("BETTER_AUTH_ISSUER", ISSUER),
            ("BETTER_AUTH_AUDIENCE", AUDIENCE),
        ],
    ),
    (
        &["BETTER_AUTH_JWKS_URL"],
        &[
            ("BETTER_AUTH_JWKS_URL", "https://169.254.169.254/jwks"),
            ("BETTER_AUTH_ISSUER", ISSUER),
            ("BETTER_AUTH_AUDIENCE", AUDIENCE),
        ],
    ),
    (
        &["BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE", "BETTER_AUTH_JWKS_URL"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks")],
    ),
    (
        &["BETTER_AUTH_AUDIENCE"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks"), ("BETTER_AUTH_ISSUER", ISSUER)],
    ),
    (
        &["BETTER_AUTH_ISSUER"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks"), ("BETTER_AUTH_AUDIENCE", AUDIENCE)],
    ),
    (&["DATABASE_URL"], &[("DATABASE_URL", "postgres://tasks@127.0.0.1/tasks")]),
    (&["DATABASE_URL"], &[("DATABASE_URL", "mysql://tasks@127.0.0.1/tasks")]),
    (&["DATABASE_URL"], &[("DATABASE_URL", "garbage")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "*")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "localhost:3000")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "http://localhost:3000/path")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "2m")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "61s")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "soon")]),
    (&["RATE_LIMIT"], &[("RATE_LIMIT", "perhaps")]),
    // What this build cannot serve is refused, not ignored.
    (&["RATE_LIMIT_MAX_REQUESTS"], &[("RATE_LIMIT_MAX_REQUESTS", "0")]),
    (&["RATE_LIMIT_WINDOW_MS"], &[("RATE_LIMIT_WINDOW_MS", "1s")]),
    (&["REDIS_URL"], &[("REDIS_URL", "http://127.0.0.1")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "10.0.0.1/8")]),
    (&["BETTER_AUTH_DATABASE_URL"], &[("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db")]),
    (&["BETTER_AUTH_REDIS_URL"], &[("BETTER_AUTH_REDIS_URL", "redis://127.0.0.1")]),
    (&["BETTER_AUTH_COOKIE_CACHE"], &[("BETTER_AUTH_COOKIE_CACHE", "compact")]),
    (&["BETTER_AUTH_BEARER"], &[("BETTER_AUTH_BEARER", "raw")]),
    (&["BETTER_AUTH_BEARER"], &[("BETTER_AUTH_BEARER", "signed")]),
];

#[test]
fn a_wrong_setting_stops_the_server_with_one_line_that_names_it() {
    let mut wrong = Vec::new();
    for example in Example::ALL {
        for (names, settings) in WRONG_SETTINGS {
            let case = format!("{}: {settings:?}", example.name());
            match example.start(settings) {
                Ok(_) => wrong.push(format!("{case}: it started")),
                Err(ended) => {
                    let one_line = ended.stderr.lines().count() == 1;
                    let named = names.iter().any(|name| ended.stderr.contains(name));
                    if ended.status != Some(2) || !one_line || !named {
                        wrong.push(format!("{case}: status {:?}, {:?}", ended.status, ended.stderr));
                    }
                    let secrets = settings.iter().filter(|(name, _)| name.ends_with("SECRET"));
                    for (name, value) in secrets.filter(|(_, value)| ended.stderr.contains(value)) {
                        wrong.push(format!("{case}: {name} is told: {value}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Well-formed, but not to be had: no wrong setting, though the line names the one to look at.
#[test]
fn what_cannot_be_opened_stops_the_server_with_one_line_too() {
    for example in Example::ALL {
        let first = start(example, &[]);
        for (name, value) in [("BIND_ADDR", first.authority()), ("DATABASE_URL", "sqlite:/no/such/folder/tasks.db")] {
            let ended = example.start(&[(name, value)]).expect_err("a server that cannot serve");
            let one_line = ended.stderr.lines().count() == 1 && ended.stderr.starts_with(name);
            assert!(matches!(ended.status, Some(1 | 2)) && one_line, "{}: {ended:?}", example.name());
        }
    }
}

#[test]
fn settings_take_effect() {
    let origins = "https://app.example.com, https://admin.example.com";
    let settings = [
        ("AUTH_USER_CLAIM", "userId"),
        ("AUTH_ROLE_CLAIM", "groups"),
        ("AUTH_LEEWAY", "0s"),
        ("CORS_ORIGINS", origins),
        ("BETTER_AUTH_AUDIENCE", "first, second"),
        ("BETTER_AUTH_SECRET", SECRET),
    ];
    for example in Example::ALL {
        let server = start(example, &settings);
        let signer = Signer::new(SECRET, None, Some("second".to_owned()));
        let mint = signer.mint("ignored").claim("userId", "ann").claim("groups", json!(["staff", "admin"]));
        let ask = |path: &str, token: &str| {
            let request = Request::new("GET", path).bearer(token).field("Origin", "https://admin.example.com");
            request.send_to(server.authority()).expect("an answer")
        };

        let own = ask("/api/ann/tasks", &signer.sign(&mint));
        assert_eq!((own.status, &own.json()["user_id"]), (200, &json!("ann")), "{}", example.name());
        assert_eq!(own.field("access-control-allow-origin").as_deref(), Some("https://admin.example.com"));
        assert_eq!(ask("/api/bob/tasks", &signer.sign(&mint)).status, 200, "an admin by `groups`");
        let stale = mint.clone().expires_in(Duration::ZERO);
        assert_eq!(ask("/api/tasks", &signer.sign(&stale)).json()["code"], "token_expired");
        assert_eq!(ask("/api/tasks", &signer.sign(&mint.audience("third"))).json()["code"], "token_invalid");
    }
}

/// A request whose second half comes only when its sender says so.
struct Slow {
    stream: std::net::TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// Sends the head, and returns when the server has begun to wait for the body.
    fn begin(target: &Target) -> Self {
        let body = br#"{"title":"slow"}"#;
        let mut stream = connect(&target.authority).expect("the server listens");
        let head = format!(
            "POST /api/tasks HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            target.authority,
            target.people.alice.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        let interim = Answer::read_head(&mut BufReader::new(stream.try_clone().expect("a second handle")));
        assert_eq!(interim.expect("an interim answer").status, 100);
        Self { stream, rest: body.to_vec() }
    }

    fn finish(mut self) -> Answer {
        self.stream.write_all(&self.rest).expect("the body is sent");
        Answer::read(&mut BufReader::new(self.stream), "POST").expect("an answer")
    }
}

/// Returns when nobody listens there any more.
fn wait_until_refused(authority: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while connect(authority).is_ok() {
        assert!(Instant::now() < deadline, "{authority} still takes connections");
        thread::yield_now();
    }
}

#[test]
fn a_signal_lets_what_is_in_flight_finish() {
    for example in Example::ALL {
        for signal in ["TERM", "INT"] {
            let (mut server, target) = with_secret(example);
            // Kept open without a request: it may not hold the server up.
            let idle = connect(&target.authority).expect("the server listens");
            let slow = Slow::begin(&target);

            server.signal(signal);
            wait_until_refused(&target.authority);
            let answer = slow.finish();

            let case = format!("{} on {signal}", example.name());
            assert_eq!((answer.status, &answer.json()["title"]), (201, &json!("slow")), "{case}");
            let status = server.ended_within(Duration::from_secs(5));
            assert_eq!(status.and_then(|status| status.code()), Some(0), "{case}");
            drop(idle);
        }
    }
}

#[test]
fn a_request_that_never_ends_holds_the_server_up_for_ten_seconds_at_most() {
    thread::scope(|scope| {
        for example in Example::ALL {
            scope.spawn(move || {
                let (mut server, target) = with_secret(example);
                let _slow = Slow::begin(&target);
                let begin = Instant::now();
                server.signal("TERM");
                let status = server.ended_within(Duration::from_secs(15)).and_then(|status| status.code());
                let took = begin.elapsed();
                assert_eq!(status, Some(0), "{} after {took:?}", example.name());
                assert!((8..13).contains(&took.as_secs()), "{} after {took:?}", example.name());
            });
        }
    });
}

#[test]
fn tasks_in_a_file_survive_a_restart() {
    for example in Example::ALL {
        let file = folder(&format!("restart-{}", example.name())).join("tasks.db");
        let database = format!("sqlite:{}", file.display());
        let settings = [VERIFYING.as_slice(), &[("DATABASE_URL", &database)]].concat();
        let token = signer().sign(&signer().mint("ann"));
        let ask = |server: &Server, request: Request| {
            request.bearer(&token).send_to(server.authority()).expect("an answer").json()
        };

        let mut server = start(example, &settings);
        let made = ask(&server, Request::new("POST", "/api/tasks").json(json!({"title": "kept"})));
        server.signal("TERM");
        assert!(server.ended_within(Duration::from_secs(5)).is_some());

        let server = start(example, &settings);
        assert_eq!(ask(&server, Request::new("GET", "/api/tasks"))["tasks"], json!([made]), "{}", example.name());
    }
}

#[test]
fn thirty_two_writers_at_once_all_get_their_task() {
    for example in Example::ALL {
        let file = folder(&format!("writers-{}", example.name())).join("tasks.db");
        for database in ["sqlite::memory:".to_owned(), format!("sqlite:{}", file.display())] {
            let server = start(example, &[VERIFYING.as_slice(), &[("DATABASE_URL", &database)]].concat());
            let token = signer().sign(&signer().mint("ann"));
            let together = Barrier::new(32);
            let write = |number: usize| {
                let request =
                    Request::new("POST", "/api/tasks").bearer(&token).json(json!({"title": number.to_string()}));
                together.wait();
                let answer = request.send_to(server.authority()).expect("an answer");
                assert_eq!(answer.status, 201, "{}, {database}: {}", example.name(), answer.text());
                answer.json()["id"].as_i64()
            };
            let ids: HashSet<_> = thread::scope(|scope| {
                let writers: Vec<_> = (0..32).map(|number| scope.spawn(move || write(number))).collect();
                writers.into_iter().map(|writer| writer.join().expect("a writer that got its answer")).collect()
            });
            assert_eq!(ids.len(), 32);
            let list = Request::new("GET", "/api/tasks?limit=100").bearer(&token);
            assert_eq!(list.send_to(server.authority()).expect("an answer").json()["count"], 32);
        }
    }
}
