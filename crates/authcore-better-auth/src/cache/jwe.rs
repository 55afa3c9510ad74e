//! Strategy `jwe`: a compact JWE (RFC 7516 §7.1), `dir` with A256CBC-HS512, under a key derived from a secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fault::CacheFault;
use super::payload::Payload;
use super::{Opened, decode, decode_exact, text_of};
use crate::crypto::ContentKey;
use crate::secrets::Secrets;

/// A key, with the header that goes with it to the byte: so there is none to parse, and no algorithm to choose. Better Auth
/// always names the key.
pub(crate) struct CacheKey {
    header: String,
    content: ContentKey,
}

impl CacheKey {
    pub(crate) fn derive(secret: &[u8]) -> Self {
        let content = ContentKey::derive(secret, b"better-auth-session");
        let header = format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","kid":"{}"}}"#, content.id());
        Self { header: URL_SAFE_NO_PAD.encode(header), content }
    }
}

pub(super) fn open(secrets: &Secrets, text: &str) -> Result<Opened, CacheFault> {
    let mut parts = text.splitn(6, '.');
    let mut next = || parts.next().ok_or(CacheFault::Malformed);
    let (header, encrypted_key, iv, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
    if parts.next().is_some() || !encrypted_key.is_empty() {
        return Err(CacheFault::Malformed);
    }
    let key = secrets.session_cache_keys().find(|key| key.header == header).ok_or(CacheFault::BadSignature)?;
    let (iv, tag) = (decode_exact::<16>(iv)?, decode_exact::<32>(tag)?);
    let mut ciphertext = decode(ciphertext)?;
    let clear = key.content.open(header.as_bytes(), iv, &mut ciphertext, &tag).ok_or(CacheFault::BadSignature)?;
    let payload = Payload::read(text_of(clear)?)?;
    let expires_at = payload.exp.ok_or(CacheFault::NotASession)?;
    Ok(Opened { payload, expires_at })
}
