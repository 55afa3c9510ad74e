//! The examples of the standards themselves: RFC 7515, 7520, 7797 and 8037, read from testdata/rfc.
//!
//! Most sign a text that is no JWT. Claims are read only once a signature has verified, so `payload_not_json` says that it
//! did; and the same text with one byte changed has to be `bad_signature`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use authcore::{Algorithm, JwtVerifier, Key, KeyRefused, KeySet, ManualClock};
use authcore_testkit::{b64, unb64};
use serde_json::Value;

/// `exp` of the claims in RFC 7515, appendix A.
const JOE_EXPIRES: i64 = 1_300_819_380;

struct Vector(Value);

impl Vector {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} is text in {}", self.0))
    }

    /// What would be sent: a compact JWS as it stands, an object as JSON.
    fn token(&self) -> String {
        let jws = &self.0["jws"];
        jws.as_str().map_or_else(|| jws.to_string(), str::to_owned)
    }

    /// The key, which has an `alg` where the example gives one; RSA keys would else count as being for RS256.
    fn key(&self) -> Key {
        let mut jwk = self.0["key"].clone();
        jwk["alg"] = self.0["alg"].clone();
        Key::from_jwk(&jwk.to_string()).expect("a key of the standard")
    }

    fn verifier(&self) -> JwtVerifier {
        verifier_of(self.key())
    }

    #[track_caller]
    fn reason(&self) -> &'static str {
        refused(&self.verifier(), &self.token())
    }
}

/// Takes `iss` for the user, as the claims of RFC 7515 have no `sub`. A second before these expire.
fn verifier_of(key: Key) -> JwtVerifier {
    JwtVerifier::builder(KeySet::new([key]))
        .user_claim("iss")
        .leeway(Duration::ZERO)
        .clock(ManualClock::at(JOE_EXPIRES - 1))
        .build()
        .expect("good settings")
}

#[track_caller]
fn refused(verifier: &JwtVerifier, token: &str) -> &'static str {
    match verifier.check(token) {
        Ok(_) => panic!("accepted: {token}"),
        Err(error) => error.reason(),
    }
}

fn vectors(rfc: &str) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rfc").join(format!("{rfc}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let vectors = document["vectors"].as_array().expect("a list of vectors");
    vectors.iter().cloned().map(Vector).collect()
}

/// The examples of this section, of which there have to be as many as this.
#[track_caller]
fn section(rfc: &str, name: &str, count: usize) -> Vec<Vector> {
    let found: Vec<_> = vectors(rfc).into_iter().filter(|vector| vector.text("section") == name).collect();
    assert_eq!(found.len(), count, "examples of section {name} of {rfc}");
    found
}

/// The one signed compact JWS of a section.
#[track_caller]
fn compact(rfc: &str, name: &str) -> Vector {
    let compact = |vector: &Vector| vector.0["jws"].is_string() && vector.0.get("key").is_some();
    let mut found = vectors(rfc).into_iter().filter(|vector| vector.text("section") == name).filter(compact);
    let only = found.next().unwrap_or_else(|| panic!("no signed example in section {name}"));
    assert!(found.next().is_none(), "one signed example in section {name}");
    only
}

/// The token again and again, each byte of one part changed in its lowest bit once.
fn with_changes(token: &str, part: usize) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let bytes = unb64(parts[part]);
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let text = b64(bytes);
        let mut parts = parts.clone();
        parts[part] = &text;
        parts.join(".")
    };
    (0..bytes.len()).map(changed).collect()
}

const PAYLOAD: usize = 1;
const SIGNATURE: usize = 2;

#[track_caller]
fn nothing_else_verifies(vector: &Vector) {
    let verifier = vector.verifier();
    for part in [PAYLOAD, SIGNATURE] {
        for spoilt in with_changes(&vector.token(), part) {
            assert_eq!(refused(&verifier, &spoilt), "bad_signature", "{spoilt}");
        }
    }
}

#[test]
fn rfc7515_a1_to_a3_are_tokens_of_joe_until_they_expire() {
    let algorithms = [("A.1", Algorithm::Hs256), ("A.2", Algorithm::Rs256), ("A.3", Algorithm::Es256)];
    for (name, algorithm) in algorithms {
        let vector = compact("rfc7515", name);
        assert_eq!(vector.key().algorithm(), algorithm, "{name}");

        let identity = vector.verifier().check(&vector.token()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(identity.user_id().as_str(), "joe");
        assert!(identity.claims_json().contains(r#""http://example.com/is_root":true"#), "{name}");

        let late = JwtVerifier::builder(KeySet::new([vector.key()])).user_claim("iss").leeway(Duration::ZERO);
        let late = late.clock(ManualClock::at(JOE_EXPIRES)).build().expect("good settings");
        assert_eq!(refused(&late, &vector.token()), "expired", "{name}");
        nothing_else_verifies(&vector);
    }
}

#[test]
fn rfc7515_a4_verifies_and_is_no_token() {
    let vector = compact("rfc7515", "A.4");
    assert_eq!(vector.key().algorithm(), Algorithm::Es512);
    assert_eq!(vector.reason(), "payload_not_json");
    nothing_else_verifies(&vector);
}

#[test]
fn rfc7515_a5_unsecured_is_refused() {
    let vector = &section("rfc7515", "A.5", 1)[0];
    for signed in ["A.1", "A.2", "A.3", "A.4"] {
        let verifier = compact("rfc7515", signed).verifier();
        assert_eq!(refused(&verifier, &vector.token()), "algorithm_refused", "under the key of {signed}");
    }
    assert_eq!("none".parse::<Algorithm>().ok(), None);
}

/// Its claims are those of A.2 and A.3, and would be accepted in compact form.
#[test]
fn rfc7515_a6_and_a7_in_json_are_refused() {
    for (name, keys) in [("A.6", ["A.2", "A.3"]), ("A.7", ["A.3", "A.3"])] {
        for key in keys {
            let verifier = compact("rfc7515", key).verifier();
            let text = section("rfc7515", name, 1)[0].token();
            assert_eq!(refused(&verifier, &text), "not_compact", "{name} under the key of {key}");
        }
    }
}

#[test]
fn rfc7520_4_1_to_4_4_verify_and_are_no_tokens() {
    let algorithms =
        [("4.1", Algorithm::Rs256), ("4.2", Algorithm::Ps384), ("4.3", Algorithm::Es512), ("4.4", Algorithm::Hs256)];
    for (name, algorithm) in algorithms {
        let vector = compact("rfc7520", name);
        assert_eq!(vector.key().algorithm(), algorithm, "{name}");
        assert_eq!(vector.reason(), "payload_not_json", "{name}");
        nothing_else_verifies(&vector);
    }
}

#[test]
fn rfc7520_a_key_verifies_only_by_the_algorithm_it_was_declared_for() {
    // 4.1 and 4.2 are signed with one RSA key.
    let (pkcs1, pss) = (compact("rfc7520", "4.1"), compact("rfc7520", "4.2"));
    assert_eq!(refused(&pkcs1.verifier(), &pss.token()), "key_mismatch");
    assert_eq!(refused(&pss.verifier(), &pkcs1.token()), "key_mismatch");
}

#[test]
fn rfc7520_forms_other_than_compact_are_refused() {
    let counts = [("4.1", 3), ("4.2", 3), ("4.3", 3), ("4.4", 3), ("4.5", 1), ("4.6", 2), ("4.7", 2), ("4.8", 1)];
    let keys = ["4.1", "4.2", "4.3", "4.4"].map(|name| compact("rfc7520", name).verifier());
    for (name, count) in counts {
        for vector in section("rfc7520", name, count).iter().filter(|vector| vector.0.get("form").is_some()) {
            for verifier in &keys {
                assert_eq!(refused(verifier, &vector.token()), "not_compact", "{}", vector.0);
            }
        }
    }
}

#[test]
fn rfc7520_5_6_an_encrypted_text_is_no_token() {
    let vector = &section("rfc7520", "5.6", 1)[0];
    let jwe = vector.text("jwe");
    let verifier = compact("rfc7520", "4.4").verifier();
    assert_eq!(refused(&verifier, jwe), "not_compact");
    // Nor is its key one to verify with, or its header that of a JWS.
    assert_eq!(Key::from_jwk(&vector.0["key"].to_string()).expect_err("for encryption"), KeyRefused::NotForVerifying);
    let header = jwe.split('.').next().expect("a header");
    let as_jws = format!("{header}.{}.{}", b64("{}"), b64("x"));
    assert_eq!(refused(&verifier, &as_jws), "header_parameter_refused");
}

#[test]
fn rfc7797_unencoded_payloads_are_refused() {
    let encoded = compact("rfc7797", "4.1");
    assert_eq!(encoded.reason(), "payload_not_json");
    nothing_else_verifies(&encoded);

    let verifier = encoded.verifier();
    let detached = compact("rfc7797", "4.2");
    assert_eq!(refused(&verifier, &detached.token()), "not_compact");
    for vector in vectors("rfc7797").iter().filter(|vector| vector.text("form") == "flattened") {
        assert_eq!(refused(&verifier, &vector.token()), "not_compact", "{}", vector.0);
    }

    // With a payload in its place, under the same header and signature: as it is, dot and all; without a dot; encoded.
    let (header, signature) = detached.text("jws").split_once("..").expect("a detached JWS");
    let payload = detached.text("payload");
    assert_eq!(refused(&verifier, &format!("{header}.{payload}.{signature}")), "not_compact");
    for attached in ["text", &b64(payload)] {
        let token = format!("{header}.{attached}.{signature}");
        assert_eq!(refused(&verifier, &token), "header_parameter_refused", "{attached}");
    }
}

#[test]
fn rfc8037_a4_verifies_and_is_no_token() {
    let vector = compact("rfc8037", "A.4");
    assert_eq!(vector.key().algorithm(), Algorithm::EdDsa);
    assert_eq!(vector.reason(), "payload_not_json");
    nothing_else_verifies(&vector);
}
