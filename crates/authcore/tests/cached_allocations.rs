//! What a token that is remembered costs in memory: nothing for a hit, and about what the cache says for keeping it.

use std::hint::black_box;

use allocation_counter::measure;
use authcore::{Algorithm, Attempt, Guard, Isolation, JwtVerifier, JwtVerifierBuilder, KeySet, TokenCache};
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
fn the_bound_counts_all_that_is_allocated_where_no_two_tokens_are_alike() {
    // What an allocator is reckoned to take for itself, and an `Arc` for its two counts of references.
    const ALLOCATION: i64 = 16;
    const COUNTS: i64 = 16;
    let key = SigningKey::fixed(Algorithm::Hs256);
    let long = "a".repeat(64);
    // An issuer is held once for all by the verifier, and counted for each token as if it were not.
    for (issuer, subject, of_issuer) in
        [(None, "alice", 0), (None, &*long, 0), (Some(ISSUER), "alice", ALLOCATION + COUNTS + ISSUER.len() as i64)]
    {
        let verifier =
            issuer.into_iter().fold(JwtVerifier::builder(KeySet::new([key.key()])), JwtVerifierBuilder::issuer);
        let verifier = verifier.build().expect("good settings");
        let mint = if issuer.is_some() { mint() } else { mint().without("iss") };
        let tokens = (0..500).map(|number| mint.clone().subject(subject).header("number", number));
        let tokens: Vec<_> = tokens.map(|mint| mint.claim("padding", "x".repeat(99)).sign(key)).collect();
        let check = |tokens: &[String]| tokens.iter().for_each(|one| drop(verifier.check(one).expect("a good token")));
        let status = || verifier.cache_status().expect("a cache");
        // The first sight makes the index, and sixteen headers known: what their tokens have in common is held once.
        check(&tokens);
        let before = status();
        let info = measure(|| check(&tokens[16..]));
        let after = status();
        let tokens = after.entries - before.entries;
        assert!(tokens > 470, "{after:?}");
        let said = i64::try_from(after.bytes - before.bytes).expect("a few bytes");
        let allocated = info.bytes_current + ALLOCATION * info.count_current;
        assert_eq!(said, allocated + of_issuer * tokens as i64, "{issuer:?} {subject}");
    }
}

#[test]
fn the_index_is_made_for_no_more_tokens_than_there_are_bytes_for() {
    let key = SigningKey::fixed(Algorithm::EdDsa).key();
    let cache = TokenCache::default().max_entries(1 << 24).max_bytes(64 * 1024);
    let builder = JwtVerifier::builder(KeySet::new([key])).cache(cache);
    let mut verifier = None;
    let info = measure(|| verifier = Some(builder.build().expect("good settings")));
    assert!(info.bytes_max <= 64 * 1024, "{info:?}");
    // As much as can be asked for is not too much to reckon with.
    let most = JwtVerifier::builder(KeySet::default()).cache(TokenCache::default().max_bytes(usize::MAX));
    assert_eq!(most.build().expect("good settings").cache_status().map(|status| status.bytes), Some(0));
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
