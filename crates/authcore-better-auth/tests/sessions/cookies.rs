//! The session cookie, by its hostile cases.

use authcore::{AuthError, Refusal, Secret, SessionFault};
use authcore_better_auth::{BearerSessions, CookieNames, Secrets, SignedCookie};
use authcore_testkit::TestHead;

use crate::support::{OTHER_SECRET, SECRET, TOKEN, cookie, escaped, head, read, read_value, secrets, signed};

fn accepted() -> Result<Option<String>, String> {
    Ok(Some(TOKEN.to_owned()))
}

fn refused(reason: &str) -> Result<Option<String>, String> {
    Err(reason.to_owned())
}

#[test]
fn s100_a_signature_is_the_secrets_own_or_nothing() {
    let good = signed(TOKEN, SECRET);
    let signature = &good[TOKEN.len() + 1..];
    let hex: String = crate::support::mac(TOKEN, SECRET).iter().map(|byte| format!("{byte:02x}")).collect();
    let flipped = format!("{TOKEN}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let of_other = format!("{TOKEN}.{}", &signed("w1K2kd2Z7AbJLrMyNfaEWm9qvD9Tccya", SECRET)[TOKEN.len() + 1..]);
    let public = "better-auth-secret-12345678901234567890";
    for (value, reason) in [
        (flipped, "session_bad_signature"),
        (of_other, "session_bad_signature"),
        (signed(TOKEN, OTHER_SECRET), "session_bad_signature"),
        (signed(TOKEN, public), "session_bad_signature"),
        (good[..good.len() - 1].to_owned(), "session_malformed"),
        (format!("{TOKEN}."), "session_malformed"),
        (format!("{TOKEN}.{hex}"), "session_malformed"),
        (format!("{good}="), "session_malformed"),
        (format!(".{signature}"), "session_bad_signature"),
        (signed("", SECRET), "session_malformed"),
        (String::new(), "session_malformed"),
        (".".repeat(45), "session_malformed"),
        (signed(&"x".repeat(257), SECRET), "session_malformed"),
        (signed("two words", SECRET), "session_malformed"),
    ] {
        assert_eq!(read_value(&value), refused(reason), "{value}");
    }
    assert_eq!(read_value(&good), accepted());
    assert_eq!(read_value(&signed("a.b.c", SECRET)), Ok(Some("a.b.c".into())));
    assert!(Secrets::new(&Secret::new(public)).is_err());
}

#[test]
fn s100_the_refusal_is_the_bare_challenge() {
    let fault = cookie().read(&head([format!("better-auth.session_token={TOKEN}")])).expect_err("unsigned");
    let refusal = Refusal::from(AuthError::Session { fault, bearer: false });
    assert_eq!(
        (refusal.status(), refusal.code(), refusal.challenge().as_deref()),
        (401, "session_invalid", Some("Bearer"))
    );
}

#[test]
fn s101_a_raw_token_is_no_cookie() {
    assert_eq!(read_value(TOKEN), refused("session_malformed"));
    let spoilt = signed(TOKEN, SECRET).replace('.', "");
    assert_eq!(read_value(&spoilt), refused("session_malformed"));
}

#[test]
fn s102_percent_escapes_are_decoded_once_and_need_not_be_there() {
    let good = signed(TOKEN, SECRET);
    assert_eq!(read_value(&escaped(&good)), accepted());
    assert_eq!(
        read_value(&escaped(&good).replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")),
        accepted()
    );
    assert_eq!(read_value(&good), accepted());
    let all_escaped: String = good.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(read_value(&all_escaped), accepted());
}

#[test]
fn s103_double_encoding_and_broken_escapes_are_no_session() {
    let good = signed(TOKEN, SECRET);
    assert_eq!(read_value(&escaped(&escaped(&good))), refused("session_malformed"));
    for broken in ["%", "%3", "%zz", "%3g", "%%3D", "%-1", "%+1"] {
        assert_eq!(read_value(&good.replace('=', broken)), refused("session_malformed"), "{broken}");
        assert_eq!(read_value(&format!("{broken}{good}")), refused("session_malformed"), "{broken}");
    }
}

#[test]
fn s104_two_cookies_of_one_name_are_never_chosen_from() {
    let good = format!("better-auth.session_token={}", signed(TOKEN, SECRET));
    let other = format!("better-auth.session_token={}", signed("w1K2kd2Z7AbJLrMyNfaEWm9qvD9Tccya", SECRET));
    let bad = "better-auth.session_token=bad".to_owned();
    for pair in [[&good, &other], [&other, &good], [&good, &bad], [&bad, &good]] {
        assert_eq!(read(&head(pair)), refused("session_malformed"));
        assert_eq!(read(&head([format!("{};{}", pair[0], pair[1])])), refused("session_malformed"));
    }
    // The same value in two spellings is still two values.
    let spelt = format!("better-auth.session_token={}", escaped(&signed(TOKEN, SECRET)));
    assert_eq!(read(&head([&good, &spelt])), refused("session_malformed"));
    assert_eq!(read(&head([&good, &good])), accepted());
}

#[test]
fn s105_only_the_one_name_that_follows_from_the_settings_is_read() {
    let value = signed(TOKEN, SECRET);
    let read_by = |names: &CookieNames, name: &str| {
        let cookie = SignedCookie::new(names, &secrets()).expect("a good name");
        cookie.read(&head([format!("{name}={value}")])).expect("good or absent").is_some()
    };
    let (http, https) = (CookieNames::at("http://localhost:3000"), CookieNames::at("https://app.example.com"));
    assert!(read_by(&http, "better-auth.session_token") && read_by(&https, "__Secure-better-auth.session_token"));
    assert!(!read_by(&https, "better-auth.session_token") && !read_by(&http, "__Secure-better-auth.session_token"));
    for other in
        ["better-auth-session_token", "Better-Auth.session_token", "better-auth.session_token_multi-x", "session_token"]
    {
        assert!(!read_by(&http, other), "{other}");
    }

    let custom = https.clone().prefix("shop").custom_session_token("sid");
    assert!(
        read_by(&custom, "__Secure-sid")
            && !read_by(&custom, "sid")
            && !read_by(&custom, "__Secure-shop.session_token")
    );
    assert_eq!(custom.session_data(), "__Secure-shop.session_data");
    let host = CookieNames::new(false).custom_session_token("__Host-sid").custom_session_data("__Host-data");
    assert!(read_by(&host, "__Host-sid") && !read_by(&host, "sid") && !read_by(&host, "__host-sid"));
    assert_eq!(host.session_data(), "__Host-data");
}

#[test]
fn names_that_no_cookie_can_have_are_refused_at_the_start() {
    for bad in ["", "a b", "a;b", "a=b", "a\"b", "é", "a\r\nb"] {
        let names = CookieNames::new(false).custom_session_token(bad).custom_session_data(bad);
        assert!(SignedCookie::new(&names, &secrets()).is_err(), "{bad:?}");
        assert!(authcore_better_auth::CookieCache::compact(&secrets()).build(&names).is_err(), "{bad:?}");
    }
    assert!(SignedCookie::new(&CookieNames::new(false).prefix("a b"), &secrets()).is_err());
}

#[test]
fn s106_look_alikes_of_the_prefixed_name_are_not_it() {
    let names = CookieNames::new(false).custom_session_token("__Host-sid");
    let cookie = SignedCookie::new(&names, &secrets()).expect("a good name");
    let value = signed(TOKEN, SECRET);
    for line in [
        format!("__host-sid={value}"),
        format!("=__Host-sid={value}"),
        format!("\u{a0}__Host-sid={value}"),
        format!("\u{2003}__Host-sid={value}"),
        format!("\"__Host-sid\"={value}"),
        format!("$Version=1, __Host-sid={value}"),
        format!("a=\"x __Host-sid={value}\""),
        "__Host-sid".to_owned(),
    ] {
        assert!(matches!(cookie.read(&head([&line])), Ok(None)), "{line}");
    }
    // RFC 2965 is not spoken: quotes hide no semicolon, and then the value ends in a quote that nothing opened.
    let smuggled = format!("a=\"x; __Host-sid={value}\"");
    assert_eq!(cookie.read(&head([smuggled])).expect_err("half a pair"), SessionFault::Malformed);
    assert!(matches!(cookie.read(&head([format!("$Version=1; __Host-sid={value}; $Path=/")])), Ok(Some(_))));
}

#[test]
fn quotes_come_in_pairs() {
    let good = escaped(&signed(TOKEN, SECRET));
    assert_eq!(read_value(&format!("\"{good}\"")), accepted());
    for bad in [format!("\"{good}"), format!("{good}\""), format!("\"\"{good}\"\""), "\"".into(), "\"\"".into()] {
        assert_eq!(read_value(&bad), refused("session_malformed"), "{bad}");
    }
}

#[test]
fn s115_the_previous_secret_counts_until_it_is_taken_off_the_list() {
    let secrets = |list: &str| Secrets::versioned(&Secret::new(list)).expect("good secrets");
    let (both, new) = (format!("2:{SECRET},1:{OTHER_SECRET}"), format!("2:{SECRET}"));
    let verdict = |secrets: Secrets, secret: &str| {
        let cookie = SignedCookie::new(&CookieNames::new(false), &secrets).expect("a good name");
        cookie
            .read(&head([format!("better-auth.session_token={}", signed(TOKEN, secret))]))
            .map(|token| token.is_some())
    };
    assert_eq!(verdict(secrets(&both).accept_previous(true), SECRET), Ok(true));
    assert_eq!(verdict(secrets(&both).accept_previous(true), OTHER_SECRET), Ok(true));
    assert_eq!(verdict(secrets(&new).accept_previous(true), OTHER_SECRET), Err(SessionFault::BadSignature));
    // Not asked for, it is as in Better Auth.
    assert_eq!(verdict(secrets(&both), OTHER_SECRET), Err(SessionFault::BadSignature));
}

#[test]
fn s116_our_cookie_is_found_among_thousands_and_garbage_costs_little() {
    let ours = format!("better-auth.session_token={}", signed(TOKEN, SECRET));
    let many: Vec<String> = (0..3000).map(|number| format!("c{number}={}", "x".repeat(14))).collect();
    let line = format!("{}; {ours}; {}", many.join("; "), many.join(";"));
    assert!(line.len() > 64 * 1024);
    assert_eq!(read(&head([line])), accepted());
    assert_eq!(read(&head([b"a=\xff\xfe".to_vec(), format!("b=\u{e9}; {ours}").into_bytes()])), accepted());
    assert_eq!(read_value(&"%41".repeat(20_000)), refused("session_malformed"));
    assert_eq!(read_value(&".".repeat(60_000)), refused("session_malformed"));
}

#[test]
fn bearer_tokens_are_recognised_by_their_dots() {
    let (raw, signed_only) = (BearerSessions::Raw, BearerSessions::Signed);
    let read =
        |sessions: &BearerSessions, token: &str| match sessions.read(&TestHead::get("/").bearer(token), &secrets()) {
            Ok(token) => token.map_or("not ours", |_| "token"),
            Err(error) => error.reason(),
        };
    let good = signed(TOKEN, SECRET);
    let bad = signed(TOKEN, OTHER_SECRET);
    for (token, by_raw, by_signed) in [
        (&*good, "token", "token"),
        (&bad, "session_bad_signature", "session_bad_signature"),
        ("a.b", "session_malformed", "session_malformed"),
        (TOKEN, "token", "not ours"),
        ("eyJhbGciOiJub25lIn0.e30.", "not ours", "not ours"),
        ("a.b.c.d.e", "not ours", "not ours"),
        (&"x".repeat(257), "not ours", "not ours"),
        ("a b", "malformed_bearer", "malformed_bearer"),
    ] {
        assert_eq!((read(&raw, token), read(&signed_only, token)), (by_raw, by_signed), "{token}");
        assert_eq!(read(&BearerSessions::Off, token), "not ours");
    }
    let twice = TestHead::get("/").bearer(&good).bearer(&good);
    assert_eq!(signed_only.read(&twice, &secrets()).expect_err("twice").reason(), "repeated_authorization");
}

#[test]
fn a_refused_bearer_token_says_so_in_the_challenge() {
    let head = TestHead::get("/").bearer(signed(TOKEN, OTHER_SECRET));
    let refusal = Refusal::from(BearerSessions::Signed.read(&head, &secrets()).expect_err("another secret"));
    assert_eq!((refusal.status(), refusal.code()), (401, "session_invalid"));
    assert!(refusal.challenge().is_some_and(|challenge| challenge.contains(r#"error="invalid_token""#)));
}
