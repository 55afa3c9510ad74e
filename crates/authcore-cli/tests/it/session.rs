//! `session`: signature, cookie cache and live sessions. The cookies are of a real Better Auth server.

use serde_json::{Value, json};

use crate::parts::{RedisServer, better_auth_tables, sqlite};
use crate::support::{Folder, Ran, run_with};

const SECRET: &str = "rust-contract-throwaway-secret-0123456789abcdef";
const TOKEN: &str = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E";
const SIGNATURE: &str = "4ELv/UfengTFAv+YVRoPMxuthh+SjEIZ+lrlcjzxOpo=";

fn cookie() -> String {
    format!(
        "better-auth.session_token={TOKEN}.{}",
        SIGNATURE.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
    )
}

fn session(options: &[&str], input: &str) -> Ran {
    run_with(&[&["session", "--secret-env", "BAS"][..], options].concat(), &[("BAS", SECRET)], input.as_bytes())
}

fn ask(options: &[&str], headers: &[Value]) -> Vec<Value> {
    let input: String = headers
        .iter()
        .enumerate()
        .map(|(id, headers)| format!("{}\n", json!({ "id": id, "headers": headers, "now": 1_795_200_000 })))
        .collect();
    let ran = session(&[options, &["--batch"]].concat(), &input);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(!ran.out.contains(TOKEN) && !ran.out.contains(SECRET), "{}", ran.out);
    ran.lines()
}

fn reasons(answers: &[Value]) -> Vec<Option<&str>> {
    answers.iter().map(|answer| answer["reason"].as_str()).collect()
}

#[test]
fn the_signature_alone_is_judged_where_there_is_no_store() {
    let good = json!([["cookie", cookie()]]);
    let bearer = json!([["authorization", format!("Bearer {TOKEN}.{SIGNATURE}")]]);
    let raw = json!([["authorization", format!("Bearer {TOKEN}")]]);
    let spoilt = json!([["cookie", cookie().replace("sxU2", "sxU3")]]);
    let answers = ask(&[], &[good.clone(), spoilt, json!([]), bearer.clone()]);
    assert_eq!(
        (&answers[0]["ok"], &answers[0]["source"], &answers[0]["user_id"]),
        (&json!(true), &json!("signature"), &Value::Null)
    );
    assert_eq!(answers[0]["session_token_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(reasons(&answers[1..]), [Some("session_bad_signature"), Some("missing"), Some("bearer_unread")]);
    assert_eq!(answers[1]["code"], "session_invalid");

    let same = ask(&["--bearer", "signed"], &[bearer, raw.clone()]);
    assert_eq!(same[0]["session_token_sha256"], answers[0]["session_token_sha256"]);
    assert_eq!(same[1]["reason"], "bearer_unread");
    assert_eq!(ask(&["--bearer", "raw"], &[raw])[0]["ok"], true);
    assert_eq!(reasons(&ask(&["--secure"], std::slice::from_ref(&good))), [Some("missing")]);

    let human = session(&["-H", &format!("Cookie: {}", cookie())], "");
    assert!(
        human.code == Some(0) && human.out.contains("source      signature") && !human.out.contains(TOKEN),
        "{human:?}"
    );
    let human = session(&["-H", &format!("Cookie: better-auth.session_token={TOKEN}")], "");
    assert!(human.code == Some(1) && human.out.contains("a dot and a signature"), "{human:?}");
    let human = session(&[], "");
    assert!(human.code == Some(1) && human.out.contains("there is no cookie better-auth.session_token"), "{human:?}");
}

/// What real Better Auth servers set, each judged at its own moment.
fn caches() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../authcore-better-auth/testdata/sessions.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    file["cookie_cache"].as_array().expect("a list").clone()
}

fn judge(options: &[&str], vector: &Value, seconds_later: f64) -> Value {
    let cookies = vector["request_cookies"].as_object().expect("cookies").iter();
    let cookies: Vec<_> = cookies.map(|(name, value)| format!("{name}={}", value.as_str().expect("text"))).collect();
    let now = vector["verify_at_ms"].as_f64().expect("a time") / 1000.0 + seconds_later;
    let line = json!({ "id": 1, "headers": [["cookie", cookies.join("; ")]], "now": now });
    session(&[options, &["--batch"]].concat(), &line.to_string()).lines().remove(0)
}

#[test]
fn a_cache_of_each_strategy_is_read() {
    let folder = Folder::new();
    let mut seen = std::collections::BTreeSet::new();
    for vector in caches() {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let strategy = if text("strategy") == "jwt-asymmetric" { "jwks" } else { text("strategy") };
        let keys = folder.file("keys.json", vector["jwks"].to_string());
        let published = ["--jwks", keys.as_str(), "--issuer", text("issuer")];
        let options = ["--cache", strategy, "--cache-version", text("expected_version")];
        let options = [&options[..], if strategy == "jwks" { &published } else { &[] }].concat();
        let answer = judge(&options, &vector, 0.0);
        let user = &vector["payload"]["user"]["id"];
        assert_eq!((&answer["source"], &answer["user_id"]), (&json!("cache"), user), "{}: {answer}", vector["id"]);
        seen.insert(strategy.to_owned());
    }
    assert_eq!(Vec::from_iter(seen), ["compact", "jwe", "jwks", "jwt"]);
}

#[test]
fn a_cookie_cache_counts_only_where_it_is_trusted_and_fresh() {
    let real = caches().remove(0);
    let trusted = &["--cache", "compact"][..];
    assert_eq!(judge(trusted, &real, 0.0)["source"], "cache");
    for (options, later) in
        [(trusted, 301.0), (&["--cache", "jwe"], 0.0), (&["--cache", "compact", "--cache-version", "2"], 0.0)]
    {
        assert_eq!(judge(options, &real, later)["reason"], "session_unknown", "{options:?}");
    }
    assert_eq!(judge(&[], &real, 0.0)["source"], "signature");
    let ran = session(&["--cache", "compact", "--bearer", "raw"], "");
    ran.is_usage(&["--bearer", "--database-url"]);
    session(&["--cache", "jwks"], "").is_usage(&["--jwks"]);
    session(&["--cache", "jwks", "--jwks", "keys.json"], "").is_usage(&["--issuer"]);
}

#[test]
fn a_live_session_is_looked_up_in_the_database() {
    let folder = Folder::new();
    let url = sqlite(&folder, "auth.db", &better_auth_tables(TOKEN));
    let head = json!([["cookie", cookie()]]);
    let answer = ask(&["--database-url", &url], std::slice::from_ref(&head)).remove(0);
    assert_eq!((&answer["source"], &answer["user_id"]), (&json!("database"), &json!("ann")), "{answer}");
    let empty = sqlite(&folder, "empty.db", &better_auth_tables("another-token"));
    assert_eq!(reasons(&ask(&["--database-url", &empty], &[head])), [Some("session_unknown")]);
    let other = sqlite(&folder, "other.db", "CREATE TABLE a (b)");
    session(&["--database-url", &other], "").is_usage(&["--database-url", "no table `session`"]);
    session(&["--database-url-env", "NOBODY"], "").is_usage(&["--database-url-env", "NOBODY"]);
    session(&["--auth-url", "http://example.com"], "").is_usage(&["--auth-url", "https"]);
}

#[test]
fn a_live_session_is_looked_up_in_redis() {
    let redis = RedisServer::start();
    let record = json!({
        "session": { "id": "s", "token": TOKEN, "userId": "ann", "expiresAt": "2027-01-01T00:00:00.000Z",
                     "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z" },
        "user": { "id": "ann", "name": "Ann", "email": "ann@example.com", "emailVerified": true,
                  "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z" }
    });
    redis.run(&["SET", &format!("shop:{TOKEN}"), &record.to_string()]);
    let (url, head) = (redis.url(), json!([["cookie", cookie()]]));
    let answer = ask(&["--redis-url", &url, "--redis-prefix", "shop:"], std::slice::from_ref(&head)).remove(0);
    assert_eq!((&answer["source"], &answer["user_id"]), (&json!("redis"), &json!("ann")), "{answer}");
    assert_eq!(reasons(&ask(&["--redis-url", &url], &[head])), [Some("session_unknown")]);
}
