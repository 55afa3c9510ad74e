//! `authcore` beside a crate that uses `jsonwebtoken` with a backend of its own: the backend is a feature of the whole
//! build, and with two of them switched on `jsonwebtoken` panics at its first token. We switch on neither.

use std::fs;
use std::path::Path;

use authcore::Algorithm;
use authcore_testkit::{SigningKey, mint};

use crate::cargo;

const MANIFEST: &str = r#"
[package]
name = "beside"
version = "0.0.0"
edition = "2024"

[features]
aws_lc_rs = ["jsonwebtoken/aws_lc_rs"]
rust_crypto = ["jsonwebtoken/rust_crypto"]

[dependencies]
authcore = { path = "AUTHCORE", default-features = false }
jsonwebtoken = { version = "11.1", default-features = false }
serde_json = "1"

[workspace]

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false
opt-level = 1
"#;

const PROGRAM: &str = r#"
use authcore::{JwtVerifier, Key, KeySet};
use jsonwebtoken::{DecodingKey, Validation, decode, jwk::Jwk};

fn main() {
    let mut arguments = std::env::args().skip(1);
    while let (Some(json), Some(token)) = (arguments.next(), arguments.next()) {
        let key = Key::from_jwk(&json).expect("a good key");
        let algorithm = key.algorithm();
        let ours = JwtVerifier::builder(KeySet::new([key])).build().expect("good settings");

        let jwk: Jwk = serde_json::from_str(&json).expect("a key of jsonwebtoken");
        let mut validation = Validation::new(algorithm.name().parse().expect("an algorithm of jsonwebtoken"));
        validation.validate_aud = false;
        let theirs = |token: &str| {
            let key = DecodingKey::from_jwk(&jwk).expect("a key of jsonwebtoken");
            decode::<serde_json::Value>(token, &key, &validation)
        };

        let spoilt = format!("{}AAAA", &token[..token.len() - 4]);
        assert!(ours.check(&spoilt).is_err() && theirs(&spoilt).is_err());
        let (ours, theirs) = (ours.check(&token).expect("a good token"), theirs(&token).expect("a good token"));
        println!("{algorithm} {} {}", ours.user_id(), theirs.claims["sub"]);
    }
}
"#;

#[test]
fn authcore_leaves_the_backend_of_jsonwebtoken_to_others() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside");
    fs::create_dir_all(dir.join("src")).expect("a writable target directory");
    fs::write(dir.join("Cargo.toml"), MANIFEST.replace("AUTHCORE", &crate_dir.display().to_string()))
        .expect("writable");
    fs::write(dir.join("src/main.rs"), PROGRAM).expect("writable");
    // Its own: it names the crates of the backend that nobody else here uses.
    fs::copy(crate_dir.join("tests/alone/beside.lock"), dir.join("Cargo.lock")).expect("a lock file");
    cargo(&dir, &["fetch", "--quiet"]);

    let known = Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Es512);
    let tokens: Vec<String> = known
        .clone()
        .flat_map(|algorithm| {
            let key = SigningKey::fixed(algorithm);
            [key.public_jwk().to_string(), mint().sign(key)]
        })
        .collect();
    let expected: String = known.map(|algorithm| format!("{algorithm} alice \"alice\"\n")).collect();
    for backend in ["aws_lc_rs", "rust_crypto"] {
        let run = ["run", "--quiet", "--offline", "--features", backend, "--"];
        let arguments: Vec<&str> = run.into_iter().chain(tokens.iter().map(String::as_str)).collect();
        let printed = cargo(&dir, &arguments).stdout;
        assert_eq!(String::from_utf8_lossy(&printed), expected, "{backend}");
    }
}
