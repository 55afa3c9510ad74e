//! `doctor`, against real parts: each finding names its cause and its mend in one line.

use authcore::Algorithm;
use authcore_testkit::{Answer, FakeIssuer, SigningKey, jwks, mint};
use tokio::runtime::Runtime;

use crate::parts::{RedisServer, better_auth_tables, free_port, sqlite};
use crate::support::{Folder, Ran, SECRET, run_with};

fn doctor(options: &[&str], variables: &[(&str, &str)]) -> Ran {
    by_the_clock(&[&["--now", &NOW.to_string()][..], options].concat(), variables)
}

fn by_the_clock(options: &[&str], variables: &[(&str, &str)]) -> Ran {
    let ran = run_with(&[&["doctor"][..], options].concat(), variables, b"");
    let hidden: Vec<_> = variables.iter().filter(|(name, _)| name.contains("SECRET")).collect();
    assert!(hidden.iter().all(|(_, secret)| !ran.out.contains(secret) && !ran.err.contains(secret)), "{ran:?}");
    ran
}

/// The row of this name; it begins with this word and holds all of these.
#[track_caller]
fn row(ran: &Ran, word: &str, name: &str, holds: &[&str]) {
    let of_name = |line: &&str| line.split_whitespace().nth(1) == Some(name);
    let rows: Vec<_> = ran.out.lines().filter(of_name).collect();
    let fits = |line: &&&str| line.starts_with(word) && holds.iter().all(|text| line.contains(text));
    assert!(rows.iter().any(|line| fits(&line)), "{word} {name} {holds:?}: {}", ran.out);
}

fn good() -> authcore_testkit::Mint {
    mint().issued_at(NOW).expires_at(NOW + 900)
}

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

/// The moment of the example in RFC 9110 §5.6.7, by which tokens are judged.
const NOW: i64 = 784_111_777;

/// The answer of an issuer whose clock says this.
fn dated(date: &str) -> Answer {
    Answer::Body {
        status: 200,
        content_type: "application/json".into(),
        body: jwks([key()]).into_bytes(),
        headers: vec![("date".into(), date.into())],
    }
}

/// With the runtime that it answers on.
struct Issuer {
    server: FakeIssuer,
    _runtime: Runtime,
}

impl Issuer {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let issuer = runtime.block_on(FakeIssuer::start(&[key()]));
        issuer.answer(dated("Sun, 06 Nov 1994 08:49:37 GMT"));
        Self { server: issuer, _runtime: runtime }
    }

    fn url(&self) -> String {
        self.server.url()
    }
}

#[test]
fn a_sound_environment_is_ok_and_its_token_accepted() {
    let issuer = Issuer::start();
    let url = issuer.url();
    let token = good().issuer(&url).audience(&url).without_header("typ").sign(key());
    let variables = [("BETTER_AUTH_URL", url.as_str()), ("CORS_ORIGINS", "https://app.example.com")];
    let ran = doctor(&["--token", &token], &variables);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    row(&ran, "ok", "keys", &["1 usable", "/api/auth/jwks"]);
    row(&ran, "ok", "clock", &["not compared", "--now"]);
    row(&ran, "ok", "BETTER_AUTH_ISSUER", &[&url]);
    row(&ran, "ok", "token", &["accepted for alice"]);
    assert!(!ran.out.contains(&token) && !ran.out.contains("fail"), "{}", ran.out);

    let json = doctor(&["--json"], &variables).lines().remove(0);
    assert_eq!(json["ok"], true);
    assert!(json["checks"].as_array().is_some_and(|checks| checks.iter().all(|check| check["status"] != "fail")));

    let stale = good().issuer(&url).audience(&url).expires_at(7).sign(key());
    let ran = doctor(&["--token", &stale], &variables);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "token", &["expired", "-> ", "fresh token"]);
}

#[test]
fn a_secret_that_is_weak_or_another_one_is_told() {
    let ran = doctor(&[], &[("BETTER_AUTH_SECRET", "hidden")]);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "BETTER_AUTH_SECRET", &["at least 32 bytes", "-> ", "openssl rand -base64 32"]);
    let ran = doctor(&[], &[("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890")]);
    row(&ran, "fail", "BETTER_AUTH_SECRET", &["publicly known", "-> ", "openssl"]);
    let ran = doctor(&[], &[("BETTER_AUTH_SECRET", &"abc".repeat(20))]);
    row(&ran, "warn", "BETTER_AUTH_SECRET", &["guess", "-> "]);

    let folder = Folder::new();
    let database = sqlite(&folder, "auth.db", &better_auth_tables("t"));
    let issuer = Issuer::start();
    let url = issuer.url();
    // Signed under another secret than this.
    let cookie = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E.4ELv/UfengTFAv+YVRoPMxuthh+SjEIZ+lrlcjzxOpo=";
    let variables =
        [("BETTER_AUTH_URL", url.as_str()), ("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_DATABASE_URL", &database)];
    let ran = doctor(&["--token", cookie], &variables);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "token", &["session_bad_signature", "-> ", "BETTER_AUTH_SECRET"]);
}

#[test]
fn an_issuer_with_a_slash_at_the_end_is_told() {
    let issuer = Issuer::start();
    let (url, slash) = (issuer.url(), format!("{}/", issuer.url()));
    let token = good().issuer(&url).audience(&url).sign(key());
    let ran = doctor(&["--token", &token], &[("BETTER_AUTH_URL", &url), ("BETTER_AUTH_ISSUER", &slash)]);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "BETTER_AUTH_ISSUER", &["ends with a slash", &format!("-> set BETTER_AUTH_ISSUER={url},")]);
    row(&ran, "fail", "token", &["wrong_issuer", "byte for byte"]);
}

#[test]
fn a_clock_that_is_off_is_told() {
    let issuer = Issuer::start();
    let url = issuer.url();
    for (date, found) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "s ahead of the issuer's"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "s behind the issuer's"),
    ] {
        issuer.server.answer(dated(date));
        let ran = by_the_clock(&[], &[("BETTER_AUTH_URL", &url)]);
        assert_eq!(ran.code, Some(1));
        row(&ran, "fail", "clock", &[found, "-> ", "NTP"]);
    }
    // A time that is stated is that of the token.
    let ran = doctor(&[], &[("BETTER_AUTH_URL", &url)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    row(&ran, "ok", "clock", &["not compared", "--now"]);
    issuer.server.answer(Answer::Keys);
    row(&by_the_clock(&[], &[("BETTER_AUTH_URL", &url)]), "warn", "clock", &["no Date"]);
}

#[test]
fn keys_that_cannot_be_had_or_used_are_told() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let ran = doctor(&[], &[("BETTER_AUTH_URL", &nobody)]);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "keys", &["no key set at", &nobody, "-> ", "BETTER_AUTH_URL", "curl"]);
    let issuer = Issuer::start();
    issuer.server.answer(Answer::json(r#"{"keys":[]}"#));
    row(&doctor(&[], &[("BETTER_AUTH_URL", &issuer.url())]), "fail", "keys", &["no usable key", "-> ", "sign in once"]);
    issuer.server.answer(Answer::body(404, "text/plain", ""));
    row(&doctor(&[], &[("BETTER_AUTH_URL", &issuer.url())]), "fail", "keys", &["status 404", "-> ", "jwt plugin"]);
}

#[test]
fn a_database_without_better_auths_tables_is_told() {
    let folder = Folder::new();
    let issuer = Issuer::start();
    let url = issuer.url();
    let check = |database: &str| {
        doctor(
            &[],
            &[("BETTER_AUTH_URL", &url), ("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_DATABASE_URL", database)],
        )
    };
    let ran = check(&sqlite(&folder, "other.db", "CREATE TABLE a (b)"));
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "BETTER_AUTH_DATABASE_URL", &["no table `session`", "-> ", "migrate", "BETTER_AUTH_SCHEMA"]);
    let ran = check(&sqlite(&folder, "auth.db", &better_auth_tables("t")));
    row(
        &ran,
        "warn",
        "BETTER_AUTH_DATABASE_URL",
        &["`session` and `user` are there", "user.banned", "-> ", "admin plugin"],
    );
    let ran = check("postgres://ann:confidential@127.0.0.1:1/app");
    row(&ran, "fail", "BETTER_AUTH_DATABASE_URL", &["cannot be reached", "-> ", "host, user and password"]);
    assert!(!ran.out.contains("confidential"), "{}", ran.out);
}

#[test]
fn a_redis_with_another_prefix_is_told() {
    let redis = RedisServer::start();
    let issuer = Issuer::start();
    let (url, at) = (issuer.url(), redis.url());
    let check = |more: &[(&str, &str)]| {
        let variables =
            [("BETTER_AUTH_URL", url.as_str()), ("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_REDIS_URL", &at)];
        doctor(&[], &[&variables[..], more].concat())
    };
    row(&check(&[]), "warn", "BETTER_AUTH_REDIS_URL", &["no session in it yet", "-> ", "sign in once"]);
    redis.run(&["SET", "shop:active-sessions-ann", "[]"]);
    let ran = check(&[]);
    assert_eq!(ran.code, Some(1));
    row(&ran, "fail", "BETTER_AUTH_REDIS_URL", &["`better-auth:`", "`shop:`", "-> set BETTER_AUTH_REDIS_PREFIX=shop:"]);
    assert!(!ran.out.contains("ann"), "nobody is named: {}", ran.out);
    row(&check(&[("BETTER_AUTH_REDIS_PREFIX", "shop:")]), "ok", "BETTER_AUTH_REDIS_URL", &["`shop:`"]);
    row(&check(&[("REDIS_URL", &at)]), "ok", "REDIS_URL", &["counts rate limits"]);
    let nobody = format!("redis://:confidential@127.0.0.1:{}", free_port());
    let ran = check(&[("REDIS_URL", &nobody)]);
    row(&ran, "fail", "REDIS_URL", &["-> ", "redis-cli"]);
    assert!(!ran.out.contains("confidential"), "{}", ran.out);
}

#[test]
fn what_stands_at_the_edge_is_checked() {
    let issuer = Issuer::start();
    let url = issuer.url();
    for (name, value, holds) in [
        ("CORS_ORIGINS", "*", ["never allowed", "list the origins"]),
        ("CORS_ORIGINS", "https://app.example.com/", ["not an origin", "no slash"]),
        ("TRUSTED_PROXIES", "0.0.0.0/0", ["anybody", "10.0.0.0/8"]),
        ("TRUSTED_PROXIES_HEADER", "x-real-ip", ["x-forwarded-for or forwarded", "your proxies write"]),
        ("TRUSTED_PROXIES_HEADER", "forwarded", ["without TRUSTED_PROXIES", "set TRUSTED_PROXIES"]),
        ("RATE_LIMIT", "maybe", ["`on` or `off`", "unset"]),
        ("RATE_LIMIT_WINDOW_MS", "1m", ["no whole number", "digits"]),
        ("RATE_LIMIT_WINDOW_MS", "0", ["above zero", "digits"]),
        ("RATE_LIMIT_MAX_REQUESTS", "0", ["above zero", "RATE_LIMIT=off"]),
        ("RATE_LIMIT_MAX_REQUESTS", "+5", ["no whole number", "digits"]),
        ("AUTH_LEEWAY", "2m", ["0s to 60s", "AUTH_LEEWAY"]),
        ("BETTER_AUTH_COOKIE_CACHE", "maybe", ["`off`", "BETTER_AUTH_COOKIE_CACHE"]),
    ] {
        let ran = doctor(&[], &[("BETTER_AUTH_URL", &url), ("BETTER_AUTH_SECRET", SECRET), (name, value)]);
        assert_eq!(ran.code, Some(1), "{name}");
        row(&ran, "fail", name, &[holds[0], "-> ", holds[1]]);
    }
    let ran = doctor(&[], &[]);
    assert_eq!(ran.code, Some(0));
    row(&ran, "warn", "settings", &["demo mode", "-> set BETTER_AUTH_URL"]);
}

#[test]
fn a_password_in_a_url_is_never_shown() {
    const WITH: &str = "https://ann:confidential@id.example.com";
    let keys = format!("{WITH}/jwks?confidential");
    let broken = "https://ann:confidential@id.example.com:99999/jwks";
    let issuer = format!("{WITH}/");
    for variables in [
        &[("BETTER_AUTH_JWKS_URL", keys.as_str())][..],
        &[("BETTER_AUTH_JWKS_URL", &keys), ("BETTER_AUTH_ISSUER", WITH), ("BETTER_AUTH_AUDIENCE", WITH)],
        &[("BETTER_AUTH_JWKS_URL", &keys), ("BETTER_AUTH_ISSUER", &issuer), ("BETTER_AUTH_AUDIENCE", broken)],
        &[("BETTER_AUTH_JWKS_URL", broken), ("BETTER_AUTH_ISSUER", WITH), ("BETTER_AUTH_AUDIENCE", "tasks")],
        &[("BETTER_AUTH_URL", WITH), ("BETTER_AUTH_ISSUER", &issuer)],
        &[("CORS_ORIGINS", WITH)],
    ] {
        for options in [&["--token", "a.b.c"][..], &["--token", "a.b.c", "--json"]] {
            let ran = doctor(options, variables);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(!ran.out.contains("confidential") && !ran.err.contains("confidential"), "{ran:?}");
        }
    }
    let ran = doctor(
        &[],
        &[("BETTER_AUTH_JWKS_URL", &keys), ("BETTER_AUTH_ISSUER", &issuer), ("BETTER_AUTH_AUDIENCE", "tasks")],
    );
    row(&ran, "fail", "keys", &["no key set at https://id.example.com/jwks:", "curl https://id.example.com/jwks has"]);
    row(
        &ran,
        "warn",
        "BETTER_AUTH_ISSUER",
        &["https://id.example.com/ ends", "-> set BETTER_AUTH_ISSUER=https://id.example.com,"],
    );
}

#[test]
fn a_token_that_nobody_can_judge_is_not_accepted() {
    for variables in [&[][..], &[("BETTER_AUTH_SECRET", "hidden")]] {
        let ran = doctor(&["--token", "a.b.c"], variables);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        row(&ran, "fail", "token", &["not judged: "]);
    }
}
