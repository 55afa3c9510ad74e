//! The cookie cache in all its strategies, by its hostile cases.

use std::time::Duration;

use authcore::{Algorithm, KeyResolver, KeySet, KeySnapshot, ManualClock, Miss, Secret, Unavailable};
use authcore_better_auth::{CacheFault, CookieCache, CookieNames, Secrets, SessionToken};
use authcore_testkit::{SigningKey, TestHead, b64, mint};
use serde_json::{Value, json};

use crate::support::{
    ISSUER, NOW, OTHER_SECRET, SECRET, STRATEGIES, Strategy, TOKEN, compact, derived, head, hs256, jwe, jwe_with,
    names, payload, published, published_key, secrets, token,
};

/// The payload with one member put in place, or taken out by `None`. `at` is `session.userId` or `version`.
fn with(at: &str, value: Option<Value>) -> Value {
    let mut payload = payload();
    let (object, name) = match at.split_once('.') {
        Some((object, name)) => (&mut payload[object], name),
        None => (&mut payload, at),
    };
    let object = object.as_object_mut().expect("an object");
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    payload
}

fn verdict(found: Result<Option<authcore_better_auth::CachedSession>, CacheFault>) -> &'static str {
    found.map_or_else(CacheFault::reason, |cached| cached.map_or("absent", |_| "accepted"))
}

#[test]
fn a_cache_says_how_far_it_can_be_relied_on() {
    for strategy in STRATEGIES {
        let cached =
            strategy.judge(&strategy.write_until(&payload(), NOW + 60, SECRET)).expect("good").expect("a cache");
        assert_eq!((cached.cached_at.as_seconds(), cached.valid_until.as_seconds()), (NOW, NOW + 60), "{strategy:?}");
        let identity = cached.record.judge(&token(), cached.cached_at, "cache").expect("a live session");
        assert_eq!((identity.user_id().as_str(), identity.claims_json().contains("Ada Łovelace")), ("user-1", true));
    }
}

#[test]
fn s110_a_cache_counts_only_beside_the_cookie_of_its_own_session() {
    for strategy in STRATEGIES {
        let head = head([format!("better-auth.session_data={}", strategy.write(&payload()))]);
        // Without the session cookie there is no token to read the cache with.
        assert!(matches!(crate::support::cookie().read(&head), Ok(None)));
        let other = SessionToken::new("w1K2kd2Z7AbJLrMyNfaEWm9qvD9Tccya").expect("a token");
        assert_eq!(
            strategy.cache().read(&head, &other).expect_err("another"),
            CacheFault::OtherSession,
            "{strategy:?}"
        );
        assert_eq!(verdict(strategy.cache().read(&TestHead::get("/"), &token())), "absent");
        assert_eq!(
            strategy.verdict(&with("session.userId", Some(json!("user-2")))),
            "cache_other_user",
            "{strategy:?}"
        );
    }
}

#[test]
fn s111_a_cache_of_another_version_is_ignored() {
    for strategy in STRATEGIES {
        for (version, expected) in [
            (Some(json!("2")), "cache_other_version"),
            (Some(json!("01")), "cache_other_version"),
            (Some(json!("")), "accepted"),
            (None, "accepted"),
            (Some(json!(null)), "cache_not_a_session"),
            (Some(json!(1)), "cache_not_a_session"),
        ] {
            assert_eq!(strategy.verdict(&with("version", version.clone())), expected, "{strategy:?} {version:?}");
        }
        let second = strategy.settings(&secrets()).version("2").build(&names()).expect("good settings");
        let head = head([format!("better-auth.session_data={}", strategy.write(&with("version", Some(json!("2")))))]);
        assert_eq!(verdict(second.read(&head, &token())), "accepted");
    }
}

#[test]
fn s111_a_cache_that_is_over_is_ignored_to_the_second() {
    for strategy in STRATEGIES {
        for (expires_at, expected) in [(NOW + 1, "accepted"), (NOW, "cache_expired"), (NOW - 20, "cache_expired")] {
            let cookie = strategy.write_until(&payload(), expires_at, SECRET);
            assert_eq!(verdict(strategy.judge(&cookie)), expected, "{strategy:?} {expires_at}");
        }
        let ends = |date: &str| strategy.verdict(&with("session.expiresAt", Some(json!(date))));
        assert_eq!(ends("2026-11-20T19:11:40.000Z"), "accepted");
        assert_eq!(ends("2026-11-20T19:11:39.999Z"), "cache_expired");
    }
}

#[test]
fn s111_a_cache_older_than_allowed_is_ignored_whatever_it_says() {
    for strategy in STRATEGIES {
        let read_at = |seconds: i64| strategy.verdict(&with("updatedAt", Some(json!(seconds * 1000))));
        assert_eq!((read_at(NOW - 299), read_at(NOW - 300)), ("accepted", "cache_too_old"), "{strategy:?}");
        assert_eq!((read_at(NOW + 30), read_at(NOW + 31)), ("accepted", "cache_too_old"), "{strategy:?}");

        let week =
            strategy.settings(&secrets()).max_age(Duration::from_secs(604_800)).build(&names()).expect("good settings");
        let old = with("updatedAt", Some(json!((NOW - 604_799) * 1000)));
        let head = head([format!("better-auth.session_data={}", strategy.write(&old))]);
        assert_eq!(verdict(week.read(&head, &token())), "accepted");
    }
    for settings in [CookieCache::jwt(&secrets()).max_age(Duration::ZERO), CookieCache::jwt(&secrets()).version("")] {
        assert!(settings.build(&names()).is_err());
    }
}

#[test]
fn s111_a_cache_under_another_secret_or_strategy_is_ignored() {
    for strategy in STRATEGIES {
        for other in STRATEGIES.into_iter().filter(|other| *other != strategy) {
            let reason = verdict(strategy.judge(&other.write(&payload())));
            assert!(["cache_malformed", "cache_bad_signature"].contains(&reason), "{strategy:?} {other:?} {reason}");
        }
        if strategy != Strategy::Published {
            let foreign = strategy.write_until(&payload(), NOW + 300, OTHER_SECRET);
            assert_eq!(verdict(strategy.judge(&foreign)), "cache_bad_signature", "{strategy:?}");
        }
        for garbage in ["", ".", "..", "e30", "e30.e30.e30", "{}", "null", "%7B%7D", "\u{e9}"] {
            assert_eq!(verdict(strategy.judge(garbage)), "cache_malformed", "{strategy:?} {garbage}");
        }
    }
}

#[test]
fn s111_a_cache_has_the_exact_shape() {
    let (accepted, refused) = ("accepted", "cache_not_a_session");
    let date = json!("2026-11-30T19:11:31Z");
    let table = [
        ("session", None, refused),
        ("session", Some(json!([])), refused),
        ("session", Some(json!(null)), refused),
        // As the members would stand in a list.
        ("session", Some(json!(["session-1", TOKEN, "user-1", date, date, date, "", "", null, null, null])), refused),
        ("user", Some(json!(["user-1", "ada@example.com", "Ada", true, null, date, date, null, null, null])), refused),
        ("session.id", None, refused),
        ("session.id", Some(json!(1)), refused),
        ("session.userId", None, refused),
        ("session.userId", Some(json!(7)), refused),
        ("session.userId", Some(json!("")), refused),
        ("session.expiresAt", None, refused),
        ("session.expiresAt", Some(json!(null)), refused),
        ("session.expiresAt", Some(json!((NOW + 300) * 1000)), refused),
        ("session.expiresAt", Some(json!("2030-01-01T00:00:00+00:00")), refused),
        ("session.expiresAt", Some(json!("2030-01-01T00:00:00Z")), accepted),
        ("session.createdAt", None, accepted),
        ("session.createdAt", Some(date.clone()), accepted),
        ("session.createdAt", Some(json!(null)), refused),
        ("session.createdAt", Some(json!(1)), refused),
        ("session.updatedAt", Some(json!(null)), refused),
        ("session.ipAddress", Some(json!(null)), accepted),
        ("session.ipAddress", None, accepted),
        ("session.ipAddress", Some(json!(1)), refused),
        ("session.userAgent", Some(json!({})), refused),
        ("session.impersonatedBy", Some(json!(null)), accepted),
        ("session.impersonatedBy", Some(json!("admin-1")), accepted),
        ("session.impersonatedBy", Some(json!(true)), refused),
        ("session.activeOrganizationId", Some(json!(1)), refused),
        ("session.activeTeamId", Some(json!([])), refused),
        ("session.custom", Some(json!({ "any": [1] })), accepted),
        ("user", None, refused),
        ("user", Some(json!("user-1")), refused),
        ("user.email", None, refused),
        ("user.email", Some(json!(null)), refused),
        ("user.name", None, refused),
        ("user.name", Some(json!("2024-01-01T00:00:00.000Z")), accepted),
        ("user.emailVerified", None, accepted),
        ("user.emailVerified", Some(json!("true")), refused),
        ("user.emailVerified", Some(json!(null)), refused),
        ("user.image", None, accepted),
        ("user.image", Some(json!(1)), refused),
        ("user.createdAt", Some(json!(null)), refused),
        ("user.updatedAt", Some(date), accepted),
        ("user.role", Some(json!("admin,user")), accepted),
        ("user.role", Some(json!(null)), accepted),
        ("user.role", Some(json!(["admin"])), refused),
        ("user.banned", Some(json!(null)), accepted),
        ("user.banned", Some(json!(1)), refused),
        ("user.banned", Some(json!("true")), refused),
        ("user.banExpires", Some(json!(null)), accepted),
        ("user.banExpires", Some(json!(1)), refused),
        ("updatedAt", None, refused),
        ("updatedAt", Some(json!("1795201900000")), refused),
        ("updatedAt", Some(json!(1e300)), refused),
        ("updatedAt", Some(json!(i64::MAX)), refused),
        ("extra", Some(json!(null)), accepted),
    ];
    for strategy in STRATEGIES {
        for (at, value, expected) in &table {
            assert_eq!(strategy.verdict(&with(at, value.clone())), *expected, "{strategy:?} {at} {value:?}");
        }
        assert_eq!(strategy.verdict(&with("session.token", Some(json!("x")))), "cache_other_session");
    }
    // The published strategy names the token itself, and the user, a second time.
    for strategy in [Strategy::Compact, Strategy::Jwt, Strategy::Jwe] {
        assert_eq!(strategy.verdict(&with("session.token", Some(json!(1)))), refused);
        assert_eq!(strategy.verdict(&with("user.id", Some(json!(1)))), refused);
    }
}

#[test]
fn s111_a_ban_in_the_cache_counts() {
    let banned = Strategy::Jwe.judge(&Strategy::Jwe.write(&with("user.banned", Some(json!(true)))));
    let cached = banned.expect("good").expect("a cache");
    let fault = cached.record.judge(&token(), cached.cached_at, "cache").expect_err("banned");
    assert_eq!(fault, authcore::SessionFault::UserBanned);
}

#[test]
fn s111_names_twice_and_other_spellings_of_the_json_are_ignored() {
    let good = payload().to_string();
    let until = (NOW + 300).to_string();
    let tokens = |claims: &str| {
        let claims = format!(r#"{},"iat":{NOW},"exp":{until}}}"#, claims.strip_suffix('}').expect("an object"));
        [
            (Strategy::Jwt, hs256(r#"{"alg":"HS256"}"#, &claims, SECRET)),
            (Strategy::Jwe, jwe(&claims, SECRET)),
            (Strategy::Compact, compact(claims.as_str(), (NOW + 300) * 1000, SECRET)),
        ]
    };
    for twice in [
        good.replacen('{', r#"{"version":"1","#, 1),
        good.replacen('{', r#"{"versi\u006fn":"1","#, 1),
        good.replacen(r#""userId":"#, r#""userId":"user-2","userId":"#, 1),
        good.replacen('{', r#"{"extra":{"a":1,"a":2},"#, 1),
    ] {
        assert_ne!(twice, good);
        for (strategy, cookie) in tokens(&twice) {
            assert_eq!(verdict(strategy.judge(&cookie)), "cache_not_a_session", "{strategy:?} {twice}");
        }
    }
    for (strategy, cookie) in tokens(&good) {
        assert_eq!(verdict(strategy.judge(&cookie)), "accepted", "{strategy:?}");
    }
    let nested = good.replacen('{', &format!(r#"{{"extra":{}{},"#, "[".repeat(2000), "]".repeat(2000)), 1);
    for (strategy, cookie) in tokens(&nested) {
        assert_eq!(verdict(strategy.judge(&cookie)), "cache_not_a_session", "{strategy:?}");
    }
}

#[test]
fn s111_the_compact_envelope_has_one_spelling() {
    let (payload, until) = (payload().to_string(), (NOW + 300) * 1000);
    let good = String::from_utf8(authcore_testkit::unb64(compact(&payload, until, SECRET))).expect("JSON");
    let judge = |json: &str| verdict(Strategy::Compact.judge(&b64(json)));
    assert_eq!(judge(&good), "accepted");
    let expiry = format!(r#""expiresAt":{until}"#);
    for (from, to, reason) in [
        (r#"{"session":"#, r#"{ "session":"#, "cache_malformed"),
        (r#"{"session":"#, r#"{"a":1,"session":"#, "cache_malformed"),
        (r#","signature":"#, r#", "signature":"#, "cache_malformed"),
        (r#"{"session":"#, r#"{"session": "#, "cache_bad_signature"),
        (&expiry, &format!(r#""expiresAt":0{until}"#), "cache_bad_signature"),
        (&expiry, &format!(r#""expiresAt":{until}.0"#), "cache_malformed"),
        (&expiry, &format!(r#""expiresAt":-{until}"#), "cache_malformed"),
        (&expiry, r#""expiresAt":"#, "cache_malformed"),
        (&expiry, &format!(r#""expiresAt":{}"#, until + 1), "cache_bad_signature"),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{to}");
        assert_eq!(judge(&changed), reason, "{to}");
    }
    assert_eq!(judge(&format!("{good} ")), "cache_malformed");
    assert_eq!(judge(&format!("\u{feff}{good}")), "cache_malformed");
    let padded = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE, format!("{good}  "));
    assert_eq!(verdict(Strategy::Compact.judge(&padded)), "cache_malformed");
    // An expiry beyond the years there are.
    assert_eq!(verdict(Strategy::Compact.judge(&compact(&payload, i64::MAX, SECRET))), "cache_malformed");
}

/// Better Auth's e-mail links are signed with the same secret.
#[test]
fn s111_other_tokens_under_the_same_secret_are_no_cache() {
    let link = json!({ "email": "ada@example.com", "iat": NOW, "exp": NOW + 3600 }).to_string();
    for (strategy, cookie) in [
        (Strategy::Jwt, hs256(r#"{"alg":"HS256"}"#, &link, SECRET)),
        (Strategy::Jwe, jwe(&link, SECRET)),
        (Strategy::Compact, compact(&link, (NOW + 300) * 1000, SECRET)),
    ] {
        assert_eq!(verdict(strategy.judge(&cookie)), "cache_not_a_session", "{strategy:?}");
    }
}

#[test]
fn s111_the_header_of_a_secret_keyed_token_is_the_one_there_is() {
    let mut claims = payload();
    claims["exp"] = json!(NOW + 300);
    let text = claims.to_string();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{ "alg":"HS256"}"#,
    ] {
        assert_eq!(verdict(Strategy::Jwt.judge(&hs256(header, &text, SECRET))), "cache_malformed", "{header}");
    }
    let good = hs256(r#"{"alg":"HS256"}"#, &text, SECRET);
    assert_eq!(verdict(Strategy::Jwt.judge(&good)), "accepted");
    for changed in
        [format!("{good}="), format!("{good}."), format!(".{good}"), format!(" {good}x"), good[..good.len() - 1].into()]
    {
        assert_eq!(verdict(Strategy::Jwt.judge(&changed)), "cache_malformed", "{changed}");
    }
    let without_exp = hs256(r#"{"alg":"HS256"}"#, &payload().to_string(), SECRET);
    assert_eq!(verdict(Strategy::Jwt.judge(&without_exp)), "cache_not_a_session");
    assert_eq!(verdict(Strategy::Jwe.judge(&jwe(&payload().to_string(), SECRET))), "cache_not_a_session");
    for exp in [json!("1795202200"), json!(null), json!(1.5), json!(true)] {
        assert_eq!(Strategy::Jwt.verdict(&with("exp", Some(exp.clone()))), "cache_not_a_session", "{exp}");
    }
}

#[test]
fn s111_nothing_is_decrypted_before_its_tag_has_verified() {
    let mut claims = payload();
    claims["exp"] = json!(NOW + 300);
    let (good, key) = (jwe(&claims.to_string(), SECRET), derived(SECRET));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, _, iv, text, tag] = parts[..] else { panic!("five parts") };
    let zeros = |bytes: usize| b64(vec![0; bytes]);
    for (cookie, reason) in [
        (format!("{header}..{}.{text}.{tag}", zeros(16)), "cache_bad_signature"),
        (format!("{header}..{iv}.{}.{tag}", zeros(32)), "cache_bad_signature"),
        (format!("{header}..{iv}.{text}.{}", zeros(32)), "cache_bad_signature"),
        (format!("{header}..{iv}..{tag}"), "cache_bad_signature"),
        (format!("{header}.AAAA.{iv}.{text}.{tag}"), "cache_malformed"),
        (format!("{header}..{}.{text}.{tag}", zeros(12)), "cache_malformed"),
        (format!("{header}..{iv}.{text}.{}", zeros(16)), "cache_malformed"),
        (format!("{header}..{iv}.{text}.{}", zeros(64)), "cache_malformed"),
        (format!("{header}..{iv}.{text}"), "cache_malformed"),
        (format!("{good}.{tag}"), "cache_malformed"),
    ] {
        assert_eq!(verdict(Strategy::Jwe.judge(&cookie)), reason, "{cookie}");
    }
    // The right key under another header: without its name, for another cipher, compressed.
    for header in [
        r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"x"}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}"#,
    ] {
        let cookie = jwe_with(header, claims.to_string().as_bytes(), &key);
        assert_eq!(verdict(Strategy::Jwe.judge(&cookie)), "cache_bad_signature", "{header}");
    }
    // Genuine, and not text.
    let header = String::from_utf8(authcore_testkit::unb64(header)).expect("JSON");
    assert_eq!(verdict(Strategy::Jwe.judge(&jwe_with(&header, b"\xff\xfe", &key))), "cache_malformed");
}

#[test]
fn s111_a_published_cache_names_its_kind_its_issuer_and_its_session() {
    let good = || {
        let mut claims = payload();
        let own = json!({
            "iss": ISSUER, "aud": "better-auth:session-cache", "sub": "user-1", "sid": claims["session"]["token"],
            "iat": NOW, "exp": NOW + 300,
        });
        claims.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
        claims
    };
    assert_eq!(verdict(Strategy::Published.judge(&published(&good().to_string()))), "accepted");
    for (claim, value, reason) in [
        ("iss", json!("https://evil.example"), "cache_not_a_session"),
        ("aud", json!(ISSUER), "cache_not_a_session"),
        ("sub", json!("user-2"), "cache_other_user"),
        ("sid", json!("x"), "cache_other_session"),
        ("exp", json!(NOW), "cache_expired"),
        ("exp", json!("1795202200"), "cache_not_a_session"),
        ("iat", json!(NOW + 31), "cache_not_a_session"),
    ] {
        let mut changed = good();
        changed[claim] = value.clone();
        assert_eq!(verdict(Strategy::Published.judge(&published(&changed.to_string()))), reason, "{claim} {value}");
        changed.as_object_mut().expect("an object").remove(claim);
        if claim != "iat" {
            assert_ne!(verdict(Strategy::Published.judge(&published(&changed.to_string()))), "accepted", "no {claim}");
        }
    }
    let (text, key) = (good().to_string(), published_key());
    let cache = mint().header("typ", "better-auth.session-cache+jwt").raw_payload(text);
    let stranger = SigningKey::generate(Algorithm::EdDsa).with_kid(key.kid());
    let forged = SigningKey::hmac(Algorithm::Hs256, key.public_der()).with_kid(key.kid());
    for (token, reason) in [
        (cache.clone().header("typ", "JWT").sign(key), "cache_not_a_session"),
        (cache.clone().without_header("typ").sign(key), "cache_not_a_session"),
        (cache.clone().without_header("kid").sign(key), "cache_not_a_session"),
        (cache.clone().header("kid", "other").sign(key), "cache_unknown_key"),
        (cache.clone().sign(&stranger), "cache_bad_signature"),
        (cache.clone().sign(&forged), "cache_malformed"),
        (cache.header("alg", "none").with_signature([]), "cache_malformed"),
    ] {
        assert_eq!(verdict(Strategy::Published.judge(&token)), reason, "{token}");
    }
}

#[test]
fn s112_chunks_are_joined_by_number_or_not_at_all() {
    for strategy in STRATEGIES {
        let bulky = with("user.bio", Some(json!("x".repeat(6000))));
        let text = strategy.write(&bulky);
        let pieces: Vec<&str> = text
            .as_bytes()
            .chunks(text.len() / 12 + 1)
            .map(|piece| std::str::from_utf8(piece).expect("ASCII"))
            .collect();
        assert_eq!(pieces.len(), 12);
        let chunk = |index: &str, piece: &str| format!("better-auth.session_data.{index}={piece}");
        let all: Vec<String> = pieces.iter().enumerate().map(|(at, piece)| chunk(&at.to_string(), piece)).collect();
        let judge = |lines: &[String]| verdict(strategy.cache().read(&head(lines), &token()));
        let joined = |parts: &[String]| judge(&[parts.join("; ")]);

        assert_eq!((judge(&all), joined(&all)), ("accepted", "accepted"), "{strategy:?}");
        let reversed: Vec<String> = all.iter().rev().cloned().collect();
        assert_eq!(joined(&reversed), "accepted");

        for missing in [0, 5, 10] {
            let mut gap = all.clone();
            gap.remove(missing);
            assert_eq!(joined(&gap), "cache_ambiguous");
        }
        // The last one missing leaves no gap, and no signature either.
        assert_ne!(joined(&all[..11]), "accepted");
        for repeated in [all[3].clone(), chunk("3", "AAAA")] {
            assert_eq!(judge(&[all.join("; "), repeated]), "cache_ambiguous");
        }
        for index in ["", "00", "03", "-1", "+1", "1.0", "x", "0x1", " ", "1e1", "٣"] {
            assert_eq!(judge(&[all.join("; "), chunk(index, "AAAA")]), "cache_ambiguous", "{index}");
        }
        for index in ["100", "999", "99999999999999999999999"] {
            assert_eq!(judge(&[all.join("; "), chunk(index, "AAAA")]), "cache_too_long", "{index}");
        }
        let many: Vec<String> = (0..500).map(|at| chunk(&at.to_string(), "A")).collect();
        assert_eq!(joined(&many), "cache_too_long");
        // The cookie without a number counts alone.
        assert_eq!(
            judge(&[all.join("; "), format!("better-auth.session_data={}", strategy.write(&payload()))]),
            "accepted"
        );
        assert_eq!(judge(&[all.join("; "), "better-auth.session_data=x".into()]), "cache_malformed");
        assert_eq!(judge(&["better-auth.session_data=x; better-auth.session_data=y".into()]), "cache_ambiguous");
    }
}

#[test]
fn s112_more_than_may_be_read_is_not_decoded() {
    for strategy in STRATEGIES {
        let text = strategy.write(&with("user.bio", Some(json!("x".repeat(20_000)))));
        assert_eq!(verdict(strategy.judge(&text)), "cache_too_long", "{strategy:?}");
        let (front, back) = text.split_at(text.len() / 2);
        let chunks = head([format!("better-auth.session_data.0={front}; better-auth.session_data.1={back}")]);
        assert_eq!(verdict(strategy.cache().read(&chunks, &token())), "cache_too_long", "{strategy:?}");
        let larger = strategy.settings(&secrets()).max_bytes(64 * 1024).build(&names()).expect("good settings");
        assert_eq!(verdict(larger.read(&chunks, &token())), "accepted", "{strategy:?}");
    }
}

#[test]
fn a_cache_is_read_under_its_own_name_only() {
    let secure =
        Strategy::Jwt.settings(&secrets()).build(&CookieNames::new(true).prefix("shop")).expect("good settings");
    let value = Strategy::Jwt.write(&payload());
    let read = |name: &str| verdict(secure.read(&head([format!("{name}={value}")]), &token()));
    assert_eq!((read("__Secure-shop.session_data"), read("shop.session_data")), ("accepted", "absent"));
}

#[test]
fn previous_secrets_open_encrypted_caches_always_and_signed_ones_when_asked() {
    let list = Secret::new(format!("2:{SECRET},1:{OTHER_SECRET}"));
    for (strategy, unasked) in [
        (Strategy::Compact, "cache_bad_signature"),
        (Strategy::Jwt, "cache_bad_signature"),
        (Strategy::Jwe, "accepted"),
    ] {
        let head =
            head([format!("better-auth.session_data={}", strategy.write_until(&payload(), NOW + 60, OTHER_SECRET))]);
        let verdict = |secrets: &Secrets| {
            verdict(strategy.settings(secrets).build(&names()).expect("good settings").read(&head, &token()))
        };
        let secrets = Secrets::versioned(&list).expect("good secrets");
        assert_eq!((verdict(&secrets), verdict(&secrets.clone().accept_previous(true))), (unasked, "accepted"));
    }
}

/// A key set that is there only after a fetch, or never.
struct Late {
    keys: KeySet,
    fetched: std::sync::Arc<std::sync::atomic::AtomicBool>,
    reachable: bool,
}

impl KeyResolver for Late {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        self.fetched.load(std::sync::atomic::Ordering::Relaxed).then(|| (&self.keys).into())
    }

    fn after_miss(&self, _: Option<&str>) -> Miss {
        let (fetched, reachable) = (self.fetched.clone(), self.reachable);
        Miss::Fetch(Box::pin(async move {
            fetched.store(reachable, std::sync::atomic::Ordering::Relaxed);
            if reachable { Ok(()) } else { Err(Unavailable::new("down", Duration::from_secs(1))) }
        }))
    }
}

#[tokio::test]
async fn keys_are_fetched_only_where_that_may_be_waited_for() {
    for (reachable, expected) in [(true, "accepted"), (false, "cache_unknown_key")] {
        let late = Late { keys: KeySet::new([published_key().key()]), fetched: Default::default(), reachable };
        let cache =
            CookieCache::published(late, ISSUER).clock(ManualClock::at(NOW)).build(&names()).expect("good settings");
        let head = head([format!("better-auth.session_data={}", Strategy::Published.write(&payload()))]);

        assert_eq!(cache.read(&head, &token()).expect_err("no keys yet"), CacheFault::UnknownKey);
        let taken = cache.take(&head).expect("one cookie").expect("a cache");
        assert_eq!(verdict(cache.open_fetching(&taken, &token()).await.map(Some)), expected);
        assert_eq!(verdict(cache.read(&head, &token())), expected);
        assert!(cache.take(&TestHead::get("/")).is_ok_and(|taken| taken.is_none()));
        assert_eq!(format!("{taken:?}"), "CacheCookie(redacted)");
    }
    let taken =
        Strategy::Jwe.cache().take(&head([format!("better-auth.session_data={}", Strategy::Jwe.write(&payload()))]));
    let taken = taken.expect("one cookie").expect("a cache");
    assert!(Strategy::Jwe.cache().open_fetching(&taken, &token()).await.is_ok());
}
