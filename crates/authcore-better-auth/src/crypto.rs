//! Hashes, HMAC, key derivation and decryption. The only file of this crate that names the cryptographic dependency.

use authcore::Secret;
use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{constant_time, digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SHA-256 as base64url without padding.
pub(crate) fn sha256_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, bytes))
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An HMAC-SHA256 key, prepared once.
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&self.0, message)
    }

    /// Whether `tag` is this key's over `message`, compared in constant time.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}

/// A key of A256CBC-HS512 (RFC 7518 §5.2.5), prepared once.
pub(crate) struct ContentKey {
    id: String,
    mac: hmac::Key,
    cipher: PaddedBlockDecryptingKey,
}

impl ContentKey {
    /// The key that Better Auth derives from a secret for one purpose, by HKDF-SHA256 (RFC 5869).
    pub(crate) fn derive(secret: &[u8], salt: &[u8]) -> Self {
        let mut bytes = vec![0; KEY_BYTES];
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
        let expanded = extracted.expand(&[INFO], KeyBytes).and_then(|okm| okm.fill(&mut bytes));
        expanded.expect("64 bytes are far below the 255 blocks of HKDF");
        Self::new(bytes)
    }

    /// From 64 bytes: half of them for the tag, half for the cipher (RFC 7518 §5.2.5).
    fn new(bytes: Vec<u8>) -> Self {
        // Wiped on drop.
        let bytes = Secret::new(bytes);
        let (mac, cipher) = bytes.expose_bytes().split_at(KEY_BYTES / 2);
        let cipher = UnboundCipherKey::new(&AES_256, cipher).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
        Self {
            id: thumbprint(bytes.expose_bytes()),
            mac: hmac::Key::new(hmac::HMAC_SHA512, mac),
            cipher: cipher.expect("AES-256 takes 32 bytes"),
        }
    }

    /// The key's thumbprint, which goes as its `kid`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Checks the tag over header, iv and ciphertext, and only then decrypts (RFC 7518 §5.2.2.2).
    pub(crate) fn open<'c>(
        &self,
        header: &[u8],
        iv: [u8; 16],
        ciphertext: &'c mut [u8],
        tag: &[u8],
    ) -> Option<&'c [u8]> {
        let header_bits = u64::try_from(header.len()).ok()?.checked_mul(8)?;
        let mut mac = hmac::Context::with_key(&self.mac);
        for part in [header, &iv, ciphertext, &header_bits.to_be_bytes()] {
            mac.update(part);
        }
        let expected = mac.sign();
        constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG_BYTES], tag).ok()?;
        let context = DecryptionContext::Iv128(FixedLength::from(&iv));
        self.cipher.decrypt(ciphertext, context).ok().map(|clear| &*clear)
    }
}

const KEY_BYTES: usize = 64;

const TAG_BYTES: usize = 32;

const INFO: &[u8] = b"BetterAuth.js Generated Encryption Key";

/// The length asked of HKDF.
struct KeyBytes;

impl hkdf::KeyType for KeyBytes {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

/// RFC 7638 §3: SHA-256 over the members that a symmetric key needs, in their order.
fn thumbprint(key: &[u8]) -> String {
    let jwk = Secret::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, URL_SAFE_NO_PAD.encode(key)));
    sha256_text(jwk.expose_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that real servers gave to keys derived from throw-away secrets.
    #[test]
    fn derived_keys_go_by_the_ids_that_better_auth_gives_them() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../testdata/sessions.json")).expect("JSON");
        let vectors = file["jwe_key_derivation"].as_array().expect("a list");
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().expect("text");
            let key = ContentKey::derive(text("secret").as_bytes(), text("salt").as_bytes());
            assert_eq!(key.id(), text("kid"));
        }
    }
    #[test]
    fn the_standards_example_opens_and_nothing_else_does() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../testdata/rfc7518.json")).expect("JSON");
        let bytes = |name: &str| -> Vec<u8> {
            let digits = file[name].as_str().expect("text").as_bytes().chunks(2);
            digits.map(|two| u8::from_str_radix(str::from_utf8(two).expect("ASCII"), 16).expect("digits")).collect()
        };
        let key = ContentKey::new(bytes("key"));
        let open = |[header, iv, ciphertext, tag]: [&[u8]; 4]| {
            let mut text = ciphertext.to_vec();
            key.open(header, iv.try_into().expect("16 bytes"), &mut text, tag).map(<[u8]>::to_vec)
        };
        let good = ["additional_data", "iv", "ciphertext", "tag"].map(bytes);
        assert_eq!(open(good.each_ref().map(Vec::as_slice)), Some(bytes("plaintext")));
        for part in 0..good.len() {
            for byte in 0..good[part].len() {
                let mut bad = good.clone();
                bad[part][byte] ^= 1;
                assert_eq!(open(bad.each_ref().map(Vec::as_slice)), None, "byte {byte} of part {part}");
            }
        }
        let [header, iv, ciphertext, tag] = good.each_ref().map(Vec::as_slice);
        assert_eq!(open([header, iv, ciphertext, &tag[..16]]), None, "a tag cut short");
        assert_eq!(open([&header[1..], iv, ciphertext, tag]), None);
    }
}
