//! `verify`, `decode`, `mint`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use authcore::Algorithm;
use authcore_testkit::{AUDIENCE, ISSUER, SigningKey, b64, jwks, mint};
use serde_json::{Value, json};

use crate::support::{Folder, Ran, SECRET, batch, command, run, run_with};

const NOW: i64 = 1_750_000_000;

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

fn good() -> authcore_testkit::Mint {
    mint().issued_at(NOW).expires_at(NOW + 900)
}

fn key_set(folder: &Folder) -> String {
    folder.file("jwks.json", jwks([key(), SigningKey::fixed(Algorithm::Rs256)]))
}

#[test]
fn a_good_token_is_accepted_and_told_about() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let token = good().claim("role", "admin").sign(key());
    let options = ["--jwks", &set, "--issuer", ISSUER, "--audience", AUDIENCE, "--now", "1750000000.5"];

    let human = run(&[&["verify", token.as_str()][..], &options].concat());
    assert_eq!((human.code, human.err.as_str()), (Some(0), ""));
    for told in ["accepted\n", "alice", ISSUER, "ES256", "es256-1", "in 14 min", "admin"] {
        assert!(human.out.contains(told), "{told}: {}", human.out);
    }
    assert!(!human.out.contains('\u{1b}'), "no colours where nobody looks");

    let json = run_with(&[&["verify", "--json", "-"][..], &options].concat(), &[], format!("{token}\n").as_bytes());
    assert_eq!(json.code, Some(0));
    let answer = &json.lines()[0];
    assert_eq!(answer["claims"]["role"], "admin");
    let members: Vec<_> = answer.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members.len(), 7);
    let expected = json!({ "ok": true, "user_id": "alice", "issuer": ISSUER, "algorithm": "ES256", "kid": "es256-1" });
    expected.as_object().expect("an object").iter().for_each(|(name, value)| assert_eq!(&answer[name], value));
    assert_eq!(answer["expires_at"], NOW + 900);
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let token = good().sign(key());
    let issuer = format!("{ISSUER}/");
    let options = ["verify", token.as_str(), "--jwks", &set, "--now", "1750000000"];
    let ran = run(&[&options[..], &["--issuer", &issuer]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    for told in ["refused: token_invalid (wrong_issuer)", "byte for byte", "401", ISSUER] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    let none = run(&["verify", "--jwks", &set]);
    assert!(none.code == Some(1) && none.out.contains("there is no token"), "{none:?}");
    let ran = run(&[&options[..], &["--json", "--audience", "other"]].concat());
    assert_eq!(ran.code, Some(1));
    let expected = json!({
        "ok": false, "code": "token_invalid", "reason": "wrong_audience", "detail": "token is meant for another audience"
    });
    assert_eq!(ran.lines(), [expected]);
}

/// Of each layer some, with both words.
#[test]
fn hostile_tokens_are_refused_for_their_own_reason() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let key = key();
    let token = good().sign(key);
    let (front, signature) = token.rsplit_once('.').expect("three segments");
    let es = |changed: authcore_testkit::Mint| changed.sign(key);
    let pem = SigningKey::fixed(Algorithm::Rs256).public_pem();
    let forger = SigningKey::hmac(Algorithm::Hs256, pem).with_kid("rs256-1");
    let deep = format!(r#"{{"sub":"a","x":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let cases: Vec<(&str, String, &str, &str)> = vec![
        ("no dots", "abc".into(), "token_invalid", "not_compact"),
        ("five segments", format!("{token}.a.b"), "token_invalid", "not_compact"),
        ("a leading dot", format!(".{front}"), "token_invalid", "not_compact"),
        ("a hundred thousand dots", ".".repeat(100_000), "token_invalid", "too_long"),
        ("a long one", format!("{token}{}", "A".repeat(20_000)), "token_invalid", "too_long"),
        ("padding", format!("{token}="), "token_invalid", "signature_not_base64"),
        ("white space", format!(" {token}"), "token_invalid", "header_not_base64"),
        ("another alphabet", format!("{front}.+{}", &signature[1..]), "token_invalid", "signature_not_base64"),
        ("a dot of full width", token.replace('.', "\u{ff0e}"), "token_invalid", "not_compact"),
        ("an array for claims", es(good().raw_payload("[]")), "token_invalid", "payload_not_json"),
        (
            "claims twice",
            es(good().raw_payload(r#"{"sub":"a","s\u0075b":"b"}"#)),
            "token_invalid",
            "payload_duplicate_member",
        ),
        (
            "a header twice",
            es(good().raw_header(r#"{"alg":"ES256","alg":"ES256"}"#)),
            "token_invalid",
            "header_duplicate_member",
        ),
        ("no UTF-8", es(good().raw_payload(*b"{\"sub\":\"\xff\"}")), "token_invalid", "payload_not_json"),
        ("too deep", es(good().raw_payload(&deep[..8_000])), "token_invalid", "payload_not_json"),
        ("alg none", good().unsigned(), "token_invalid", "algorithm_refused"),
        ("alg in lower case", es(good().header("alg", "es256")), "token_invalid", "algorithm_refused"),
        ("alg that is a number", es(good().header("alg", 7)), "token_invalid", "header_parameter_refused"),
        ("the public key as a secret", good().sign(&forger), "token_invalid", "key_mismatch"),
        (
            "PS256 by a key for RS256",
            es(good().header("alg", "PS256").header("kid", "rs256-1")),
            "token_invalid",
            "key_mismatch",
        ),
        ("an unknown kid", es(good().header("kid", "../../etc/passwd")), "token_invalid", "unknown_key"),
        ("crit", es(good().header("crit", json!(["exp"]))), "token_invalid", "header_parameter_refused"),
        ("b64", es(good().header("b64", false)), "token_invalid", "header_parameter_refused"),
        ("another kind", es(good().header("typ", "logout+jwt")), "token_invalid", "wrong_type"),
        (
            "zeros for a signature",
            good().header("alg", "ES256").header("kid", "es256-1").with_signature([0; 64]),
            "token_invalid",
            "bad_signature",
        ),
        (
            "a signature in DER",
            good().header("alg", "ES256").header("kid", "es256-1").with_signature([0x30; 70]),
            "token_invalid",
            "bad_signature",
        ),
        ("exp that is text", es(good().claim("exp", "1750000900")), "token_invalid", "claim_malformed"),
        ("exp in milliseconds", es(good().expires_at(1_750_000_900_000)), "token_invalid", "claim_malformed"),
        ("no exp", es(good().without("exp")), "token_invalid", "claim_missing"),
        ("expired with the leeway", es(good().expires_at(NOW - 30)), "token_expired", "expired"),
        ("not yet", es(good().not_before(NOW + 31)), "token_not_yet_valid", "not_yet_valid"),
        ("from the future", es(good().issued_at(NOW + 31)), "token_not_yet_valid", "issued_in_future"),
        ("no aud", es(good().without("aud")), "token_invalid", "claim_missing"),
        ("aud by commas", es(good().claim("aud", format!("{AUDIENCE},x"))), "token_invalid", "wrong_audience"),
        ("aud with a number", es(good().claim("aud", json!([AUDIENCE, 7]))), "token_invalid", "claim_malformed"),
        ("iss in an array", es(good().claim("iss", json!([ISSUER]))), "token_invalid", "claim_malformed"),
        ("iss in upper case", es(good().issuer(ISSUER.to_uppercase())), "token_invalid", "wrong_issuer"),
        ("no sub", es(good().without("sub")), "token_invalid", "claim_missing"),
        ("sub with a line end", es(good().subject("a\nb")), "token_invalid", "claim_malformed"),
    ];
    let lines: Vec<Value> =
        cases.iter().map(|(id, token, ..)| json!({ "id": id, "token": token, "now": NOW })).collect();
    let options = ["verify", "--batch", "--jwks", &set, "--issuer", ISSUER, "--audience", AUDIENCE];
    for (answer, (id, token, code, reason)) in batch(&options, &lines).iter().zip(&cases) {
        let told = [&answer["id"], &answer["ok"], &answer["code"], &answer["reason"]];
        assert_eq!(told, [&json!(id), &json!(false), &json!(code), &json!(reason)], "{id}");
        let detail = answer["detail"].as_str().expect("a text");
        assert!(!detail.is_empty() && (token.len() < 20 || !detail.contains(&token[..20])), "{detail}");
    }
}

#[test]
fn times_are_judged_by_each_lines_now() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let token = good().sign(key());
    let at = |now: Value| json!({ "id": now.clone(), "token": token.clone(), "now": now });
    let lines = [at(json!(NOW + 929)), at(json!(NOW as f64 + 929.999)), at(json!(NOW + 930)), at(json!(NOW - 31))];
    let answers = batch(&["verify", "--batch", "--jwks", &set], &lines);
    let reasons: Vec<_> = answers.iter().map(|answer| answer["reason"].clone()).collect();
    assert_eq!(reasons, [Value::Null, Value::Null, json!("expired"), json!("issued_in_future")]);
    // Without a leeway the second counts at which it expires.
    let answers = batch(&["verify", "--batch", "--leeway", "0s", "--jwks", &set], &[at(json!(NOW + 900))]);
    assert_eq!(answers[0]["code"], "token_expired");
}

#[test]
fn bytes_that_are_no_text_come_in_base64() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let token = good().sign(key());
    let lines = [
        json!({ "id": 1, "token_b64": b64(&token), "now": NOW }),
        json!({ "id": 2, "token_b64": b64(b"\xff.\xff.\xff") }),
        json!({ "id": 3, "token_b64": "%" }),
        json!({ "id": 4, "token": token, "token_b64": "" }),
    ];
    let answers = batch(&["verify", "--batch", "--jwks", &set], &lines);
    let told: Vec<_> = answers.iter().map(|a| (a["ok"] == true, a["code"].as_str(), a["reason"].as_str())).collect();
    let bad = (false, Some("bad_request"), None);
    assert_eq!(told, [(true, None, None), (false, Some("token_invalid"), Some("not_compact")), bad, bad]);
}

#[test]
fn every_kind_of_key_verifies() {
    let folder = Folder::new();
    let secret_key = SigningKey::hmac(Algorithm::Hs512, SECRET.repeat(2));
    let secret = folder.file("secret", format!("{}\n", SECRET.repeat(2)));
    let oct = folder.file("oct.json", secret_key.public_jwk().to_string());
    let accepted = |token: String, options: &[&str]| {
        let ran = run(&[&["verify", token.as_str(), "--now", "1750000000", "--json"][..], options].concat());
        (ran.code, ran.lines()[0]["reason"].as_str().map(str::to_owned))
    };
    let token = good().sign(&secret_key);
    assert_eq!(accepted(token.clone(), &["--secret-file", &secret, "--algorithms", "HS512"]), (Some(0), None));
    assert_eq!(accepted(token.clone(), &["--jwk", &oct]), (Some(0), None));
    assert_eq!(accepted(token, &["--secret-file", &secret]), (Some(1), Some("unknown_key".into())));
    for algorithm in [Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es384, Algorithm::EdDsa] {
        let key = SigningKey::fixed(algorithm);
        let pem = folder.file("key.pem", key.public_pem());
        let token = good().sign(key);
        let named = ["--public-key", &pem, "--algorithms", algorithm.name()];
        assert_eq!(accepted(token, &named), (Some(0), None), "{algorithm}");
    }
    let pem = folder.file("key.pem", SigningKey::fixed(Algorithm::Rs256).public_pem());
    let other = accepted(good().sign(SigningKey::fixed(Algorithm::Ps256)), &["--public-key", &pem]);
    assert_eq!(other, (Some(1), Some("unknown_key".into())), "RSA is for RS256 unless another is named");
}

#[test]
fn wrong_use_is_one_line_that_names_the_option() {
    let folder = Folder::new();
    let set = key_set(&folder);
    let private = folder.file("private.json", r#"{"kty":"RSA"}"#);
    let rsa = folder.file("rsa.pem", SigningKey::fixed(Algorithm::Rs256).public_pem());
    for (arguments, holds) in [
        (&["verify", "a.b.c"][..], &["--jwks", "--secret-env"][..]),
        (&["verify", "a.b.c", "--jwks", "/nowhere/jwks.json"], &["--jwks", "/nowhere/jwks.json"]),
        (&["verify", "a.b.c", "--jwks", "http://example.com/jwks"], &["--jwks", "https"]),
        (&["verify", "a.b.c", "--jwks", "ftp://example.com/jwks"], &["--jwks", "must be https"]),
        (&["keys", "ftp://example.com/jwks"], &["FILE_OR_URL", "must be https"]),
        (&["verify", "a.b.c", "--jwk", &private], &["--jwk", "not a well-formed JWK"]),
        (&["verify", "a.b.c", "--public-key", &set], &["--public-key", "PEM"]),
        (&["verify", "a.b.c", "--jwks", &set, "--typ", ""], &["--typ", "matches nothing"]),
        (&["verify", "a.b.c", "--jwks", &set, "--leeway", "61s"], &["--leeway", "60 seconds"]),
        (&["verify", "a.b.c", "--jwks", &set, "--leeway", "soon"], &["--leeway", "30s"]),
        (&["verify", "a.b.c", "--jwks", &set, "--leeway", "-1s"], &["--leeway", "30s", "see authcore verify --help"]),
        (&["verify", "a.b.c", "--jwks", &set, "--max-token-bytes", "-1"], &["--max-token-bytes", "whole number"]),
        (&["client-ip", "--peer", "::1", "--hops", "-1"], &["--hops", "whole number"]),
        (&["client-ip", "--peer", "::1", "--ipv6-prefix", "300"], &["--ipv6-prefix", "whole number"]),
        (&["rate", "--quota", "1/s", "--burst", "-1"], &["--burst", "whole number"]),
        (&["rate", "--quota", "1/s", "soon"], &["T_US", "whole number"]),
        (&["rate", "--quota", "1/s", "-1"], &["T_US", "from 0"]),
        (&["verify", "a.b.c", "--jwks", &set, "--algorithms", "none"], &["--algorithms", "not a signature algorithm"]),
        (&["verify", "a.b.c", "--jwks", &set, "--now", "tomorrow"], &["--now", "Unix seconds"]),
        (&["verify", "a.b.c", "--jwks", &set, "--secret-env", "SECRET"], &["--jwks", "--secret-env"]),
        (&["verify", "a.b.c", "--jwks", &set, "--no-such-option"], &["--no-such-option"]),
        (&["verify", "a.b.c", "--secret-env", "NOBODY"], &["--secret-env", "NOBODY", "export"]),
        // As the shell makes it of `--secret-env $SECRET`, also where that is not set.
        (&["verify", "a.b.c", "--secret-env", SECRET], &["--secret-env", "never its value"]),
        (&["verify", "a.b.c", "--secret-env", ""], &["--secret-env", "the name of a variable"]),
        (&["verify", "a.b.c", "--secret-env", "SHORT"], &["--secret-env", "at least 32 bytes"]),
        (&["verify", "a.b.c", "--batch", "--secret-env", "SECRET"], &["TOKEN", "--batch"]),
        (
            &["verify", "a.b.c", "--secret-env", "SECRET", "--max-token-bytes", "2000000000"],
            &["--max-token-bytes: at most"],
        ),
        (&["verify", "a.b.c", "--secret-env", "SECRET", "--require", ""], &["--require", "none may be empty"]),
        (&["verify", "a.b.c", "--secret-env", "SECRET", "--issuer", ""], &["--issuer, --audience: an empty one"]),
        (
            &["verify", "a.b.c", "--public-key", &rsa, "--algorithms", "ES256"],
            &["--public-key: the RSA key that it names serves none of --algorithms ES256:"],
        ),
        (&["jws", "--batch", "--public-key", &rsa, "--algorithms", "ES256,EdDSA"], &["--public-key", "ES256,EdDSA"]),
        (&["mint", "--sub", "a", "--secret-env", "SHORT"], &["--secret-env", "at least 32 bytes"]),
        (&["mint", "--sub", "a", "--secret-env", "SECRET", "--expires-in", "-5s"], &["--expires-in", "15m"]),
        (&["mint", "--sub", "a"], &["--jwk"]),
        (&["mint", "--sub", "a", "--jwk", &set], &["--jwk", "private key"]),
        (&["mint", "--sub", "a", "--secret-env", "SECRET", "--claim", "role=admin"], &["--claim", "JSON"]),
        (&[], &["verify", "doctor"]),
        (&["verfy"], &["verfy"]),
    ] {
        let variables = [("SECRET", SECRET), ("SHORT", "short-and-hidden")];
        let ran = run_with(arguments, &variables, b"");
        ran.is_usage(holds);
        assert!(!ran.err.contains("hidden") && !ran.err.contains(SECRET), "{}", ran.err);
    }
}

#[test]
fn an_argument_that_is_no_text_is_told_what_to_do_instead() {
    let output = command(&["decode"], &[]).arg(OsStr::from_bytes(b"\xff")).output().expect("the command ends");
    Ran::of(output).is_usage(&["not UTF-8", "standard input"]);
}

#[test]
fn what_is_minted_verifies_and_says_what_was_asked() {
    let folder = Folder::new();
    let options = ["--sub", "ann", "--issuer", "https://i", "--audience", "a", "--audience", "b", "--claim", "n=[1]"];
    let minted =
        run(&[&["mint", "--secret-env", "SECRET", "--expires-in", "1h", "--now", "1750000000"][..], &options].concat());
    assert_eq!((minted.code, minted.out.lines().count()), (Some(0), 1));
    let verify =
        ["verify", "--secret-env", "SECRET", "--issuer", "https://i", "--audience", "b", "--now", "1750003599"];
    let ran = run_with(&[&verify[..], &["--json"]].concat(), &[("SECRET", SECRET)], minted.out.as_bytes());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let claims =
        json!({ "sub": "ann", "iss": "https://i", "aud": ["a", "b"], "n": [1], "iat": NOW, "exp": NOW + 3600 });
    assert_eq!(ran.lines()[0]["claims"], claims);

    let private = r#"{"kty":"OKP","crv":"Ed25519","kid":"k","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let jwk = folder.file("private.json", private);
    let minted = run(&["mint", "--jwk", &jwk, "--sub", "ann", "--json"]);
    let token = minted.lines()[0]["token"].as_str().expect("a token").to_owned();
    let ran = run(&["verify", &token, "--jwk", &jwk, "--json"]);
    assert_eq!((ran.code, &ran.lines()[0]["kid"]), (Some(0), &json!("k")));
    assert!(!minted.out.contains("nWGx") && !ran.out.contains("nWGx"));
}

#[test]
fn decoding_believes_nobody_and_steers_no_terminal() {
    let token = good().header("kid", "\u{1b}[31mred\u{202e}").subject("\u{1b}]0;x\u{7}").unsigned();
    let ran = run(&["decode", &token, "--now", "1750000000"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with("NOT VERIFIED") && ran.out.contains("in 15 min"), "{}", ran.out);
    assert!(!ran.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", ran.out);

    let json = run(&["decode", &token, "--json"]);
    assert_eq!(
        (&json.lines()[0]["verified"], &json.lines()[0]["claims"]["sub"]),
        (&json!(false), &json!("\u{1b}]0;x\u{7}"))
    );
    assert!(!json.out.contains(['\u{1b}', '\u{7}', '\u{202e}']));

    for (token, holds) in [("a.b.c.d.e", "JWE"), ("nonsense", "not base64url of JSON"), ("", "where a JWT has 3")] {
        let ran = run(&["decode", token]);
        assert!(ran.code == Some(1) && ran.out.contains(holds), "{token}: {ran:?}");
    }
}

#[test]
fn what_no_verifier_takes_is_shown_and_refused() {
    let decode = |token: &str| (run(&["decode", token]), run(&["decode", token, "--json"]));
    let twice = r#"{"sub":"ann","s\u0075b":"bob","a":{"b":1},"x\u001b":1,"x\u001b":2}"#;
    let (human, json) = decode(&good().raw_payload(twice).sign(key()));
    assert_eq!((human.code, json.code), (Some(1), Some(1)));
    for told in ["claims:\n  refused: an object names a member twice (sub, x\\u{1b})", r#"{"sub":"ann""#, "\"bob\""] {
        assert!(human.out.contains(told), "{told}: {}", human.out);
    }
    let answer = &json.lines()[0];
    let fault = format!("an object names a member twice (sub, x\u{1b}): {twice}");
    assert_eq!(
        (&answer["ok"], &answer["claims_fault"], &answer["header_fault"]),
        (&json!(false), &json!(fault), &Value::Null)
    );

    let (human, json) = decode(&good().raw_header(r#"{"alg":"ES256","jwk":{"kty":"EC","kty":"RSA"}}"#).sign(key()));
    assert!(human.code == Some(1) && human.out.contains("header:\n  refused: an object names a member twice: {"));
    assert_eq!(json.lines()[0]["ok"], false);

    let (human, json) = decode(&good().raw_payload("[7]").sign(key()));
    assert!(human.code == Some(1) && human.out.contains("claims:\n  refused: not one JSON object: [7]"), "{human:?}");
    assert_eq!((&json.lines()[0]["ok"], &json.lines()[0]["claims"]), (&json!(false), &json!([7])));
}

#[test]
fn an_algorithm_named_twice_counts_once() {
    let folder = Folder::new();
    let rsa = SigningKey::fixed(Algorithm::Rs256);
    let pem = folder.file("rsa.pem", rsa.public_pem());
    let secret = SigningKey::hmac(Algorithm::Hs256, SECRET);
    for (key, named) in [
        (rsa, ["--public-key", &pem, "--algorithms", "RS256,RS256"]),
        (&secret, ["--secret-env", "SECRET", "--algorithms", "HS256,HS256"]),
    ] {
        let token = good().without_header("kid").sign(key);
        let ran = run(&[&["verify", &token, "--now", "1750000000", "--json"][..], &named].concat());
        assert_eq!((ran.code, &ran.lines()[0]["reason"]), (Some(0), &Value::Null), "{ran:?}");
    }
}

#[test]
fn a_token_beyond_the_bound_is_not_cut() {
    let most = vec![b'a'; 4 * 1024 * 1024];
    let ran = run_with(&["decode", "--json"], &[], &most);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let ran = run_with(&["decode", "--json"], &[], &[most.as_slice(), b"a"].concat());
    ran.is_usage(&["standard input: is longer than 4194304 bytes", "pipe the token alone"]);
}
