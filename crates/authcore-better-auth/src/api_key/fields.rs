//! Where a request may carry an API key: header fields of one's own, and `Authorization: Bearer` where that is wanted.

use std::ops::ControlFlow;

use authcore::credential::bearer;
use authcore::{ApiKeyFault, AuthError, ConfigError, RequestHead};

use super::{ApiKey, PresentedKey};

/// What is read of a request, and how.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// Lower case, each once.
    headers: Vec<String>,
    /// Whether bearer tokens are looked at.
    bearer: bool,
    /// Whether the store holds the keys themselves.
    in_plain_text: bool,
}

impl Fields {
    pub(super) fn new(names: &[String], bearer: bool, in_plain_text: bool) -> Result<Self, ConfigError> {
        let mut headers = Vec::new();
        for name in names {
            let lower = name.to_ascii_lowercase();
            let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_tchar);
            if !is_name || TAKEN.contains(&lower.as_str()) {
                return Err(ConfigError::new(format!(
                    "header: {name:?} cannot carry API keys; use one such as x-api-key"
                )));
            }
            if !headers.contains(&lower) {
                headers.push(lower);
            }
        }
        Ok(Self { headers, bearer, in_plain_text })
    }

    pub(super) fn names(&self) -> &[String] {
        &self.headers
    }

    /// The one key of a request; `Ok(None)` when it carries none. Two are refused, be they equal: servers before this
    /// one may have looked at the other.
    pub(super) fn read(&self, head: &dyn RequestHead) -> Result<Option<PresentedKey>, AuthError> {
        let mut found = None;
        let mut count = 0_u8;
        for name in &self.headers {
            head.field_lines(name, &mut |value| {
                found = Some(value);
                count = count.saturating_add(1);
                ControlFlow::Continue(())
            });
        }
        let as_bearer = self.bearer_key(head)?;
        if count > 0 && as_bearer.is_none() && bearer::token(head)?.is_some() {
            // What is in `Authorization` decides, and it is somebody else's.
            return Ok(None);
        }
        if let Some(token) = as_bearer {
            found = Some(token.as_bytes());
            count = count.saturating_add(1);
        }
        let Some(value) = found else { return Ok(None) };
        let bearer = as_bearer.is_some();
        let key = self.key(value).filter(|_| count == 1);
        let malformed = AuthError::ApiKey { fault: ApiKeyFault::Malformed, bearer };
        key.map(|key| Some(PresentedKey { key, bearer })).ok_or(malformed)
    }

    /// The bearer token, if it is an API key and these are looked for.
    pub(super) fn bearer_key<'h>(&self, head: &'h dyn RequestHead) -> Result<Option<&'h str>, AuthError> {
        if !self.bearer {
            return Ok(None);
        }
        Ok(bearer::token(head)?.filter(|token| is_key(token)))
    }

    fn key(&self, value: &[u8]) -> Option<ApiKey> {
        let text = std::str::from_utf8(value).ok()?;
        if self.in_plain_text { ApiKey::as_stored(text) } else { ApiKey::new(text) }
    }
}

/// By shape: JWTs and signed session tokens have dots, and a raw session token has 32 bytes.
fn is_key(token: &str) -> bool {
    token.len() >= SHORTEST_BEARER && !token.contains('.')
}

/// RFC 9110 §5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Better Auth's own keys have 64 letters after their prefix.
const SHORTEST_BEARER: usize = 64;

const MAX_NAME: usize = 64;

/// Names whose fields are others' to read.
const TAKEN: [&str; 5] = ["authorization", "cookie", "host", "origin", "proxy-authorization"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_carry_no_key_are_refused() {
        let of = |name: &str| Fields::new(&[name.to_owned()], false, false).map(|fields| fields.headers);
        assert_eq!(of("X-Api-Key").expect("a name"), ["x-api-key"]);
        for name in ["", "x api key", "x-api-key:", "ключ", "Authorization", "COOKIE", "a\n", &"x".repeat(65)] {
            let error = of(name).expect_err("no name").to_string();
            assert!(error.starts_with("header: ") && error.contains("cannot carry API keys"), "{error}");
        }
        let twice = ["x-key", "X-Key"].map(str::to_owned);
        assert_eq!(Fields::new(&twice, false, false).expect("names").headers.len(), 1, "one name, however spelt");
    }
}
