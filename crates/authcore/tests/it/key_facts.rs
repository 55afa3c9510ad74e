//! What may be told of a key, however it was written down: a JWK, or PEM (RFC 7468 §13).

use authcore::{Algorithm, Key, Secret};
use authcore_testkit::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Type, size and thumbprint.
fn facts(key: &Key) -> (&'static str, usize, Option<String>) {
    (key.kind(), key.bits(), key.thumbprint())
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// The bytes in a PEM block.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).expect("base64")
}

fn refused(pem: &str) -> &'static str {
    Key::from_pem(pem, None).expect_err("no good key").code()
}

#[test]
fn each_key_is_the_same_by_its_facts_wherever_it_is_published() {
    // The thumbprints of the curves were worked out apart from this code, by RFC 7638 §3.
    for (algorithm, kind, bits, thumbprint) in [
        (Algorithm::Es256, "EC P-256", 256, "pWoBlskJr-eElFkBR03Ko5gW5Jp6MLCT4ro5iziRSAo"),
        (Algorithm::Es384, "EC P-384", 384, "KtrvgoSlcx8GV70Fwq_AUWxD_u1rZ0BuREHlZQumoKc"),
        (Algorithm::Es512, "EC P-521", 521, "EPYsVrjbQhvnZAtj_YHpbA-VCZnNezmnXC69Ky8VLP4"),
        (Algorithm::EdDsa, "OKP Ed25519", 256, "HjIsd_sd9kZCt-YX_LlO2i80lv5wXOE1271uYpIz8-M"),
        (Algorithm::Rs256, "RSA", 2048, "SfJ1C_CCx-IOhv2k2AIdXj4ycEp97DGvYS37ioFdv8g"),
    ] {
        let expected = (kind, bits, Some(thumbprint.to_owned()));
        let signing = SigningKey::fixed(algorithm);
        assert_eq!(facts(&signing.key()), expected, "{algorithm}");
        let pems = signing.public_forms().into_iter().filter(|(form, _)| form.contains("PEM"));
        let pems: Vec<_> = pems.map(|(form, text)| (form, String::from_utf8(text).expect("text"))).collect();
        assert_eq!(pems.len(), if algorithm == Algorithm::Rs256 { 6 } else { 3 });
        for (form, text) in pems {
            let key = Key::from_pem(&text, None).expect("a good key");
            assert_eq!((facts(&key), key.algorithm(), key.id()), (expected.clone(), algorithm, None), "{form}");
        }
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // §3.1.
    let key = Key::from_jwk(concat!(
        r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"#,
        r#"PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"#,
        r#"KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0"#,
        r#"Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    ));
    let thumbprint = Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".to_owned());
    assert_eq!(facts(&key.expect("a good key")), ("RSA", 2048, thumbprint));
}

#[test]
fn a_secret_tells_its_size_alone_and_debug_not_even_that() {
    for (algorithm, secret) in [
        (Algorithm::Hs256, "kept for this test: 32 bytes. ok"),
        (Algorithm::Hs512, "kept for this test alone: sixty-four bytes of it, and a few to spare"),
    ] {
        let key = Key::hmac(algorithm, &Secret::new(secret)).expect("a good secret");
        assert_eq!(facts(&key), ("oct", secret.len() * 8, None));
        let printed = format!("{key:?}");
        assert_eq!(printed, format!("Key {{ id: None, algorithm: {algorithm:?}, .. }}"));
    }
    let printed = format!("{:?}", SigningKey::fixed(Algorithm::Es256).key());
    assert_eq!(printed, r#"Key { id: Some("es256-1"), algorithm: Es256, .. }"#);
}

/// The key's `SubjectPublicKeyInfo` with the parameters of its algorithm changed: `from` bytes at `at` become `to`. All
/// lengths around them are mended.
fn with_parameters(key: &SigningKey, at: usize, from: usize, to: &[u8]) -> String {
    let mut der = der(&key.public_pem());
    // The outer length is one byte, or the last of three; the algorithm's own length is in the byte after its tag.
    let (outer, inner) = if der[1] == 0x82 { (3, 5) } else { (1, 3) };
    assert_eq!(der[inner - 1], 0x30, "the algorithm");
    for length in [outer, inner] {
        der[length] = der[length] - from as u8 + to.len() as u8;
    }
    der.splice(at..at + from, to.iter().copied());
    pem("PUBLIC KEY", &der)
}

#[test]
fn an_algorithm_with_other_parameters_is_another_one() {
    let rsa = SigningKey::fixed(Algorithm::Rs256);
    // NULL, and nothing else (RFC 8017 §A.1).
    assert!(Key::from_pem(&with_parameters(rsa, 17, 2, &[5, 0]), None).is_ok());
    for other in [&[][..], &[4, 0], &[5, 0, 5, 0], &[0x30, 0]] {
        assert_eq!(refused(&with_parameters(rsa, 17, 2, other)), "unsupported_type", "{other:?}");
    }
    // None at all (RFC 8410 §3).
    let ed25519 = SigningKey::fixed(Algorithm::EdDsa);
    assert!(Key::from_pem(&with_parameters(ed25519, 9, 0, &[]), None).is_ok());
    assert_eq!(refused(&with_parameters(ed25519, 9, 0, &[5, 0])), "unsupported_type");
    // A curve by its name (RFC 5480 §2.1.1): this one is secp256k1.
    let p256 = SigningKey::fixed(Algorithm::Es256);
    let secp256k1 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
    for other in [&[][..], &[5, 0], &secp256k1] {
        assert_eq!(refused(&with_parameters(p256, 13, 10, other)), "unsupported_type", "{other:?}");
    }
}

#[test]
fn a_point_is_uncompressed() {
    let mut p256 = der(&SigningKey::fixed(Algorithm::Es256).public_pem());
    assert_eq!(p256[26], 4, "an uncompressed point");
    p256[26] = 2;
    assert_eq!(refused(&pem("PUBLIC KEY", &p256)), "malformed");
}

#[test]
fn a_length_has_one_spelling() {
    let ed25519 = der(&SigningKey::fixed(Algorithm::EdDsa).public_pem());
    for longer in [&[0x30, 0x81, 0x2a][..], &[0x30, 0x82, 0x00, 0x2a], &[0x30, 0x80]] {
        assert_eq!(refused(&pem("PUBLIC KEY", &[longer, &ed25519[2..]].concat())), "malformed", "{longer:?}");
    }
    let p521 = der(&SigningKey::fixed(Algorithm::Es512).public_pem());
    assert_eq!(p521[..3], [0x30, 0x81, 0x9b], "between 128 and 255");
    let longer = [&[0x30, 0x82, 0x00, 0x9b], &p521[3..]].concat();
    assert_eq!(refused(&pem("PUBLIC KEY", &longer)), "malformed");
}
