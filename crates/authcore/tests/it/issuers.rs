//! Several issuers in one verifier: which of them judges a token, and that none relaxes what another asks.

use authcore::{Algorithm, Identity, JwtVerifier, JwtVerifierBuilder, KeySet, ManualClock};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey};

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
    for _ in 0..3 {
        let ours = verifier.check(&good().sign(ed25519())).expect("ours");
        let theirs = verifier.check(&theirs().sign(es256())).expect("theirs");
        assert_eq!((ours.issuer(), ours.user_id().as_str()), (Some(ISSUER), "alice"));
        assert_eq!((theirs.issuer(), theirs.user_id().as_str()), (Some(PARTNER), "pat"));
    }
    assert!(verifier.cache_status().expect("it is on").hits >= 1);
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
    let broken = partner().leeway(std::time::Duration::from_secs(61));
    assert!(builder_for([ed25519()]).or(broken).build().expect_err("leeway").to_string().starts_with("leeway"));
}

#[test]
fn the_clock_is_that_of_the_first() {
    let verifier = builder_for([ed25519()]).or(partner().clock(ManualClock::at(NOW + 9000))).build();
    assert!(verifier.expect("good settings").check(&theirs().sign(es256())).is_ok());
}
