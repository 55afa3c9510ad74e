//! Answers that are no key set, and keys in one that are none: K-87 and K-92 to K-97.

use std::thread;

use authcore::Algorithm;
use authcore_testkit::{Answer, SigningKey, b64, jwks, mint};
use serde_json::{Value, json};
use tasks_conformance::Example;

use crate::{Issuer, assert_accepted, assert_refused, assert_unavailable};

fn good() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es384)
}

fn strange() -> String {
    mint().header("alg", "ES384").header("kid", "stranger").with_signature([7; 96])
}

/// With a good set loaded, and with none: this answer to the next fetch is as if there had been none.
fn counts_for_nothing(example: Example, answer: &Answer) {
    let case = format!("{}: {answer:?}", example.name());
    let case: String = case.chars().take(200).collect();
    let issuer = Issuer::publishing(&[good()]);
    let server = issuer.ready(example);
    issuer.fake.answer(answer.clone());
    assert_unavailable(&server, &strange(), &case);
    assert_unavailable(&server, &strange(), &case);
    assert_accepted(&server, &mint().sign(good()), &case);
    assert_eq!(issuer.fake.requests(), 2, "{case}: a failure, after which there is a pause");

    let cold = Issuer::publishing(&[good()]);
    cold.fake.answer(answer.clone());
    let server = cold.server(example, &[]);
    cold.requested(1);
    assert_unavailable(&server, &mint().sign(good()), &format!("{case}, at a cold start"));
}

#[test]
fn k87_a_bad_answer_never_replaces_a_good_set() {
    let whole = jwks([good()]);
    let answers = [
        Answer::json(r#"{"keys":[]}"#),
        Answer::json(r#"{"keys":{}}"#),
        Answer::json("null"),
        Answer::json(""),
        Answer::json(r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#),
        Answer::json(&whole.as_bytes()[..whole.len() - 1]),
        Answer::json(whole.clone() + "x"),
        Answer::json(b"\xff\xfe".to_vec()),
        Answer::body(200, "text/html", "<!doctype html><title>Sign in</title>"),
        Answer::body(204, "application/json", ""),
        Answer::body(404, "application/json", whole.clone()),
        Answer::body(500, "application/json", whole),
        Answer::CutOff,
    ];
    for example in Example::ALL {
        answers.iter().for_each(|answer| counts_for_nothing(example, answer));
    }
}

#[test]
fn k92_what_is_too_long_or_too_slow_is_given_up() {
    let answers =
        [Answer::Oversized(512 * 1024 + 1), Answer::Oversized(8 << 20), Answer::GzipBomb, Answer::Drip, Answer::Hang];
    thread::scope(|scope| {
        for example in Example::ALL {
            for answer in &answers {
                scope.spawn(move || counts_for_nothing(example, answer));
            }
        }
    });
}

#[test]
fn k93_a_redirect_is_not_followed() {
    let elsewhere = Issuer::publishing(&[good()]);
    for example in Example::ALL {
        counts_for_nothing(example, &Answer::Redirect(elsewhere.fake.jwks_url()));
        counts_for_nothing(example, &Answer::Redirect("file:///etc/passwd".to_owned()));
        for status in [301, 303, 307, 308] {
            let headers = vec![("location".to_owned(), elsewhere.fake.jwks_url())];
            let answer = Answer::Body { status, content_type: "text/plain".to_owned(), body: Vec::new(), headers };
            counts_for_nothing(example, &answer);
        }
    }
    assert_eq!(elsewhere.fake.requests(), 0);
}

/// The set serves without this entry: a token of its key is looked for once more, as a stranger's is, and refused.
fn is_passed_over(bad: &Value, token: &str) {
    let document = json!({ "keys": [bad, good().public_jwk()] }).to_string();
    for example in Example::ALL {
        let case = format!("{}: {bad}", example.name());
        let issuer = Issuer::answering(Answer::json(document.as_str()));
        let server = issuer.ready(example);
        assert_refused(&server, token, &case);
        assert_eq!(issuer.fake.requests(), 2, "{case}: its key is not known");
        assert_accepted(&server, &mint().sign(good()), &case);
    }
}

/// A fixed key with some members changed; `null` takes one away.
fn changed(key: &SigningKey, changes: Value) -> Value {
    let mut jwk = key.public_jwk();
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(jwk.as_object_mut().expect("a JWK").remove(name)),
            value => jwk[name] = value.clone(),
        }
    }
    jwk
}

#[test]
fn k94_one_id_for_two_keys_serves_neither() {
    let first = SigningKey::generate(Algorithm::Es256).with_kid("same");
    let second = SigningKey::generate(Algorithm::EdDsa).with_kid("same");
    for keys in [[&first, &second, good()], [&second, &first, good()]] {
        let issuer = Issuer::publishing(&keys);
        for example in Example::ALL {
            let server = issuer.ready(example);
            assert_refused(&server, &mint().sign(&first), example.name());
            assert_refused(&server, &mint().sign(&second), example.name());
            assert_accepted(&server, &mint().sign(good()), example.name());
        }
    }
}

#[test]
fn k95_keys_for_something_else_are_passed_over() {
    let key = SigningKey::fixed(Algorithm::Es256);
    for changes in [
        json!({"use": "enc"}),
        json!({"use": null, "key_ops": ["sign"]}),
        json!({"alg": "ES384"}),
        json!({"alg": "HS256"}),
        json!({"alg": "ECDH-ES"}),
    ] {
        is_passed_over(&changed(key, changes), &mint().sign(key));
    }
}

#[test]
fn k95_a_published_secret_is_nobodys() {
    let secret = SigningKey::fixed(Algorithm::Hs256);
    let document = json!({ "keys": [secret.public_jwk(), good().public_jwk()] }).to_string();
    let issuer = Issuer::answering(Answer::json(document));
    let of_its_own =
        [("BETTER_AUTH_SECRET", "a secret that these tests share with nobody"), ("BETTER_AUTH_HS256", "on")];
    for example in Example::ALL {
        for settings in [&[][..], &of_its_own] {
            let server = issuer.server(example, settings);
            assert_refused(&server, &mint().sign(secret), example.name());
            assert_accepted(&server, &mint().sign(good()), example.name());
        }
    }
}

#[test]
fn k96_weak_and_impossible_keys_are_passed_over() {
    let [rsa, ecdsa, ed25519] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(SigningKey::fixed);
    // Under the point whose y is 1 this is a signature of every message.
    let small = [&[1][..], &[0; 63]].concat();
    let x = ecdsa.public_jwk()["x"].clone();
    for (key, changes) in [
        (rsa, json!({"n": b64([0xff; 128])})),
        (rsa, json!({"e": "AQ"})),
        (rsa, json!({"e": "Ag"})),
        (ecdsa, json!({"y": x})),
        (ecdsa, json!({"x": b64([7; 31])})),
        (ed25519, json!({"x": b64([&[1][..], &[0; 31]].concat())})),
        (ed25519, json!({"x": b64([0; 32])})),
    ] {
        let named = mint().header("alg", key.algorithm().name()).header("kid", key.kid());
        is_passed_over(&changed(key, changes.clone()), &mint().sign(key));
        is_passed_over(&changed(key, changes), &named.with_signature(&small));
    }
}

#[test]
fn k97_unknown_kinds_harm_only_themselves() {
    let named = mint().header("alg", "ES256").header("kid", "odd").with_signature([7; 64]);
    for bad in [
        json!({"kty": "AKP", "kid": "odd", "alg": "ML-DSA-65", "pub": "AAAA"}),
        json!({"kty": "OKP", "kid": "odd", "crv": "Ed448", "x": "AAAA"}),
        json!({"kty": "EC", "kid": "odd", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": ["EC"], "kid": "odd"}),
        json!("odd"),
        json!(null),
    ] {
        is_passed_over(&bad, &named);
    }
}
