//! Verified tokens that are remembered: what a hit must ask anew, and what may take room.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use authcore::{
    Algorithm, JwtVerifier, KeyResolver, KeySet, KeySnapshot, ManualClock, Miss, Timestamp, TokenCache,
    TokenCacheStatus, Unavailable,
};
use authcore_testkit::{AUDIENCE, ISSUER, SigningKey};

use crate::support::{NOW, builder_for, ed25519, good};

const KNOWN: &str = "good";

/// What a verifier says of a token: [`KNOWN`], or why not.
fn verdict(verifier: &JwtVerifier, token: &str) -> &'static str {
    match verifier.check(token) {
        Ok(identity) => {
            assert_eq!(identity.user_id().as_str(), "alice");
            KNOWN
        }
        Err(error) => error.reason(),
    }
}

fn status(verifier: &JwtVerifier) -> TokenCacheStatus {
    verifier.cache_status().expect("a cache")
}

/// Has a token remembered, and by the thread itself too.
fn make_hot(verifier: &JwtVerifier, token: &str) {
    for _ in 0..20 {
        assert_eq!(verdict(verifier, token), KNOWN);
    }
    assert_eq!((status(verifier).entries, status(verifier).misses), (1, 2));
}

#[test]
fn a_token_is_remembered_at_its_second_sight_and_found_at_its_third() {
    let verifier = builder_for([ed25519()]).build().unwrap();
    let token = good().sign(ed25519());
    let sights = [(0, 0, 1), (1, 0, 2), (1, 1, 2), (1, 2, 2)];
    for (entries, hits, misses) in sights {
        assert_eq!(verdict(&verifier, &token), KNOWN);
        let status = status(&verifier);
        assert_eq!((status.entries, status.hits, status.misses), (entries, hits, misses));
        assert_eq!((status.admitted, status.displaced), (entries as u64, 0));
    }
}

#[test]
fn a_hit_yields_what_the_first_sight_did() {
    let verifier = builder_for([ed25519()]).build().unwrap();
    let token = good().claim("role", "admin,user").sign(ed25519());
    let first = verifier.check(&token).unwrap();
    make_hot(&verifier, &token);
    let hit = verifier.check(&token).unwrap();
    assert_eq!((hit.user_id(), hit.issuer(), hit.method()), (first.user_id(), first.issuer(), first.method()));
    assert_eq!((hit.claims_json(), hit.expires_at()), (first.claims_json(), first.expires_at()));
    assert!(hit.roles().eq(first.roles()));
}

#[test]
fn a_remembered_token_expires_at_its_second() {
    for leeway in [0, 30] {
        let clock = ManualClock::at(NOW);
        let leeway = Duration::from_secs(leeway);
        let verifier = builder_for([ed25519()]).clock(clock.clone()).leeway(leeway).build().unwrap();
        let token = good().sign(ed25519());
        make_hot(&verifier, &token);

        let end = Timestamp::from_seconds(NOW + 900).saturating_add(leeway);
        clock.set(Timestamp::from_micros(end.as_micros() - 1));
        assert_eq!(verdict(&verifier, &token), KNOWN);
        clock.set(end);
        assert_eq!(verdict(&verifier, &token), "expired");
        assert_eq!(status(&verifier).misses, 3);
        // The clock was wrong.
        clock.set(Timestamp::from_seconds(NOW));
        assert_eq!((verdict(&verifier, &token), status(&verifier).misses), (KNOWN, 3));
    }
}

#[test]
fn a_clock_set_back_counts_for_remembered_tokens() {
    let (leeway, before) = (Duration::from_secs(10), Timestamp::from_seconds(NOW - 10));
    for (token, reason) in [
        (good().not_before(NOW).issued_at(NOW - 60), "not_yet_valid"),
        (good().not_before(NOW - 60).issued_at(NOW), "issued_in_future"),
        (good().issued_at(NOW), "issued_in_future"),
    ] {
        let clock = ManualClock::at(NOW);
        let verifier = builder_for([ed25519()]).clock(clock.clone()).leeway(leeway).build().unwrap();
        let token = token.sign(ed25519());
        make_hot(&verifier, &token);
        clock.set(before);
        assert_eq!((verdict(&verifier, &token), status(&verifier).misses), (KNOWN, 2));
        clock.set(Timestamp::from_micros(before.as_micros() - 1));
        assert_eq!((verdict(&verifier, &token), status(&verifier).misses), (reason, 3));
    }
}

/// Keys that change while somebody verifies by them.
#[derive(Clone)]
struct Changing(Arc<Mutex<Option<Arc<KeySet>>>>);

impl Changing {
    fn from(keys: &[&SigningKey]) -> Self {
        let changing = Self(Arc::default());
        changing.to(keys);
        changing
    }

    fn to(&self, keys: &[&SigningKey]) {
        *self.now() = Some(Arc::new(KeySet::new(keys.iter().map(|key| key.key()))));
    }

    fn away(&self) {
        *self.now() = None;
    }

    fn now(&self) -> MutexGuard<'_, Option<Arc<KeySet>>> {
        self.0.lock().expect("nobody panics holding it")
    }

    fn verifier(&self) -> JwtVerifier {
        JwtVerifier::builder(self.clone())
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .clock(ManualClock::at(NOW))
            .build()
            .expect("good settings")
    }
}

impl KeyResolver for Changing {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        self.now().clone().map(KeySnapshot::from)
    }

    fn after_miss(&self, _: Option<&str>) -> Miss {
        match *self.now() {
            Some(_) => Miss::Unknown,
            None => Miss::Unavailable(Unavailable::new("too old", Duration::ZERO)),
        }
    }
}

#[test]
fn a_key_withdrawn_counts_at_the_next_request() {
    let other = SigningKey::generate(Algorithm::EdDsa).with_kid("other");
    let keys = Changing::from(&[ed25519(), &other]);
    let (verifier, token) = (keys.verifier(), good().sign(ed25519()));
    make_hot(&verifier, &token);
    keys.to(&[&other]);
    assert_eq!(verdict(&verifier, &token), "unknown_key");
    keys.to(&[ed25519()]);
    assert_eq!(verdict(&verifier, &token), KNOWN);
}

#[test]
fn another_key_under_the_same_id_counts_at_the_next_request() {
    let usurper = SigningKey::generate(Algorithm::EdDsa).with_kid(ed25519().kid());
    let keys = Changing::from(&[ed25519()]);
    let (verifier, token) = (keys.verifier(), good().sign(ed25519()));
    make_hot(&verifier, &token);
    keys.to(&[&usurper]);
    assert_eq!(verdict(&verifier, &token), "bad_signature");
    keys.to(&[ed25519(), &usurper]);
    assert_eq!(verdict(&verifier, &token), "ambiguous_key");
}

#[test]
fn a_second_key_makes_a_token_without_key_id_ambiguous_at_once() {
    let other = SigningKey::generate(Algorithm::EdDsa).with_kid("other");
    let keys = Changing::from(&[ed25519()]);
    let (verifier, token) = (keys.verifier(), good().without_header("kid").sign(ed25519()));
    make_hot(&verifier, &token);
    keys.to(&[ed25519(), &other]);
    assert_eq!(verdict(&verifier, &token), "ambiguous_key");
}

#[test]
fn the_same_keys_loaded_anew_change_nothing() {
    let keys = Changing::from(&[ed25519()]);
    let (verifier, token) = (keys.verifier(), good().sign(ed25519()));
    make_hot(&verifier, &token);
    keys.to(&[ed25519()]);
    assert_eq!((verdict(&verifier, &token), status(&verifier).misses), (KNOWN, 2));
}

#[test]
fn after_a_change_of_keys_a_token_is_remembered_anew() {
    let other = SigningKey::generate(Algorithm::EdDsa).with_kid("other");
    let keys = Changing::from(&[ed25519()]);
    let (verifier, token) = (keys.verifier(), good().sign(ed25519()));
    make_hot(&verifier, &token);
    keys.to(&[ed25519(), &other]);
    for _ in 0..20 {
        assert_eq!(verdict(&verifier, &token), KNOWN);
    }
    assert_eq!((status(&verifier).entries, status(&verifier).misses), (1, 3));
}

#[tokio::test]
async fn keys_too_old_judge_no_remembered_token() {
    let keys = Changing::from(&[ed25519()]);
    let (verifier, token) = (keys.verifier(), good().sign(ed25519()));
    make_hot(&verifier, &token);
    keys.away();
    assert_eq!(verifier.verify_token(&token).await.unwrap_err().reason(), "unavailable");
    keys.to(&[ed25519()]);
    assert_eq!((verdict(&verifier, &token), status(&verifier).misses), (KNOWN, 3));
}

#[test]
fn what_one_verifier_remembers_is_nothing_to_another() {
    let token = good().sign(ed25519());
    let lenient = builder_for([ed25519()]).build().unwrap();
    make_hot(&lenient, &token);
    let strict = builder_for([ed25519()]).require("tenant").build().unwrap();
    assert_eq!(verdict(&strict, &token), "claim_missing");
    let clone = lenient.clone();
    assert_eq!((verdict(&clone, &token), status(&clone).misses), (KNOWN, 2));
}

#[test]
fn a_token_one_byte_off_is_another_token() {
    let verifier = builder_for([ed25519()]).build().unwrap();
    let token = good().sign(ed25519());
    make_hot(&verifier, &token);
    let payload = token.find('.').expect("a dot") + 20;
    // The tail, which the spot goes by, is the same.
    let mut changed = token.clone().into_bytes();
    changed[payload] = if changed[payload] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    for _ in 0..20 {
        assert_eq!(verdict(&verifier, &changed), "bad_signature");
    }
    assert_eq!(verdict(&verifier, &token[..token.len() - 1]), "signature_not_base64");
    assert_eq!((status(&verifier).entries, status(&verifier).misses), (1, 23));
}

#[test]
fn nothing_refused_is_remembered() {
    let verifier = builder_for([ed25519()]).build().unwrap();
    for token in [good().audience("other"), good().expires_at(NOW - 1), good().without("sub")] {
        let token = token.sign(ed25519());
        for _ in 0..4 {
            assert!(verifier.check(&token).is_err());
        }
    }
    let TokenCacheStatus { entries, bytes, hits, admitted, .. } = status(&verifier);
    assert_eq!((entries, bytes, hits, admitted), (0, 0, 0, 0));
}

fn hmac() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Hs256)
}

/// Different tokens of one user.
fn tokens(from: u32, count: u32) -> Vec<String> {
    (from..from + count).map(|number| good().claim("number", number).sign(hmac())).collect()
}

fn small(max_entries: usize) -> JwtVerifier {
    builder_for([hmac()]).cache(TokenCache::default().max_entries(max_entries)).build().expect("good settings")
}

#[test]
fn room_is_bounded_by_entries_and_by_bytes() {
    let by_entries = small(10);
    let by_bytes = builder_for([hmac()]).cache(TokenCache::default().max_bytes(64 * 1024)).build().unwrap();
    let tokens = tokens(0, 200);
    for token in tokens.iter().chain(&tokens).chain(&tokens) {
        for verifier in [&by_entries, &by_bytes] {
            assert_eq!(verdict(verifier, token), KNOWN);
            assert_eq!(verdict(verifier, token), KNOWN);
        }
        assert!(status(&by_entries).entries <= 10 && status(&by_bytes).bytes <= 64 * 1024);
    }
    assert_eq!(status(&by_entries).entries, 10);
    assert!(status(&by_bytes).bytes > 60 * 1024, "{:?}", status(&by_bytes));
    assert!(status(&by_entries).displaced > 100 && status(&by_bytes).displaced > 100);
}

#[test]
fn the_smallest_token_takes_the_512_bytes_that_the_index_reckons_with() {
    let key = SigningKey::hmac(Algorithm::Hs256, "a secret of thirty-two bytes, or more");
    let verifier = JwtVerifier::builder(KeySet::new([key.key()])).clock(ManualClock::at(NOW)).build().unwrap();
    let token = good().raw_header(r#"{"alg":"HS256"}"#).raw_payload(r#"{"sub":"a","exp":2e9}"#).sign(&key);
    for _ in 0..2 {
        verifier.check(&token).expect("a good token");
    }
    let TokenCacheStatus { entries, bytes, .. } = status(&verifier);
    assert!(entries == 1 && bytes >= 512, "{bytes}");
}

#[test]
fn tokens_of_two_headers_are_remembered_side_by_side() {
    let verifier = builder_for([ed25519()]).build().unwrap();
    let tokens = ["JWT", "jwt", "at+jwt"].map(|typ| good().header("typ", typ).sign(ed25519()));
    for sight in 1..=4 {
        for token in &tokens {
            assert_eq!(verdict(&verifier, token), KNOWN);
        }
        let TokenCacheStatus { entries, hits, misses, .. } = status(&verifier);
        let expected = if sight < 2 { (0, 0, 3) } else { (3, 3 * (sight - 2), 6) };
        assert_eq!((entries, hits, misses), expected, "{sight}");
    }
}

#[test]
fn a_flood_of_tokens_that_come_once_takes_nobodys_place() {
    let verifier = small(100);
    let steady = tokens(0, 100);
    for token in steady.iter().cycle().take(300) {
        assert_eq!(verdict(&verifier, token), KNOWN);
    }
    let before = status(&verifier);
    for (token, known) in tokens(1_000, 5_000).iter().zip(steady.iter().cycle()) {
        assert_eq!((verdict(&verifier, token), verdict(&verifier, known)), (KNOWN, KNOWN));
    }
    let after = status(&verifier);
    // One stranger in two thousand is taken for somebody known.
    assert!(after.hits - before.hits >= 4_990 && after.admitted - before.admitted <= 20, "{after:?}");
}

#[test]
fn tokens_that_come_twice_displace_none_in_steady_use() {
    let verifier = small(400);
    let steady = tokens(0, 100);
    for token in steady.iter().chain(&steady) {
        assert_eq!(verdict(&verifier, token), KNOWN);
    }
    let before = status(&verifier);
    for (token, known) in tokens(1_000, 2_000).iter().zip(steady.iter().cycle()) {
        for token in [token, token, known] {
            assert_eq!(verdict(&verifier, token), KNOWN);
        }
    }
    let after = status(&verifier);
    assert!(after.hits - before.hits >= 1_990, "those in steady use are found: {after:?}");
    assert!(after.entries <= 400 && after.displaced > 1_500, "{after:?}");
}

#[test]
fn without_cache_every_token_is_judged_anew() {
    let clock = ManualClock::at(NOW);
    let verifier = builder_for([ed25519()]).clock(clock.clone()).without_cache().build().unwrap();
    let token = good().sign(ed25519());
    for _ in 0..3 {
        assert_eq!(verdict(&verifier, &token), KNOWN);
    }
    assert_eq!(verifier.cache_status(), None);
    clock.advance(Duration::from_secs(900));
    assert_eq!(verdict(&verifier, &token), "expired");
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    let build = |cache| builder_for([ed25519()]).cache(cache).build().map(|_| ());
    for cache in [
        TokenCache::default().max_entries(0),
        TokenCache::default().max_entries((1 << 24) + 1),
        TokenCache::default().max_bytes(64 * 1024 - 1),
    ] {
        assert!(build(cache).is_err_and(|error| error.to_string().contains("token cache")), "{cache:?}");
    }
    assert!(build(TokenCache::default().max_entries(1).max_bytes(64 * 1024)).is_ok());
}

#[test]
fn threads_that_use_the_same_tokens_agree() {
    let verifier = small(4);
    let tokens = tokens(0, 8);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (verifier, tokens) = (&verifier, &tokens);
            scope.spawn(move || {
                for turn in 0..500 {
                    let number = (turn * (thread + 1)) % tokens.len();
                    let identity = verifier.check(&tokens[number]).expect("a good token");
                    assert!(identity.claims_json().contains(&format!("\"number\":{number}")));
                }
            });
        }
    });
    assert!(status(&verifier).entries <= 4);
}
