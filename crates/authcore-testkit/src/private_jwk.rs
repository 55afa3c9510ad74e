//! Private keys from JWKs.

use std::sync::Arc;

use authcore::{Algorithm, Key, KeyRefused};
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::key::{Private, SigningKey, ecdsa};

impl SigningKey {
    /// A key from the JSON text of a private JWK (RFC 7517, RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2), or of a symmetric
    /// one: with the `kid` it has, and for the `alg` it was declared with or that its type implies. An RSA key has all of
    /// `d`, `p`, `q`, `dp`, `dq` and `qi`.
    ///
    /// ```
    /// use authcore_testkit::{SigningKey, mint};
    ///
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"mine","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    ///               "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let key = SigningKey::from_jwk(jwk)?;
    /// assert_eq!(key.kid(), Some("mine"));
    /// assert!(!mint().sign(&key).is_empty());
    /// # Ok::<(), authcore::KeyRefused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyRefused`] when `authcore` would not verify by its public half, when it has no private half, or when the two do
    /// not belong together. `use` and `key_ops` do not count.
    pub fn from_jwk(json: &str) -> Result<Self, KeyRefused> {
        authcore::json::check(json).map_err(|_| KeyRefused::Malformed)?;
        let mut jwk: Value = serde_json::from_str(json).map_err(|_| KeyRefused::Malformed)?;
        let members = jwk.as_object_mut().ok_or(KeyRefused::Malformed)?;
        // A private key says `sign` there.
        let _ = (members.remove("use"), members.remove("key_ops"));
        let public = Key::from_jwk(&jwk.to_string())?;
        let bytes = |name: &str| {
            let text = jwk[name].as_str().ok_or(KeyRefused::Malformed)?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyRefused::Malformed)
        };
        let broken = |_| KeyRefused::InvalidNumbers;
        let algorithm = public.algorithm();
        let private = if algorithm.is_symmetric() {
            Private::Secret(bytes("k")?.into())
        } else if let Some(curve) = ecdsa(algorithm) {
            let point = [vec![4], bytes("x")?, bytes("y")?].concat();
            let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, &bytes("d")?, &point).map_err(broken)?;
            Private::Ecdsa(Arc::new(pair))
        } else if algorithm == Algorithm::EdDsa {
            let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?).map_err(broken)?;
            Private::Ed25519(Arc::new(pair))
        } else {
            let components = KeyPairComponents {
                public_key: PublicKeyComponents { n: number(bytes("n")?), e: number(bytes("e")?) },
                d: bytes("d")?,
                p: bytes("p")?,
                q: bytes("q")?,
                dP: bytes("dp")?,
                dQ: bytes("dq")?,
                qInv: bytes("qi")?,
            };
            Private::Rsa(Arc::new(RsaKeyPair::from_components(&components).map_err(broken)?))
        };
        Ok(Self { algorithm, kid: public.id().map(|kid| Box::from(&**kid)), private })
    }
}

/// Without leading zeros.
fn number(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{b64, mint};

    fn refused(jwk: &str) -> &'static str {
        SigningKey::from_jwk(jwk).expect_err(jwk).code()
    }

    /// RFC 7515 §A.3.1 and RFC 8037 §A.1.
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","key_ops":["sign"]}"#;

    #[test]
    fn private_keys_sign_what_their_public_halves_verify() {
        let secret = b64("a secret of these tests that is long enough for SHA-384");
        for jwk in [P256, ED25519, &format!(r#"{{"kty":"oct","alg":"HS384","k":"{secret}"}}"#)] {
            let key = SigningKey::from_jwk(jwk).expect("a private key");
            let keys = authcore::KeySet::new([key.key()]);
            let verifier = authcore::JwtVerifier::builder(keys).build().expect("a verifier");
            assert!(verifier.check(&mint().sign(&key)).is_ok(), "{jwk}");
        }
    }

    #[test]
    fn halves_that_do_not_belong_together_are_refused() {
        assert_eq!(refused(&P256.replace("jpsQ", "jpsR")), "invalid_numbers");
        assert_eq!(refused(&ED25519.replace("nWGx", "nWGy")), "invalid_numbers");
        assert_eq!(refused(&ED25519.replace("\"d\"", "\"e\"")), "malformed");
        assert_eq!(refused("[]"), "malformed");
        assert_eq!(refused(r#"{"kty":"oct","k":"c2hvcnQ"}"#), "weak");
    }
}
