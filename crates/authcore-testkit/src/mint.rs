//! Tokens, well-formed unless told otherwise.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::encode::b64;
use crate::key::SigningKey;
use crate::{AUDIENCE, ISSUER};

/// Begins a token for `alice` from [`ISSUER`] to [`AUDIENCE`], issued now and good for 900 s by the system's clock.
///
/// ```
/// use authcore::{Algorithm, JwtVerifier, KeySet};
/// use authcore_testkit::{ISSUER, SigningKey, mint};
///
/// let key = SigningKey::fixed(Algorithm::EdDsa);
/// let verifier = JwtVerifier::builder(KeySet::new([key.key()])).issuer(ISSUER).build()?;
///
/// let token = mint().subject("bob").claim("role", "admin").sign(key);
/// assert!(verifier.check(&token).unwrap().has_role("admin"));
///
/// let stale = mint().expires_at(1_700_000_000).sign(key);
/// assert_eq!(verifier.check(&stale).unwrap_err().reason(), "expired");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
pub fn mint() -> Mint {
    let now = now();
    let mut claims = Map::new();
    claims.insert("sub".into(), "alice".into());
    claims.insert("iss".into(), ISSUER.into());
    claims.insert("aud".into(), AUDIENCE.into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), (now + 900).into());
    let mut header = Map::new();
    header.insert("typ".into(), "JWT".into());
    Mint { header, left_out: Vec::new(), claims, raw_header: None, raw_payload: None }
}

/// A token in the making.
///
/// Unless told otherwise, the header holds `typ` `JWT`, and `alg` and `kid` of the key that signs.
#[derive(Clone, Debug)]
#[must_use = "a token comes of `sign`"]
pub struct Mint {
    header: Map<String, Value>,
    /// Header parameters that the key must not fill in.
    left_out: Vec<String>,
    claims: Map<String, Value>,
    raw_header: Option<Vec<u8>>,
    raw_payload: Option<Vec<u8>>,
}

impl Mint {
    /// `sub`: whom the token is about.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// `iss`: who vouches for it.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.claim("iss", issuer.into())
    }

    /// `aud`: whom it is meant for. For several use [`claim`](Self::claim) with a `Vec`.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// `exp`, in seconds since the epoch.
    pub fn expires_at(self, seconds: i64) -> Self {
        self.claim("exp", seconds)
    }

    /// `exp`, this long after the present moment, in whole seconds.
    pub fn expires_in(self, duration: Duration) -> Self {
        self.expires_at(now().saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// `nbf`, in seconds since the epoch.
    pub fn not_before(self, seconds: i64) -> Self {
        self.claim("nbf", seconds)
    }

    /// `iat`, in seconds since the epoch.
    pub fn issued_at(self, seconds: i64) -> Self {
        self.claim("iat", seconds)
    }

    /// Any claim, of any JSON type.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Takes a claim away.
    pub fn without(mut self, name: impl AsRef<str>) -> Self {
        self.claims.remove(name.as_ref());
        self
    }

    /// Any header parameter. What is said of `alg` and `kid` here counts instead of what the key says.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Takes a header parameter away, also one that the key would fill in.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.header.remove(&name);
        self.left_out.push(name);
        self
    }

    /// These bytes as the header, whatever else was said about it.
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_header = Some(bytes.into());
        self
    }

    /// These bytes as the payload, whatever else was said about claims.
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(bytes.into());
        self
    }

    /// The token in compact serialisation, signed by this key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let input = self.signing_input(key);
        let signature = b64(key.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// What this key would sign: header, dot, payload, as they stand in the token.
    #[must_use]
    pub fn signing_input(&self, key: &SigningKey) -> String {
        self.segments(key.algorithm().name(), key.kid())
    }

    /// The token with an empty signature. Its `alg` is `none` unless [`header`](Self::header) says otherwise.
    #[must_use]
    pub fn unsigned(&self) -> String {
        self.with_signature([])
    }

    /// The token with these bytes for a signature. Its `alg` is `none` unless [`header`](Self::header) says otherwise.
    #[must_use]
    pub fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.segments("none", None), b64(signature))
    }

    fn segments(&self, algorithm: &str, kid: Option<&str>) -> String {
        let header = self.raw_header.clone().unwrap_or_else(|| self.filled_header(algorithm, kid).into_bytes());
        let payload = self.raw_payload.clone().unwrap_or_else(|| text(&self.claims).into_bytes());
        format!("{}.{}", b64(header), b64(payload))
    }

    fn filled_header(&self, algorithm: &str, kid: Option<&str>) -> String {
        let mut header = self.header.clone();
        let from_key = [("alg", Some(algorithm)), ("kid", kid)];
        for (name, value) in from_key {
            if let Some(value) = value.filter(|_| !self.left_out.iter().any(|left_out| left_out == name)) {
                header.entry(name).or_insert_with(|| value.into());
            }
        }
        text(&header)
    }
}

fn text(object: &Map<String, Value>) -> String {
    serde_json::to_string(object).expect("a JSON object always serialises")
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since_epoch.as_secs()).expect("the clock is before the year 292 billion")
}

#[cfg(test)]
mod tests {
    use authcore::{Algorithm, JwtVerifier, KeySet};
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::json;

    use super::*;
    use crate::encode::unb64;

    fn header_and_claims(token: &str) -> (Value, Value) {
        let mut segments = token.split('.').map(|segment| serde_json::from_slice(&unb64(segment)));
        let mut next = || segments.next().expect("three segments").expect("JSON");
        (next(), next())
    }

    #[test]
    fn tokens_of_every_algorithm_are_accepted_by_authcore() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::fixed(algorithm);
            let verifier = JwtVerifier::builder(KeySet::new([key.key()])).issuer(ISSUER).audience(AUDIENCE);
            let verifier = verifier.algorithms([algorithm]).build().expect("a verifier");
            let identity = verifier.check(&mint().sign(key)).expect("a good token");
            assert_eq!((identity.user_id().as_str(), identity.issuer()), ("alice", Some(ISSUER)), "{algorithm}");
        }
    }

    /// An independent oracle. It has no ES512.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the oracle has its crypto backend in tests")]
    fn tokens_are_accepted_by_jsonwebtoken_and_forgeries_are_not() {
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Es512) {
            let key = SigningKey::fixed(algorithm);
            let jwk: Jwk = serde_json::from_value(key.public_jwk()).expect("a JWK");
            let decoding = DecodingKey::from_jwk(&jwk).expect("a usable JWK");
            let mut validation = Validation::new(algorithm.name().parse().expect("a name that both know"));
            validation.set_issuer(&[ISSUER]);
            validation.set_audience(&[AUDIENCE]);
            let judge = |token: &str| jsonwebtoken::decode::<Value>(token, &decoding, &validation);

            let decoded = judge(&mint().sign(key)).expect("a good token");
            assert_eq!((decoded.header.kid.as_deref(), &decoded.claims["sub"]), (key.kid(), &json!("alice")));
            let forged = mint().header("alg", algorithm.name()).with_signature(key.sign(b"something else"));
            assert!(judge(&forged).is_err(), "{algorithm}");
        }
    }

    #[test]
    fn public_keys_in_pem_and_der_are_taken_by_jsonwebtoken() {
        for algorithm in [Algorithm::Rs256, Algorithm::Ps512] {
            let key = SigningKey::fixed(algorithm);
            assert!(DecodingKey::from_rsa_pem(key.public_pem().as_bytes()).is_ok(), "{algorithm}");
        }
        for algorithm in [Algorithm::Es256, Algorithm::Es384] {
            let key = SigningKey::fixed(algorithm);
            assert!(DecodingKey::from_ec_pem(key.public_pem().as_bytes()).is_ok(), "{algorithm}");
        }
        let key = SigningKey::fixed(Algorithm::EdDsa);
        assert!(DecodingKey::from_ed_pem(key.public_pem().as_bytes()).is_ok());
    }

    #[test]
    fn the_key_fills_in_what_nobody_said() {
        let key = SigningKey::fixed(Algorithm::Es256);
        let header = |mint: Mint| header_and_claims(&mint.sign(key)).0;
        assert_eq!(header(mint()), json!({ "alg": "ES256", "kid": "es256-1", "typ": "JWT" }));
        assert_eq!(
            header(mint().header("kid", 7).header("alg", "none")),
            json!({ "alg": "none", "kid": 7, "typ": "JWT" })
        );
        assert_eq!(header(mint().without_header("kid").without_header("typ")), json!({ "alg": "ES256" }));
        assert_eq!(header(mint().without_header("alg")), json!({ "kid": "es256-1", "typ": "JWT" }));
    }

    #[test]
    fn claims_are_as_they_were_said() {
        let token = mint().expires_at(2).not_before(1).issued_at(0).claim("n", json!([null])).without("iss").unsigned();
        let expected = json!({ "sub": "alice", "aud": AUDIENCE, "exp": 2, "nbf": 1, "iat": 0, "n": [null] });
        assert_eq!(header_and_claims(&token).1, expected);
        let (_, claims) = header_and_claims(&mint().expires_in(Duration::from_secs(60)).unsigned());
        let life = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
        assert!(matches!(life, Some(60 | 61)), "{life:?}");
    }

    #[test]
    fn raw_bytes_are_taken_as_they_are() {
        let key = SigningKey::fixed(Algorithm::EdDsa);
        let token = mint().raw_header(*b"\xff{").raw_payload("{} ").sign(key);
        assert!(token.starts_with(&format!("{}.{}.", b64(b"\xff{"), b64("{} "))));
        assert!(mint().unsigned().ends_with('.'));
        assert!(mint().with_signature([0xff]).ends_with("._w"));
    }
}
