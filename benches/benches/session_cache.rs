//! From the cookies of a request to an identity, by each strategy of the cookie cache: signed session cookie, cache and
//! judgement. Beside it Better Auth's own `getCookieCache` in Node over the very same cookie, which has only the cache to
//! judge. The cookies are what a real Better Auth server hands out in this run.
//!
//! `cargo bench -p authcore-benches --bench session_cache`

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use authcore::{Clock as _, Identity, KeySet, Secret, SystemClock};
use authcore_benches::is_measured;
use authcore_better_auth::{CookieCache, CookieNames, Secrets, SignedCookie};
use authcore_testkit::TestHead;
use better_auth_harness::{BetterAuthServer, Request};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn session_cache(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("session cache");
    for strategy in ["compact", "jwt", "jwe", "jwks"] {
        let issued = Issued::by(strategy);
        let (rust, node) = (issued.reader(), issued.in_node());
        assert_eq!(rust(&issued.head()).user_id().as_str(), issued.user_id);
        let head = issued.head();
        group.bench_function(format!("{strategy}/authcore"), |bench| bench.iter(|| rust(black_box(&head))));
        println!("session cache/{strategy}/Better Auth in Node, ns: {node}");
    }
    group.finish();
}

/// What a server gave to somebody who signed up.
struct Issued {
    strategy: &'static str,
    url: String,
    user_id: String,
    cookie: String,
    jwks: Value,
}

/// An identity from a request's cookies.
type Reader = Box<dyn Fn(&TestHead) -> Identity>;

impl Issued {
    fn by(strategy: &'static str) -> Self {
        let settings = [("COOKIE_CACHE", strategy), ("BETTER_AUTH_SECRET", SECRET)];
        let server = BetterAuthServer::start(&settings).expect("a Better Auth server");
        let member = server.sign_up("ada@example.com").expect("an account");
        let jwks = Request::new("GET", "/api/auth/jwks").send_to(server.authority()).expect("a key set").json();
        Self { strategy, url: server.url().to_owned(), user_id: member.id, cookie: member.cookie, jwks }
    }

    fn head(&self) -> TestHead {
        TestHead::get("/api/tasks").header("host", "app.example.com").header("cookie", &self.cookie)
    }

    fn reader(&self) -> Reader {
        let names = CookieNames::at(&self.url);
        let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
        let cookie = SignedCookie::new(&names, &secrets).expect("a good name");
        let cache = match self.strategy {
            "compact" => CookieCache::compact(&secrets),
            "jwt" => CookieCache::jwt(&secrets),
            "jwe" => CookieCache::jwe(&secrets),
            _ => CookieCache::published(KeySet::from_json(&self.jwks.to_string()).expect("a key set"), &self.url),
        };
        let cache = cache.build(&names).expect("good settings");
        Box::new(move |head| {
            let token = cookie.read(head).expect("a good signature").expect("a cookie");
            let cached = cache.read(head, &token).expect("a good cache").expect("a cache");
            cached.record.judge(&token, SystemClock.now(), "cache").expect("a live session")
        })
    }

    /// What the script beside the benches says of the same cookies.
    fn in_node(&self) -> String {
        let strategy = if self.strategy == "jwks" { "jwt" } else { self.strategy };
        let mut options = json!({"strategy": strategy, "secret": SECRET, "isSecure": false, "version": "1"});
        if self.strategy == "jwks" {
            options["jwt"] = json!({"jwks": self.jwks, "issuer": self.url});
        }
        let (rounds, operations) = if is_measured() { (100, 320) } else { (1, 32) };
        let case = json!({"cookie": self.cookie, "options": options, "rounds": rounds, "operations": operations});
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/session-cache.mjs");
        let mut node = Command::new("node");
        node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = node.spawn().expect("node is there, since the server runs on it");
        node.stdin.take().expect("a pipe").write_all(case.to_string().as_bytes()).expect("node reads");
        let output = node.wait_with_output().expect("node ends");
        assert!(output.status.success(), "{}: {}", self.strategy, output.status);
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}

const SECRET: &str = "a-secret-of-the-benches-with-32-bytes-or-more";

criterion_group!(benches, session_cache);
criterion_main!(benches);
