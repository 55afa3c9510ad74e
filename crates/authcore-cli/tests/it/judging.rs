//! `jws` and `keys`.

use authcore::Algorithm;
use authcore_testkit::{Answer, FakeIssuer, SigningKey, b64, jwks, mint};
use serde_json::{Value, json};

use crate::support::{Folder, batch, run};

#[test]
fn a_signature_is_judged_by_the_keys_of_its_line() {
    let (es, ed) = (SigningKey::fixed(Algorithm::Es256), SigningKey::fixed(Algorithm::EdDsa));
    let hs = SigningKey::hmac(Algorithm::Hs256, [7; 31].iter().copied().chain([8]).collect::<Vec<u8>>());
    let payload = b"\x00\xff no claims";
    let token = mint().raw_payload(*payload).sign(es);
    let set: Value = serde_json::from_str(&jwks([ed, es])).expect("JSON");
    let weak = json!({ "kty": "oct", "k": b64("short") });
    let lines = [
        json!({ "id": "jwk", "token": token, "jwk": es.public_jwk() }),
        json!({ "id": "jwk as text", "token": token, "jwk": es.public_jwk().to_string() }),
        json!({ "id": "jwks", "token": token, "jwks": set }),
        json!({ "id": "symmetric", "token": mint().raw_payload(*payload).sign(&hs), "jwk": hs.public_jwk() }),
        json!({ "id": "another key", "token": token, "jwk": ed.public_jwk() }),
        json!({ "id": "a weak key", "token": mint().sign(&hs), "jwk": weak }),
        json!({ "id": "a secret in a set", "token": mint().sign(&hs), "jwks": { "keys": [hs.public_jwk()] } }),
        json!({ "id": "spoilt", "token": format!("{token}A"), "jwk": es.public_jwk() }),
        json!({ "id": "no set", "token": token, "jwks": {} }),
        json!({ "id": "both", "token": token, "jwk": {}, "jwks": {} }),
        json!({ "id": "neither", "token": token }),
    ];
    let answers = batch(&["jws", "--batch"], &lines);
    for answer in &answers[..4] {
        assert_eq!(answer["ok"], true, "{answer}");
        assert_eq!(answer["payload_b64"], "AP8gbm8gY2xhaW1z", "{answer}");
    }
    let told: Vec<_> = answers[4..].iter().map(|a| (a["code"].as_str(), a["reason"].as_str())).collect();
    let (invalid, bad) = (Some("token_invalid"), (Some("bad_request"), None));
    let expected = [
        (invalid, Some("unknown_key")),
        (invalid, Some("unknown_key")),
        (invalid, Some("unknown_key")),
        (invalid, Some("bad_signature")),
        bad,
        bad,
        bad,
    ];
    assert_eq!(told, expected);
    assert!(answers[5]["detail"].as_str().is_some_and(|detail| detail.contains("too weak")), "{}", answers[5]);
}

#[test]
fn a_signature_may_be_good_where_claims_are_not() {
    let folder = Folder::new();
    let key = SigningKey::fixed(Algorithm::Es256);
    let jwk = folder.file("key.json", key.public_jwk().to_string());
    let token = mint().expires_at(0).sign(key);
    let ran = run(&["jws", &token, "--jwk", &jwk]);
    assert!(ran.code == Some(0) && ran.out.starts_with("signature verifies; the claims were not looked at"), "{ran:?}");
    assert_eq!(run(&["verify", &token, "--jwk", &jwk]).code, Some(1));
    let ran = run(&["jws", &token, "--jwk", &jwk, "--algorithms", "RS256", "--json"]);
    assert_eq!((ran.code, &ran.lines()[0]["reason"]), (Some(1), &json!("algorithm_refused")));
}

#[test]
fn a_key_set_is_listed_with_what_is_wrong_in_it() {
    let folder = Folder::new();
    let (es, rs) = (SigningKey::fixed(Algorithm::Es256), SigningKey::fixed(Algorithm::Rs256));
    let mut enc = rs.public_jwk();
    (enc["use"], enc["kid"]) = (json!("enc"), json!("\u{1b}[31menc"));
    let document = json!({ "keys": [es.public_jwk(), rs.public_jwk(), enc, 7, { "kty": "AKP", "kid": "pq" }] });
    let file = folder.file("jwks.json", document.to_string());

    let ran = run(&["keys", &file]);
    assert_eq!(ran.code, Some(0));
    for told in
        ["es256-1", "EC P-256", "rs256-1", "2048", "usable", "not_for_verifying", "unsupported_type", "malformed"]
    {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'));

    let json = run(&["keys", &file, "--json"]);
    let answer = &json.lines()[0];
    assert_eq!((&answer["usable"], &answer["keys"][0]["bits"]), (&json!(["es256-1", "rs256-1"]), &json!(256)));
    let lines = [
        json!({ "id": 1, "body": document.to_string() }),
        json!({ "id": 2, "body": "<html>" }),
        json!({ "id": 3, "body": "{\"keys\":7}" }),
        json!({ "id": 4, "body": "{\"keys\":[]}" }),
        json!({ "id": 5, "body": 7 }),
        json!({ "id": 6, "body_b64": b64(NO_UTF8) }),
    ];
    let answers = batch(&["keys", "--batch"], &lines);
    let ignored = json!([
        { "kid": "\u{1b}[31menc", "code": "not_for_verifying" },
        { "kid": null, "code": "malformed" },
        { "kid": "pq", "code": "unsupported_type" }
    ]);
    let expected = json!({ "id": 1, "ok": true, "usable": ["es256-1", "rs256-1"], "ignored": ignored });
    assert_eq!(answers[0], expected);
    let codes: Vec<_> = answers[1..].iter().map(|answer| answer["code"].as_str()).collect();
    assert_eq!(codes, [Some("not_json"), Some("no_keys"), None, Some("bad_request"), Some("not_json")]);
    assert_eq!(answers[3], json!({ "id": 4, "ok": true, "usable": [], "ignored": [] }));
    let ran = run(&["keys", &folder.file("latin.json", NO_UTF8), "--json"]);
    assert_eq!((ran.code, &ran.lines()[0]["code"]), (Some(1), &json!("not_json")), "{ran:?}");
}

const NO_UTF8: &[u8] = b"{\"keys\":[],\"x\":\"\xe9\"}";

#[test]
fn a_published_set_is_fetched_or_the_outage_told() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let issuer = runtime.block_on(FakeIssuer::start(&[key]));
    let (url, token) = (issuer.jwks_url(), mint().sign(key));
    assert_eq!(run(&["keys", &url]).code, Some(0));
    assert_eq!(run(&["verify", &token, "--jwks", &url]).code, Some(0));
    assert_eq!(run(&["jws", &token, "--jwks", &url]).code, Some(0));

    issuer.answer(Answer::Down);
    let answers = batch(&["jws", "--batch", "--jwks", &url], &[json!({ "token": token }), json!({ "token": token })]);
    assert!(answers.iter().all(|answer| answer["code"] == "auth_unavailable"), "{answers:?}");
    for arguments in [
        &["keys", &url, "--json"][..],
        &["verify", &token, "--jwks", &url, "--json"],
        &["jws", &token, "--jwks", &url, "--json"],
    ] {
        let ran = run(arguments);
        let answer = &ran.lines()[0];
        assert_eq!((ran.code, &answer["code"]), (Some(1), &json!("auth_unavailable")), "{ran:?}");
        assert!(answer["detail"].as_str().is_some_and(|why| why.contains("error sending request")), "{ran:?}");
    }
    for document in [b"<html>", NO_UTF8] {
        issuer.answer(Answer::json(document));
        let ran = run(&["keys", &url, "--json"]);
        assert_eq!((ran.code, &ran.lines()[0]["code"]), (Some(1), &json!("not_json")), "{ran:?}");
    }
}
