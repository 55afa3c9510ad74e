//! What follows from Better Auth's base URL.

use authcore::ConfigError;
use url::Url;

/// Where a Better Auth server is: its origin, and the path it is mounted at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// Scheme, host and port: `iss` and `aud` of its session JWTs, without a path or a slash at the end.
    pub(crate) origin: String,
    /// The path in the base URL, without a slash at the end. It replaces the base path.
    path: Option<String>,
}

/// Where Better Auth is mounted unless somebody says otherwise.
const DEFAULT_PATH: &str = "/api/auth";

impl BaseUrl {
    /// Reads a base URL as Better Auth does.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let refused = |why: &str| ConfigError::new(format!("{why}, as in https://app.example.com"));
        let url = Url::parse(text).map_err(|_| refused("not an absolute URL"))?;
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(refused("must be an http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(refused("takes no password, query or fragment"));
        }
        let path = url.path().trim_end_matches('/');
        let path = (!path.is_empty()).then(|| path.to_owned());
        Ok(Self { origin: url.origin().ascii_serialization(), path })
    }

    /// Where the server publishes its keys, when it is mounted at `base_path` or at the path of its own URL.
    pub(crate) fn jwks_url(&self, base_path: Option<&str>) -> Result<String, ConfigError> {
        self.endpoint(base_path, "jwks")
    }

    /// Where one of the server's endpoints is.
    pub(crate) fn endpoint(&self, base_path: Option<&str>, name: &str) -> Result<String, ConfigError> {
        let base_path = base_path.map(|path| path.trim_end_matches('/'));
        if base_path.is_some_and(|path| !path.is_empty() && !path.starts_with('/')) {
            return Err(ConfigError::new("the base path begins with a slash, as in /api/auth"));
        }
        let path = match (self.path.as_deref(), base_path) {
            (Some(own), Some(given)) if own != given => {
                return Err(ConfigError::new(
                    "the base URL has a path already, and it replaces the base path: give one",
                ));
            }
            (Some(own), _) => own,
            (None, given) => given.unwrap_or(DEFAULT_PATH),
        };
        Ok(format!("{}{path}/{name}", self.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(base: &str, base_path: Option<&str>) -> (String, String) {
        let base = BaseUrl::parse(base).expect("a good base URL");
        (base.origin.clone(), base.jwks_url(base_path).expect("a good base path"))
    }

    #[test]
    fn issuer_and_key_set_follow_from_the_base_url() {
        let plain = ("https://app.example.com".to_owned(), "https://app.example.com/api/auth/jwks".to_owned());
        assert_eq!(derived("https://app.example.com", None), plain);
        assert_eq!(derived("https://APP.example.com:443/", None), plain);
        assert_eq!(derived("http://127.0.0.1:3000", Some("/auth/")).1, "http://127.0.0.1:3000/auth/jwks");
        assert_eq!(derived("https://app.example.com", Some("")).1, "https://app.example.com/jwks");
    }

    #[test]
    fn a_path_in_the_base_url_replaces_the_base_path_and_stays_out_of_the_issuer() {
        let (issuer, keys) = derived("https://h.example/custom/auth", None);
        assert_eq!((issuer.as_str(), keys.as_str()), ("https://h.example", "https://h.example/custom/auth/jwks"));
        let base = BaseUrl::parse("https://h.example/custom/auth").expect("a good base URL");
        assert!(base.jwks_url(Some("/api/auth")).is_err());
        assert!(base.jwks_url(Some("/custom/auth")).is_ok());
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for bad in ["", "app.example.com", "ftp://h", "https://u:p@h", "https://h?x", "https://h#x", "https://"] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
