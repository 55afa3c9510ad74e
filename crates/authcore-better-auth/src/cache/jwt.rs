//! Strategy `jwt` under the secret: a compact JWS (RFC 7515 §7.1), HS256.
//!
//! Better Auth's e-mail links are HS256 tokens under the same secret with the same header, so only the payload's shape tells
//! a cached session from them: that check is one of security.

use super::fault::CacheFault;
use super::payload::Payload;
use super::{Opened, decode, decode_exact, text_of};
use crate::secrets::Secrets;

/// `{"alg":"HS256"}`, which is the header to the byte. So there is no header to parse and no algorithm to choose.
const HEADER: &str = "eyJhbGciOiJIUzI1NiJ9";

pub(super) fn open(secrets: &Secrets, text: &str) -> Result<Opened, CacheFault> {
    let (signed, signature) = text.rsplit_once('.').ok_or(CacheFault::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(CacheFault::Malformed)?;
    if header != HEADER {
        return Err(CacheFault::Malformed);
    }
    if !secrets.verifies(signed.as_bytes(), &decode_exact::<32>(signature)?) {
        return Err(CacheFault::BadSignature);
    }
    let payload = Payload::read(text_of(&decode(payload)?)?)?;
    let expires_at = payload.exp.ok_or(CacheFault::NotASession)?;
    Ok(Opened { payload, expires_at })
}
