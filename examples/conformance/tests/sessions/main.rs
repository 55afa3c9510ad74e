//! Session cookies of a real Better Auth server, sent to both example servers: whatever its browser has is enough.

mod caches;
mod cookies;
mod origins;
mod rows;

use better_auth_harness::{BetterAuthServer, Member};
use serde_json::json;
use tasks_conformance::{Answer, Example, Person, Request, Server};

const SECRET: &str = "a-secret-of-the-session-tests-with-32-bytes";

/// The origin that the example servers let change something by cookie unless they are told otherwise.
const OUR_ORIGIN: &str = "http://localhost:3000";

/// A Better Auth server whose database is a file, and that file.
struct Auth {
    server: BetterAuthServer,
    database: String,
}

fn better_auth(name: &str, settings: &[(&str, &str)]) -> Auth {
    let folder = std::env::temp_dir().join(format!("authcore-sessions-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a writable temp folder");
    let file = folder.join("auth.db");
    let _ = std::fs::remove_file(&file);
    let file = file.to_str().expect("a plain path").to_owned();
    let settings = [&[("BETTER_AUTH_SECRET", SECRET), ("DATABASE_PATH", &file)], settings].concat();
    let server = BetterAuthServer::start(&settings).unwrap_or_else(|error| panic!("{error}"));
    Auth { server, database: format!("sqlite:{file}") }
}

impl Auth {
    fn sign_up(&self, name: &str) -> Member {
        self.server.sign_up(&format!("{name}@example.com")).unwrap_or_else(|error| panic!("{error}"))
    }

    fn sign_out(&self, member: &Member) {
        let request = Request::new("POST", "/api/auth/sign-out");
        let request =
            request.field("Origin", self.server.url()).field("Cookie", member.cookie.as_str()).json(json!({}));
        assert_eq!(request.send_to(self.server.authority()).expect("an answer").status, 200);
    }

    fn api(&self, example: Example, settings: &[(&str, &str)]) -> Server {
        let shared = [("BETTER_AUTH_URL", self.server.url()), ("BETTER_AUTH_SECRET", SECRET)];
        let started = example.start(&[&shared, settings].concat());
        started.unwrap_or_else(|error| panic!("{}: {error}", example.name()))
    }
}

fn send(server: &Server, request: Request) -> Answer {
    request.send_to(server.authority()).expect("an answer")
}

fn by_cookie(server: &Server, method: &str, target: &str, member: &Member) -> Answer {
    send(server, Request::new(method, target).field("Cookie", member.cookie.as_str()))
}

/// A request that carries these cookies.
fn with_cookies(server: &Server, line: impl Into<Vec<u8>>) -> Answer {
    send(server, Request::new("GET", "/api/tasks").field("Cookie", line))
}

/// What a member's browser holds under this name, as it is sent.
fn cookie(member: &Member, name: &str) -> String {
    let mut cookies = member.cookie.split("; ").filter_map(|cookie| cookie.split_once('='));
    let found = cookies.find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no {name} in {}", member.cookie)).1.to_owned()
}

#[track_caller]
fn assert_user(answer: &Answer, member: &Member, case: &str) {
    assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!(member.id)), "{case}: {}", answer.text());
}

/// As without any cookie.
#[track_caller]
fn assert_not_read(answer: &Answer, case: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("missing_credentials")), "{case}");
    assert_eq!(answer.field("www-authenticate").as_deref(), Some(r#"Bearer realm="tasks""#), "{case}");
}

#[track_caller]
fn assert_no_session(answer: &Answer, case: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("session_invalid")), "{case}");
    assert_eq!(answer.field("www-authenticate").as_deref(), Some(r#"Bearer realm="tasks""#), "{case}");
}

/// Everything a member does by cookie alone, and that nothing of it works after the sign-out.
fn cookie_alone_is_enough_until_sign_out(auth: &Auth, server: &Server, case: &str) {
    let (ada, bob) = (auth.sign_up(&format!("ada-{case}")), auth.sign_up(&format!("bob-{case}")));
    let list = by_cookie(server, "GET", "/api/tasks", &ada);
    assert_eq!((list.status, &list.json()["user_id"]), (200, &json!(ada.id)), "{case}: {}", list.text());
    let profile = by_cookie(server, "GET", "/api/user/profile", &ada);
    assert_eq!(profile.json()["email"], json!(ada.email), "{case}");
    assert_eq!(by_cookie(server, "GET", &format!("/api/{}/tasks", bob.id), &ada).status, 403, "{case}: not hers");

    let post = |origin: Option<&str>| {
        let request = Request::new("POST", "/api/tasks").field("Cookie", ada.cookie.as_str());
        let request = origin.into_iter().fold(request, |request, origin| request.field("Origin", origin));
        send(server, request.json(json!({"title": "By cookie"})))
    };
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let refused = post(origin);
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("cross_site")), "{case}: {origin:?}");
    }
    assert_eq!(post(Some(OUR_ORIGIN)).status, 201, "{case}: from a page of ours");

    let spoilt = Member { cookie: ada.cookie.replacen("session_token=", "session_token=x", 1), ..ada.clone() };
    assert_no_session(&by_cookie(server, "GET", "/api/tasks", &spoilt), case);

    auth.sign_out(&ada);
    assert_no_session(&by_cookie(server, "GET", "/api/tasks", &ada), &format!("{case}: after the sign-out, at once"));
    assert_eq!(by_cookie(server, "GET", "/api/tasks", &bob).status, 200, "{case}: bob is still there");
}

#[test]
fn s107_s109_sessions_are_read_from_better_auths_own_database() {
    let auth = better_auth("database", &[]);
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        cookie_alone_is_enough_until_sign_out(&auth, &server, example.name());
    }
}

#[test]
fn s113_sessions_are_asked_of_the_server_where_no_database_is_named() {
    let auth = better_auth("server", &[]);
    let servers = Example::ALL.map(|example| (example, auth.api(example, &[])));
    for (example, server) in &servers {
        cookie_alone_is_enough_until_sign_out(&auth, server, example.name());
    }
    let ada = auth.sign_up("ada");
    drop(auth);
    for (example, server) in &servers {
        let answer = by_cookie(server, "GET", "/api/tasks", &ada);
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("auth_unavailable")), "{}", example.name());
        assert!(answer.field("retry-after").is_some(), "{}: nobody could tell", example.name());
    }
}

#[test]
fn s109_a_trusted_cookie_cache_is_believed_without_asking() {
    for strategy in ["compact", "jwt", "jwe", "jwks"] {
        let auth = better_auth(strategy, &[("COOKIE_CACHE", strategy)]);
        for example in Example::ALL {
            let case = format!("{strategy}, {}", example.name());
            let trusting = auth.api(example, &[("BETTER_AUTH_COOKIE_CACHE", strategy)]);
            let asking = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
            let ada = auth.sign_up(&format!("ada-{}", example.name()));
            assert!(ada.cookie.contains("session_data"), "{case}: the server caches");
            assert_eq!(by_cookie(&trusting, "GET", "/api/tasks", &ada).status, 200, "{case}");
            auth.sign_out(&ada);
            // Within its 300 seconds the cache is as good as the session; a store knows better.
            assert_eq!(by_cookie(&trusting, "GET", "/api/tasks", &ada).status, 200, "{case}: stale, as documented");
            assert_no_session(&by_cookie(&asking, "GET", "/api/tasks", &ada), &case);
        }
    }
}

#[test]
fn c15_c16_a_jwt_and_a_cookie_side_by_side_are_one_caller_the_headers() {
    let auth = better_auth("both", &[]);
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        let (ada, bob) =
            (auth.sign_up(&format!("ada-{}", example.name())), auth.sign_up(&format!("bob-{}", example.name())));
        let jwt = Person::of_session(&auth.server, &bob).unwrap_or_else(|error| panic!("{error}"));
        let both = Request::new("GET", "/api/tasks").field("Cookie", ada.cookie.as_str());
        let answer = send(&server, both.clone().bearer(&jwt.token));
        assert_eq!(answer.json()["user_id"], json!(bob.id), "{}", example.name());
        let refused = send(&server, both.bearer("a.b.c"));
        assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("token_invalid")), "{}", example.name());
    }
}

#[test]
fn an_api_key_is_accepted_where_that_is_switched_on() {
    let auth = better_auth("keys", &[("API_KEYS", "database")]);
    let mut ada = auth.server.browser();
    let id = ada.sign_up("ada@example.com").expect("an account");
    let made = ada.create_api_key("ci").expect("a key");
    let key = made["key"].as_str().expect("text");
    for example in Example::ALL {
        let case = example.name();
        let database = ("BETTER_AUTH_DATABASE_URL", auth.database.as_str());
        let request = |method: &str| Request::new(method, "/api/tasks").field("X-Api-Key", key);

        let server = auth.api(example, &[database, ("BETTER_AUTH_API_KEYS", "ignore")]);
        let list = send(&server, request("GET"));
        assert_eq!((list.status, &list.json()["user_id"]), (200, &json!(id)), "{case}: {}", list.text());
        let made = send(&server, request("POST").json(json!({"title": "By key"})));
        assert_eq!(made.status, 201, "{case}: no browser adds the field by itself, so no origin is asked for");
        let unknown = send(&server, Request::new("GET", "/api/tasks").field("X-Api-Key", key.to_lowercase()));
        assert_eq!((unknown.status, &unknown.json()["code"]), (401, &json!("api_key_invalid")), "{case}");
        assert_eq!(unknown.field("www-authenticate").as_deref(), Some(r#"Bearer realm="tasks""#), "{case}");

        let refusing = auth.api(example, &[database, ("BETTER_AUTH_API_KEYS", "refuse")]);
        assert_eq!(send(&refusing, request("GET")).json()["code"], json!("api_key_invalid"), "{case}: it has limits");
        // Ten uses a day, by Better Auth's default: counted in the key's own row.
        let made = ada.create_api_key("limited").expect("a key");
        let limited = Request::new("GET", "/api/tasks").field("X-Api-Key", made["key"].as_str().expect("text"));
        let enforcing = auth.api(example, &[database, ("BETTER_AUTH_API_KEYS", "enforce")]);
        for _ in 0..10 {
            assert_eq!(send(&enforcing, limited.clone()).status, 200, "{case}");
        }
        let spent = send(&enforcing, limited);
        assert_eq!((spent.status, &spent.json()["code"]), (429, &json!("rate_limited")), "{case}");
        assert!(spent.field("retry-after").is_some(), "{case}");
        let off = auth.api(example, &[database]);
        assert_eq!(send(&off, request("GET")).json()["code"], json!("missing_credentials"), "{case}");
    }
}

#[test]
fn a_ban_reaches_a_jwt_at_once_where_users_are_checked() {
    let auth = better_auth("ban", &[("ADMIN_EMAILS", "root@example.com")]);
    let mut root = auth.server.browser();
    root.sign_up("root@example.com").expect("an account");
    for example in Example::ALL {
        let case = example.name();
        let bob = auth.sign_up(&format!("bob-{case}"));
        let jwt = Person::of_session(&auth.server, &bob).unwrap_or_else(|error| panic!("{error}"));
        let database = ("BETTER_AUTH_DATABASE_URL", auth.database.as_str());
        let checking = auth.api(example, &[database, ("BETTER_AUTH_CHECK_USERS", "on")]);
        let trusting = auth.api(example, &[database]);
        let ask = |server: &Server| send(server, Request::new("GET", "/api/tasks").bearer(&jwt.token));
        assert_eq!((ask(&checking).status, ask(&trusting).status), (200, 200), "{case}");
        root.ban(&bob.id, None).expect("a ban");
        let refused = ask(&checking);
        assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("session_invalid")), "{case}");
        assert!(
            refused.field("www-authenticate").is_some_and(|text| text.contains(r#"error="invalid_token""#)),
            "{case}"
        );
        assert_eq!(ask(&trusting).status, 200, "{case}: until it expires, as documented");
    }
}

#[test]
fn a_remembered_session_is_gone_within_the_stated_seconds() {
    let auth = better_auth("recent", &[]);
    for example in Example::ALL {
        let case = example.name();
        let remembering = |age: &str| {
            let database = ("BETTER_AUTH_DATABASE_URL", auth.database.as_str());
            auth.api(example, &[database, ("BETTER_AUTH_SESSION_CACHE", age)])
        };
        let (server, longer) = (remembering("1s"), remembering("60s"));
        let ada = auth.sign_up(&format!("ada-{case}"));
        for server in [&server, &longer] {
            assert_eq!(by_cookie(server, "GET", "/api/tasks", &ada).status, 200, "{case}");
        }
        auth.sign_out(&ada);
        assert_eq!(by_cookie(&longer, "GET", "/api/tasks", &ada).status, 200, "{case}: as stale as was said");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_no_session(&by_cookie(&server, "GET", "/api/tasks", &ada), case);
    }
}
