//! Full verification of one token beside every peer, in turns: `cargo bench -p authcore-benches --bench peers`.
//!
//! Two backends of `jsonwebtoken` cannot share a build, and Node and Python are programs of their own anyway: each peer is
//! one, with its own lock file, in `benches/peers`. It is told a token and a key, and then asked for one short turn after the
//! other, so that whatever else the machine does meets all alike. It needs cargo, npm and python3 with venv.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use authcore_benches::report::{duration, section};
use authcore_benches::{MEASURED, ORIGIN, authcore_verifier, is_measured, peer_validation, token};
use authcore_testkit::{SigningKey, unb64};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use serde_json::json;

#[allow(dead_code, unreachable_pub, reason = "shared with the programs")]
#[path = "../peers/turns.rs"]
mod turns;

const ROUNDS: usize = 31;
const TURN: Duration = Duration::from_millis(40);

fn main() {
    let peers = if is_measured() { programs() } else { Vec::new() };
    let columns: Vec<_> = MEASURED.iter().map(|(algorithm, peer)| Column::measure(*algorithm, *peer, &peers)).collect();
    if is_measured() {
        let table = table(&columns);
        println!("{table}");
        section("Verification of one token", "peers", &table);
    }
}

/// How each contender did with one algorithm.
struct Column {
    title: String,
    /// By contender, by round: nanoseconds for a token.
    rounds: Vec<(&'static str, Vec<f64>)>,
}

impl Column {
    fn measure(algorithm: authcore::Algorithm, peer: jsonwebtoken::Algorithm, programs: &[Program]) -> Self {
        let key = SigningKey::fixed(algorithm);
        let token = token(key);
        let mut contenders = in_process(key, peer, &token);
        let case =
            json!({ "algorithm": algorithm.to_string(), "token": token, "jwk": key.public_jwk(), "origin": ORIGIN });
        contenders.extend(programs.iter().map(|program| (program.name, program.start(&case.to_string()))));
        let mut rounds: Vec<_> = contenders.iter().map(|(name, _)| (*name, Vec::new())).collect();
        // The first round is for warming up.
        for round in 0..=if is_measured() { ROUNDS } else { 0 } {
            for ((_, turn), (_, times)) in contenders.iter_mut().zip(&mut rounds) {
                let time = turn(if is_measured() { TURN } else { Duration::ZERO });
                if round > 0 {
                    times.push(time);
                }
            }
        }
        Self { title: format!("{algorithm}, {} bytes", token.len()), rounds }
    }

    fn median(&self, contender: usize) -> f64 {
        median(self.rounds[contender].1.clone())
    }

    /// How many times as long as authcore it took, round by round.
    fn ratio(&self, contender: usize) -> f64 {
        let ours = self.rounds.iter().find(|(name, _)| *name == OURS).map(|(_, times)| times).expect("always there");
        median(self.rounds[contender].1.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect())
    }
}

/// One turn: that long, answered with the nanoseconds for one token.
type Turn = Box<dyn FnMut(Duration) -> f64>;

const OURS: &str = "authcore";

/// Those that share a build with us.
fn in_process(key: &SigningKey, peer: jsonwebtoken::Algorithm, token: &str) -> Vec<(&'static str, Turn)> {
    let verifier = authcore_verifier(key);
    let ours = token.to_owned();
    let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK that jsonwebtoken knows");
    let (decoding_key, validation) =
        (jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key that jsonwebtoken takes"), peer_validation(peer));
    let theirs = token.to_owned();
    vec![
        ("the signature alone (aws-lc)", turn(bare_check(key, token))),
        (OURS, turn(move || drop(black_box(verifier.check(black_box(&ours)).expect("a good token"))))),
        (
            "jsonwebtoken 11.1, aws-lc",
            turn(move || {
                #[expect(clippy::disallowed_methods, reason = "the peer that is measured")]
                let decoded = jsonwebtoken::decode::<turns::Claims>(black_box(&theirs), &decoding_key, &validation);
                black_box(decoded.expect("a good token"));
            }),
        ),
    ]
}

fn turn(mut verify: impl FnMut() + 'static) -> Turn {
    Box::new(move |budget| {
        let (began, mut count) = (Instant::now(), 0_u32);
        loop {
            (0..16).for_each(|_| verify());
            count += 16;
            if began.elapsed() >= budget {
                return began.elapsed().as_nanos() as f64 / f64::from(count);
            }
        }
    })
}

/// Whether a signature is good: message, signature.
type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

/// The backend's own check with a key prepared once.
fn bare_check(key: &SigningKey, token: &str) -> impl FnMut() + 'static {
    let (message, signature) = token.rsplit_once('.').expect("a token");
    let (message, signature) = (message.as_bytes().to_vec(), unb64(signature));
    let parsed = |algorithm: &'static dyn signature::VerificationAlgorithm| {
        ParsedPublicKey::new(algorithm, key.public_der()).expect("a good key")
    };
    let verify: Check = match key.algorithm() {
        authcore::Algorithm::Hs256 => {
            let secret = unb64(key.public_jwk()["k"].as_str().expect("a secret"));
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok())
        }
        algorithm => {
            let key = parsed(match algorithm {
                authcore::Algorithm::EdDsa => &signature::ED25519,
                authcore::Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
                _ => &signature::RSA_PKCS1_2048_8192_SHA256,
            });
            Box::new(move |message, signature| key.verify_sig(message, signature).is_ok())
        }
    };
    move || assert!(verify(black_box(&message), black_box(&signature)))
}

/// A peer that is a program of its own.
struct Program {
    name: &'static str,
    command: PathBuf,
    argument: Option<PathBuf>,
}

impl Program {
    fn start(&self, case: &str) -> Turn {
        let mut command = Command::new(&self.command);
        command.args(&self.argument).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let asked = child.stdin.take().expect("a pipe");
        let told = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut running = Running { child, asked, told };
        writeln!(running.asked, "{case}").expect("it reads");
        Box::new(move |budget| running.turn(budget))
    }
}

struct Running {
    child: Child,
    asked: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Running {
    fn turn(&mut self, budget: Duration) -> f64 {
        writeln!(self.asked, "{}", budget.as_micros()).expect("it reads");
        let mut line = String::new();
        self.told.read_line(&mut line).expect("it answers");
        line.trim().parse().unwrap_or_else(|_| panic!("it said {line:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes what has to be made.
fn programs() -> Vec<Program> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let in_rust = |name, package: &str, binary: &str| {
        let target = made.join("rust");
        run(Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
            .arg(&target)
            .current_dir(peers.join(package)));
        Program { name, command: target.join("release").join(binary), argument: None }
    };
    let on_node = |name, package: &str| {
        run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(peers.join(package)));
        Program { name, command: "node".into(), argument: Some(peers.join(package).join("verify.mjs")) }
    };
    let on_python = |name, package: &str| {
        let venv = made.join(package);
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        let requirements = peers.join(package).join("requirements.txt");
        run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "--no-deps", "-r"]).arg(requirements));
        Program { name, command: venv.join("bin/python"), argument: Some(peers.join(package).join("verify.py")) }
    };
    vec![
        in_rust("jsonwebtoken 11.1, rust_crypto", "jsonwebtoken-rust-crypto", "peer-jsonwebtoken-rust-crypto"),
        in_rust("jwt-simple 0.12, pure Rust", "jwt-simple", "peer-jwt-simple"),
        on_node("jose 6.2, Node", "jose"),
        on_node("fast-jwt 6.3, Node, no cache", "fast-jwt"),
        on_python("PyJWT 2.15, Python", "pyjwt"),
    ]
}

fn run(command: &mut Command) {
    let status =
        command.status().unwrap_or_else(|error| panic!("{command:?}: {error}: install cargo, npm and python3-venv"));
    assert!(status.success(), "{command:?}: {status}");
}

fn table(columns: &[Column]) -> String {
    let mut table =
        format!("Medians of {ROUNDS} rounds; in brackets, how many times as long as authcore in the same round.\n\n|");
    for column in columns {
        let _ = write!(table, " | {}", column.title);
    }
    let _ = write!(table, " |\n|---|{}\n", "---|".repeat(columns.len()));
    for (index, (name, _)) in columns[0].rounds.iter().enumerate() {
        let _ = write!(table, "| {name}");
        for column in columns {
            let _ = write!(table, " | {} ({:.2})", duration(column.median(index)), column.ratio(index));
        }
        table.push_str(" |\n");
    }
    table
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
