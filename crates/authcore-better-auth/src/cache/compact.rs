//! Strategy `compact`: base64url of `{"session":<payload>,"expiresAt":<ms>,"signature":"<HMAC>"}`.
//!
//! What is signed is the payload with `,"expiresAt":<ms>` put in before its last brace, as JavaScript prints it. Better Auth
//! parses and prints again, and so accepts other spellings of the same JSON, which it never sends. Here the bytes that came
//! are what is verified, and the same bytes are parsed, not before they are verified.

use super::fault::CacheFault;
use super::payload::{Payload, milliseconds};
use super::{Opened, decode, decode_exact, text_of};
use crate::secrets::Secrets;

/// The parts around the payload, cut out as text.
struct Envelope<'t> {
    payload: &'t str,
    expires_at: &'t str,
    signature: &'t str,
}

pub(super) fn open(secrets: &Secrets, text: &str) -> Result<Opened, CacheFault> {
    let json = decode(text)?;
    let Envelope { payload, expires_at, signature } = cut(text_of(&json)?).ok_or(CacheFault::Malformed)?;
    let signature = decode_exact::<32>(signature)?;
    let inside = payload.strip_suffix('}').ok_or(CacheFault::Malformed)?;
    let signed = format!(r#"{inside},"expiresAt":{expires_at}}}"#);
    if !secrets.verifies(signed.as_bytes(), &signature) {
        return Err(CacheFault::BadSignature);
    }
    let expires_at = expires_at.parse().ok().and_then(milliseconds).ok_or(CacheFault::Malformed)?;
    Ok(Opened { payload: Payload::read(payload)?, expires_at })
}

/// Cuts from the right, where nothing but digits and a signature can stand.
fn cut(json: &str) -> Option<Envelope<'_>> {
    let inside = json.strip_prefix(r#"{"session":"#)?.strip_suffix(r#""}"#)?;
    let (rest, signature) = inside.rsplit_once(r#","signature":""#)?;
    let (payload, expires_at) = rest.rsplit_once(r#","expiresAt":"#)?;
    let number = !expires_at.is_empty() && expires_at.bytes().all(|byte| byte.is_ascii_digit());
    number.then_some(Envelope { payload, expires_at, signature })
}
