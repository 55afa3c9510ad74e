//! Keys: those that tokens are judged by, and documents that are none or hardly any.

use authcore::{Algorithm, BoxError, Fetch, Fetched, KeySetRefused, RemoteKeys};
use authcore_testkit::{SigningKey, jwks};
use tokio::runtime::Runtime;
use url::Url;

/// One of each kind, by their ids.
pub(crate) const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::Hs256, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa, Algorithm::Rs256];

/// What an issuer may send at most, in bytes.
const CAP: usize = 512 * 1024;

/// Documents of the longest length that is read, and how many keys there are in them. They come once in a cooldown of 30 s,
/// however many requests there are.
pub(crate) fn documents() -> Vec<(&'static str, String, Result<usize, KeySetRefused>)> {
    let good = jwks([SigningKey::fixed(Algorithm::Es256)]);
    let entry = good.trim_start_matches("{\"keys\":[").trim_end_matches("]}");
    let weak = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    let set = |entry: &str| format!("{{\"keys\":[{}]}}", vec![entry; CAP / (entry.len() + 1) - 1].join(","));
    vec![
        ("a set of 512 KiB, one key again and again", set(entry), Ok(1)),
        ("a set of 512 KiB, weak keys", set(weak), Ok(0)),
        ("512 KiB of open brackets", format!("{{\"keys\":{}", "[".repeat(CAP - 8)), Err(KeySetRefused::NotJson)),
    ]
}

/// An issuer's keys, fetched a moment ago and once more for a stranger, so that nobody is asked for the next one.
pub(crate) fn remote(runtime: &Runtime) -> RemoteKeys {
    struct Issuer;
    impl Fetch for Issuer {
        async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
            Ok(Fetched { body: jwks([SigningKey::fixed(Algorithm::EdDsa)]).into_bytes(), max_age: None })
        }
    }
    let keys = RemoteKeys::builder("https://id.example.com/jwks").fetch(Issuer).build().expect("good settings");
    runtime.block_on(keys.load()).expect("keys");
    keys
}
