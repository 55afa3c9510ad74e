//! What a token that is remembered costs in memory: nothing for a hit, and about what the cache says for keeping it.

use std::hint::black_box;

use allocation_counter::measure;
use authcore::{Algorithm, Attempt, Guard, Isolation, JwtVerifier, KeySet, TokenCache};
use authcore_testkit::{ISSUER, SigningKey, TestHead, mint};

fn verifier(key: &SigningKey) -> JwtVerifier {
    let cache = TokenCache::default().max_entries(2_000);
    JwtVerifier::builder(KeySet::new([key.key()])).issuer(ISSUER).cache(cache).build().expect("good settings")
}

/// As long as those of Better Auth: 665 bytes, of which 86 are the signature.
fn token(number: usize, key: &SigningKey) -> String {
    let padding = "x".repeat(237);
    mint().subject(format!("user-{number:027}")).claim("role", "user").claim("padding", padding).sign(key)
}

#[test]
fn a_hit_allocates_nothing() {
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let (verifier, token) = (verifier(key), token(0, key));
    for _ in 0..20 {
        verifier.check(&token).expect("a good token");
    }
    let info = measure(|| {
        for _ in 0..100 {
            black_box(verifier.check(&token)).expect("a good token");
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_guard_admits_a_remembered_token_without_allocating() {
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let isolation = Isolation::path("/api/{user_id}/**").allow_role("admin");
    let guard = Guard::builder().authenticator(verifier(key)).isolate(isolation).build().expect("good settings");
    let head = TestHead::get(format!("/api/user-{:027}/tasks", 0)).bearer(token(0, key));
    let admit = || match guard.begin(&head) {
        Attempt::Ready(Ok(admission)) => assert!(black_box(admission).scope().is_some()),
        other => panic!("{other:?}"),
    };
    (0..20).for_each(|_| admit());
    let info = measure(|| (0..100).for_each(|_| admit()));
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_token_takes_little_more_than_itself_and_its_claims() {
    const TOKENS: usize = 2_000;
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let tokens: Vec<_> = (0..TOKENS).map(|number| token(number, key)).collect();
    assert_eq!(tokens[0].len(), 665);
    let verifier = verifier(key);
    verifier.check(&tokens[0]).expect("a good token");
    let info = measure(|| {
        for token in tokens.iter().chain(&tokens) {
            verifier.check(token).expect("a good token");
        }
    });
    let status = verifier.cache_status().expect("a cache");
    assert!(status.entries > TOKENS * 99 / 100, "{status:?}");
    let taken = usize::try_from(info.bytes_current).expect("memory taken") / status.entries;
    let said = status.bytes / status.entries;
    println!("{taken} bytes of memory for each token of 665, of which the cache says {said}");
    assert!(taken <= 1_220, "{taken}");
    // It counts for each what tokens of one key have in common.
    assert!((taken * 9 / 10..=taken * 13 / 10).contains(&said), "{said} said, {taken} taken");
}
