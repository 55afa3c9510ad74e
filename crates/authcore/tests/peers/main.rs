//! Tokens of other implementations verify here and ours there: jose on Node, PyJWT. A binary of its own, since it needs both.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use authcore::{Algorithm, JwtVerifier, Key, KeySet};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey, b64, mint, unb64};
use serde_json::{Value, json};

/// Another implementation, behind a program that reads one question and writes one answer.
struct Peer {
    name: &'static str,
    command: Command,
    /// What puts it in place.
    remedy: &'static str,
}

/// A token of ours, and whether it is one to accept.
struct Ours {
    what: &'static str,
    key: &'static SigningKey,
    token: String,
    /// Why it is refused; `None` for a good one.
    reason: Option<&'static str>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn jose() -> Peer {
    let mut command = Command::new("node");
    command.arg(script("jose.mjs")).current_dir(root().join("examples/better-auth"));
    Peer { name: "jose", command, remedy: "install Node.js 20, then (cd examples/better-auth && npm ci)" }
}

fn pyjwt() -> Peer {
    let mut command = Command::new(root().join("target/peers/bin/python"));
    command.arg(script("pyjwt.py"));
    let remedy = "python3 -m venv target/peers && \
                  target/peers/bin/pip install -r crates/authcore/tests/peers/requirements.txt";
    Peer { name: "PyJWT", command, remedy }
}

impl Peer {
    fn answer(mut self, question: &Value) -> Value {
        let (name, remedy) = (self.name, self.remedy);
        let absent = |why: &dyn std::fmt::Display| -> ! { panic!("{name} is not at hand ({why}); run: {remedy}") };
        let command = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| absent(&error));
        // One that ended before it read says why on its standard error.
        let _ = child.stdin.take().expect("piped").write_all(question.to_string().as_bytes());
        let output = child.wait_with_output().expect("a child to wait for");
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let said = errors.lines().find(|line| line.contains("Error: ")).unwrap_or(errors.trim());
            absent(&said);
        }
        serde_json::from_slice(&output.stdout).expect("an answer in JSON")
    }
}

fn spoilt(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut bytes = unb64(&parts[part]);
    bytes[8] ^= 1;
    parts[part] = b64(bytes);
    parts.join(".")
}

/// For each algorithm a good token, and some that each have one thing wrong.
fn ours() -> Vec<Ours> {
    let of = |algorithm| {
        let key = SigningKey::fixed(algorithm);
        let signed = |mint: Mint| mint.sign(key);
        [
            ("good", signed(mint()), None),
            ("another's signature", spoilt(&signed(mint()), 2), Some("bad_signature")),
            ("claims changed", spoilt(&signed(mint()), 1), Some("bad_signature")),
            ("expired", signed(mint().expires_at(1_700_000_000)), Some("expired")),
            ("not in force", signed(mint().not_before(9_000_000_000).expires_at(9_000_000_900)), Some("not_yet_valid")),
            ("another audience", signed(mint().audience("others")), Some("wrong_audience")),
            ("another issuer", signed(mint().issuer("https://id.example.com/")), Some("wrong_issuer")),
            ("no end", signed(mint().without("exp")), Some("claim_missing")),
        ]
        .map(|(what, token, reason)| Ours { what, key, token, reason })
    };
    Algorithm::ALL.into_iter().flat_map(of).collect()
}

fn verifier(keys: KeySet) -> JwtVerifier {
    JwtVerifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().expect("good settings")
}

/// Theirs verify here, with keys as they publish them; ours are judged alike on both sides.
fn agree(peer: Peer) {
    let name = peer.name;
    let ours = ours();
    let presented: Vec<Value> = ours
        .iter()
        .map(|one| json!({ "alg": one.key.algorithm().name(), "jwk": one.key.public_jwk(), "token": one.token }))
        .collect();
    let token = mint().sign(SigningKey::fixed(Algorithm::EdDsa));
    let claims = token.split('.').nth(1).map(unb64).expect("claims");
    let claims: Value = serde_json::from_slice(&claims).expect("claims in JSON");
    let answer = peer.answer(&json!({ "claims": claims, "presented": presented }));

    let verdicts = answer["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), ours.len());
    for (one, theirs) in ours.iter().zip(verdicts) {
        let algorithm = one.key.algorithm();
        let here = verifier(KeySet::new([one.key.key()])).check(&one.token);
        assert_eq!(here.err().map(|error| error.reason()), one.reason, "{algorithm}, {}", one.what);
        let accepted = theirs["user"] == "alice";
        assert!(accepted || theirs["refused"].is_string(), "{name} says {theirs}");
        assert_eq!(accepted, one.reason.is_none(), "{algorithm}, {}: {name} says {theirs}", one.what);
    }

    let made = answer["made"].as_array().expect("tokens");
    assert_eq!(made.len(), Algorithm::ALL.len());
    for theirs in made {
        let (algorithm, token) = (theirs["alg"].as_str().expect("alg"), theirs["token"].as_str().expect("token"));
        let verifier = verifier(published(&theirs["jwk"]));
        let identity = verifier.check(token).unwrap_or_else(|error| panic!("{name}, {algorithm}: {error}"));
        assert_eq!(identity.user_id().as_str(), "alice");
        let refused = verifier.check(&spoilt(token, 2)).expect_err("changed").reason();
        assert_eq!(refused, "bad_signature", "{name}, {algorithm}");
    }
}

/// Public keys out of a document; secrets are not taken from one.
fn published(jwk: &Value) -> KeySet {
    if jwk["kty"] == "oct" {
        return KeySet::new([Key::from_jwk(&jwk.to_string()).expect("a shared secret")]);
    }
    let set = KeySet::from_json(&json!({ "keys": [jwk] }).to_string()).expect("a key set");
    assert!(set.ignored().is_empty(), "{:?}: {jwk}", set.ignored());
    set
}

#[test]
fn jose_and_authcore_judge_alike() {
    agree(jose());
}

#[test]
fn pyjwt_and_authcore_judge_alike() {
    agree(pyjwt());
}
