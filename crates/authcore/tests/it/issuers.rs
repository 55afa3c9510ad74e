//! Several issuers in one verifier: which of them judges a token, and that none relaxes what another asks.

use std::time::Duration;

use authcore::{Algorithm, Identity, JwtVerifier, JwtVerifierBuilder, KeySet, ManualClock};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey};

use crate::script::Script;
use crate::support::{NOW, builder_for, ed25519, good};

const PARTNER: &str = "https://partner.example";

fn es256() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

/// Ours by EdDSA; the partner's by ES256 alone, for another audience, in small tokens.
fn partner() -> JwtVerifierBuilder {
    JwtVerifier::builder(KeySet::new([es256().key(), ed25519().key()]))
        .issuer(PARTNER)
        .audience("for-partners")
        .algorithms([Algorithm::Es256])
        .max_token_bytes(800)
}

fn verifier() -> JwtVerifier {
    builder_for([ed25519()]).or(partner()).build().expect("good settings")
}

fn theirs() -> Mint {
    good().claim("iss", PARTNER).claim("aud", "for-partners").claim("sub", "pat")
}

#[track_caller]
fn reason(token: &str) -> &'static str {
    let of = |result: Result<Identity, authcore::AuthError>| result.expect_err("this is refused").reason();
    let verifier = verifier();
    let first = of(verifier.check(token));
    // What is remembered of others changes nothing.
    for good in [good().sign(ed25519()), theirs().sign(es256())] {
        for _ in 0..3 {
            verifier.check(&good).expect("a good token");
        }
    }
    assert_eq!(of(verifier.check(token)), first);
    first
}

#[test]
fn each_issuer_judges_its_own_tokens() {
    let verifier = verifier();
    let (of_ours, of_theirs) = (good().sign(ed25519()), theirs().sign(es256()));
    for _ in 0..5 {
        let ours = verifier.check(&of_ours).expect("ours");
        let theirs = verifier.check(&of_theirs).expect("theirs");
        assert_eq!((ours.issuer(), ours.user_id().as_str()), (Some(ISSUER), "alice"));
        assert_eq!((theirs.issuer(), theirs.user_id().as_str()), (Some(PARTNER), "pat"));
    }
    let status = verifier.cache_status().expect("it is on");
    assert_eq!((status.entries, status.hits, status.misses), (2, 6, 4), "from the third sight on");
}

#[test]
fn a_remembered_token_ends_by_the_leeway_of_its_own_issuer() {
    for (ours, partners, kept) in [(30, 0, false), (0, 30, true)] {
        let clock = ManualClock::at(NOW);
        // By one set of keys, so that these do not tell them apart.
        let theirs_too = JwtVerifier::builder(KeySet::new([ed25519().key()])).issuer(PARTNER);
        let builder = builder_for([ed25519()]).leeway(Duration::from_secs(ours)).clock(clock.clone());
        let verifier = builder.or(theirs_too.leeway(Duration::from_secs(partners))).build().expect("good settings");
        let token = good().claim("iss", PARTNER).expires_at(NOW + 10).sign(ed25519());
        for _ in 0..3 {
            assert!(verifier.check(&token).is_ok());
        }
        clock.advance(Duration::from_secs(20));
        assert_eq!(verifier.check(&token).err().map(|error| error.reason()), (!kept).then_some("expired"));
        assert_eq!(verifier.cache_status().expect("it is on").hits, if kept { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_fetched_from_the_issuer_that_the_token_names() {
    let fetched = Script::serving(&[es256()]);
    let remote = JwtVerifier::builder(fetched.keys()).issuer(PARTNER);
    let verifier = builder_for([ed25519()]).or(remote).build().expect("good settings");
    let stranger = SigningKey::generate(Algorithm::EdDsa);
    let error = verifier.verify_token(&good().sign(&stranger)).await.expect_err("nobody's key");
    assert_eq!((error.reason(), fetched.fetches()), ("unknown_key", 0), "ours are not fetched");
    assert!(verifier.verify_token(&theirs().sign(es256())).await.is_ok());
    assert_eq!(fetched.fetches(), 1);

    let down = JwtVerifier::builder(Script::default().keys()).issuer(PARTNER);
    let verifier = builder_for([ed25519()]).or(down).build().expect("good settings");
    let error = verifier.verify_token(&theirs().sign(es256())).await.expect_err("nobody can judge it");
    assert_eq!(error.reason(), "unavailable");
    assert!(verifier.check(&good().sign(ed25519())).is_ok(), "ours stand");
}

#[test]
fn a_token_is_as_long_as_its_own_issuer_allows() {
    let token = theirs().sign(es256());
    for (bytes, reason) in [(token.len() - 1, Some("too_long")), (token.len(), None), (token.len() + 1, None)] {
        let verifier = builder_for([ed25519()]).or(partner().max_token_bytes(bytes)).build().expect("good settings");
        assert_eq!(verifier.check(&token).err().map(|error| error.reason()), reason, "{bytes}");
    }
}

#[test]
fn what_one_allows_the_other_does_not() {
    assert_eq!(reason(&good().claim("iss", PARTNER).sign(es256())), "wrong_audience");
    assert_eq!(reason(&good().claim("aud", "for-partners").sign(ed25519())), "wrong_audience");
    assert_eq!(reason(&theirs().sign(ed25519())), "algorithm_refused", "a key of theirs, but not that way");
    assert_eq!(reason(&good().sign(es256())), "unknown_key", "ours by their key");
    let long = theirs().claim("x", "x".repeat(900)).sign(es256());
    assert_eq!(reason(&long), "too_long");
    assert!(verifier().check(&good().claim("x", "x".repeat(900)).sign(ed25519())).is_ok());
}

#[test]
fn who_names_no_issuer_of_these_is_nobodys() {
    assert_eq!(reason(&good().claim("iss", "https://other.example").sign(ed25519())), "wrong_issuer");
    assert_eq!(reason(&good().claim("iss", format!("{PARTNER}/")).sign(es256())), "wrong_issuer");
    assert_eq!(reason(&good().without("iss").sign(ed25519())), "claim_missing");
    assert_eq!(reason(&good().claim("iss", 7).sign(ed25519())), "claim_malformed");
    let both = format!(r#"{{"iss":"{ISSUER}","iss":"{PARTNER}","sub":"a","aud":"{AUDIENCE}","exp":{}}}"#, NOW + 9);
    assert_eq!(reason(&good().raw_payload(both.into_bytes()).sign(ed25519())), "payload_duplicate_member");
    assert_eq!(reason(&good().raw_payload(b"[]".to_vec()).sign(ed25519())), "payload_not_json");
    assert_eq!(reason("a.b.c"), "header_not_base64");
    let header = good().sign(ed25519()).split('.').next().expect("a header").to_owned();
    assert_eq!(reason(&format!("{header}.b.c")), "payload_not_base64");
    assert_eq!(reason(&good().sign(SigningKey::fixed(Algorithm::Rs256))), "unknown_key");
    assert_eq!(reason(&good().header("alg", "none").sign(ed25519())), "algorithm_refused");
}

#[test]
fn a_header_that_no_issuer_takes_is_refused_for_what_is_wrong_with_it() {
    let partner = || partner().require_key_id();
    let verifier = builder_for([ed25519()]).require_key_id().algorithms([Algorithm::EdDsa]).or(partner());
    let verifier = verifier.build().expect("good settings");
    for (token, reason) in [
        (good().header("typ", "logout+jwt"), "wrong_type"),
        (good().without_header("kid"), "key_id_missing"),
        (good().header("alg", "RS256"), "algorithm_refused"),
    ] {
        let error = verifier.check(&token.sign(ed25519())).expect_err("nobody takes it");
        assert_eq!(error.reason(), reason);
    }
    // As long as one takes it, that one judges.
    assert!(verifier.check(&theirs().sign(es256())).is_ok());
    assert!(verifier.check(&good().sign(ed25519())).is_ok());
}

#[test]
fn an_issuer_spelt_with_escapes_is_that_issuer() {
    let json =
        format!(r#"{{"iss":"https:\/\/partner.exampl\u0065","sub":"pat","aud":"for-partners","exp":{}}}"#, NOW + 9);
    let token = theirs().raw_payload(json.into_bytes()).sign(es256());
    assert_eq!(verifier().check(&token).expect("theirs").issuer(), Some(PARTNER));
}

#[test]
fn issuers_that_cannot_be_told_apart_are_refused_at_start() {
    let nameless = JwtVerifier::builder(KeySet::default());
    let error = builder_for([ed25519()]).or(nameless).build().expect_err("nameless").to_string();
    assert_eq!(error, "issuer: each of several has to be named");
    let third = JwtVerifier::builder(KeySet::default()).issuer("https://third.example").issuer(ISSUER);
    let error = builder_for([ed25519()]).or(partner().or(third)).build().expect_err("named twice").to_string();
    assert!(error.starts_with(&format!("issuer: {ISSUER:?} is named by two")), "{error}");
    let broken = partner().leeway(Duration::from_secs(61));
    assert!(builder_for([ed25519()]).or(broken).build().expect_err("leeway").to_string().starts_with("leeway"));
}

#[test]
fn the_clock_is_that_of_the_first() {
    let verifier = builder_for([ed25519()]).or(partner().clock(ManualClock::at(NOW + 9000))).build();
    assert!(verifier.expect("good settings").check(&theirs().sign(es256())).is_ok());
}
