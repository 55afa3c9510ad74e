//! Keys that sign: fresh, fixed, or a secret of one's own.

use std::fmt;
use std::sync::{Arc, LazyLock};

use authcore::{Algorithm, Key};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair};
use aws_lc_rs::signature::{RsaKeyPair, RsaSignatureEncoding};
use serde_json::{Value, json};

use crate::encode::{b64, pem, rsa_numbers};

/// A private key, or a shared secret, with its algorithm and its id. Cloning is cheap.
///
/// ```
/// use authcore::{Algorithm, JwtVerifier, KeySet};
/// use authcore_testkit::{SigningKey, mint};
///
/// let key = SigningKey::fixed(Algorithm::Es256);
/// let verifier = JwtVerifier::builder(KeySet::new([key.key()])).build()?;
/// assert_eq!(verifier.check(&mint().sign(key)).unwrap().user_id().as_str(), "alice");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    pub(crate) private: Private,
}

#[derive(Clone)]
pub(crate) enum Private {
    Secret(Arc<[u8]>),
    Ecdsa(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
    Rsa(Arc<RsaKeyPair>),
}

impl SigningKey {
    /// A fresh key with a random id. RSA keys have 2048 bits and may take a second; [`fixed`](Self::fixed) ones do not.
    ///
    /// # Panics
    ///
    /// When the system has no randomness.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let private = if algorithm.is_symmetric() {
            Private::Secret(random::<64>().as_slice().into())
        } else if let Some(curve) = ecdsa(algorithm) {
            Private::Ecdsa(Arc::new(EcdsaKeyPair::generate(curve).expect("a fresh key")))
        } else if algorithm == Algorithm::EdDsa {
            Private::Ed25519(Arc::new(Ed25519KeyPair::generate().expect("a fresh key")))
        } else {
            Private::Rsa(Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a fresh key")))
        };
        Self { algorithm, kid: Some(b64(random::<12>()).into()), private }
    }

    /// The one fixed key of this algorithm: the same in every run, and published with this crate.
    ///
    /// Its id is the algorithm's name in lower case and `-1`, such as `es256-1`. The six RSA algorithms share one pair of
    /// numbers, which only their ids and declared algorithms tell apart; so do not take these keys for strangers.
    ///
    /// # Panics
    ///
    /// Never, unless this crate was packaged with broken data.
    #[must_use]
    pub fn fixed(algorithm: Algorithm) -> &'static Self {
        static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| Algorithm::ALL.map(embedded).into());
        KEYS.iter().find(|key| key.algorithm == algorithm).expect("a key for each algorithm")
    }

    /// A shared secret, without an id. It may be as bad as you like: only [`key`](Self::key) minds.
    ///
    /// # Panics
    ///
    /// When the algorithm is not HS256, HS384 or HS512.
    #[must_use]
    pub fn hmac(algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Self {
        assert!(algorithm.is_symmetric(), "{algorithm} takes no shared secret");
        Self { algorithm, kid: None, private: Private::Secret(secret.as_ref().into()) }
    }

    /// The same key by another id, or by none.
    ///
    /// ```
    /// use authcore::Algorithm;
    /// use authcore_testkit::SigningKey;
    ///
    /// let key = SigningKey::fixed(Algorithm::EdDsa).clone();
    /// assert_eq!(key.clone().with_kid("2026-01").kid(), Some("2026-01"));
    /// assert_eq!(key.with_kid(None).kid(), None);
    /// ```
    #[must_use]
    pub fn with_kid<'k>(mut self, kid: impl Into<Option<&'k str>>) -> Self {
        self.kid = kid.into().map(Box::from);
        self
    }

    /// The same RSA key, or the same secret, signing with another algorithm of its kind.
    ///
    /// # Panics
    ///
    /// When the key cannot sign with that algorithm.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        let fits = match &self.private {
            Private::Secret(_) => algorithm.is_symmetric(),
            Private::Rsa(_) => rsa(algorithm).is_some(),
            Private::Ecdsa(_) | Private::Ed25519(_) => algorithm == self.algorithm,
        };
        assert!(fits, "a key for {} cannot sign with {algorithm}", self.algorithm);
        self.algorithm = algorithm;
        self
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The raw signature of a JWS over these bytes (RFC 7518 §3): for ECDSA `r || s`, not DER.
    ///
    /// # Panics
    ///
    /// When signing fails, which takes a machine without randomness.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Secret(secret) => {
                let key = hmac::Key::new(hash(self.algorithm).expect("checked on the way in"), secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
            Private::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec(),
            Private::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = rsa(self.algorithm).expect("checked on the way in");
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// The key that verifies what this one signs.
    ///
    /// # Panics
    ///
    /// When `authcore` refuses it, as it does with a weak shared secret.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::from_jwk(&self.public_jwk().to_string()).expect("a key that authcore takes")
    }

    /// The JWK that verifies what this key signs (RFC 7517), with `alg`, `use` and, if it has one, `kid`. For a shared
    /// secret this is the `oct` key: the secret itself.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut jwk = match &self.private {
            Private::Secret(secret) => json!({ "kty": "oct", "k": b64(secret) }),
            Private::Ecdsa(pair) => {
                let (curve, length) = match self.algorithm {
                    Algorithm::Es384 => ("P-384", 48),
                    Algorithm::Es512 => ("P-521", 66),
                    _ => ("P-256", 32),
                };
                let (x, y) = pair.public_key().as_ref()[1..].split_at(length);
                json!({ "kty": "EC", "crv": curve, "x": b64(x), "y": b64(y) })
            }
            Private::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key()) }),
            Private::Rsa(pair) => {
                let (n, e) = rsa_numbers(pair.public_key().as_ref());
                json!({ "kty": "RSA", "n": b64(n), "e": b64(e) })
            }
        };
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        if let Some(kid) = self.kid() {
            jwk["kid"] = kid.into();
        }
        jwk
    }

    /// The public key as DER: `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    ///
    /// # Panics
    ///
    /// For a shared secret, which has no public half.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'static> = match &self.private {
            Private::Secret(_) => panic!("a shared secret has no public half"),
            Private::Ecdsa(pair) => pair.public_key().as_der(),
            Private::Ed25519(pair) => pair.public_key().as_der(),
            Private::Rsa(pair) => pair.public_key().as_der(),
        }
        .expect("a public key encodes");
        der.as_ref().to_vec()
    }

    /// The public key as PEM, as `openssl pkey -pubout` prints it.
    ///
    /// # Panics
    ///
    /// For a shared secret, which has no public half.
    #[must_use]
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.public_der(), "\n")
    }

    /// Every form in which the public key may lie about, each with a name: PEM (LF, CRLF, without the last newline),
    /// DER, JWK, the raw numbers, and for RSA also PKCS#1.
    ///
    /// Whoever verifies HMAC with one of them as the secret lets everyone sign (RFC 8725 §3.1).
    ///
    /// ```
    /// use authcore::{Algorithm, JwtVerifier, KeySet};
    /// use authcore_testkit::{SigningKey, mint};
    ///
    /// let key = SigningKey::fixed(Algorithm::Rs256);
    /// let verifier = JwtVerifier::builder(KeySet::new([key.key()])).build()?;
    /// for (form, bytes) in key.public_forms() {
    ///     let forger = SigningKey::hmac(Algorithm::Hs256, bytes).with_kid(key.kid());
    ///     assert!(verifier.check(&mint().sign(&forger)).is_err(), "{form}");
    /// }
    /// # Ok::<(), authcore::ConfigError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// For a shared secret, which has no public half.
    #[must_use]
    pub fn public_forms(&self) -> Vec<(&'static str, Vec<u8>)> {
        let der = self.public_der();
        let text = self.public_pem();
        let mut forms = vec![
            ("SPKI PEM, LF", text.clone().into_bytes()),
            ("SPKI PEM, CRLF", pem("PUBLIC KEY", &der, "\r\n").into_bytes()),
            ("SPKI PEM, no final newline", text.trim_end().into()),
            ("SPKI DER", der),
            ("JWK", self.public_jwk().to_string().into_bytes()),
        ];
        match &self.private {
            Private::Secret(_) => {}
            Private::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                forms.push(("raw point", point.into()));
                forms.push(("raw x", point[1..=point.len() / 2].into()));
            }
            Private::Ed25519(pair) => forms.push(("raw x", pair.public_key().as_ref().into())),
            Private::Rsa(pair) => {
                let pkcs1 = pair.public_key().as_ref();
                let text = pem("RSA PUBLIC KEY", pkcs1, "\n");
                forms.push(("PKCS#1 PEM, LF", text.clone().into_bytes()));
                forms.push(("PKCS#1 PEM, CRLF", pem("RSA PUBLIC KEY", pkcs1, "\r\n").into_bytes()));
                forms.push(("PKCS#1 PEM, no final newline", text.trim_end().into()));
                forms.push(("PKCS#1 DER", pkcs1.into()));
                forms.push(("raw n", rsa_numbers(pkcs1).0.into()));
            }
        }
        forms
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The JWK Set document (RFC 7517 §5) of the public halves. Shared secrets are left out, since nobody publishes them.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    let public = keys.into_iter().filter(|key| !key.algorithm.is_symmetric());
    json!({ "keys": public.map(SigningKey::public_jwk).collect::<Vec<_>>() }).to_string()
}

fn embedded(algorithm: Algorithm) -> SigningKey {
    let curve = |pkcs8: &[u8]| {
        let curve = ecdsa(algorithm).expect("called for curves only");
        Private::Ecdsa(Arc::new(EcdsaKeyPair::from_pkcs8(curve, pkcs8).expect("an embedded key")))
    };
    let private = match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            let secret = format!("{algorithm}: a secret of authcore-testkit, known to everyone, for tests only");
            Private::Secret(secret.as_bytes().into())
        }
        Algorithm::Es256 => curve(include_bytes!("../testdata/p256.pk8")),
        Algorithm::Es384 => curve(include_bytes!("../testdata/p384.pk8")),
        Algorithm::Es512 => curve(include_bytes!("../testdata/p521.pk8")),
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8(include_bytes!("../testdata/ed25519.pk8"));
            Private::Ed25519(Arc::new(pair.expect("an embedded key")))
        }
        _ => {
            let pair = RsaKeyPair::from_pkcs8(include_bytes!("../testdata/rsa.pk8"));
            Private::Rsa(Arc::new(pair.expect("an embedded key")))
        }
    };
    SigningKey { algorithm, kid: Some(format!("{}-1", algorithm.name().to_lowercase()).into()), private }
}

fn hash(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::Hs256 => Some(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Some(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

pub(crate) fn ecdsa(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&lc::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Some(&lc::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => Some(&lc::ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaSignatureEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&lc::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&lc::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&lc::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&lc::RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&lc::RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&lc::RSA_PSS_SHA512),
        _ => None,
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_signs_its_public_half_verifies_and_no_other_does() {
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| rsa(*algorithm).is_none()) {
            let (fixed, fresh) = (SigningKey::fixed(algorithm), SigningKey::generate(algorithm));
            let token = crate::mint().sign(fixed);
            let judge = |key: &SigningKey| {
                let keys = authcore::KeySet::new([key.clone().with_kid(fixed.kid()).key()]);
                let verifier = authcore::JwtVerifier::builder(keys).build().expect("a verifier");
                verifier.check(&token).map_err(|error| error.reason())
            };
            assert!(judge(fixed).is_ok(), "{algorithm}");
            assert_eq!(judge(&fresh).err(), Some("bad_signature"), "{algorithm}");
        }
    }

    #[test]
    fn fixed_keys_go_by_their_algorithm() {
        let ids = Algorithm::ALL.map(|algorithm| SigningKey::fixed(algorithm).kid());
        assert_eq!((ids[0], ids[9], ids[12]), (Some("hs256-1"), Some("es256-1"), Some("eddsa-1")));
    }

    #[test]
    fn a_set_holds_public_keys_only() {
        let set = jwks(Algorithm::ALL.map(SigningKey::fixed));
        assert!(!set.contains("oct") && !set.contains("\"d\"") && !set.contains("\"k\""));
        let set = authcore::KeySet::from_json(&set).expect("a key set");
        assert_eq!((set.keys().count(), set.ignored().len()), (10, 0));
    }

    #[test]
    fn every_form_of_a_public_key_is_a_different_one() {
        for (algorithm, count) in [(Algorithm::Rs256, 10), (Algorithm::Es256, 7), (Algorithm::EdDsa, 6)] {
            let forms = SigningKey::fixed(algorithm).public_forms();
            let distinct: std::collections::HashSet<_> = forms.iter().map(|(_, bytes)| bytes).collect();
            assert_eq!(distinct.len(), count, "{algorithm}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SigningKey::hmac(Algorithm::Hs256, "hidden").with_kid("a");
        assert_eq!(format!("{key:?}"), r#"SigningKey { algorithm: Hs256, kid: Some("a"), .. }"#);
    }
}
