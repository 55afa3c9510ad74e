//! Better Auth's signed values and cookie caches, made here: a second writing, apart from the crate's own reading.

use std::sync::LazyLock;

use authcore::{Algorithm, KeySet, ManualClock, Secret};
use authcore_better_auth::{CookieCache, CookieNames, Secrets, SessionToken, SignedCookie};
use authcore_testkit::{SigningKey, b64, mint};
use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::NOW;

/// The current secret; [`crate::MARKER`] stands in it.
pub const SECRET: &str = "marker-7f3a9c: the secret of the fuzz targets";

/// Whose signatures do not count.
pub const OTHER_SECRET: &str = "marker-7f3a9c: a secret that nobody listed";

/// The session token beside every cache.
pub const TOKEN: &str = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E";

pub const ISSUER: &str = "https://app.example.com";

pub static SECRETS: LazyLock<Secrets> = LazyLock::new(|| Secrets::new(&Secret::new(SECRET)).expect("a good secret"));

pub static COOKIE: LazyLock<SignedCookie> =
    LazyLock::new(|| SignedCookie::new(&CookieNames::new(false), &SECRETS).expect("a good name"));

/// The four ways in which a cache is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Compact,
    Jwt,
    Jwe,
    Published,
}

pub const STRATEGIES: [Strategy; 4] = [Strategy::Compact, Strategy::Jwt, Strategy::Jwe, Strategy::Published];

static CACHES: LazyLock<[CookieCache; 4]> = LazyLock::new(|| {
    STRATEGIES.map(|strategy| {
        let settings = match strategy {
            Strategy::Compact => CookieCache::compact(&SECRETS),
            Strategy::Jwt => CookieCache::jwt(&SECRETS),
            Strategy::Jwe => CookieCache::jwe(&SECRETS),
            Strategy::Published => CookieCache::published(KeySet::new([published_key().key()]), ISSUER),
        };
        settings.clock(ManualClock::at(NOW)).build(&CookieNames::new(false)).expect("good settings")
    })
});

impl Strategy {
    #[must_use]
    pub fn cache(self) -> &'static CookieCache {
        &CACHES[self as usize]
    }

    /// The cookie for this payload, signed or encrypted as the server would. The compact one ends in 300 s; the others say
    /// themselves when they end.
    #[must_use]
    pub fn write(self, payload: &[u8], secret: &str) -> String {
        match self {
            Self::Compact => compact(payload, secret),
            Self::Jwt => {
                let input = format!("{}.{}", b64(r#"{"alg":"HS256"}"#), b64(payload));
                format!("{input}.{}", b64(mac(&input, secret)))
            }
            Self::Jwe => jwe(payload, secret),
            Self::Published => mint()
                .header("typ", "better-auth.session-cache+jwt")
                .raw_payload(payload)
                .sign(if secret == SECRET { published_key() } else { SigningKey::fixed(Algorithm::Rs256) }),
        }
    }
}

/// The token of the session cookie.
#[must_use]
pub fn token() -> SessionToken {
    SessionToken::new(TOKEN).expect("a token")
}

/// What every strategy takes at [`NOW`].
pub const PAYLOAD: &str = concat!(
    r#"{"session":{"id":"s1","token":"sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E","userId":"u1","#,
    r#""expiresAt":"2026-11-27T19:11:31.865Z","createdAt":"2026-11-20T19:11:31.865Z"},"#,
    r#""user":{"id":"u1","email":"ada@example.com","emailVerified":true,"name":"Ada Łovelace","image":null},"#,
    r#""updatedAt":1795201900000,"version":"1","iat":1795201900,"exp":1795202200,"iss":"https://app.example.com","#,
    r#""aud":"better-auth:session-cache","sub":"u1","sid":"sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E"}"#
);

/// A signed value, not percent-encoded.
#[must_use]
pub fn signed(value: &[u8], secret: &str) -> Vec<u8> {
    [value, b".", STANDARD.encode(mac(value, secret)).as_bytes()].concat()
}

/// Every byte as a percent escape.
#[must_use]
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect()
}

#[must_use]
pub fn mac(message: impl AsRef<[u8]>, secret: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_ref()).as_ref().to_vec()
}

/// The signature covers the payload with the end put in before its last brace; where there is no brace it covers rubbish.
fn compact(payload: &[u8], secret: &str) -> String {
    let end = format!(r#","expiresAt":{}"#, (NOW + 300) * 1000);
    let inside = payload.strip_suffix(b"}").unwrap_or(payload);
    let signature = b64(mac([inside, end.as_bytes(), b"}"].concat(), secret));
    let signature = format!(r#","signature":"{signature}"}}"#);
    b64([br#"{"session":"#, payload, end.as_bytes(), signature.as_bytes()].concat())
}

fn published_key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

/// RFC 7518 §5.2.5.
fn jwe(clear: &[u8], secret: &str) -> String {
    let key = derived(secret);
    let kid = b64(digest::digest(&digest::SHA256, format!(r#"{{"k":"{}","kty":"oct"}}"#, b64(key)).as_bytes()));
    let (header, iv) = (b64(format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{kid}"}}"#)), [7; 16]);
    let cipher = UnboundCipherKey::new(&AES_256, &key[32..]).expect("a key");
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).expect("a key");
    let mut text = clear.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    cipher.less_safe_encrypt(&mut text, context).expect("room to grow");
    let covered = [header.as_bytes(), &iv, &text, &(header.len() as u64 * 8).to_be_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &key[..32]), &covered);
    format!("{header}..{}.{}.{}", b64(iv), b64(text), b64(&tag.as_ref()[..32]))
}

fn derived(secret: &str) -> [u8; 64] {
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
