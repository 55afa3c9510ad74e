//! `authcore` by itself: a program that depends on nothing else verifies tokens, though nobody in its dependency graph
//! switches on a cryptographic backend of `jsonwebtoken`. Inside this workspace the benches do, for all at once. And beside
//! crates that do, whichever they chose.

mod beside;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use authcore::Algorithm;
use authcore_testkit::{SigningKey, mint};

const MANIFEST: &str = r#"
[package]
name = "alone"
version = "0.0.0"
edition = "2024"

[dependencies]
authcore = { path = "AUTHCORE", default-features = false }

[workspace]

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false
opt-level = 1
"#;

const PROGRAM: &str = r#"
use authcore::{JwtVerifier, Key, KeySet};

fn main() {
    let mut arguments = std::env::args().skip(1);
    while let (Some(jwk), Some(token)) = (arguments.next(), arguments.next()) {
        let key = Key::from_jwk(&jwk).expect("a good key");
        let algorithm = key.algorithm();
        let verifier = JwtVerifier::builder(KeySet::new([key])).build().expect("good settings");
        println!("{algorithm} {}", verifier.check(&token).expect("a good token").user_id());
    }
}
"#;

#[test]
fn authcore_verifies_without_any_backend_of_jsonwebtoken() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    fs::create_dir_all(dir.join("src")).expect("a writable target directory");
    let path = crate_dir.display().to_string();
    fs::write(dir.join("Cargo.toml"), MANIFEST.replace("AUTHCORE", &path)).expect("writable");
    fs::write(dir.join("src/main.rs"), PROGRAM).expect("writable");
    fs::copy(crate_dir.join("../../Cargo.lock"), dir.join("Cargo.lock")).expect("the workspace's lock file");

    let tree = cargo(&dir, &["tree", "--edges", "normal,build,features", "--prefix", "none"]);
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    assert!(tree.contains("jsonwebtoken v"), "{tree}");
    for backend in [
        "jsonwebtoken feature \"aws_lc_rs\"",
        "jsonwebtoken feature \"rust_crypto\"",
        "reqwest v",
        "tokio v",
        "governor v",
    ] {
        assert!(!tree.contains(backend), "{backend} is in the graph:\n{tree}");
    }

    let mut arguments = vec!["run".to_owned(), "--quiet".to_owned(), "--".to_owned()];
    for algorithm in Algorithm::ALL {
        let key = SigningKey::fixed(algorithm);
        arguments.extend([key.public_jwk().to_string(), mint().sign(key)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = cargo(&dir, &arguments);
    let printed = String::from_utf8_lossy(&run.stdout).into_owned();
    let expected: String = Algorithm::ALL.iter().map(|algorithm| format!("{algorithm} alice\n")).collect();
    assert_eq!(printed, expected);
}

fn cargo(dir: &Path, arguments: &[&str]) -> Output {
    // What cargo told the test about this build must not reach another one.
    let inherited =
        std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_PKG") || name == "RUSTFLAGS");
    let mut command = Command::new(env!("CARGO"));
    inherited.for_each(|name| {
        command.env_remove(name);
    });
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone-target");
    let output = command.args(arguments).current_dir(dir).env("CARGO_TARGET_DIR", target).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr));
    output
}
