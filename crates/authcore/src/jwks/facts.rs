//! What may be told of a key: its type, its size, its thumbprint.

use super::key::Key;
use crate::base64url;
use crate::digest::sha256;
use crate::jwt::Algorithm;

/// Facts of a key that its prepared form no longer shows.
pub(super) struct Facts {
    kind: &'static str,
    bits: usize,
    /// RFC 7638; a secret has none, since it could be guessed by it.
    thumbprint: Option<[u8; 32]>,
}

impl Facts {
    pub(super) fn rsa(n: &[u8], e: &[u8], bits: usize) -> Self {
        let (n, e) = (base64url::encode(n), base64url::encode(e));
        Self { kind: "RSA", bits, thumbprint: Some(of(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))) }
    }

    pub(super) fn elliptic(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Self {
        let (kind, curve, bits) = match algorithm {
            Algorithm::Es384 => ("EC P-384", "P-384", 384),
            Algorithm::Es512 => ("EC P-521", "P-521", 521),
            _ => ("EC P-256", "P-256", 256),
        };
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        let required = format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Self { kind, bits, thumbprint: Some(of(&required)) }
    }

    pub(super) fn edwards(x: &[u8; 32]) -> Self {
        let x = base64url::encode(x);
        let required = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Self { kind: "OKP Ed25519", bits: 256, thumbprint: Some(of(&required)) }
    }

    pub(super) fn secret(bytes: &[u8]) -> Self {
        Self { kind: "oct", bits: bytes.len() * 8, thumbprint: None }
    }
}

fn of(required_members: &str) -> [u8; 32] {
    sha256(required_members.as_bytes())
}

impl Key {
    /// Its type as a JWK has it in `kty`, with the curve where there is one: `RSA`, `EC P-256`, `OKP Ed25519`, `oct`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.facts.kind
    }

    /// Its size in bits: of the modulus, the curve or the secret.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.facts.bits
    }

    /// Its JWK thumbprint by SHA-256 in base64url ([RFC 7638]), which is the same wherever the key is published; `None` for
    /// a secret, which could be guessed by it (§7).
    ///
    /// ```
    /// use authcore::Key;
    ///
    /// let key = Key::from_jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
    /// assert_eq!(key.thumbprint().as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    /// # Ok::<(), authcore::KeyRefused>(())
    /// ```
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.facts.thumbprint.map(|digest| base64url::encode(&digest))
    }
}
