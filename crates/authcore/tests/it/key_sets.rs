//! Key set documents: K-94 to K-97 of docs/security/cases.md.

use authcore::{Algorithm, JwtVerifier, Key, KeyRefused, KeySet, KeySetRefused, Secret};
use authcore_testkit::{SigningKey, b64, mint, unb64};
use serde_json::{Value, json};

fn good() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es384)
}

/// Why `bad` is not used. The good key that stands beside it is.
#[track_caller]
fn why_ignored(bad: &Value) -> &'static str {
    let document = json!({ "keys": [bad, good().public_jwk(), bad] }).to_string();
    let set = KeySet::from_json(&document).expect("a document with one good key");
    let usable: Vec<_> = set.keys().map(|key| key.id().map(|id| &**id)).collect();
    assert_eq!(usable, [good().kid()], "{bad}");
    let [first, second] = set.ignored() else { panic!("both entries are told about: {bad}") };
    assert_eq!(first, second);
    assert_eq!(first.id.as_deref(), bad.get("kid").and_then(Value::as_str), "{bad}");
    first.why.code()
}

/// The fixed key of an algorithm, with some members changed; `null` takes one away.
fn jwk(algorithm: Algorithm, changes: Value) -> Value {
    let mut jwk = SigningKey::fixed(algorithm).public_jwk();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match value {
            Value::Null => drop(jwk.as_object_mut().expect("a JWK").remove(&name)),
            value => jwk[name] = value,
        }
    }
    jwk
}

/// A coordinate or number of a JWK, as bytes.
fn bytes(jwk: &Value, name: &str) -> Vec<u8> {
    unb64(jwk[name].as_str().expect("a text member"))
}

fn reason(set: KeySet, token: &str) -> &'static str {
    match JwtVerifier::builder(set).build().expect("good settings").check(token) {
        Ok(_) => "accepted",
        Err(error) => error.reason(),
    }
}

#[test]
fn k94_two_keys_under_one_id_are_both_unusable() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384] {
        let first = SigningKey::generate(Algorithm::Es256).with_kid("same");
        let second = SigningKey::generate(algorithm).with_kid("same");
        for keys in [[&first, &second], [&second, &first]] {
            let set = || KeySet::from_json(&authcore_testkit::jwks(keys)).expect("a document");
            let ignored: Vec<_> = set().ignored().iter().map(|key| (key.id.clone(), key.why)).collect();
            assert_eq!(ignored, [(Some("same".into()), KeyRefused::DuplicateId)]);
            assert_eq!(KeyRefused::DuplicateId.code(), "duplicate_kid");
            assert!(set().is_empty());
            for key in keys {
                assert_eq!(reason(set(), &mint().sign(key)), "ambiguous_key");
                // Nor does either serve a token that names no key.
                assert_eq!(reason(set(), &mint().without_header("kid").sign(key)), "unknown_key");
            }
        }
    }
}

#[test]
fn k94_a_third_key_does_not_settle_the_contest() {
    let first = SigningKey::generate(Algorithm::Es256).with_kid("same");
    let second = SigningKey::generate(Algorithm::Es256).with_kid("same");
    let document = authcore_testkit::jwks([&first, &second, &first, good()]);
    let set = KeySet::from_json(&document).expect("a document");
    assert_eq!(set.keys().map(|key| key.id().map(|id| &**id)).collect::<Vec<_>>(), [good().kid()]);
    assert_eq!(reason(set, &mint().sign(&first)), "ambiguous_key");
}

#[test]
fn k94_one_key_listed_twice_is_one_key() {
    let nameless = SigningKey::generate(Algorithm::EdDsa).with_kid(None);
    for key in [good(), &nameless] {
        let set = KeySet::from_json(&authcore_testkit::jwks([key, key])).expect("a document");
        assert_eq!((set.keys().count(), set.ignored().len()), (1, 0));
        assert_eq!(reason(set, &mint().sign(key)), "accepted");
    }
}

#[test]
fn k94_one_secret_for_two_algorithms_is_two_keys() {
    let secret = "kept for this test alone: sixty-four bytes of it, and a few to spare";
    let keys = [Algorithm::Hs256, Algorithm::Hs512].map(|algorithm| SigningKey::hmac(algorithm, secret));
    let set = || {
        let keys = keys.iter().map(|key| Key::hmac(key.algorithm(), &Secret::new(secret)).expect("a good secret"));
        KeySet::new(keys)
    };
    for key in &keys {
        assert_eq!(reason(set(), &mint().sign(key)), "accepted", "{}", key.algorithm());
    }
}

#[test]
fn k95_keys_for_something_else_are_ignored() {
    let es256 = |changes| why_ignored(&jwk(Algorithm::Es256, changes));
    assert_eq!(es256(json!({ "use": "enc" })), "not_for_verifying");
    assert_eq!(es256(json!({ "use": "SIG" })), "not_for_verifying");
    assert_eq!(es256(json!({ "use": "" })), "not_for_verifying");
    assert_eq!(es256(json!({ "key_ops": ["sign"] })), "not_for_verifying");
    assert_eq!(es256(json!({ "key_ops": ["encrypt", "wrapKey"] })), "not_for_verifying");
    assert_eq!(es256(json!({ "key_ops": [] })), "not_for_verifying");
    assert_eq!(es256(json!({ "use": "enc", "key_ops": ["verify"] })), "not_for_verifying");
    assert_eq!(es256(json!({ "use": 7 })), "malformed");
    assert_eq!(es256(json!({ "key_ops": ["verify", 7] })), "malformed");
    assert_eq!(es256(json!({ "key_ops": { "verify": true } })), "malformed");
}

#[test]
fn k95_keys_that_may_verify_are_taken() {
    for changes in [
        json!({ "use": null }),
        json!({ "key_ops": ["verify"] }),
        json!({ "use": null, "key_ops": ["sign", "verify"] }),
    ] {
        let document = json!({ "keys": [jwk(Algorithm::Es256, changes)] }).to_string();
        let set = KeySet::from_json(&document).expect("a document");
        assert_eq!(reason(set, &mint().sign(SigningKey::fixed(Algorithm::Es256))), "accepted");
    }
}

#[test]
fn k95_an_algorithm_that_does_not_fit_the_key_is_not_bent_to_fit() {
    let mismatches = [
        (Algorithm::Rs256, "ES256"),
        (Algorithm::Rs256, "EdDSA"),
        (Algorithm::Rs256, "HS256"),
        (Algorithm::Es256, "ES384"),
        (Algorithm::Es256, "RS256"),
        (Algorithm::Es256, "HS256"),
        (Algorithm::Es512, "ES256"),
        (Algorithm::EdDsa, "ES256"),
        (Algorithm::EdDsa, "HS512"),
    ];
    for (key, alg) in mismatches {
        assert_eq!(why_ignored(&jwk(key, json!({ "alg": alg }))), "algorithm_mismatch", "{key} as {alg}");
    }
    let unknown = ["none", "es256", "ES256K", "RSA-OAEP", "ECDH-ES", "A256GCM", "", "Ed448"];
    for (key, alg) in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].into_iter().zip([unknown; 3]) {
        for alg in alg {
            assert_eq!(why_ignored(&jwk(key, json!({ "alg": alg }))), "unsupported_algorithm", "{key} as {alg}");
        }
    }
    assert_eq!(why_ignored(&jwk(Algorithm::Es256, json!({ "alg": 256 }))), "malformed");
}

#[test]
fn k95_a_shared_secret_in_a_published_set_is_ignored() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let bad = SigningKey::fixed(algorithm).public_jwk();
        assert_eq!(why_ignored(&bad), "symmetric");
        let document = json!({ "keys": [bad] }).to_string();
        let set = KeySet::from_json(&document).expect("a document");
        assert!(set.is_empty());
        assert_eq!(reason(set, &mint().sign(SigningKey::fixed(algorithm))), "unknown_key");
    }
}

#[test]
fn k96_rsa_keys_that_are_weak_or_absurd_are_ignored() {
    let rsa = |changes| why_ignored(&jwk(Algorithm::Rs256, changes));
    let n = bytes(&jwk(Algorithm::Rs256, json!({})), "n");
    let short = |length: usize| [&n[..length - 1], &[0xff]].concat();
    assert_eq!(rsa(json!({ "n": b64(short(64)) })), "weak");
    assert_eq!(rsa(json!({ "n": b64(short(128)) })), "weak");
    assert_eq!(rsa(json!({ "n": b64(short(255)) })), "weak");
    // 2047 bits, and 1024 bits behind zeros.
    assert_eq!(rsa(json!({ "n": b64([&[0x7f], &n[1..]].concat()) })), "weak");
    assert_eq!(rsa(json!({ "n": b64([vec![0; 128], short(128)].concat()) })), "weak");
    assert_eq!(rsa(json!({ "n": b64([n.as_slice(); 5].concat()) })), "weak");
    assert_eq!(
        rsa(json!({ "n": b64([&n[..255], &[n[255] - 1]].concat()) })),
        "invalid_numbers",
        "no product of odd primes"
    );
    for e in [&[1_u8][..], &[0], &[], &[2], &[1, 0, 0], &[0, 1], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(json!({ "e": b64(e) })), "weak", "{e:?}");
    }
    for (n, e) in [(json!(null), json!("AQAB")), (json!(7), json!("AQAB")), (json!("+/=="), json!("AQAB"))] {
        assert_eq!(rsa(json!({ "n": n, "e": e })), "malformed");
    }
    assert_eq!(rsa(json!({ "e": null })), "malformed");
}

#[test]
fn k96_points_off_the_curve_and_odd_coordinates_are_ignored() {
    for (algorithm, length) in [(Algorithm::Es256, 32), (Algorithm::Es384, 48), (Algorithm::Es512, 66)] {
        let whole = jwk(algorithm, json!({ "kid": "bad" }));
        let (x, y) = (bytes(&whole, "x"), bytes(&whole, "y"));
        let with = |x: &[u8], y: &[u8]| why_ignored(&jwk(algorithm, json!({ "kid": "bad", "x": b64(x), "y": b64(y) })));
        let mut off = y.clone();
        off[length - 1] ^= 1;

        assert_eq!(with(&x, &off), "invalid_numbers");
        assert_eq!(with(&y, &x), "invalid_numbers");
        assert_eq!(with(&vec![0; length], &vec![0; length]), "invalid_numbers");
        assert_eq!(with(&vec![0xff; length], &y), "invalid_numbers");
        assert_eq!(with(&x[1..], &y), "malformed");
        assert_eq!(with(&x, &y[..length - 1]), "malformed");
        assert_eq!(with(&[&[0], &*x].concat(), &y), "malformed");
        assert_eq!(with(&[], &[]), "malformed");
        assert_eq!(why_ignored(&jwk(algorithm, json!({ "y": null }))), "malformed");
        assert_eq!(why_ignored(&jwk(algorithm, json!({ "crv": null }))), "malformed");
    }
    // A good point, of another curve.
    let p256 = jwk(Algorithm::Es256, json!({ "crv": "P-384", "alg": null }));
    assert_eq!(why_ignored(&p256), "malformed");
}

#[test]
fn k96_points_of_low_order_are_ignored() {
    // The eight points whose order divides eight, in every spelling (the sign bit is tried both ways below).
    let low_order = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let ed25519 = |x: &[u8]| why_ignored(&jwk(Algorithm::EdDsa, json!({ "x": b64(x) })));
    for point in low_order {
        let mut x = unhex(point);
        assert_eq!(ed25519(&x), "weak", "{point}");
        x[31] |= 0x80;
        assert_eq!(ed25519(&x), "weak", "{point}, sign bit set");
    }
    let x = bytes(&jwk(Algorithm::EdDsa, json!({})), "x");
    assert_eq!(ed25519(&x[..31]), "malformed");
    assert_eq!(ed25519(&[&*x, &[0]].concat()), "malformed");
    assert_eq!(ed25519(&[]), "malformed");
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).expect("a hex digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn k97_unknown_types_harm_only_themselves() {
    let unsupported = [
        json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": 7 }),
        json!({ "kty": "XYZ" }),
        json!({ "kty": "ec", "crv": "P-256" }),
        jwk(Algorithm::Es256, json!({ "crv": "secp256k1", "alg": null })),
        jwk(Algorithm::Es256, json!({ "crv": "P-224", "alg": null })),
        jwk(Algorithm::Es256, json!({ "crv": "p-256", "alg": null })),
        jwk(Algorithm::EdDsa, json!({ "crv": "Ed448", "alg": null })),
        jwk(Algorithm::EdDsa, json!({ "crv": "X25519", "alg": null })),
        jwk(Algorithm::EdDsa, json!({ "crv": "ML-DSA", "alg": null })),
    ];
    for bad in unsupported {
        assert_eq!(why_ignored(&bad), "unsupported_type", "{bad}");
    }
    let malformed = [
        json!(null),
        json!(7),
        json!("key"),
        json!([]),
        json!({}),
        json!({ "kty": null }),
        json!({ "kty": ["EC"] }),
        jwk(Algorithm::Es256, json!({ "kid": 7 })),
        jwk(Algorithm::Es256, json!({ "kid": ["a"] })),
        jwk(Algorithm::Es256, json!({ "crv": 256 })),
    ];
    for bad in malformed {
        assert_eq!(why_ignored(&bad), "malformed", "{bad}");
    }
}

#[test]
fn k97_an_id_that_no_token_may_name_is_ignored() {
    let id = |length| jwk(Algorithm::Es256, json!({ "kid": "k".repeat(length) }));
    assert_eq!(why_ignored(&id(257)), "malformed");
    let document = json!({ "keys": [id(256)] }).to_string();
    assert_eq!(KeySet::from_json(&document).expect("a document").keys().count(), 1);
}

#[test]
fn what_is_no_key_set_is_refused_as_a_whole() {
    let not_json = ["", "null", "[]", "7", "<html>", r#"{"keys":[]"#, r#"{"keys":[]}x"#];
    for document in not_json {
        assert_eq!(KeySet::from_json(document).err(), Some(KeySetRefused::NotJson), "{document}");
    }
    for document in
        ["{}", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"keys":"x"}"#, r#"{"Keys":[]}"#, r#"{"keys":[],"keys":[]}"#]
    {
        assert_eq!(KeySet::from_json(document).err(), Some(KeySetRefused::NoKeys), "{document}");
    }
    assert_eq!([KeySetRefused::NotJson, KeySetRefused::NoKeys].map(KeySetRefused::code), ["not_json", "no_keys"]);
    assert!(KeySet::from_json(r#"{"keys":[]}"#).expect("a document").is_empty());
}

#[test]
fn k97_an_entry_that_names_a_member_twice_spoils_no_other() {
    let document = format!(r#"{{"keys":[{},{{"kid":"a","k\u0069d":"b"}}]}}"#, good().public_jwk());
    let set = KeySet::from_json(&document).expect("a document");
    assert_eq!(set.keys().count(), 1);
    assert_eq!(set.ignored().iter().map(|key| key.why.code()).collect::<Vec<_>>(), ["malformed"]);
}
