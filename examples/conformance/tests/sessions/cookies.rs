//! How the session cookie is written, and named: S-100 to S-106, S-115 and S-116 of docs/security/cases.md.

use authcore::Algorithm;
use authcore_testkit::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use tasks_conformance::{Example, Request};

use crate::{SECRET, assert_no_session, assert_not_read, assert_user, better_auth, cookie, send, with_cookies};

const NAME: &str = "better-auth.session_token";

const ANOTHER_SECRET: &str = "another-secret-of-the-session-tests-32-bytes";

fn signature(value: &str, secret: &str) -> Vec<u8> {
    SigningKey::hmac(Algorithm::Hs256, secret).sign(value.as_bytes())
}

/// A signed value, not percent-encoded.
fn signed(value: &str, secret: &str) -> String {
    format!("{value}.{}", STANDARD.encode(signature(value, secret)))
}

/// Everything that a percent sign may stand for in a signed value.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The session token that a cookie's value carries, as it stands in the database.
fn raw(value: &str) -> String {
    let decoded = percent_decode_str(value).decode_utf8().expect("ASCII").into_owned();
    decoded.rsplit_once('.').expect("a signed value").0.to_owned()
}

#[test]
fn s100_s101_s103_only_the_secrets_own_signature_counts() {
    let auth = better_auth("signatures", &[]);
    let (ada, bob) = (auth.sign_up("ada"), auth.sign_up("bob"));
    let (token, other) = (raw(&cookie(&ada, NAME)), raw(&cookie(&bob, NAME)));
    let good = signed(&token, SECRET);
    let (_, mac) = good.rsplit_once('.').expect("a signed value");
    let flipped = if mac.starts_with('A') { "B" } else { "A" };
    let hexadecimal: String = signature(&token, SECRET).iter().map(|byte| format!("{byte:02x}")).collect();
    let values = [
        ("flipped", format!("{token}.{flipped}{}", &mac[1..])),
        ("truncated", good[..good.len() - 1].to_owned()),
        ("truncated to half", format!("{token}.{}", &mac[..22])),
        ("empty signature", format!("{token}.")),
        ("hexadecimal", format!("{token}.{hexadecimal}")),
        ("of another token", format!("{token}.{}", &signed(&other, SECRET)[other.len() + 1..])),
        ("of another secret", signed(&token, ANOTHER_SECRET)),
        ("of the public default secret", signed(&token, "better-auth-secret-12345678901234567890")),
        ("extended", format!("{good}=")),
        ("empty", String::new()),
        ("only dots", ".".repeat(45)),
        ("unsigned", token.clone()),
        ("without its dot", good.replace('.', "")),
        ("encoded twice", escaped(&escaped(&good))),
        ("half an escape", good.replace('=', "%3")),
        ("no digits", good.replace('=', "%zz")),
        ("a sign in an escape", good.replace('=', "%+1")),
        ("a stray percent sign", format!("%{good}")),
    ];
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        for (what, value) in &values {
            let case = format!("{}: {what}", example.name());
            assert_no_session(&with_cookies(&server, format!("{NAME}={value}")), &case);
            assert_no_session(&with_cookies(&server, format!("a=b; {NAME}={value}; c=d")), &case);
        }
        assert_user(&with_cookies(&server, format!("{NAME}={good}")), &ada, example.name());
    }
}

#[test]
fn s102_escapes_are_undone_once_and_need_not_be_there() {
    let auth = better_auth("escapes", &[]);
    let ada = auth.sign_up("ada");
    let good = signed(&raw(&cookie(&ada, NAME)), SECRET);
    let all: String = good.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        for value in [good.clone(), escaped(&good), escaped(&good).replace("%3D", "%3d"), all.clone()] {
            assert_user(
                &with_cookies(&server, format!("{NAME}={value}")),
                &ada,
                &format!("{}: {value}", example.name()),
            );
        }
    }
}

#[test]
fn s104_of_two_cookies_of_one_name_none_is_chosen() {
    let auth = better_auth("two-cookies", &[]);
    let (ada, bob) = (auth.sign_up("ada"), auth.sign_up("bob"));
    let [adas, bobs] = [&ada, &bob].map(|member| format!("{NAME}={}", cookie(member, NAME)));
    let bad = format!("{NAME}=bad");
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        for (one, other) in [(&adas, &bobs), (&bobs, &adas), (&adas, &bad), (&bad, &adas)] {
            assert_no_session(&with_cookies(&server, format!("{one}; {other}")), example.name());
            let lines = Request::new("GET", "/api/tasks").field("Cookie", one.as_str()).field("cookie", other.as_str());
            assert_no_session(&send(&server, lines), example.name());
        }
        assert_user(&with_cookies(&server, format!("{adas}; {adas}")), &ada, example.name());
    }
}

#[test]
fn s105_s106_only_the_name_that_follows_from_the_settings_is_read() {
    let auth = better_auth("names", &[]);
    let ada = auth.sign_up("ada");
    let value = cookie(&ada, NAME);
    for example in Example::ALL {
        let database = ("BETTER_AUTH_DATABASE_URL", auth.database.as_str());
        let http = auth.api(example, &[database]);
        let https = auth.api(example, &[database, ("BETTER_AUTH_SECURE_COOKIES", "on")]);
        assert_user(&with_cookies(&http, format!("{NAME}={value}")), &ada, example.name());
        assert_user(&with_cookies(&https, format!("__Secure-{NAME}={value}")), &ada, example.name());
        assert_not_read(&with_cookies(&http, format!("__Secure-{NAME}={value}")), example.name());
        for line in [
            format!("{NAME}={value}"),
            format!("__secure-{NAME}={value}"),
            format!("__Host-{NAME}={value}"),
            format!("=__Secure-{NAME}={value}"),
            format!("\u{a0}__Secure-{NAME}={value}"),
            format!("\u{2003}__Secure-{NAME}={value}"),
            format!("\"__Secure-{NAME}\"={value}"),
            format!("$Version=1, __Secure-{NAME}={value}"),
            format!("a=\"x __Secure-{NAME}={value}\""),
            format!("__Secure-{NAME}"),
        ] {
            assert_not_read(&with_cookies(&https, line.as_str()), &format!("{}: {line}", example.name()));
        }
        // Quotes hide no semicolon, and then the value ends in one that nothing opened.
        let smuggled = format!("a=\"x; __Secure-{NAME}={value}\"");
        assert_no_session(&with_cookies(&https, smuggled), example.name());
        let with_version = format!("$Version=1; __Secure-{NAME}={value}; $Path=/");
        assert_user(&with_cookies(&https, with_version), &ada, example.name());
    }
}

#[test]
fn s115_what_the_previous_secret_signed_is_no_session() {
    let auth = better_auth("rotated", &[]);
    let ada = auth.sign_up("ada");
    let token = raw(&cookie(&ada, NAME));
    let both = format!("2:{ANOTHER_SECRET},1:{SECRET}");
    for example in Example::ALL {
        let rotated = [("BETTER_AUTH_SECRETS", both.as_str()), ("BETTER_AUTH_DATABASE_URL", &auth.database)];
        let server = auth.api(example, &rotated);
        assert_no_session(&with_cookies(&server, format!("{NAME}={}", signed(&token, SECRET))), example.name());
        assert_user(&with_cookies(&server, format!("{NAME}={}", signed(&token, ANOTHER_SECRET))), &ada, example.name());
    }
}

#[test]
fn s116_ours_is_found_among_thousands() {
    let auth = better_auth("thousands", &[]);
    let ada = auth.sign_up("ada");
    let ours = format!("{NAME}={}", cookie(&ada, NAME));
    let many: Vec<String> = (0..3_000).map(|number| format!("c{number}={}", "x".repeat(14))).collect();
    let line = format!("{}; {ours}", many.join("; "));
    assert!(line.len() > 64_000);
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        // A server may have had enough before.
        let answer = with_cookies(&server, line.as_str());
        assert!(matches!(answer.status, 200 | 400 | 431), "{}: {}", example.name(), answer.status);
        if answer.status == 200 {
            assert_user(&answer, &ada, example.name());
        }
        for other in [&b"a=\xff\xfe"[..], b"\xe9=1", b"b=\xc0\xaf"] {
            let line = [other, b"; ", ours.as_bytes(), b"; ", other].concat();
            assert_user(&with_cookies(&server, line), &ada, example.name());
        }
        for value in ["%41".repeat(2_000), ".".repeat(6_000), "x".repeat(20_000)] {
            assert_no_session(&with_cookies(&server, format!("{NAME}={value}")), example.name());
        }
    }
}
