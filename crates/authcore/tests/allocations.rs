//! What judging a token allocates: what the identity keeps, and nothing else. A binary of its own, since the allocator that
//! counts is that of the whole program.

use authcore::{Algorithm, Attempt, Guard, Isolation, JwtVerifier, KeySet};
use authcore_testkit::{AUDIENCE, ISSUER, SigningKey, TestHead, mint};

fn guard(isolation: Option<Isolation>) -> Guard {
    let keys = KeySet::new([SigningKey::fixed(Algorithm::Hs256).key()]);
    let verifier = JwtVerifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).without_cache();
    let verifier = verifier.build().expect("good settings");
    let guard = Guard::builder().authenticator(verifier);
    match isolation {
        Some(isolation) => guard.isolate(isolation),
        None => guard,
    }
    .build()
    .expect("good settings")
}

/// How often memory is asked for between the request's head and the admission, by a token whose header is
/// known and which is not remembered.
fn allocations(guard: &Guard, path: &str) -> u64 {
    let token = mint().claim("role", "user").claim("jti", "t-1").claim("sid", "s-1");
    let head = TestHead::get(path).bearer(token.sign(SigningKey::fixed(Algorithm::Hs256)));
    let begin = || match guard.begin(&head) {
        Attempt::Ready(Ok(admission)) => admission,
        other => panic!("{other:?}"),
    };
    assert_eq!(begin().identity().expect("a caller").session_id(), Some("s-1"));
    let mut admission = None;
    let counted = allocation_counter::measure(|| admission = Some(begin()));
    drop(admission);
    counted.count_total
}

#[test]
fn a_token_costs_the_allocations_that_its_identity_keeps() {
    // The claims, and what holds them together with the rest.
    assert_eq!(allocations(&guard(None), "/tasks"), 2);
}

#[test]
fn isolation_by_path_costs_none() {
    assert_eq!(allocations(&guard(Some(Isolation::path("/api/{user_id}/**"))), "/api/alice/tasks"), 2);
}
