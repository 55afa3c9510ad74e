//! Algorithms and keys: A-37 to A-62 of docs/security/cases.md.

use authcore::{Algorithm, JwtVerifier, Key, KeyRefused, KeySet, Secret};
use authcore_testkit::{SigningKey, b64, mirrored_es256, unb64};
use serde_json::{Value, json};

use crate::support::{builder_for, check, ed25519, good, reason, reason_of_header};

fn key(algorithm: Algorithm) -> &'static SigningKey {
    SigningKey::fixed(algorithm)
}

fn verifier_of(algorithm: Algorithm) -> JwtVerifier {
    builder_for([key(algorithm)]).build().expect("good settings")
}

#[track_caller]
fn refused(verifier: &JwtVerifier, token: &str) -> &'static str {
    match verifier.check(token) {
        Ok(_) => panic!("accepted: {token}"),
        Err(error) => error.reason(),
    }
}

#[test]
fn every_algorithm_verifies_its_own_tokens_and_no_others() {
    for algorithm in Algorithm::ALL {
        let token = good().sign(key(algorithm));
        for other in Algorithm::ALL {
            let verdict = verifier_of(other).check(&token);
            assert_eq!(verdict.is_ok(), other == algorithm, "{algorithm} token, {other} key");
        }
    }
}

#[test]
fn an_algorithm_is_written_as_it_is_read() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.to_string(), algorithm.name());
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
}

#[test]
fn a37_none_cannot_be_said() {
    let spellings =
        ["none", "None", "NONE", "nOnE", "none ", "none=", " none", "n\u{043e}ne", "non\u{0435}", "none\0", ""];
    for alg in spellings {
        let header = json!({ "alg": alg, "kid": ed25519().kid() }).to_string();
        assert_eq!(reason_of_header(&header), "algorithm_refused", "{alg:?}");
        let token = good().raw_header(header).unsigned();
        assert_eq!(reason(&token), "algorithm_refused", "{alg:?} unsigned");
    }
}

#[test]
fn a38_alg_is_one_string() {
    assert_eq!(reason_of_header("{}"), "algorithm_refused");
    for alg in [Value::Null, json!(256), json!(["EdDSA"]), json!({ "name": "EdDSA" }), json!(true)] {
        assert_eq!(reason_of_header(json!({ "alg": alg }).to_string()), "header_parameter_refused", "{alg}");
    }
    assert_eq!(reason_of_header(r#"{"alg":"EdDSA","alg":"EdDSA"}"#), "header_duplicate_member");
}

#[test]
fn a39_alg_is_known_spelt_exactly_and_allowed() {
    for alg in ["eddsa", "EDDSA", "rs256", "ES256K", "RSA-OAEP", "HS256 ", "dir", "A256GCM", "ML-DSA-65"] {
        assert_eq!(reason_of_header(json!({ "alg": alg }).to_string()), "algorithm_refused", "{alg}");
    }
    let narrow = builder_for([ed25519()]).algorithms([Algorithm::Es256]).build().expect("good settings");
    assert_eq!(refused(&narrow, &good().sign(ed25519())), "algorithm_refused");
    // RFC 9864 names the same algorithm anew.
    assert!(check(&good().header("alg", "Ed25519").sign(ed25519())).is_ok());
}

#[test]
fn a40_a_public_key_is_no_shared_secret() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let public = key(algorithm);
        let set = KeySet::new([public.key()]);
        let verifier = JwtVerifier::builder(set).build().expect("good settings");
        for (form, bytes) in public.public_forms() {
            for hmac in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                let forger = SigningKey::hmac(hmac, &bytes);
                let named = good().header("kid", public.kid()).sign(&forger);
                assert_eq!(refused(&verifier, &named), "key_mismatch", "{form}");
                assert_eq!(refused(&verifier, &good().sign(&forger)), "unknown_key", "{form}");
            }
        }
    }
}

#[test]
fn a41_the_text_of_a_key_is_refused_as_a_shared_secret() {
    // Their DER has lengths of one, two and three bytes.
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa] {
        // Raw numbers have no shape of their own to be known by.
        for (form, bytes) in key(algorithm).public_forms().into_iter().filter(|(form, _)| !form.contains("raw")) {
            let error = Key::hmac(Algorithm::Hs256, &Secret::new(bytes)).expect_err(form);
            assert!(error.to_string().contains("text of a key"), "{form}: {error}");
        }
    }
    for text in ["prefix -----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN"] {
        let error = Key::hmac(Algorithm::Hs256, &Secret::new(text)).expect_err(text);
        assert!(error.to_string().contains("text of a key"), "{text}: {error}");
    }
    for text in ["{a secret that happens to begin like a JWK", r#"a secret that happens to say "kty" somewhere"#] {
        assert!(Key::hmac(Algorithm::Hs256, &Secret::new(text)).is_ok(), "{text}");
    }
}

#[test]
fn a42_weak_and_public_secrets_are_refused() {
    for (algorithm, least) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        let secret = |length: usize| Secret::new((0..length).map(|n| n as u8 + 40).collect::<Vec<_>>());
        assert!(Key::hmac(algorithm, &secret(least)).is_ok());
        for length in [0, 1, least - 1] {
            let error = Key::hmac(algorithm, &secret(length)).expect_err("too short");
            assert!(error.to_string().contains(&format!("at least {least} bytes")), "{error}");
        }
    }
    for public in [
        "better-auth-secret-12345678901234567890",
        "a-string-secret-at-least-256-bits-long",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let error = Key::hmac(Algorithm::Hs256, &Secret::new(public)).expect_err("publicly known");
        assert!(error.to_string().contains("publicly known") && !error.to_string().contains(public), "{error}");
    }
    assert!(Key::hmac(Algorithm::Es256, &Secret::new("a-secret-of-the-tests-with-32-bytes-or-more")).is_err());
}

#[test]
fn a43_a_key_serves_one_algorithm() {
    let mismatched = [
        (Algorithm::Rs256, "PS256"),
        (Algorithm::Rs256, "RS512"),
        (Algorithm::Rs256, "ES256"),
        (Algorithm::Ps256, "RS256"),
        (Algorithm::Es256, "ES384"),
        (Algorithm::Hs256, "HS512"),
        (Algorithm::EdDsa, "ES256"),
    ];
    for (algorithm, alg) in mismatched {
        let token = good().header("alg", alg).header("kid", "the-key").sign(key(algorithm));
        let named =
            Key::from_jwk(&with_member(key(algorithm), "kid", json!("the-key")).to_string()).expect("a good key");
        let verifier = JwtVerifier::builder(KeySet::new([named])).build().expect("good settings");
        assert_eq!(refused(&verifier, &token), "key_mismatch", "{algorithm} as {alg}");
    }
}

fn with_member(key: &SigningKey, name: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk();
    jwk[name] = value;
    jwk
}

#[test]
fn a44_an_unknown_key_id_is_refused() {
    let kid = ed25519().kid().expect("an id");
    for unknown in ["nope", "", &format!("{kid} "), &format!(" {kid}"), &kid.to_uppercase(), &kid[1..]] {
        assert_eq!(reason(&good().header("kid", unknown).sign(ed25519())), "unknown_key", "{unknown:?}");
    }
}

#[test]
fn a45_a_key_id_is_a_string() {
    for kid in [json!(1), json!(["a"]), json!({ "a": 1 }), Value::Null, json!(true)] {
        assert_eq!(reason(&good().header("kid", kid.clone()).sign(ed25519())), "header_parameter_refused", "{kid}");
    }
}

#[test]
fn a46_a_key_id_is_only_looked_up() {
    let long = "k".repeat(5_000);
    for kid in ["../../etc/passwd", "https://evil/k", "' OR 1=1 --", "$(id)", "a\r\nX: y", "\0", &"k".repeat(256)] {
        assert_eq!(reason(&good().header("kid", kid).sign(ed25519())), "unknown_key", "{kid:?}");
    }
    assert_eq!(reason(&good().header("kid", "k".repeat(257)).sign(ed25519())), "header_parameter_refused");
    assert_eq!(reason(&good().header("kid", long).sign(ed25519())), "too_long");
}

#[test]
fn a47_a48_a49_without_an_id_exactly_one_key_must_fit() {
    let bare = |key: &SigningKey| good().without_header("kid").sign(key);
    assert!(check(&bare(ed25519())).is_ok());

    let mixed = builder_for([ed25519(), key(Algorithm::Es256)]).build().expect("good settings");
    assert!(mixed.check(&bare(ed25519())).is_ok());

    let second = SigningKey::generate(Algorithm::EdDsa);
    let several = builder_for([ed25519(), &second]).build().expect("good settings");
    assert_eq!(refused(&several, &bare(ed25519())), "ambiguous_key");
    assert!(several.check(&good().sign(&second)).is_ok());

    let named = builder_for([ed25519()]).require_key_id().build().expect("good settings");
    assert_eq!(refused(&named, &bare(ed25519())), "key_id_missing");
}

#[test]
fn a44_where_keys_have_to_be_named_one_without_a_name_serves_nobody() {
    let mut jwk = ed25519().public_jwk();
    jwk.as_object_mut().expect("an object").remove("kid");
    let document = serde_json::json!({ "keys": [jwk] }).to_string();
    let verifier = |named: bool| {
        let keys = authcore::KeySet::from_json(&document).expect("a key set");
        let builder = authcore::JwtVerifier::builder(keys).clock(authcore::ManualClock::at(crate::support::NOW));
        if named { builder.require_key_id() } else { builder }.build().expect("good settings")
    };
    for kid in ["", " ", "anything"] {
        let token = good().header("kid", kid).sign(ed25519());
        assert!(verifier(false).check(&token).is_ok(), "{kid:?}");
        for _ in 0..3 {
            assert_eq!(refused(&verifier(true), &token), "unknown_key", "{kid:?}");
        }
    }
}

#[test]
fn a50_a_signature_counts_for_the_key_it_names() {
    let other = SigningKey::generate(Algorithm::EdDsa);
    let both = builder_for([ed25519(), &other]).build().expect("good settings");
    assert_eq!(refused(&both, &good().header("kid", other.kid()).sign(ed25519())), "bad_signature");
}

#[test]
fn a51_a_key_in_the_header_is_not_believed() {
    let attacker = SigningKey::generate(Algorithm::EdDsa);
    let jwk = attacker.public_jwk();
    let own = good().header("jwk", jwk.clone()).sign(&attacker);
    assert_eq!(reason(&own), "unknown_key");
    let borrowed = good().header("jwk", jwk).header("kid", ed25519().kid()).sign(&attacker);
    assert_eq!(reason(&borrowed), "bad_signature");
    let chain = good().header("x5c", json!(["MIIB"])).header("kid", ed25519().kid()).sign(&attacker);
    assert_eq!(reason(&chain), "bad_signature");
}

#[tokio::test]
async fn a52_no_header_makes_us_ask_anyone() {
    let attacker = SigningKey::generate(Algorithm::EdDsa).with_kid("theirs");
    let issuer = authcore_testkit::FakeIssuer::start(&[&attacker]).await;
    let elsewhere = [issuer.jwks_url(), "file:///etc/passwd".into(), "http://169.254.169.254/latest/meta-data".into()];
    for url in elsewhere {
        for parameter in ["jku", "x5u"] {
            // Under the name of a key of ours, and of one that only that URL has.
            for (kid, reason) in [(ed25519().kid(), "bad_signature"), (attacker.kid(), "unknown_key")] {
                let token = good().header(parameter, url.as_str()).header("kid", kid).sign(&attacker);
                let verdict = crate::support::verifier().verify_token(&token).await;
                assert_eq!(verdict.expect_err("another's key").reason(), reason, "{parameter} {url}");
            }
        }
    }
    assert_eq!(issuer.requests(), 0);
}

#[test]
fn a53_a_key_url_beside_a_good_signature_is_ignored() {
    assert!(check(&good().header("jku", "https://evil.example/keys").sign(ed25519())).is_ok());
}

#[test]
fn a54_a55_a56_parameters_that_change_the_rules_are_refused() {
    let refused: [(&str, Value); 13] = [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!("exp")),
        ("crit", json!(["b64"])),
        ("crit", json!(["kid"])),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("cty", json!("application/jwt")),
        ("cty", json!(7)),
    ];
    for (name, value) in refused {
        let token = good().header(name, value.clone()).sign(ed25519());
        assert_eq!(reason(&token), "header_parameter_refused", "{name}: {value}");
    }
    let both = good().header("crit", json!(["b64"])).header("b64", false).sign(ed25519());
    assert_eq!(reason(&both), "header_parameter_refused");
    assert!(check(&good().header("cty", "json").sign(ed25519())).is_ok());
}

#[test]
fn a57_tokens_of_another_kind_say_so() {
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "application/SECEVENT+JWT", "better-auth.session-cache+jwt"] {
        assert_eq!(reason(&good().header("typ", typ).sign(ed25519())), "wrong_type", "{typ}");
    }
    for typ in [json!(1), Value::Null, json!(["JWT"])] {
        assert_eq!(reason(&good().header("typ", typ.clone()).sign(ed25519())), "header_parameter_refused", "{typ}");
    }
    for typ in ["JWT", "jwt", "application/jwt", "at+jwt", "JOSE"] {
        assert!(check(&good().header("typ", typ).sign(ed25519())).is_ok(), "{typ}");
    }
    let access_tokens = builder_for([ed25519()]).typ("at+jwt").build().expect("good settings");
    assert!(access_tokens.check(&good().header("typ", "application/at+jwt").sign(ed25519())).is_ok());
    // What stands before the type is `application/` and nothing else of its length.
    for typ in ["JWT", "application:at+jwt", "prefix-of-12at+jwt", "application/application/at+jwt"] {
        assert_eq!(refused(&access_tokens, &good().header("typ", typ).sign(ed25519())), "wrong_type", "{typ}");
    }
    let untyped = good().without_header("typ").sign(ed25519());
    assert_eq!(refused(&access_tokens, &untyped), "wrong_type");
    assert!(check(&untyped).is_ok());
    for typ in ["JWT", "jwt"] {
        let plain = builder_for([ed25519()]).typ(typ).build().expect("good settings");
        for token in [&good().header("typ", "JWT").sign(ed25519()), &untyped] {
            assert!(plain.check(token).is_ok(), "{token}");
        }
        assert_eq!(refused(&plain, &good().header("typ", "at+jwt").sign(ed25519())), "wrong_type");
    }
}

/// No spoilt signature of this key verifies.
#[track_caller]
fn spoilt_signatures_are_refused(algorithm: Algorithm) {
    let verifier = verifier_of(algorithm);
    assert!(verifier.check(&good().sign(key(algorithm))).is_ok());
    for (what, token) in key(algorithm).spoilt_tokens(&good()) {
        assert_eq!(refused(&verifier, &token), "bad_signature", "{what}");
    }
}

#[test]
fn a58_ecdsa_signatures_have_one_form() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        spoilt_signatures_are_refused(algorithm);
    }
}

#[test]
fn a59_the_mirrored_ecdsa_signature_is_accepted_so_token_text_is_no_id() {
    let input = good().signing_input(key(Algorithm::Es256));
    let signature = key(Algorithm::Es256).sign(input.as_bytes());
    let mirrored = mirrored_es256(&signature);
    assert_ne!(signature, mirrored);
    assert!(verifier_of(Algorithm::Es256).check(&format!("{input}.{}", b64(mirrored))).is_ok());
}

#[test]
fn a60_ed25519_signatures_have_one_spelling() {
    spoilt_signatures_are_refused(Algorithm::EdDsa);
}

/// Both hold for whoever decodes R and compares points: R is the neutral one, and S is `k` times the private scalar, worked
/// out for each spelling of R by the equation of RFC 8032 §5.1.7. A y of p + 1 is one that §5.1.3 does not decode.
#[test]
fn a60_a_point_spelt_a_second_time_is_no_r() {
    let claims = r#"{"sub":"alice","iss":"https://id.example.com","aud":"tasks-api","exp":4102444800}"#;
    let input = format!("{}.{}", b64(r#"{"alg":"EdDSA"}"#), b64(claims));
    let (verifier, one) = (verifier_of(Algorithm::EdDsa), [&[1][..], &[0; 31]].concat());
    let s = "wbMhZw1XWjDdAGha4W3irOVZcc0ykVOkn-0Ym5hGOg4";
    let token = format!("{input}.{}", b64([one, unb64(s)].concat()));
    assert_eq!(verifier.check(&token).expect("R as it is to be spelt").user_id().as_str(), "alice");

    let (s, one_again) = ("Ueg3iAYVIcaZAQl720mspn-L9SHcOre5a22tq73xyg4", [&[0xee][..], &[0xff; 30], &[0x7f]].concat());
    let token = format!("{input}.{}", b64([one_again, unb64(s)].concat()));
    assert_eq!(refused(&verifier, &token), "bad_signature");
}

#[test]
fn a61_rsa_signatures_have_one_form() {
    spoilt_signatures_are_refused(Algorithm::Rs256);
    spoilt_signatures_are_refused(Algorithm::Ps256);
    // The same numbers, declared for PSS: a signature of one kind is none of the other.
    let (pkcs1, pss) = (key(Algorithm::Rs256), key(Algorithm::Ps256));
    let pkcs1_as_pss = good().header("alg", "PS256").header("kid", pss.kid()).sign(pkcs1);
    assert_eq!(refused(&verifier_of(Algorithm::Ps256), &pkcs1_as_pss), "bad_signature");
    let pss_as_pkcs1 = good().header("alg", "RS256").header("kid", pkcs1.kid()).sign(pss);
    assert_eq!(refused(&verifier_of(Algorithm::Rs256), &pss_as_pkcs1), "bad_signature");
}

#[test]
fn a62_an_hmac_is_compared_whole() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        spoilt_signatures_are_refused(algorithm);
    }
}

#[test]
fn keys_come_from_jsonwebtoken_too() {
    let jwk: jsonwebtoken::jwk::Jwk =
        serde_json::from_value(key(Algorithm::Es256).public_jwk()).expect("its model knows P-256");
    let converted = Key::try_from(&jwk).expect("a good key");
    let verifier = JwtVerifier::builder(KeySet::new([converted])).build().expect("good settings");
    let token = authcore_testkit::mint().sign(key(Algorithm::Es256));
    assert!(verifier.check(&token).is_ok());
    let odd: jsonwebtoken::jwk::Jwk =
        serde_json::from_value(json!({ "kty": "OKP", "crv": "Ed25519", "x": b64([0; 32]) })).expect("well-formed");
    assert_eq!(Key::try_from(&odd).expect_err("a point of low order"), KeyRefused::Weak);
}
