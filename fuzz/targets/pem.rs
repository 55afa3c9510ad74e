//! A public key. The first byte says what the rest is: `k` the DER of a `PUBLIC KEY`, `r` that of an `RSA PUBLIC KEY`,
//! anything else text in PEM, in which the bytes 2 to 5 stand for good keys. The second byte names an algorithm, or none.
#![no_main]

use std::sync::LazyLock;

use authcore::{Algorithm, Key};
use authcore_fuzz::{assert_documented, replaced};
use authcore_testkit::SigningKey;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A good key: in PEM, in DER, and by its thumbprint, which comes of its JWK.
type Good = (String, Vec<u8>, Option<String>);

static GOOD: LazyLock<Vec<Good>> = LazyLock::new(|| {
    let keys = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es512, Algorithm::Rs256].map(SigningKey::fixed);
    keys.map(|key| (key.public_pem(), key.public_der(), key.key().thumbprint())).into()
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, algorithm, rest @ ..] = data else { return };
    let named = Algorithm::ALL.get(usize::from(*algorithm) % (Algorithm::ALL.len() + 1)).copied();
    let pem = match kind {
        b'k' => format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(rest)),
        b'r' => format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(rest)),
        _ => {
            let text = replaced(rest, |byte| matches!(byte, 2..=5).then(|| &*GOOD[usize::from(byte - 2)].0));
            let Ok(text) = String::from_utf8(text) else { return };
            text
        }
    };
    let key = Key::from_pem(&pem, named);
    let again = Key::from_pem(&pem, named);
    assert_eq!(key.as_ref().map(facts).map_err(|why| *why), again.as_ref().map(facts).map_err(|why| *why));
    let der = plain(&pem);
    let key = match key {
        Ok(key) => key,
        Err(why) => {
            let is_good = named.is_none() && GOOD.iter().any(|(_, good, _)| der.as_ref() == Some(good));
            assert!(!is_good, "a good key is refused: {why}");
            return assert_documented(&why, why.code(), &CODES);
        }
    };
    let der = der.expect("an accepted key is one block");
    assert!(key.id().is_none() && named.is_none_or(|named| named == key.algorithm()));
    // A second parser makes the same key of it, and writes it in the same bytes: there is one spelling.
    let parsed = ParsedPublicKey::new(oracle(key.algorithm()), &der).expect("aws-lc takes it too");
    assert_eq!(parsed.as_ref(), der, "not in its one spelling");
    assert!(!key.kind().contains("RSA") || (2048..=8192).contains(&key.bits()));
    for (_, good, thumbprint) in &*GOOD {
        assert_eq!(*good == der, *thumbprint == key.thumbprint(), "another key than the one that stands there");
    }
});

fn facts(key: &Key) -> (Algorithm, &'static str, usize, Option<String>) {
    (key.algorithm(), key.kind(), key.bits(), key.thumbprint())
}

/// The bytes of the one block.
fn plain(pem: &str) -> Option<Vec<u8>> {
    let (begin, end) = ("-----BEGIN ", "-----END ");
    let inside = pem.trim();
    if inside.matches(begin).count() != 1 || inside.matches(end).count() != 1 {
        return None;
    }
    let (label, rest) = inside.strip_prefix(begin)?.split_once("-----")?;
    let body = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix(end)?;
    let letters: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(letters).ok()
}

fn oracle(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        _ => &signature::RSA_PKCS1_2048_8192_SHA256,
    }
}

const CODES: [&str; 7] = [
    "malformed",
    "unsupported_type",
    "unsupported_algorithm",
    "algorithm_mismatch",
    "weak",
    "invalid_numbers",
    "symmetric",
];
