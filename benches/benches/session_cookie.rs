//! The signed session cookie of a request, read and checked, beside the bare HMAC over the same token with the same key.
//!
//! `cargo bench -p authcore-benches --bench session_cookie`

use std::hint::black_box;

use authcore::Secret;
use authcore_benches::report;
use authcore_better_auth::{CookieNames, Secrets, SignedCookie};
use authcore_testkit::TestHead;
use aws_lc_rs::hmac;
use criterion::{Criterion, criterion_group};

fn session_cookie(criterion: &mut Criterion) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, TOKEN.as_bytes());
    let names = CookieNames::at("https://app.example.com");
    let secrets = Secrets::new(&Secret::new(SECRET)).expect("a good secret");
    let cookie = SignedCookie::new(&names, &secrets).expect("a good name");
    let line = format!("{}={TOKEN}.{SIGNATURE}", cookie.name());
    let head = TestHead::get("/api/tasks").header("host", "app.example.com").header("cookie", line);
    assert_eq!(cookie.read(&head).expect("a good signature").expect("a cookie").expose(), TOKEN);

    let mut group = criterion.benchmark_group("session cookie");
    group.bench_function("backend, HMAC only", |bench| {
        bench.iter(|| hmac::verify(&key, black_box(TOKEN.as_bytes()), black_box(tag.as_ref())).expect("a good tag"));
    });
    group.bench_function("authcore", |bench| {
        bench.iter(|| cookie.read(black_box(&head)).expect("a good signature").expect("a cookie"));
    });
    group.finish();
}

const SECRET: &str = "rust-contract-throwaway-secret-0123456789abcdef";

/// A token of a real Better Auth server, and its signature as browsers send it.
const TOKEN: &str = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E";
const SIGNATURE: &str = "4ELv%2FUfengTFAv%2BYVRoPMxuthh%2BSjEIZ%2BlrlcjzxOpo%3D";

criterion_group!(benches, session_cookie);

fn main() {
    report::run(benches, "The signed session cookie", "session_cookie", "session cookie/");
}
