//! Settings: those that stop a server, and those that take effect.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authcore::Algorithm;
use authcore_testkit::SigningKey;
use serde_json::json;
use tasks_conformance::{Example, Request, Signer};

use crate::support::{AUDIENCE, ISSUER, SECRET, signer, start};

type Environment = &'static [(&'static str, &'static str)];

/// What stops a server at start: the variables its one line may name, and the environment.
const WRONG_SETTINGS: &[(&[&str], Environment)] = &[
    (&["BIND_ADDR"], &[("BIND_ADDR", "garbage")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "127.0.0.1")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "127.0.0.1:65536")]),
    // Without a secret or an issuer this is demo mode, which is for loopback only.
    (&["BIND_ADDR"], &[("BIND_ADDR", "0.0.0.0:0")]),
    (&["BIND_ADDR"], &[("BIND_ADDR", "[::]:0")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "short")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "thirty-one bytes are not enough")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "a-string-secret-at-least-256-bits-long")]),
    (&["BETTER_AUTH_SECRETS"], &[("BETTER_AUTH_SECRETS", "2:thirty-one bytes are not enough")]),
    (&["BETTER_AUTH_SECRET"], &[("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "garbage")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "ftp://id.example.com")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "http://id.example.com")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "file:///etc/jwks.json")]),
    (&["BETTER_AUTH_URL"], &[("BETTER_AUTH_URL", "https://user:hidden@id.example.com")]),
    (
        &["BETTER_AUTH_JWKS_URL"],
        &[
            ("BETTER_AUTH_JWKS_URL", "http://id.example.com/jwks"),
            ("BETTER_AUTH_ISSUER", ISSUER),
            ("BETTER_AUTH_AUDIENCE", AUDIENCE),
        ],
    ),
    (
        &["BETTER_AUTH_JWKS_URL"],
        &[
            ("BETTER_AUTH_JWKS_URL", "https://169.254.169.254/jwks"),
            ("BETTER_AUTH_ISSUER", ISSUER),
            ("BETTER_AUTH_AUDIENCE", AUDIENCE),
        ],
    ),
    (
        &["BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE", "BETTER_AUTH_JWKS_URL"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks")],
    ),
    (
        &["BETTER_AUTH_AUDIENCE"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks"), ("BETTER_AUTH_ISSUER", ISSUER)],
    ),
    (
        &["BETTER_AUTH_ISSUER"],
        &[("BETTER_AUTH_JWKS_URL", "https://id.example.com/jwks"), ("BETTER_AUTH_AUDIENCE", AUDIENCE)],
    ),
    (&["DATABASE_URL"], &[("DATABASE_URL", "postgres://tasks@127.0.0.1/tasks?sslmode=perhaps")]),
    (&["DATABASE_URL"], &[("DATABASE_URL", "postgres://tasks@127.0.0.1/tasks?ssl_mode=require")]),
    (&["DATABASE_URL"], &[("DATABASE_URL", "mysql://tasks@127.0.0.1/tasks")]),
    (&["DATABASE_URL"], &[("DATABASE_URL", "garbage")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "*")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "localhost:3000")]),
    (&["CORS_ORIGINS"], &[("CORS_ORIGINS", "http://localhost:3000/path")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "2m")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "61s")]),
    (&["AUTH_LEEWAY"], &[("AUTH_LEEWAY", "soon")]),
    (&["RATE_LIMIT"], &[("RATE_LIMIT", "perhaps")]),
    // What this build cannot serve is refused, not ignored.
    (&["RATE_LIMIT_MAX_REQUESTS"], &[("RATE_LIMIT_MAX_REQUESTS", "0")]),
    (&["RATE_LIMIT_WINDOW_MS"], &[("RATE_LIMIT_WINDOW_MS", "1s")]),
    (&["REDIS_URL"], &[("REDIS_URL", "http://127.0.0.1")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "10.0.0.1/8")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "0.0.0.0/0")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "127.0.0.1, ::/0")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "::ffff:0:0/96")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "10.0.0.0/8,")]),
    (&["TRUSTED_PROXIES"], &[("TRUSTED_PROXIES", "*")]),
    (&["TRUSTED_PROXIES_HEADER"], &[("TRUSTED_PROXIES_HEADER", "forwarded")]),
    (&["TRUSTED_PROXIES_HEADER"], &[("TRUSTED_PROXIES", "::1"), ("TRUSTED_PROXIES_HEADER", "x-real-ip")]),
    (&["BETTER_AUTH_DATABASE_URL"], &[("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db")]),
    (&["BETTER_AUTH_REDIS_URL"], &[("BETTER_AUTH_REDIS_URL", "redis://127.0.0.1")]),
    (&["BETTER_AUTH_COOKIE_CACHE"], &[("BETTER_AUTH_COOKIE_CACHE", "compact")]),
    (&["BETTER_AUTH_BEARER"], &[("BETTER_AUTH_BEARER", "raw")]),
    (&["BETTER_AUTH_BEARER"], &[("BETTER_AUTH_BEARER", "signed")]),
];

#[test]
fn a42_k93_r134_a_wrong_setting_stops_the_server_with_one_line_that_names_it() {
    let faults = Example::ALL.into_iter().flat_map(|example| {
        WRONG_SETTINGS.iter().filter_map(move |(names, settings)| fault_in_stopping(example, settings, names))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with how this stops the server: with status 2 it should, and a line that names one of these variables and
/// tells no secret.
fn fault_in_stopping(example: Example, settings: &[(&str, &str)], names: &[&str]) -> Option<String> {
    let case = format!("{}: {settings:?}", example.name());
    let ended = match example.start(settings) {
        Ok(_) => return Some(format!("{case}: it started")),
        Err(ended) => ended,
    };
    let one_line = ended.stderr.lines().count() == 1;
    let named = names.iter().any(|name| ended.stderr.contains(name));
    let secrets = settings.iter().filter(|(name, _)| name.contains("SECRET")).map(|(_, value)| *value);
    let told = secrets.chain(["hidden"]).any(|secret| ended.stderr.contains(secret));
    let good = ended.status == Some(2) && one_line && named && !told;
    (!good).then(|| format!("{case}: status {:?}, {:?}", ended.status, ended.stderr))
}

#[test]
fn a41_the_text_of_a_key_is_no_shared_secret() {
    let mut faults = Vec::new();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let forms = SigningKey::fixed(algorithm).public_forms().into_iter();
        // DER and raw numbers are no text, so no variable holds them.
        let texts = forms.filter_map(|(form, bytes)| Some((form, String::from_utf8(bytes).ok()?)));
        for (form, text) in texts.filter(|(form, _)| !form.contains("raw")) {
            let behind_a_prefix = form.contains("PEM").then(|| format!("a prefix {text}"));
            for value in behind_a_prefix.into_iter().chain([text]) {
                let settings = [("BETTER_AUTH_SECRET", value.as_str())];
                let fault = |example| fault_in_stopping(example, &settings, &["BETTER_AUTH_SECRET"]);
                faults.extend(Example::ALL.into_iter().filter_map(fault));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Well-formed, but not to be had: no wrong setting, though the line names the one to look at.
#[test]
fn what_cannot_be_opened_stops_the_server_with_one_line_too() {
    for example in Example::ALL {
        let first = start(example, &[]);
        let (file, port) = ("sqlite:/no/such/folder/tasks.db", "postgres://tasks:hidden@127.0.0.1:9/tasks");
        for (name, value) in [("BIND_ADDR", first.authority()), ("DATABASE_URL", file), ("DATABASE_URL", port)] {
            let ended = example.start(&[(name, value)]).expect_err("a server that cannot serve");
            let one_line = ended.stderr.lines().count() == 1 && ended.stderr.starts_with(name);
            let told = ended.stderr.contains("hidden");
            assert!(matches!(ended.status, Some(1 | 2)) && one_line && !told, "{}: {ended:?}", example.name());
        }
    }
}

#[test]
fn settings_take_effect() {
    let origins = "https://app.example.com, https://admin.example.com";
    let settings = [
        ("AUTH_USER_CLAIM", "userId"),
        ("AUTH_ROLE_CLAIM", "groups"),
        ("AUTH_LEEWAY", "0s"),
        ("CORS_ORIGINS", origins),
        ("BETTER_AUTH_AUDIENCE", "first, second"),
        ("BETTER_AUTH_SECRET", SECRET),
    ];
    for example in Example::ALL {
        let server = start(example, &settings);
        let signer = Signer::new(SECRET, None, Some("second".to_owned()));
        let mint = signer.mint("ignored").claim("userId", "ann").claim("groups", json!(["staff", "admin"]));
        let ask = |path: &str, token: &str| {
            let request = Request::new("GET", path).bearer(token).field("Origin", "https://admin.example.com");
            request.send_to(server.authority()).expect("an answer")
        };

        let own = ask("/api/ann/tasks", &signer.sign(&mint));
        assert_eq!((own.status, &own.json()["user_id"]), (200, &json!("ann")), "{}", example.name());
        assert_eq!(own.field("access-control-allow-origin").as_deref(), Some("https://admin.example.com"));
        assert_eq!(ask("/api/bob/tasks", &signer.sign(&mint)).status, 200, "an admin by `groups`");
        let stale = mint.clone().expires_in(Duration::ZERO);
        assert_eq!(ask("/api/tasks", &signer.sign(&stale)).json()["code"], "token_expired");
        assert_eq!(ask("/api/tasks", &signer.sign(&mint.audience("third"))).json()["code"], "token_invalid");
    }
}

#[test]
fn l65_l66_a_token_ends_the_leeway_after_exp() {
    // The clock only goes on: what has ended by the leeway when it is made has ended when it arrives.
    for (setting, leeway) in [(None, 30), (Some("0s"), 0), (Some("60s"), 60)] {
        let settings = [("BETTER_AUTH_SECRET", SECRET), ("AUTH_LEEWAY", setting.unwrap_or_default())];
        for example in Example::ALL {
            let server = start(example, &settings);
            let ended = |ago: u64| {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
                let mint = signer().mint("ann").claim("exp", since_epoch.as_secs() - ago);
                let request = Request::new("GET", "/api/tasks").bearer(&signer().sign(&mint));
                let answer = request.send_to(server.authority()).expect("an answer");
                (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
            };
            let case = format!("{} with {setting:?}", example.name());
            assert_eq!(ended(leeway), (401, "token_expired".to_owned()), "{case}");
            if let Some(within) = u64::checked_sub(leeway, 20) {
                assert_eq!(ended(within).0, 200, "{case}");
            }
        }
    }
}
