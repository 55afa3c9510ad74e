//! Cookies and caches as Better Auth makes them, made here, so that they can be spoilt one by one.

use authcore::{Algorithm, KeySet, ManualClock, Secret};
use authcore_better_auth::{CacheFault, CachedSession, CookieCache, CookieCacheBuilder, CookieNames};
use authcore_better_auth::{Secrets, SessionToken, SignedCookie};
use authcore_testkit::{SigningKey, TestHead, b64, mint};
use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

pub(crate) const OTHER_SECRET: &str = "another-secret-of-the-tests-with-32-bytes";

pub(crate) const TOKEN: &str = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E";

/// 2026-11-20T19:11:40Z
pub(crate) const NOW: i64 = 1_795_201_900;

pub(crate) const ISSUER: &str = "https://app.example.com";

pub(crate) fn secrets() -> Secrets {
    Secrets::new(&Secret::new(SECRET)).expect("a good secret")
}

pub(crate) fn names() -> CookieNames {
    CookieNames::new(false)
}

pub(crate) fn cookie() -> SignedCookie {
    SignedCookie::new(&names(), &secrets()).expect("a good name")
}

pub(crate) fn token() -> SessionToken {
    SessionToken::new(TOKEN).expect("a token")
}

pub(crate) fn mac(message: impl AsRef<[u8]>, secret: &str) -> Vec<u8> {
    SigningKey::hmac(Algorithm::Hs256, secret).sign(message.as_ref())
}

/// A signed value, not percent-encoded.
pub(crate) fn signed(value: &str, secret: &str) -> String {
    format!("{value}.{}", STANDARD.encode(mac(value, secret)))
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// A head with these `Cookie` lines.
pub(crate) fn head<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> TestHead {
    lines.into_iter().fold(TestHead::get("/"), |head, line| head.header("cookie", line))
}

/// What the signed cookie of a value is read as: the token, or the reason for the refusal as a bearer or cookie gives it.
pub(crate) fn read_value(value: &str) -> Result<Option<String>, String> {
    read(&head([format!("better-auth.session_token={value}")]))
}

pub(crate) fn read(head: &TestHead) -> Result<Option<String>, String> {
    let token = cookie().read(head).map(|token| token.map(|token| token.expose().to_owned()));
    token.map_err(|fault| authcore::AuthError::Session { fault, bearer: false }.reason().to_owned())
}

/// The four ways in which a cache is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    Compact,
    Jwt,
    Jwe,
    Published,
}

pub(crate) const STRATEGIES: [Strategy; 4] = [Strategy::Compact, Strategy::Jwt, Strategy::Jwe, Strategy::Published];

/// What is cached of a good session at [`NOW`].
pub(crate) fn payload() -> Value {
    json!({
        "session": {
            "id": "session-1", "token": TOKEN, "userId": "user-1", "expiresAt": "2026-11-27T19:11:31.865Z",
            "createdAt": "2026-11-20T19:11:31.865Z", "updatedAt": "2026-11-20T19:11:31.865Z", "ipAddress": "", "userAgent": "",
        },
        "user": {
            "id": "user-1", "email": "ada@example.com", "emailVerified": true, "name": "Ada Łovelace", "image": null,
            "createdAt": "2026-11-20T19:11:31.861Z", "updatedAt": "2026-11-20T19:11:31.861Z",
        },
        "updatedAt": NOW * 1000,
        "version": "1",
    })
}

impl Strategy {
    pub(crate) fn settings(self, secrets: &Secrets) -> CookieCacheBuilder {
        let settings = match self {
            Self::Compact => CookieCache::compact(secrets),
            Self::Jwt => CookieCache::jwt(secrets),
            Self::Jwe => CookieCache::jwe(secrets),
            Self::Published => CookieCache::published(KeySet::new([published_key().key()]), ISSUER),
        };
        settings.clock(ManualClock::at(NOW))
    }

    pub(crate) fn cache(self) -> CookieCache {
        self.settings(&secrets()).build(&names()).expect("good settings")
    }

    /// The cookie for a payload, which ends after 300 s.
    pub(crate) fn write(self, payload: &Value) -> String {
        self.write_until(payload, NOW + 300, SECRET)
    }

    pub(crate) fn write_until(self, payload: &Value, expires_at: i64, secret: &str) -> String {
        let mut claims = payload.clone();
        if self != Self::Compact {
            for (name, time) in [("iat", NOW), ("exp", expires_at)] {
                default(&mut claims, name, json!(time));
            }
        }
        match self {
            Self::Compact => compact(&claims.to_string(), expires_at * 1000, secret),
            Self::Jwt => hs256(r#"{"alg":"HS256"}"#, &claims.to_string(), secret),
            Self::Jwe => jwe(&claims.to_string(), secret),
            Self::Published => {
                let own = [
                    ("iss", json!(ISSUER)),
                    ("aud", json!("better-auth:session-cache")),
                    ("sub", claims["user"]["id"].clone()),
                    ("sid", claims["session"]["token"].clone()),
                ];
                own.into_iter().for_each(|(name, claim)| default(&mut claims, name, claim));
                published(&claims.to_string())
            }
        }
    }

    /// The verdict on one cookie of this value, beside the session cookie of [`TOKEN`].
    pub(crate) fn judge(self, value: &str) -> Result<Option<CachedSession>, CacheFault> {
        self.cache().read(&head([format!("better-auth.session_data={value}")]), &token())
    }

    pub(crate) fn verdict(self, payload: &Value) -> &'static str {
        match self.judge(&self.write(payload)) {
            Ok(found) => found.map_or("absent", |_| "accepted"),
            Err(fault) => fault.reason(),
        }
    }
}

fn default(claims: &mut Value, name: &str, value: Value) {
    claims.as_object_mut().expect("an object").entry(name).or_insert(value);
}

pub(crate) fn compact(payload: &str, expires_at_ms: i64, secret: &str) -> String {
    let inside = payload.strip_suffix('}').expect("an object");
    let signature = b64(mac(format!(r#"{inside},"expiresAt":{expires_at_ms}}}"#), secret));
    b64(format!(r#"{{"session":{payload},"expiresAt":{expires_at_ms},"signature":"{signature}"}}"#))
}

pub(crate) fn hs256(header: &str, payload: &str, secret: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = b64(mac(&input, secret));
    format!("{input}.{signature}")
}

pub(crate) fn published_key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

pub(crate) fn published(payload: &str) -> String {
    mint().header("typ", "better-auth.session-cache+jwt").raw_payload(payload).sign(published_key())
}

pub(crate) fn jwe(payload: &str, secret: &str) -> String {
    let key = derived(secret);
    let kid = b64(digest::digest(&digest::SHA256, format!(r#"{{"k":"{}","kty":"oct"}}"#, b64(key)).as_bytes()));
    jwe_with(&format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{kid}"}}"#), payload.as_bytes(), &key)
}

/// A second writing of RFC 7518 §5.2.5, over the other half of the cryptographic library.
pub(crate) fn jwe_with(header: &str, clear: &[u8], key: &[u8; 64]) -> String {
    let (header, iv) = (b64(header), [7; 16]);
    let cipher = UnboundCipherKey::new(&AES_256, &key[32..]).expect("a key");
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).expect("a key");
    let mut text = clear.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    cipher.less_safe_encrypt(&mut text, context).expect("room to grow");
    let covered = [header.as_bytes(), &iv, &text, &(header.len() as u64 * 8).to_be_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &key[..32]), &covered);
    format!("{header}..{}.{}.{}", b64(iv), b64(text), b64(&tag.as_ref()[..32]))
}

pub(crate) fn derived(secret: &str) -> [u8; 64] {
    let mut key = [0; 64];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"better-auth-session");
    let halves = [b"BetterAuth.js Generated Encryption Key".as_slice()];
    let prk = salt.extract(secret.as_bytes());
    prk.expand(&halves, Length).and_then(|okm| okm.fill(&mut key)).expect("64 bytes");
    key
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        64
    }
}
