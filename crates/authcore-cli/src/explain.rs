//! What to do about a refusal: the part of a diagnosis that a library does not give.

use serde_json::Value;

use crate::decode::Shown;

/// What a verifier was told, as far as an explanation needs it.
pub(crate) struct Expected<'e> {
    pub(crate) issuers: &'e [String],
    pub(crate) audiences: &'e [String],
}

/// A hint for this reason; the token shows what it says where that has been verified already.
pub(crate) fn hint(reason: &str, token: &str, expected: &Expected<'_>) -> Option<String> {
    let claim = |name: &str| Shown::of(token).claims.and_then(|claims| claims.get(name).map(Value::to_string));
    let header = |name: &str| Shown::of(token).header.and_then(|header| header.get(name).map(Value::to_string));
    let says = |name: &str| claim(name).unwrap_or_else(|| "nothing".to_owned());
    Some(match reason {
        "wrong_issuer" => format!(
            "the token says {}, and expected is {}: compared byte for byte, a slash at the end included",
            says("iss"),
            list(expected.issuers)
        ),
        "wrong_audience" => {
            format!("the token is for {}, and expected is one of {}", says("aud"), list(expected.audiences))
        }
        "expired" => format!("`exp` is {}: get a fresh token, or compare the clocks", says("exp")),
        "not_yet_valid" => format!("`nbf` is {}: compare the clocks of issuer and server", says("nbf")),
        "issued_in_future" => format!("`iat` is {}: compare the clocks of issuer and server", says("iat")),
        "unknown_key" => format!(
            "the token names `kid` {} and `alg` {}: `authcore keys` lists what the set has",
            header("kid").unwrap_or_else(|| "none".to_owned()),
            header("alg").unwrap_or_else(|| "none".to_owned())
        ),
        "key_mismatch" => format!(
            "the token's `alg` is {}, and its key was declared for another one",
            header("alg").unwrap_or_else(|| "none".to_owned())
        ),
        "ambiguous_key" => "a token without `kid` needs a set in which exactly one key fits".to_owned(),
        "bad_signature" => "another key or secret signed it, or it was changed since".to_owned(),
        "algorithm_refused" => {
            format!("the token's `alg` is {}: see --algorithms", header("alg").unwrap_or_else(|| "missing".to_owned()))
        }
        "wrong_type" => {
            format!(
                "the token's `typ` is {}: it may be of another kind, else see --typ",
                header("typ").unwrap_or_else(|| "missing".to_owned())
            )
        }
        "not_compact" if token.is_empty() => "there is no token: name one, or pipe it into standard input".to_owned(),
        "not_compact" if token.matches('.').count() == 4 => {
            "five segments make an encrypted token (JWE), which is not read here".to_owned()
        }
        "not_compact" if token.matches('.').count() < 2 => {
            "a JWT has two dots: this may be a session token, see `authcore session`".to_owned()
        }
        "unavailable" => "the key set could not be fetched: try `authcore keys` on the same URL".to_owned(),
        _ => return None,
    })
}

fn list(of: &[String]) -> String {
    of.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ")
}
