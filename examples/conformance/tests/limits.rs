//! The limits of the task API through both example servers: each route's own, whose they are, behind proxies, and shared
//! between instances in a real Redis.

#[expect(dead_code, reason = "shared with the tests of authcore-redis")]
#[path = "../../../crates/authcore-redis/tests/it/server.rs"]
mod redis_server;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redis_server::RedisServer;
use serde_json::json;
use tasks_conformance::{Answer, Example, People, Request, Server};

/// More of the general limit than any of these tests takes.
const GENEROUS: (&str, &str) = ("RATE_LIMIT_MAX_REQUESTS", "10000");

fn start(example: Example, settings: &[(&str, &str)]) -> (Server, People) {
    let settings = [&[("RATE_LIMIT", "on")], settings].concat();
    let server = example.start(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
    let people = People::of_demo(server.authority()).expect("demo mode hands out tokens");
    (server, people)
}

fn send(server: &Server, request: &Request) -> Answer {
    request.clone().send_to(server.authority()).expect("an answer")
}

/// How many of these in a row are let through before one is refused.
#[track_caller]
fn let_through(server: &Server, request: &Request, limit: &str) -> usize {
    for count in 0..=200 {
        let answer = send(server, request);
        assert!(
            names(&answer, "ratelimit-policy").contains(&limit.to_owned()),
            "{limit}: {:?}",
            answer.field("ratelimit")
        );
        if answer.status == 429 {
            assert_refused(&answer, limit);
            return count;
        }
        assert!(answer.status < 300, "{limit}: {} {}", answer.status, answer.text());
    }
    panic!("{limit} refuses nothing");
}

/// The limits that a field lists.
fn names(answer: &Answer, field: &str) -> Vec<String> {
    let field = answer.field(field).unwrap_or_default();
    field.split(", ").filter_map(|item| Some(item.split(';').next()?.trim_matches('"').to_owned())).collect()
}

/// A parameter of one limit: `r`, `t`, `q` or `w`.
fn parameter(answer: &Answer, field: &str, limit: &str, name: &str) -> Option<u64> {
    let field = answer.field(field)?;
    let item = field.split(", ").find(|item| item.starts_with(&format!("\"{limit}\"")))?.to_owned();
    item.split(';').find_map(|parameter| parameter.strip_prefix(&format!("{name}="))?.parse().ok())
}

#[track_caller]
fn assert_refused(answer: &Answer, limit: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (429, &json!("rate_limited")), "{limit}");
    assert_eq!(answer.field("content-type").as_deref(), Some("application/problem+json"), "{limit}");
    let retry_after: u64 = answer.field("retry-after").and_then(|text| text.parse().ok()).expect("whole seconds");
    let grows_after = parameter(answer, "ratelimit", limit, "t").expect("seconds until there is one more");
    assert!(retry_after >= grows_after && retry_after >= 1, "{limit}: {retry_after} {grows_after}");
    assert_eq!(parameter(answer, "ratelimit", limit, "r"), Some(0), "{limit}");
}

#[test]
fn r142_r148_r149_each_route_has_the_limit_it_should_and_counts_whom_it_should() {
    for example in Example::ALL {
        let (server, people) = start(example, &[GENEROUS]);
        let get = |path: &str, token: &str| Request::new("GET", path).bearer(token);
        let (alice, bob, pia) = (&people.alice.token, &people.bob.token, &people.pia.token);

        // By address: nobody else from there is served either.
        for (path, limit, count) in
            [("/api/user/profile", "profile", 20), ("/api/protected-data", "protected-data", 10)]
        {
            let policy = send(&server, &get(path, alice));
            assert_eq!(names(&policy, "ratelimit-policy"), ["general", limit]);
            assert_eq!(parameter(&policy, "ratelimit-policy", limit, "q"), Some(count));
            assert_eq!(parameter(&policy, "ratelimit-policy", limit, "w"), Some(60));
            assert_eq!(parameter(&policy, "ratelimit", limit, "r"), Some(count - 1));
            assert_eq!(u64::try_from(let_through(&server, &get(path, alice), limit)), Ok(count - 1));
            assert_refused(&send(&server, &get(path, bob)), limit);
            assert_refused(&send(&server, &Request::new("GET", path)), limit);
        }
        let message = |token: &str| Request::new("POST", "/api/messages").bearer(token).json(json!({"text": "Hello"}));
        assert_eq!(let_through(&server, &message(alice), "messages"), 5);
        assert_refused(&send(&server, &message(bob)), "messages");

        // By user, and by role.
        assert_eq!(let_through(&server, &get("/api/data", alice), "data"), 10);
        assert_eq!(let_through(&server, &get("/api/data", bob), "data"), 10);
        assert_eq!(let_through(&server, &get("/api/data", pia), "data"), 100);
        let nobody = send(&server, &Request::new("GET", "/api/data"));
        assert_eq!((nobody.status, names(&nobody, "ratelimit-policy")), (401, vec!["general".to_owned()]));

        // By address and user.
        let act = |token: &str| Request::new("POST", "/api/user/action").bearer(token).json(json!({"action": "wave"}));
        assert_eq!(let_through(&server, &act(alice), "action"), 30);
        assert_eq!(send(&server, &act(bob)).status, 200);
        // What comes after the limits: no method, no body, nothing there.
        assert_eq!(send(&server, &get("/api/user/action", alice)).status, 429);
        assert_eq!(send(&server, &get("/api/user/action", bob)).status, 405);
        assert_eq!(names(&send(&server, &get("/api/nothing", bob)), "ratelimit"), ["general"]);
    }
}

#[test]
fn r148_the_general_limit_comes_before_the_credential_and_leaves_health_alone() {
    for example in Example::ALL {
        let (server, people) = start(example, &[("RATE_LIMIT_MAX_REQUESTS", "5"), ("RATE_LIMIT_WINDOW_MS", "600000")]);
        let list = Request::new("GET", "/api/tasks");
        let first = send(&server, &list.clone().bearer(&people.alice.token));
        assert_eq!(first.field("ratelimit-policy").as_deref(), Some(r#""general";q=5;w=600"#), "{}", example.name());
        assert_eq!(first.field("ratelimit").as_deref(), Some(r#""general";r=4;t=120"#), "{}", example.name());
        let preflight = Request::new("OPTIONS", "/api/tasks").field("Origin", "http://localhost:3000");
        let preflight = preflight.field("Access-Control-Request-Method", "POST");
        for _ in 0..10 {
            let answer = send(&server, &preflight);
            assert!(answer.status < 300 && answer.field("ratelimit").is_none(), "a preflight is not counted");
            for path in ["/health", "/ready"] {
                let answer = send(&server, &Request::new("GET", path));
                assert_eq!((answer.status, answer.field("ratelimit")), (200, None), "{path}");
            }
        }
        // A bad token, none, a path that names another, and none that there is: each counts.
        let others = ["/api/tasks", "/api/bob/tasks", "/api/nothing"].map(|path| Request::new("GET", path));
        let [bad, none, nothing] = others;
        let statuses = [
            send(&server, &bad.bearer("a.b.c")).status,
            send(&server, &list).status,
            send(&server, &none.bearer(&people.alice.token)).status,
            send(&server, &nothing.bearer(&people.alice.token)).status,
        ];
        assert_eq!(statuses, [401, 401, 403, 404]);
        for request in [list.clone(), list.clone().bearer("a.b.c"), list.bearer(&people.alice.token)] {
            let refused = send(&server, &request.field("Origin", "http://localhost:3000"));
            assert_refused(&refused, "general");
            let exposed = refused.field("access-control-expose-headers").unwrap_or_default();
            assert!(exposed.contains("RateLimit-Policy"), "a page may read what is left: {exposed}");
        }
    }
}

#[test]
fn r140_instances_that_share_a_redis_let_through_exactly_what_one_would() {
    const BURST: usize = 40;
    const INTERVAL_MICROS: u64 = 250_000;
    let redis = RedisServer::start();
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("RATE_LIMIT_MAX_REQUESTS", "40"),
        ("RATE_LIMIT_WINDOW_MS", "10000"), // one each 250 ms
        ("RATE_LIMIT_ON_OUTAGE", "closed"),
    ];
    let servers = [Example::Axum, Example::Axum, Example::Actix].map(|example| start(example, &settings).0);
    let [passed, refused, undecided] = [const { AtomicUsize::new(0) }; 3];
    let over = AtomicBool::new(false);
    let earliest = redis.now();
    let latest_sent = thread::scope(|scope| {
        for client in 0..64 {
            let (server, over) = (&servers[client % 3], &over);
            let (passed, refused, undecided) = (&passed, &refused, &undecided);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    match send(server, &Request::new("GET", "/api/tasks")).status {
                        401 => passed.fetch_add(1, Ordering::Relaxed),
                        429 => refused.fetch_add(1, Ordering::Relaxed),
                        // Where the machine is so busy that Redis answers too late, though it may have counted.
                        503 => undecided.fetch_add(1, Ordering::Relaxed),
                        status => panic!("{status}"),
                    };
                }
            });
        }
        thread::sleep(Duration::from_secs(4));
        let latest_sent = redis.now();
        over.store(true, Ordering::Relaxed);
        latest_sent
    });
    let latest_done = redis.now();
    let passed = passed.into_inner();
    let within = |from: u64, to: u64| BURST + usize::try_from((to - from) / INTERVAL_MICROS).expect("few");
    // The first decision came after `earliest`, by as much as a request takes to arrive; the last one before `latest_done`.
    let most = within(earliest, latest_done);
    let least = within(earliest, latest_sent).saturating_sub(1 + undecided.into_inner());
    assert!((least..=most).contains(&passed), "{passed} of {least} to {most} ({} refused)", refused.into_inner());
}

#[test]
fn r143_r144_while_redis_is_away_each_failure_mode_does_what_it_says() {
    for example in Example::ALL {
        for mode in ["open", "closed", "local"] {
            let mut redis = RedisServer::start();
            let url = redis.url();
            let settings = [
                ("REDIS_URL", url.as_str()),
                ("RATE_LIMIT_MAX_REQUESTS", "3"),
                ("RATE_LIMIT_WINDOW_MS", "3600000"),
                ("RATE_LIMIT_ON_OUTAGE", mode),
            ];
            let (server, _) = start(example, &settings);
            let ask = || {
                let begin = Instant::now();
                let answer = send(&server, &Request::new("GET", "/api/tasks"));
                assert!(begin.elapsed() < Duration::from_secs(1), "{mode}: nobody waits for Redis");
                (answer.status, answer.field("ratelimit").is_some())
            };
            let case = format!("{}, {mode}", example.name());
            let count = |seen: &[(u16, bool)], status: u16| seen.iter().filter(|(known, _)| *known == status).count();
            assert_eq!(ask(), (401, true), "{case}: counted in Redis");

            for away in ["stopped", "silent"] {
                if away == "stopped" {
                    redis.stop()
                } else {
                    redis.signal("STOP")
                }
                let seen: Vec<_> = (0..8).map(|_| ask()).collect();
                assert!(seen.iter().all(|(_, numbers)| !numbers), "{case}, {away}: no numbers are made up: {seen:?}");
                match mode {
                    "open" => assert_eq!(count(&seen, 401), 8, "{case}, {away}: {seen:?}"),
                    "closed" => assert_eq!(count(&seen, 503), 8, "{case}, {away}: {seen:?}"),
                    // Three of the quota in this process, for both outages together.
                    _ => {
                        assert_eq!(count(&seen, 401), if away == "stopped" { 3 } else { 0 }, "{case}, {away}: {seen:?}")
                    }
                }
                let ready = send(&server, &Request::new("GET", "/ready"));
                assert_eq!((ready.status, &ready.json()["failing"]), (503, &json!(["redis"])), "{case}, {away}");
                if away == "stopped" {
                    redis.start_again()
                } else {
                    redis.signal("CONT")
                }

                // Back again, and found within a moment. One that was stopped has forgotten what it knew.
                let patience = Instant::now() + Duration::from_secs(10);
                let back = loop {
                    let answer = ask();
                    if answer.1 || Instant::now() > patience {
                        break answer;
                    }
                    thread::sleep(Duration::from_millis(100));
                };
                assert!(back.1, "{case}, {away}: counting resumes: {back:?}");
                let ready = send(&server, &Request::new("GET", "/ready"));
                assert_eq!(ready.status, 200, "{case}, {away}");
            }
        }
    }
}
