//! Both example servers behind a real Better Auth: its tokens, its keys, its outages.

use std::thread;
use std::time::{Duration, Instant};

use better_auth_harness::{BetterAuthServer, Member};
use serde_json::{Value, json};
use tasks_conformance::{
    Answer, CountingProxy, Example, People, Person, Report, Request, Server, Target, Verdict, run_against,
};

fn better_auth(settings: &[(&str, &str)]) -> BetterAuthServer {
    BetterAuthServer::start(settings).unwrap_or_else(|error| panic!("{error}"))
}

/// An example server that trusts this Better Auth, once it has the keys.
fn behind(auth: &BetterAuthServer, example: Example) -> Server {
    let server = start(example, &[("BETTER_AUTH_URL", auth.url())]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while send(&server, Request::new("GET", "/ready")).status != 200 {
        assert!(Instant::now() < deadline, "{} does not get ready: {}", example.name(), server.log());
        thread::sleep(Duration::from_millis(20));
    }
    server
}

fn start(example: Example, settings: &[(&str, &str)]) -> Server {
    example.start(settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()))
}

fn sign_up(auth: &BetterAuthServer, name: &str) -> (Member, Person) {
    let member = auth.sign_up(&format!("{name}@example.com")).unwrap_or_else(|error| panic!("{error}"));
    let person = token(auth, &member);
    (member, person)
}

fn token(auth: &BetterAuthServer, member: &Member) -> Person {
    Person::of_session(auth, member).unwrap_or_else(|error| panic!("{error}"))
}

fn send(server: &Server, request: Request) -> Answer {
    request.send_to(server.authority()).unwrap_or_else(|error| panic!("{}: {error}", server.url()))
}

fn get(server: &Server, path: &str, person: &Person) -> Answer {
    send(server, Request::new("GET", path).bearer(&person.token))
}

fn key_id(person: &Person) -> Value {
    use base64::Engine as _;
    let header = person.token.split('.').next().unwrap_or_default();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("Better Auth writes base64url");
    serde_json::from_slice::<Value>(&header).expect("Better Auth writes JSON")["kid"].clone()
}

/// A token of another key than this one's, as soon as the key set has rotated.
fn token_of_a_new_key(auth: &BetterAuthServer, member: &Member, old: &Person) -> Person {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let person = token(auth, member);
        if key_id(&person) != key_id(old) {
            return person;
        }
        assert!(Instant::now() < deadline, "the key does not rotate");
        thread::sleep(Duration::from_millis(100));
    }
}

fn assert_passed(report: &Report) {
    let failed = report.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_)));
    let failed: Vec<_> = failed.map(|outcome| format!("{outcome}\n")).collect();
    assert!(failed.is_empty(), "{}{}", failed.concat(), report.summary());
}

#[test]
fn with_real_tokens_both_servers_keep_the_contract() {
    let auth = better_auth(&[("ADMIN_EMAILS", "root@example.com")]);
    let people = People::of_better_auth(&auth).unwrap_or_else(|error| panic!("{error}"));
    let servers = Example::ALL.map(|example| behind(&auth, example));
    let [one, other] = servers
        .each_ref()
        .map(|server| Target::with_people(server.url(), people.clone()).expect("a URL the server gave"));
    assert_passed(&run_against(&one, &other, |_| ()));
}

#[test]
fn two_users_cannot_reach_each_other_and_an_admin_reaches_both() {
    two_users_and_an_admin(&better_auth(&[("ADMIN_EMAILS", "root@example.com")]));
}

#[test]
fn the_newest_better_auth_is_served_alike() {
    let settings = [("ADMIN_EMAILS", "root@example.com")];
    let auth = BetterAuthServer::start_latest(&settings).unwrap_or_else(|error| panic!("{error}"));
    two_users_and_an_admin(&auth);
}

fn two_users_and_an_admin(auth: &BetterAuthServer) {
    let [(ada_member, ada), (_, bob), (_, root)] = ["ada", "bob", "root"].map(|name| sign_up(auth, name));
    for example in Example::ALL {
        let server = behind(auth, example);
        let case = example.name();
        let made = send(&server, Request::new("POST", "/api/tasks").bearer(&ada.token).json(json!({"title": "Ada's"})));
        assert_eq!((made.status, &made.json()["user_id"]), (201, &json!(ada_member.id)), "{case}");
        let id = made.json()["id"].clone();
        let by_path = format!("/api/{}/tasks", ada.id);

        let refused = get(&server, &by_path, &bob);
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("not_owner")), "{case}");
        assert_eq!(get(&server, &format!("/api/tasks/{id}"), &bob).status, 404, "{case}");
        assert_eq!(get(&server, "/api/tasks", &bob).json()["count"], 0, "{case}");
        let body = json!({"title": "slipped in", "userId": ada.id});
        let slipped = send(&server, Request::new("POST", "/api/tasks").bearer(&bob.token).json(body));
        assert_eq!(slipped.status, 403, "{case}");

        let seen = get(&server, &format!("{by_path}/{id}"), &root);
        assert_eq!((seen.status, seen.json()), (200, made.json()), "{case}: the admin");
        let own = get(&server, &by_path, &ada);
        assert_eq!((own.status, &own.json()["count"]), (200, &json!(1)), "{case}");

        let profile = get(&server, "/api/user/profile", &ada).json();
        let expected = json!({"user_id": ada.id, "email": ada_member.email, "name": "ada", "role": "user"});
        assert_eq!(profile, expected, "{case}");
        assert_eq!(get(&server, "/api/user/profile", &root).json()["role"], "admin", "{case}");
    }
}

#[test]
fn every_algorithm_of_better_auth_is_believed() {
    for algorithm in ["EdDSA", "ES256", "ES512", "RS256", "PS256"] {
        let auth = better_auth(&[("JWT_ALG", algorithm)]);
        let (_, ada) = sign_up(&auth, "ada");
        for example in Example::ALL {
            let server = behind(&auth, example);
            let answer = get(&server, "/api/tasks", &ada);
            assert_eq!(answer.status, 200, "{} with {algorithm}: {}", example.name(), answer.text());
            let forged = format!("{}AAAA", &ada.token[..ada.token.len() - 4]);
            assert_eq!(send(&server, Request::new("GET", "/api/tasks").bearer(&forged)).status, 401);
        }
    }
}

#[test]
fn another_better_auths_token_is_not_believed() {
    let (auth, other) = (better_auth(&[]), better_auth(&[]));
    let (_, stranger) = sign_up(&other, "ada");
    for example in Example::ALL {
        let server = behind(&auth, example);
        let answer = get(&server, "/api/tasks", &stranger);
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("token_invalid")), "{}", example.name());
    }
}

/// An example server that fetches the keys of this Better Auth through a proxy that counts.
fn behind_proxy(auth: &BetterAuthServer, example: Example) -> (Server, CountingProxy) {
    let proxy = CountingProxy::before(auth.authority()).expect("a free port");
    let keys = format!("{}/api/auth/jwks", proxy.url());
    (start(example, &[("BETTER_AUTH_URL", auth.url()), ("BETTER_AUTH_JWKS_URL", &keys)]), proxy)
}

#[test]
fn k90_a_new_key_costs_one_fetch_and_no_refusal() {
    let auth = better_auth(&[("JWKS_ROTATION_SECONDS", "2")]);
    for example in Example::ALL {
        let case = example.name();
        // The key is published before the server looks, and the next one only when somebody asks for a token: however
        // slow the machine, the server's first look finds the one and misses the other.
        let (member, old) = sign_up(&auth, case);
        let (server, proxy) = behind_proxy(&auth, example);
        assert_eq!(get(&server, "/api/tasks", &old).status, 200, "{case}");
        assert_eq!(proxy.requests(), 1, "{case}: one fetch for the first key");

        let new = token_of_a_new_key(&auth, &member, &old);
        assert_eq!(get(&server, "/api/tasks", &new).status, 200, "{case}: the new key, at once");
        assert_eq!(proxy.requests(), 2, "{case}: one further fetch");
        for person in [&old, &new, &old] {
            assert_eq!(get(&server, "/api/tasks", person).status, 200, "{case}: both keys");
        }
        assert_eq!(proxy.requests(), 2, "{case}: no more after that");
    }
}

#[test]
fn k84_an_outage_of_the_issuer_refuses_nobody() {
    for example in Example::ALL {
        let auth = better_auth(&[("JWKS_ROTATION_SECONDS", "2")]);
        let case = example.name();
        let (member, known) = sign_up(&auth, "ada");
        let (server, proxy) = behind_proxy(&auth, example);
        assert_eq!(get(&server, "/api/tasks", &known).status, 200, "{case}");
        let unknown = token_of_a_new_key(&auth, &member, &known);
        let fetches = proxy.requests();

        drop(auth);

        assert_eq!(get(&server, "/api/tasks", &known).status, 200, "{case}: known keys outlive the issuer");
        for _ in 0..3 {
            // Nobody could judge it, so nobody may say that it is bad.
            assert_unavailable(&get(&server, "/api/tasks", &unknown), case);
            assert_eq!(get(&server, "/api/tasks", &known).status, 200, "{case}: known keys still");
        }
        assert_eq!(proxy.requests(), fetches + 1, "{case}: after a fetch that failed there is a pause");
        assert_eq!(send(&server, Request::new("GET", "/ready")).status, 200, "{case}: it can still serve");
    }
}

#[test]
fn k85_without_any_key_nobody_is_judged_and_the_server_says_it_is_not_ready() {
    let auth = better_auth(&[]);
    let (_, ada) = sign_up(&auth, "ada");
    let url = auth.url().to_owned();
    drop(auth);
    for example in Example::ALL {
        let server = start(example, &[("BETTER_AUTH_URL", &url)]);
        assert_unavailable(&get(&server, "/api/tasks", &ada), example.name());
        let bare = send(&server, Request::new("GET", "/api/tasks"));
        assert_eq!(bare.status, 401, "{}: nothing to judge is still nothing", example.name());
        assert_eq!(send(&server, Request::new("GET", "/health")).status, 200);

        let ready = send(&server, Request::new("GET", "/ready"));
        assert!(ready.status == 503 && ready.text().contains("keys"), "{}: {}", example.name(), ready.text());
        assert!(!ready.text().contains("database"), "{}: {}", example.name(), ready.text());
    }
}

#[track_caller]
fn assert_unavailable(answer: &Answer, case: &str) {
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("auth_unavailable")), "{case}");
    let seconds = answer.field("retry-after").and_then(|after| after.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| (1..=30).contains(&seconds)), "{case}: Retry-After {seconds:?}");
    assert_eq!(answer.field("www-authenticate"), None, "{case}");
}
