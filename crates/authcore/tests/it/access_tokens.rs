//! Access tokens by their profile (RFC 9068).

use authcore::{JwtVerifier, KeySet};
use authcore_testkit::{AUDIENCE, Mint};

use crate::support::{builder_for, ed25519, good};

fn access_token() -> Mint {
    good().header("typ", "at+jwt").claim("client_id", "app").claim("jti", "1")
}

#[track_caller]
fn reason(mint: Mint) -> &'static str {
    let verifier = builder_for([ed25519()]).access_tokens().build().expect("good settings");
    verifier.check(&mint.sign(ed25519())).expect_err("this is refused").reason()
}

#[test]
fn an_access_token_says_that_it_is_one_and_has_all_its_claims() {
    let verifier = builder_for([ed25519()]).access_tokens().build().expect("good settings");
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verifier.check(&access_token().header("typ", typ).sign(ed25519())).is_ok(), "{typ}");
    }
    for typ in ["JWT", "jwt", "id+jwt", ""] {
        assert_eq!(reason(access_token().header("typ", typ)), "wrong_type", "{typ}");
    }
    for claim in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"] {
        assert_eq!(reason(access_token().without(claim)), "claim_missing", "{claim}");
    }
    for malformed in [serde_json::Value::Null, "".into(), 7.into()] {
        assert_eq!(reason(access_token().claim("client_id", malformed)), "claim_malformed");
    }
    assert_eq!(reason(access_token().claim("aud", "another")), "wrong_audience");
}

#[test]
fn the_profile_needs_an_issuer_and_an_audience() {
    let builder = || JwtVerifier::builder(KeySet::default()).access_tokens();
    for builder in [builder(), builder().issuer("https://h"), builder().audience(AUDIENCE)] {
        let error = builder.build().expect_err("something is left open").to_string();
        assert!(error.starts_with("access_tokens: state the issuer and the audience"), "{error}");
    }
}

#[test]
fn a_typ_of_ones_own_contradicts_the_profile() {
    let error = builder_for([ed25519()]).typ("JWT").access_tokens().build().expect_err("two of them").to_string();
    assert!(error.starts_with("access_tokens: they have a typ of their own"), "{error}");
}
