//! Signatures over prepared keys. The only file that names the cryptographic dependency.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self as lc, ParsedPublicKey, RsaParameters, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};

use super::algorithm::Algorithm;

/// A key, parsed once, that can check signatures of one algorithm.
pub(crate) enum VerifyKey {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// Public key material that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejected;

impl VerifyKey {
    /// An HMAC key. Its length is the caller's to judge.
    pub(crate) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        let algorithm = match algorithm {
            Algorithm::Hs256 => hmac::HMAC_SHA256,
            Algorithm::Hs384 => hmac::HMAC_SHA384,
            Algorithm::Hs512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        Some(Self::Hmac(Box::new(hmac::Key::new(algorithm, secret))))
    }

    /// An RSA key from modulus and exponent, big-endian. 2048 to 8192 bits.
    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, Rejected> {
        let parameters = rsa_parameters(algorithm).ok_or(Rejected)?;
        let key = PublicKeyComponents { n, e }.to_parsed_public_key(parameters)?;
        Ok(Self::Public(key))
    }

    /// An elliptic-curve key: the uncompressed point `04 || x || y` for ES*, the 32 bytes of RFC 8032 for Ed25519.
    pub(crate) fn curve(algorithm: Algorithm, point: &[u8]) -> Result<Self, Rejected> {
        let parameters = curve_parameters(algorithm).ok_or(Rejected)?;
        Ok(Self::Public(ParsedPublicKey::new(parameters, point)?))
    }

    /// Whether `signature` is this key's over `message`. HMACs are compared in constant time.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

impl From<aws_lc_rs::error::KeyRejected> for Rejected {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}

/// SHA-256, for key thumbprints (RFC 7638).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &lc::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &lc::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &lc::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &lc::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &lc::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &lc::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve_parameters(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::Es256 => &lc::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &lc::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &lc::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDsa => &lc::ED25519,
        _ => return None,
    })
}
