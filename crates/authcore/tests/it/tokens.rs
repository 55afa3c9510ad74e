//! Token structure and encoding: T-21 to T-36 of docs/security/cases.md.

use authcore::{Algorithm, AuthError};
use authcore_testkit::{SigningKey, b64};

use crate::support::{builder_for, check, ed25519, good, reason, reason_of_header, reason_of_payload};

fn parts(token: &str) -> [String; 3] {
    token.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().expect("three segments")
}

/// The claims of a good token as JSON text, to be spoilt.
fn claims() -> String {
    let token = good().sign(ed25519());
    check(&token).expect("a good token").claims_json().to_owned()
}

fn claims_with(extra: &str) -> String {
    format!("{},{extra}}}", claims().strip_suffix('}').expect("an object"))
}

fn kid() -> &'static str {
    ed25519().kid().expect("a key with an id")
}

fn header_with(extra: &str) -> String {
    format!(r#"{{"alg":"EdDSA","kid":"{}"{extra}}}"#, kid())
}

#[test]
fn the_token_all_others_are_spoilt_from_is_good() {
    let identity = check(&good().sign(ed25519())).expect("a good token");
    assert_eq!(identity.user_id().as_str(), "alice");
    let spelt_out = good().raw_header(header_with("")).raw_payload(claims()).sign(ed25519());
    assert!(check(&spelt_out).is_ok());
}

#[test]
fn t21_only_three_segments_are_a_token() {
    let [header, payload, signature] = parts(&good().sign(ed25519()));
    let wrong = [
        String::new(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.x"),
        format!(".{header}.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        "..".to_owned(),
    ];
    for token in wrong {
        assert_eq!(reason(&token), "not_compact", "{token}");
    }
    assert_eq!(reason(&format!("{header}.{payload}.")), "bad_signature");
}

#[test]
fn t22_a_jwe_is_not_a_jws() {
    let jwe = format!("{}.a.b.c.d", b64(br#"{"alg":"dir","enc":"A256GCM"}"#));
    assert_eq!(reason(&jwe), "not_compact");
    assert_eq!(reason_of_header(r#"{"alg":"dir","enc":"A256GCM"}"#), "header_parameter_refused");
}

#[test]
fn t23_json_serialisations_are_not_compact() {
    let [header, payload, signature] = parts(&good().sign(ed25519()));
    let flattened = format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    let general =
        format!(r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#);
    assert_eq!(reason(&flattened), "not_compact");
    assert_eq!(reason(&general), "not_compact");
}

#[test]
fn t24_white_space_is_no_part_of_a_token() {
    let token = good().sign(ed25519());
    let [header, payload, signature] = parts(&token);
    for spaced in [
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.{payload}.\t{signature}"),
        format!("{header}.{payload}\r\n.{signature}"),
    ] {
        assert!(check(&spaced).is_err_and(|error| error.reason() != "unavailable"), "{spaced:?}");
    }
    assert_eq!(reason(&format!(" {token}")), "header_not_base64");
    assert_eq!(reason(&format!("{token}\n")), "signature_not_base64");
}

#[test]
fn t25_padding_is_refused_signed_or_not() {
    let key = ed25519();
    let [header, payload, signature] = parts(&good().sign(key));
    assert_eq!(reason(&format!("{header}.{payload}.{signature}==")), "signature_not_base64");
    assert_eq!(reason(&format!("{header}=.{payload}.{signature}")), "header_not_base64");
    let padded = format!("{header}.{payload}=");
    assert_eq!(reason(&format!("{padded}.{}", b64(key.sign(padded.as_bytes())))), "payload_not_base64");
}

#[test]
fn t26_the_standard_alphabet_is_refused() {
    let key = ed25519();
    let [header, payload, _] = parts(&good().claim("bytes", "\u{3ff}\u{3ff}???>>>").sign(key));
    let payload = payload.replace('-', "+").replace('_', "/");
    assert!(payload.contains(['+', '/']), "the payload has characters to tell the alphabets apart");
    let input = format!("{header}.{payload}");
    assert_eq!(reason(&format!("{input}.{}", b64(key.sign(input.as_bytes())))), "payload_not_base64");
}

#[test]
fn t27_a_second_spelling_of_the_same_bytes_is_refused() {
    let [header, payload, signature] = parts(&good().sign(ed25519()));
    // 64 bytes end in a character of which four bits are unused.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = signature.chars().last().and_then(|last| alphabet.find(last)).expect("a base64url character");
    let twin = &alphabet[last + 1..=last + 1];
    let respelt = format!("{}{twin}", &signature[..signature.len() - 1]);
    assert_eq!(reason(&format!("{header}.{payload}.{respelt}")), "signature_not_base64");
}

#[test]
fn t28_a_segment_of_impossible_length_is_refused() {
    let [header, payload, signature] = parts(&good().sign(ed25519()));
    assert_eq!(signature.len() % 4, 2);
    assert_eq!(reason(&format!("{header}.{payload}.{}", &signature[..signature.len() - 1])), "signature_not_base64");
    assert_eq!(reason(&format!("A.{payload}.{signature}")), "header_not_base64");
}

#[test]
fn t29_look_alikes_of_the_dot_and_non_ascii_are_refused() {
    let [header, payload, signature] = parts(&good().sign(ed25519()));
    for dot in ["\u{ff0e}", "%2e", "\u{2024}", "\u{3002}"] {
        assert_eq!(reason(&format!("{header}{dot}{payload}{dot}{signature}")), "not_compact", "{dot}");
    }
    assert_eq!(reason(&format!("{header}é.{payload}.{signature}")), "header_not_base64");
}

#[test]
fn t30_header_and_claims_are_objects() {
    for text in ["[]", "\"text\"", "7", "null", "true", "", " "] {
        assert_eq!(reason_of_payload(text), if text.is_empty() { "not_compact" } else { "payload_not_json" }, "{text}");
        assert_eq!(reason_of_header(text), if text.is_empty() { "not_compact" } else { "header_not_json" }, "{text}");
    }
}

#[test]
fn t31_a_member_named_twice_is_refused_however_it_is_spelt() {
    assert_eq!(reason_of_payload(claims_with(r#""sub":"bob""#)), "payload_duplicate_member");
    assert_eq!(reason_of_payload(claims_with(r#""s\u0075b":"bob""#)), "payload_duplicate_member");
    assert_eq!(reason_of_payload(claims_with(r#""exp":9999999999"#)), "payload_duplicate_member");
    assert_eq!(reason_of_payload(claims_with(r#""x":1,"\u0078":1"#)), "payload_duplicate_member");
    assert_eq!(reason_of_header(header_with(r#","alg":"none""#)), "header_duplicate_member");
    assert_eq!(reason_of_header(header_with(r#","\u0061lg":"EdDSA""#)), "header_duplicate_member");
    let many: Vec<String> = (0..40).map(|n| format!(r#""n{n}":1"#)).collect();
    assert!(check(&good().raw_payload(claims_with(&many.join(","))).sign(ed25519())).is_ok());
    let twice = format!("{},\"n0\":2", many.join(","));
    assert_eq!(reason_of_payload(claims_with(&twice)), "payload_duplicate_member");
}

#[test]
fn t32_a_member_named_twice_is_refused_at_any_depth() {
    assert_eq!(reason_of_payload(claims_with(r#""x":{"a":[{"b":1,"b":2}]}"#)), "payload_duplicate_member");
    assert_eq!(reason_of_payload(claims_with(r#""role":{"a":1,"a":2}"#)), "payload_duplicate_member");
    assert!(check(&good().raw_payload(claims_with(r#""x":{"a":{"a":[1,1]}}"#)).sign(ed25519())).is_ok());
}

#[test]
fn t33_only_sound_utf8_is_text() {
    let with_bom = [b"\xef\xbb\xbf".as_slice(), claims().as_bytes()].concat();
    let utf16: Vec<u8> = claims().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bytes_in_name = |bytes: &[u8]| [br#"{"sub":"al"#.as_slice(), bytes, br#"ce"}"#].concat();
    for payload in [with_bom, utf16, bytes_in_name(b"\xff"), bytes_in_name(b"\xc0\xaf"), bytes_in_name(b"\xed\xa0\x80")]
    {
        assert_eq!(reason_of_payload(payload), "payload_not_json");
    }
    for lone in [r#""x":"\ud800""#, r#""x":"\udc00x""#, r#""role":"\ud800""#, r#""\ud800":1"#] {
        assert_eq!(reason_of_payload(claims_with(lone)), "payload_not_json", "{lone}");
    }
}

#[test]
fn t34_only_json_is_json() {
    let claims = claims();
    let spoilt = [
        format!("{claims}x"),
        format!("{claims}{claims}"),
        format!("{claims}//"),
        format!("/**/{claims}"),
        claims.replace('"', "'"),
        claims_with(""),
        claims_with(r#""x":NaN"#),
        claims_with(r#""x":Infinity"#),
        claims_with(r#""x":+1"#),
        claims_with(r#""x":01"#),
        claims_with(r#""x":0x1"#),
        claims_with(r#""x":1e400"#),
        claims_with("\"x\":\"\n\""),
    ];
    for payload in spoilt {
        assert_eq!(reason_of_payload(&payload), "payload_not_json", "{payload}");
    }
    for exp in ["+1", "01", "0x1", "NaN", "1.", ".5", "1_0"] {
        assert_eq!(reason_of_payload(format!(r#"{{"sub":"alice","exp":{exp}}}"#)), "payload_not_json", "{exp}");
    }
}

#[test]
fn a_bound_on_tokens_of_more_than_a_gibibyte_is_a_mistake() {
    let bounded_by = |bytes| builder_for([ed25519()]).max_token_bytes(bytes).build();
    assert!(bounded_by(1 << 30).is_ok());
    let error = bounded_by((1 << 30) + 1).expect_err("too much");
    assert!(error.to_string().contains("max_token_bytes: at most 1 GiB"), "{error}");
}

#[test]
fn a_header_is_read_up_to_4096_characters() {
    // Three bytes are four characters.
    let header_of =
        |bytes: usize| header_with(&format!(r#","x":"{}""#, "x".repeat(bytes - header_with(r#","x":"""#).len())));
    assert!(check(&good().raw_header(header_of(3072)).sign(ed25519())).is_ok());
    for bytes in [3073, 3074, 9000] {
        let token = good().raw_header(header_of(bytes)).sign(ed25519());
        let error = check(&token).expect_err("too long");
        assert!(matches!(error, AuthError::TooLong(4096)), "{bytes}: {error}");
    }
    // Their number is judged before what they are.
    for (characters, why) in [(4096, "header_not_json"), (4097, "too_long")] {
        assert_eq!(reason(&format!("{}.e30.AAAA", "A".repeat(characters))), why);
    }
}

#[test]
fn t35_depth_is_bounded() {
    let roomy = builder_for([ed25519()]).max_token_bytes(1 << 20).build().expect("good settings");
    for (open, close, depth) in [("[", "]", 20_000), ("{\"a\":", "}", 5_000)] {
        for member in ["x", "role", "exp"] {
            let inner = if open == "[" { "" } else { "1" };
            let deep = format!(r#""{member}":{}{inner}{}"#, open.repeat(depth), close.repeat(depth));
            let payload = format!(r#"{{"sub":"alice",{deep}}}"#);
            let error = roomy.check(&good().raw_payload(payload).sign(ed25519())).expect_err("too deep");
            assert_eq!(error.reason(), "payload_not_json", "{member}");
        }
    }
}

#[test]
fn t36_claim_names_have_one_case() {
    let renamed = |from: &str, to: &str| claims().replacen(&format!("\"{from}\""), &format!("\"{to}\""), 1);
    for (from, to) in [("sub", "Sub"), ("exp", "EXP"), ("iss", "Iss"), ("aud", "AUD")] {
        assert_eq!(reason_of_payload(renamed(from, to)), "claim_missing", "{to}");
    }
    let key = SigningKey::fixed(Algorithm::EdDsa);
    assert_eq!(
        reason_of_header(format!(r#"{{"Alg":"EdDSA","kid":"{}"}}"#, key.kid().unwrap_or_default())),
        "algorithm_refused"
    );
}
