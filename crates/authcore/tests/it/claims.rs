//! Claims: L-63 to L-83 of docs/security/cases.md.

use std::time::Duration;

use authcore::{Algorithm, AuthError, Identity, ManualClock, Refusal, Timestamp};
use authcore_testkit::{AUDIENCE, ISSUER, Mint};
use serde_json::{Value, json};

use crate::support::{NOW, builder_for, check, ed25519, good, reason};

fn reason_with(claim: &str, value: Value) -> &'static str {
    reason(&good().claim(claim, value).sign(ed25519()))
}

fn accepted(mint: Mint) -> Identity {
    let token = mint.sign(ed25519());
    check(&token).unwrap_or_else(|error| panic!("{} refused: {token}", error.reason()))
}

/// Signs a payload in which `name` has this JSON text, which `serde_json::Value` could not hold.
fn with_text(name: &str, text: &str) -> String {
    let claims = [("iss", json!(ISSUER)), ("aud", json!(AUDIENCE)), ("sub", json!("alice")), ("exp", json!(NOW + 900))];
    let others =
        claims.iter().filter(|(known, _)| *known != name).map(|(known, value)| format!(r#""{known}":{value}"#));
    let members: Vec<String> = others.chain([format!(r#""{name}":{text}"#)]).collect();
    good().raw_payload(format!("{{{}}}", members.join(","))).sign(ed25519())
}

#[test]
fn l63_an_exp_of_a_wrong_type_is_never_an_absent_one() {
    for value in [json!("1750000900"), json!(true), Value::Null, json!([NOW + 900]), json!({ "at": NOW + 900 })] {
        assert_eq!(reason_with("exp", value.clone()), "claim_malformed", "{value}");
    }
}

#[test]
fn l64_exp_is_required() {
    let error = check(&good().without("exp").sign(ed25519())).expect_err("no exp");
    assert!(matches!(error, AuthError::MissingClaim(claim) if *claim == *"exp"));
}

#[test]
fn l65_l66_a_token_ends_the_leeway_after_exp() {
    let lenient = builder_for([ed25519()]).leeway(Duration::from_secs(60)).build().expect("good settings");
    for (ago, accepted) in [(0, true), (1, true), (59, true), (60, false), (61, false)] {
        let verdict = lenient.check(&good().expires_at(NOW - ago).sign(ed25519()));
        match verdict {
            Ok(_) => assert!(accepted, "{ago} s ago"),
            Err(error) => assert!(!accepted && error.reason() == "expired", "{ago} s ago: {}", error.reason()),
        }
    }
    assert_eq!(reason_with("exp", json!(NOW)), "expired");
    accepted(good().expires_at(NOW + 1));
}

#[test]
fn l66_a_leeway_over_a_minute_is_a_mistake() {
    assert!(builder_for([ed25519()]).leeway(Duration::from_secs(61)).build().is_err());
}

#[test]
fn l67_fractions_and_exponents_are_numbers() {
    for text in ["1750000900.5", "1.7500009e9", "1750000900.0", "17500009E2"] {
        assert!(check(&with_text("exp", text)).is_ok(), "{text}");
    }
    assert!(check(&with_text("exp", "1750000000.000001")).is_ok());
    assert_eq!(reason(&with_text("exp", "1749999999.999999")), "expired");
}

#[test]
fn l68_times_beyond_the_year_9999_are_mistakes() {
    let wrong = [
        "1e300",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "1750000900000",
        "253402300800",
        "253402300800.0",
        "2.534023008e11",
        "1e400",
    ];
    for claim in ["exp", "nbf", "iat"] {
        for text in wrong {
            assert_eq!(reason(&with_text(claim, text)), "claim_malformed", "{claim} {text}");
        }
    }
    for text in ["253402300799", "253402300799.0", "253402300799.9", "2.53402300799e11"] {
        assert!(check(&with_text("exp", text)).is_ok(), "{text}");
    }
}

#[test]
fn l69_times_at_and_before_the_epoch_are_past() {
    for text in ["0", "-1", "-0", "-0.0", "-9223372036854775808", "-1e300", "-99999999999999999999"] {
        assert_eq!(reason(&with_text("exp", text)), "expired", "{text}");
    }
}

#[test]
fn l70_nbf_is_kept_and_of_one_type() {
    let error = check(&good().not_before(NOW + 5).sign(ed25519())).expect_err("too early");
    assert!(matches!(error, AuthError::NotYetValid(by) if by == Duration::from_secs(5)));
    assert_eq!(error.reason(), "not_yet_valid");
    assert_eq!(Refusal::from(error).code(), "token_not_yet_valid");
    accepted(good().not_before(NOW));
    for value in [json!("1"), json!(false), Value::Null, json!([]), json!({})] {
        assert_eq!(reason_with("nbf", value.clone()), "claim_malformed", "{value}");
    }
    let lenient = builder_for([ed25519()]).leeway(Duration::from_secs(60)).build().expect("good settings");
    assert!(lenient.check(&good().not_before(NOW + 60).sign(ed25519())).is_ok());
    let error = lenient.check(&good().not_before(NOW + 61).sign(ed25519())).expect_err("past the leeway");
    assert_eq!(error.reason(), "not_yet_valid");
}

#[test]
fn l71_a_token_cannot_begin_after_it_ends() {
    assert_eq!(reason(&good().not_before(NOW + 901).sign(ed25519())), "claim_malformed");
    // To begin as it ends is no contradiction: the leeway is its time.
    let moment = good().issued_at(NOW - 9).not_before(NOW + 1).expires_at(NOW + 1);
    assert_eq!(reason(&moment.clone().sign(ed25519())), "not_yet_valid");
    let lenient = builder_for([ed25519()]).leeway(Duration::from_secs(1)).build().expect("good settings");
    assert!(lenient.check(&moment.clone().sign(ed25519())).is_ok());
    let backwards = lenient.check(&moment.not_before(NOW + 2).sign(ed25519()));
    assert_eq!(backwards.expect_err("it ends before it begins").reason(), "claim_malformed");
}

#[test]
fn l72_a_token_issued_in_the_future_is_refused() {
    assert_eq!(reason_with("iat", json!(NOW + 1)), "issued_in_future");
    accepted(good().issued_at(NOW));
}

#[test]
fn l73_iat_and_jti_have_one_type() {
    for value in [json!("1"), json!(true), Value::Null, json!([1])] {
        assert_eq!(reason_with("iat", value.clone()), "claim_malformed", "{value}");
    }
    for value in [json!(1), Value::Null, json!(["a"])] {
        assert_eq!(reason_with("jti", value.clone()), "claim_malformed", "{value}");
    }
}

#[test]
fn l74_an_audience_is_matched_whole() {
    assert_eq!(reason(&good().without("aud").sign(ed25519())), "claim_missing");
    for value in [Value::Null, json!(7), json!({ "aud": AUDIENCE }), json!(true)] {
        assert_eq!(reason_with("aud", value.clone()), "claim_malformed", "{value}");
    }
    let comma = format!("{AUDIENCE},other");
    for value in
        [json!(""), json!([]), json!("*"), json!("tasks"), json!("TASKS-API"), json!(comma), json!(" tasks-api")]
    {
        assert_eq!(reason_with("aud", value.clone()), "wrong_audience", "{value}");
    }
}

#[test]
fn l75_one_audience_among_several_is_enough() {
    accepted(good().claim("aud", json!(["other", AUDIENCE])));
}

#[test]
fn l76_an_audience_list_holds_strings_only() {
    for value in [json!([AUDIENCE, 7]), json!([AUDIENCE, null]), json!([[AUDIENCE]])] {
        assert_eq!(reason_with("aud", value.clone()), "claim_malformed", "{value}");
    }
}

#[test]
fn l77_an_issuer_is_matched_whole() {
    assert_eq!(reason(&good().without("iss").sign(ed25519())), "claim_missing");
    for value in [json!([ISSUER]), Value::Null, json!(1)] {
        assert_eq!(reason_with("iss", value.clone()), "claim_malformed", "{value}");
    }
    let wrong = [
        "https://id.example.co",
        "https://id.example.com/",
        "https://id.example.com.evil",
        "HTTPS://ID.EXAMPLE.COM",
        "https://id.example.com@evil",
        "",
    ];
    for issuer in wrong {
        assert_eq!(reason_with("iss", json!(issuer)), "wrong_issuer", "{issuer}");
    }
}

#[test]
fn l78_the_subject_is_a_string_with_something_in_it() {
    assert_eq!(reason(&good().without("sub").sign(ed25519())), "claim_missing");
    for value in [json!(""), json!(7), json!(true), Value::Null, json!(["alice"]), json!({ "id": "alice" })] {
        assert_eq!(reason_with("sub", value.clone()), "claim_malformed", "{value}");
    }
}

#[test]
fn l79_a_subject_that_invites_two_spellings_is_refused() {
    for sub in ["a\0", "a\nb", "a\u{7f}", " alice", "alice ", "alice\u{a0}", &"x".repeat(2048)] {
        assert_eq!(reason_with("sub", json!(sub)), "claim_malformed", "{sub:?}");
    }
}

#[test]
fn l80_l81_subjects_are_compared_byte_for_byte() {
    let spellings = [
        "alice",
        "Alice",
        "ALICE",
        "аlice",
        "ａlice",
        "ali\u{200b}ce",
        "\u{202e}alice",
        "café",
        "cafe\u{301}",
        "i",
        "İ",
        "ı",
        "K",
        "\u{212a}",
        "a:b",
        "*",
        "../x",
        "' OR 1=1 --",
        "user%2D1",
    ];
    for one in spellings {
        let identity = accepted(good().subject(one));
        assert_eq!(identity.user_id().as_str(), one);
        for other in spellings.iter().filter(|other| **other != one) {
            assert_ne!(accepted(good().subject(*other)).user_id(), identity.user_id());
        }
    }
}

#[test]
fn l82_grants_of_a_wrong_type_grant_nothing() {
    let wrong = [
        json!(true),
        json!(1),
        json!({ "admin": true }),
        Value::Null,
        json!([["admin"]]),
        json!(["admin", 1]),
        json!(["x,admin"]),
    ];
    for value in wrong {
        let identity = accepted(good().claim("role", value.clone()).claim("scope", value.clone()));
        assert!(!identity.has_role("admin") && !identity.has_scope("admin"), "{value}");
    }
    assert!(!accepted(good().claim("admin", true)).has_role("admin"));
    assert!(accepted(good().claim("role", json!(["user", "admin"]))).has_role("admin"));
    assert!(accepted(good().claim("role", "user,admin")).has_role("admin"));
    assert!(!accepted(good().claim("scope", json!(["admin"]))).has_scope("admin"));
}

#[test]
fn l83_a_scope_that_is_not_enough_is_named_in_the_challenge() {
    let identity = accepted(good().claim("scope", "tasks:read profile"));
    assert!(identity.require_scope("tasks:read").is_ok());
    for missing in ["tasks:write", "tasks", "tasks:read profile", ""] {
        let refusal = identity.require_scope(missing).expect_err("not granted");
        assert_eq!((refusal.status(), refusal.code()), (403, "insufficient_scope"));
        assert!(
            refusal
                .challenge()
                .is_some_and(|text| text.ends_with(&format!(r#"error="insufficient_scope", scope="{missing}""#)))
        );
    }
}

#[test]
fn a_role_that_is_missing_is_refused_without_naming_it() {
    let identity = accepted(good().claim("role", "user,editor"));
    assert!(identity.require_role("editor").is_ok());
    for missing in ["admin", "edit", "Editor", "user,editor", ""] {
        let refusal = identity.require_role(missing).expect_err("not granted");
        assert_eq!((refusal.status(), refusal.code(), refusal.challenge()), (403, "insufficient_role", None));
    }
}

#[test]
fn the_claim_that_names_the_user_can_be_chosen() {
    let verifier = builder_for([ed25519()])
        .user_claim("userId")
        .role_claim("https://x/roles")
        .require("email")
        .build()
        .expect("good");
    let token =
        good().without("sub").claim("userId", "u-1").claim("email", "a@b").claim("https://x/roles", json!(["ops"]));
    let identity = verifier.check(&token.clone().sign(ed25519())).expect("a good token");
    assert!(identity.user_id().as_str() == "u-1" && identity.has_role("ops"));
    assert_eq!(
        verifier.check(&token.clone().without("email").sign(ed25519())).expect_err("no email").reason(),
        "claim_missing"
    );
    assert_eq!(
        verifier.check(&token.clone().claim("email", Value::Null).sign(ed25519())).expect_err("null").reason(),
        "claim_missing"
    );
    assert_eq!(
        verifier.check(&token.claim("userId", 5).sign(ed25519())).expect_err("a number").reason(),
        "claim_malformed"
    );
}

#[test]
fn identities_tell_when_and_as_what_they_were_issued() {
    let identity = accepted(good().claim("jti", "t-1").claim("sid", "s-1"));
    assert_eq!(identity.issued_at().map(Timestamp::as_seconds), Some(NOW));
    assert_eq!((identity.token_id(), identity.session_id()), (Some("t-1"), Some("s-1")));

    let bare = accepted(good().without("iat").without("jti"));
    assert_eq!((bare.issued_at(), bare.token_id(), bare.session_id()), (None, None, None));
}

#[test]
fn an_age_is_told_by_the_second_and_who_tells_none_is_too_old() {
    let (moment, next) = (Timestamp::from_seconds(NOW - 1), Timestamp::from_micros((NOW - 1) * 1_000_000 + 1));
    // Half a second later it is still of the same second.
    for iat in [json!(NOW - 1), json!(1_749_999_999.5)] {
        let identity = accepted(good().claim("iat", iat));
        assert!(!identity.was_issued_before(moment) && identity.was_issued_before(next));
    }
    assert!(accepted(good().without("iat")).was_issued_before(Timestamp::from_seconds(0)));
}

#[test]
fn texts_spelt_with_escapes_are_kept_as_what_they_mean() {
    let claims = r#""sub":"\u0061lice","jti":"t\u002d1","sid":"s\/1","role":"\u0061dmin,ops""#;
    let payload = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{},{claims}}}"#, NOW + 900);
    let identity = check(&good().raw_payload(payload).sign(ed25519())).expect("a good token");
    assert_eq!(identity.user_id().as_str(), "alice");
    assert_eq!((identity.token_id(), identity.session_id()), (Some("t-1"), Some("s/1")));
    assert!(identity.has_role("admin") && identity.has_role("ops"));
}

#[test]
fn the_claim_that_names_the_session_can_be_chosen_and_has_one_type() {
    for value in [json!(1), Value::Null, json!(["s-1"]), json!({ "id": "s-1" })] {
        assert_eq!(reason_with("sid", value.clone()), "claim_malformed", "{value}");
    }
    let verifier = builder_for([ed25519()]).session_claim("session").build().expect("good settings");
    let identity = verifier.check(&good().claim("session", "s-2").claim("sid", 1).sign(ed25519())).expect("good");
    assert_eq!(identity.session_id(), Some("s-2"));
}

#[test]
fn the_clock_decides_and_nothing_else() {
    let clock = ManualClock::at(NOW);
    let verifier = builder_for([ed25519()]).clock(clock.clone()).build().expect("good settings");
    let token = good().expires_at(NOW + 10).sign(ed25519());
    assert!(verifier.check(&token).is_ok());
    clock.advance(Duration::from_secs(10));
    assert_eq!(verifier.check(&token).expect_err("expired").reason(), "expired");
}

#[test]
fn identities_carry_what_was_verified() {
    let identity = accepted(good().claim("email", "alice@example.com"));
    #[derive(serde::Deserialize)]
    struct Profile {
        email: String,
    }
    assert_eq!(identity.claims::<Profile>().expect("has an e-mail").email, "alice@example.com");
    assert_eq!(identity.issuer(), Some(ISSUER));
    assert_eq!(identity.expires_at().map(Timestamp::as_seconds), Some(NOW + 900));
    let authcore::Method::Jwt { algorithm, key_id } = identity.method() else { panic!("a JWT") };
    assert_eq!((*algorithm, key_id.as_deref()), (Algorithm::EdDsa, ed25519().kid()));
}
