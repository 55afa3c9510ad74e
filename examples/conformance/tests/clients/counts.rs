//! Many at once, users with odd names, and a flood that has no credential.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use tasks_conformance::{Example, Request, Signer};

use crate::redis_server::RedisServer;
use crate::send;

const SECRET: &str = "the tests of limits sign with a secret of their own: 0123456789";

#[test]
fn r140_of_25_at_once_exactly_20_get_through() {
    for example in Example::ALL {
        let limit = [("RATE_LIMIT", "on"), ("RATE_LIMIT_MAX_REQUESTS", "20"), ("RATE_LIMIT_WINDOW_MS", "86400000")];
        let server = example.start(&limit).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
        let together = Barrier::new(25);
        let statuses: Vec<u16> = thread::scope(|scope| {
            let ask = || {
                together.wait();
                send(&server, &Request::new("GET", "/api/tasks")).status
            };
            let asked: Vec<_> = (0..25).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        });
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(401), count(429)), (20, 5), "{}: {statuses:?}", example.name());
    }
}

#[test]
fn r145_what_users_are_called_is_in_no_key_and_no_two_of_them_are_one() {
    let redis = RedisServer::start();
    let (url, signer) = (redis.url(), Signer::new(SECRET, None, None));
    let settings = [("RATE_LIMIT", "on"), ("BETTER_AUTH_SECRET", SECRET), ("REDIS_URL", url.as_str())];
    let subjects = [
        "tattle{a}".to_owned(),
        "tattle{a}b".to_owned(),
        "{tattle".to_owned(),
        "tattle:data".to_owned(),
        "tattle:data:".to_owned(),
        "tattle*".to_owned(),
        "tattle\u{2028}DEL x".to_owned(),
        "tattle' OR 1=1 --".to_owned(),
        "tattle".repeat(42),
        format!("{}s", "tattle".repeat(42)),
    ];
    for example in Example::ALL {
        let server = example.start(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
        redis.run(&["FLUSHALL"]);
        for subject in &subjects {
            let request = Request::new("GET", "/api/data").bearer(&signer.sign(&signer.mint(subject)));
            let answer = send(&server, &request);
            let left = answer.field("ratelimit").unwrap_or_default();
            assert!(answer.status == 200 && left.contains("\"data\";r=9"), "{}: {subject}: {left}", example.name());
        }
        let keys: HashSet<String> = redis.names().into_iter().collect();
        // One for the address, one for each user.
        assert_eq!(keys.len(), 1 + subjects.len(), "{}: {keys:?}", example.name());
        // The braces are ours: what stands between them says which slot of a cluster it is.
        let hash = |key: &str| key.strip_prefix("authcore:rate:{")?.strip_suffix('}').map(str::to_owned);
        let is_hash = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(keys.iter().all(|key| hash(key).is_some_and(|hash| is_hash(&hash))), "{}: {keys:?}", example.name());
    }
}

#[test]
fn r148_a_flood_of_bad_tokens_uses_up_the_address_and_no_users_quota() {
    let signer = Signer::new(SECRET, None, None);
    let settings = [
        ("RATE_LIMIT", "on"),
        ("RATE_LIMIT_MAX_REQUESTS", "12"),
        ("RATE_LIMIT_WINDOW_MS", "86400000"),
        ("BETTER_AUTH_SECRET", SECRET),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    for example in Example::ALL {
        let server = example.start(&settings).unwrap_or_else(|error| panic!("{}: {error}", example.name()));
        let ask = |from: &str, token: &str| {
            send(&server, &Request::new("GET", "/api/data").bearer(token).field("X-Forwarded-For", from))
        };
        let good = signer.sign(&signer.mint("ann"));
        let forged = format!("{}AAAA", &good[..good.len() - 4]);
        let flood: Vec<u16> = (0..20).map(|_| ask("198.51.100.1", &forged).status).collect();
        assert_eq!(flood, [[401; 12].as_slice(), &[429; 8]].concat(), "{}", example.name());
        assert_eq!(ask("198.51.100.1", &good).status, 429, "{}: no token is looked at", example.name());
        // From elsewhere the user has all of what is theirs.
        let left = ask("198.51.100.2", &good).field("ratelimit").unwrap_or_default();
        assert!(left.contains("\"data\";r=9"), "{}: {left}", example.name());
    }
}
