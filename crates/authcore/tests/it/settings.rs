//! What a verifier can be told, up to which bounds, and what it tells of itself.

use authcore::{Algorithm, Authenticator as _, Checked, Identity, JwtVerifier, JwtVerifierBuilder, Revocation};
use authcore_testkit::{SigningKey, TestHead};

use crate::support::{NOW, builder_for, ed25519, good};

fn builder() -> JwtVerifierBuilder {
    builder_for([ed25519()])
}

#[track_caller]
fn mistake(builder: JwtVerifierBuilder) -> String {
    builder.build().expect_err("this is a mistake").to_string()
}

#[test]
fn a_token_is_looked_at_up_to_its_longest() {
    for padding in 0..3 {
        let token = good().claim("x", "x".repeat(padding)).sign(ed25519());
        let bounded_by = |bytes| builder().max_token_bytes(bytes).build().expect("good settings");
        for bytes in [token.len(), token.len() + 1] {
            assert!(bounded_by(bytes).check(&token).is_ok());
        }
        let error = bounded_by(token.len() - 1).check(&token).expect_err("one byte too long");
        assert_eq!(error.reason(), "too_long");
    }
}

#[test]
fn an_empty_issuer_or_audience_is_a_mistake_whichever_it_is() {
    for builder in [builder().issuer(""), builder().audience(""), builder().issuer("").audience("")] {
        assert!(mistake(builder).starts_with("issuer, audience: an empty one matches nothing"));
    }
}

#[test]
fn a_type_that_matches_nothing_is_a_mistake() {
    for typ in ["", "application/at+jwt"] {
        assert!(mistake(builder().typ(typ)).starts_with("typ: the name alone"), "{typ}");
    }
}

#[test]
fn an_empty_claim_name_is_a_mistake_whichever_it_is() {
    for builder in
        [builder().user_claim(""), builder().role_claim(""), builder().session_claim(""), builder().require("")]
    {
        assert!(mistake(builder).starts_with("claim names: none may be empty"));
    }
}

#[test]
fn up_to_fifteen_claims_may_be_required() {
    let names = |count: usize| (0..count).map(|number| format!("c{number}"));
    let requiring = |builder: JwtVerifierBuilder, count| names(count).fold(builder, JwtVerifierBuilder::require);
    let with = |count| names(count).fold(good(), |mint, name| mint.claim(name, 1));

    let verifier = requiring(builder(), 15).build().expect("not too many");
    assert!(verifier.check(&with(15).sign(ed25519())).is_ok());
    let error = verifier.check(&with(14).sign(ed25519())).expect_err("the last is not there");
    assert_eq!((error.reason(), error.to_string().contains("c14")), ("claim_missing", true), "{error}");
    for count in [16, 17, 100] {
        assert!(mistake(requiring(builder(), count)).ends_with("at most 15 may be required"), "{count}");
    }

    // The profile requires four of its own.
    assert!(requiring(builder().access_tokens(), 11).build().is_ok());
    assert!(mistake(requiring(builder().access_tokens(), 12)).ends_with("at most 15 may be required"));
}

#[test]
fn debug_shows_what_a_verifier_expects_and_no_key() {
    let key = SigningKey::hmac(Algorithm::Hs256, "a secret of thirty-two bytes, or more");
    let verifier = builder_for([&key]).build().expect("good settings");
    let shown = format!("{verifier:?}");
    for told in ["JwtVerifier { expectations: [Expectations { issuers: [\"https://id.example.com\"]", "entries: 0"] {
        assert!(shown.contains(told), "{shown}");
    }
    assert!(!shown.contains("secret") && !shown.contains("97, 32, 115"), "{shown}");
}

/// Has to be waited for.
struct Elsewhere;

impl Revocation for Elsewhere {
    fn check(&self, _: &Identity) -> Checked {
        Checked::Later(Box::pin(async { Ok(false) }))
    }
}

#[test]
fn debug_shows_of_a_token_that_waits_no_more_than_whose_it_is() {
    let verifier: JwtVerifier = builder().revocation(Elsewhere).build().expect("good settings");
    let token = good().claim("email", "alice@example.com").issued_at(NOW).sign(ed25519());
    let head = TestHead::get("/").bearer(&token);
    let credential = verifier.credential(&head).expect("it is readable").expect("it is there");
    assert_eq!(format!("{credential:?}"), "BearerToken(Token(Secret(redacted)))");

    let waiting = format!("{:?}", verifier.glance(&head));
    assert!(waiting.starts_with("Pending(BearerToken(Verified(Identity { issuer: "), "{waiting}");
    assert!(waiting.contains("alice") && !waiting.contains('@'), "{waiting}");
    assert!(token.split('.').all(|segment| !waiting.contains(segment)), "{waiting}");
}
