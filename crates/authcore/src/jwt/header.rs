//! The JOSE header (RFC 7515 §4): it names an algorithm and a key, and never a source of keys.
//!
//! `jwk`, `jku`, `x5c`, `x5u` and unknown parameters are passed over: they cannot make a token good. Parameters that
//! change how the rest is read are refused: `crit`, `b64`, `zip`, `enc`, and a `cty` that announces a nested JWT.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::algorithm::Algorithm;
use super::compact::decode_text;
use crate::error::{AuthError, Part};
use crate::json::{self, Json, Wanted};

/// What a token's header says, as far as anyone here asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) typ: Option<Box<str>>,
}

/// Longest `kid` that is looked up, in bytes. It is only ever the key of a map.
const MAX_KEY_ID: usize = 256;

/// Longest header segment, in characters. Real ones have 40 to 200.
const MAX_SEGMENT: usize = 4096;

static MEMBERS: LazyLock<Wanted> =
    LazyLock::new(|| Wanted::new(["alg", "kid", "typ", "crit", "b64", "zip", "enc", "cty"]));

impl Header {
    pub(crate) fn parse(segment: &str) -> Result<Self, AuthError> {
        if segment.len() > MAX_SEGMENT {
            return Err(AuthError::TooLong(MAX_SEGMENT));
        }
        let text = decode_text(segment, Part::Header)?;
        let mut members = [None; 8];
        json::walk(&text, &MEMBERS, &mut members).map_err(|fault| Part::Header.fault(fault))?;
        let [alg, kid, typ, crit, b64, zip, enc, cty] = members;

        for (refused, name) in [(crit, "crit"), (b64, "b64"), (zip, "zip"), (enc, "enc")] {
            if refused.is_some() {
                return Err(AuthError::RefusedParameter(name));
            }
        }
        if let Some(cty) = text_of(cty, "cty")?
            && is_media_type(&cty, "jwt")
        {
            return Err(AuthError::RefusedParameter("cty"));
        }
        let algorithm = text_of(alg, "alg")?.ok_or(AuthError::RefusedAlgorithm)?;
        let algorithm = algorithm.parse().map_err(|_| AuthError::RefusedAlgorithm)?;
        let key_id = text_of(kid, "kid")?;
        if key_id.as_ref().is_some_and(|id| id.len() > MAX_KEY_ID) {
            return Err(AuthError::RefusedParameter("kid"));
        }
        let typ = text_of(typ, "typ")?;
        Ok(Self { algorithm, key_id: key_id.map(owned), typ: typ.map(owned) })
    }
}

/// Whether a `typ` or `cty` names this media type: case-insensitive, `application/` may be left out (RFC 7515 §4.1.9).
pub(crate) fn is_media_type(value: &str, name: &str) -> bool {
    let bare = match value.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => value,
    };
    bare.eq_ignore_ascii_case(name)
}

fn text_of<'t>(member: Option<Json<'t>>, name: &'static str) -> Result<Option<Cow<'t, str>>, AuthError> {
    let Some(json) = member else { return Ok(None) };
    json.string().map(Some).ok_or(AuthError::RefusedParameter(name))
}

fn owned(text: Cow<'_, str>) -> Box<str> {
    text.into_owned().into_boxed_str()
}
