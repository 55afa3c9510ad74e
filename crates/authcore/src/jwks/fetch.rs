//! Getting a key set document over HTTP: one request, no redirects, bounded in bytes and time.

use std::borrow::Cow;
use std::future::Future;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use crate::clock::Timestamp;
use crate::error::{BoxError, ConfigError};

/// A way to get the document behind a URL. [`HttpFetch`] is the usual one; bring your own for an HTTP client you already
/// have. Deadline, retries and caching are not its affair, and whatever it brings is held to `max_bytes` once more.
///
/// ```
/// use authcore::{BoxError, Fetch, Fetched, RemoteKeys};
/// use url::Url;
///
/// /// Keys that a sidecar keeps in a file.
/// struct Sidecar;
///
/// impl Fetch for Sidecar {
///     async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
///         Ok(Fetched { body: std::fs::read("/run/keys/jwks.json")?, max_age: None })
///     }
/// }
///
/// let keys = RemoteKeys::builder("https://id.example.com/jwks").fetch(Sidecar).build()?;
/// assert!(!keys.status().is_ready());
/// # Ok::<(), authcore::ConfigError>(())
/// ```
pub trait Fetch: Send + Sync + 'static {
    /// Gets the document, giving up as soon as it is longer than `max_bytes` once inflated.
    ///
    /// # Errors
    ///
    /// Whatever kept the document from coming whole with status 200. Redirects are errors: following one would let
    /// whoever answers choose another source of keys.
    fn fetch(&self, url: &Url, max_bytes: usize) -> impl Future<Output = Result<Fetched, BoxError>> + Send;
}

/// A document as it came.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The body, inflated.
    pub body: Vec<u8>,
    /// How long the answer says that it is fresh: `max-age` of `Cache-Control` less `Age` (RFC 9111 §4.2), if it had a
    /// `max-age`. Other directives are not looked at, `no-store` and `no-cache` included: without a set at hand nothing
    /// could be verified.
    pub max_age: Option<Duration>,
}

/// [`Fetch`] by reqwest, with rustls on the platform's certificates and an explicit cryptographic provider.
///
/// It asks for no compression, so there is nothing to inflate; and it keeps no connection, since one that belongs to a
/// runtime that rests would hang in another.
#[derive(Clone, Debug)]
pub struct HttpFetch(reqwest::Client);

impl HttpFetch {
    /// A client for this URL. Proxies of the environment are used, but never towards the loopback.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the platform's certificates cannot be loaded.
    pub fn new(url: &Url) -> Result<Self, ConfigError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(url)?)
            .redirect(reqwest::redirect::Policy::none())
            // Off by default, but another crate in the build may switch the features on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .pool_max_idle_per_host(0)
            .user_agent(concat!("authcore/", env!("CARGO_PKG_VERSION")));
        let builder = if url.scheme() == "http" { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| ConfigError::new(format!("HTTP client: {error}")))?;
        Ok(Self(client))
    }

    /// As [`Fetch::fetch`], with the time that the server says it is (`Date`, [RFC 9110 §6.6.1]), to the second, if it says
    /// so: for telling a clock that is off from tokens that are.
    ///
    /// # Errors
    ///
    /// As [`Fetch::fetch`].
    ///
    /// [RFC 9110 §6.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1
    pub async fn fetch_dated(&self, url: &Url, max_bytes: usize) -> Result<(Fetched, Option<Timestamp>), BoxError> {
        let request = self.0.get(url.clone()).header("accept", "application/json, application/jwk-set+json");
        // Errors go to logs, where a query may tell too much.
        let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
        if answer.status().as_u16() != 200 {
            return Err(format!("status {}", answer.status().as_u16()).into());
        }
        let max_age = fresh_for(answer.headers());
        let date = answer.headers().get("date").and_then(|value| date(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > max_bytes {
                return Err(format!("more than {max_bytes} bytes").into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok((Fetched { body, max_age }, date))
    }
}

fn date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?))
}

fn tls(url: &Url) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |error: rustls::Error| ConfigError::new(format!("TLS: {error}"));
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)?;
    if url.scheme() == "http" {
        // Loopback without TLS: no certificate is ever asked for.
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    Ok(builder.with_platform_verifier().map_err(failed)?.with_no_client_auth())
}

impl Fetch for HttpFetch {
    async fn fetch(&self, url: &Url, max_bytes: usize) -> Result<Fetched, BoxError> {
        self.fetch_dated(url, max_bytes).await.map(|(fetched, _)| fetched)
    }
}

/// `max-age` less `Age`.
pub(super) fn fresh_for(fields: &HeaderMap) -> Option<Duration> {
    let max_age = fields.get_all("cache-control").iter().find_map(|value| max_age(value.as_bytes()))?;
    let age = fields.get("age").and_then(|value| age(value.as_bytes()));
    Some(max_age.saturating_sub(age.unwrap_or_default()))
}

/// Reads `Age`; of a list the first member (RFC 9111 §5.1).
fn age(field: &[u8]) -> Option<Duration> {
    seconds(field.split(|byte| *byte == b',').next()?.trim_ascii())
}

/// Reads `max-age`, also in quotes (RFC 9111 §5.2). Commas in the quotes of another directive separate nothing.
fn max_age(cache_control: &[u8]) -> Option<Duration> {
    let (mut quoted, mut escaped) = (false, false);
    let mut directives = cache_control.split(|byte| {
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        *byte == b',' && !quoted
    });
    directives.find_map(|directive| {
        let mut halves = directive.trim_ascii().splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next()?, halves.next()?);
        if name.eq_ignore_ascii_case(b"max-age") { seconds(&unquoted(value)) } else { None }
    })
}

/// What a value says: in quotes, a backslash stands for the byte after it (RFC 9110 §5.6.4).
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let Some(mut rest) = inside.map(<[u8]>::iter) else { return value.into() };
    iter::from_fn(|| rest.next().map(|byte| if *byte == b'\\' { rest.next().unwrap_or(byte) } else { byte }))
        .copied()
        .collect()
}

/// Reads delta-seconds; all beyond [`MOST_SECONDS`] count as that, so that the larger number stays the larger one.
fn seconds(digits: &[u8]) -> Option<Duration> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS)))
}

/// A number too large to hold counts as the largest (RFC 9111 §1.2.2): 136 years.
const MOST_SECONDS: u64 = u32::MAX as u64;

pub(super) type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, BoxError>> + Send>>;

/// [`Fetch`] without its opaque future.
pub(super) trait AnyFetch: Send + Sync {
    fn fetch_any(self: Arc<Self>, url: Url, max_bytes: usize) -> Fetching;
}

impl<F: Fetch> AnyFetch for F {
    fn fetch_any(self: Arc<Self>, url: Url, max_bytes: usize) -> Fetching {
        Box::pin(async move { self.fetch(&url, max_bytes).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_is_read_as_rfc_9111_writes_it() {
        let seconds = |text: &str| max_age(text.as_bytes()).map(|age| age.as_secs());
        assert_eq!(seconds("public, MAX-AGE=60"), Some(60));
        assert_eq!(seconds("max-age=\"0\""), Some(0));
        for huge in ["max-age=4294967296", "max-age=18446744073709551615", "max-age=99999999999999999999999"] {
            assert_eq!(seconds(huge), Some(u64::from(u32::MAX)), "{huge}");
        }
        assert_eq!(seconds(r#"private="x, max-age=9, y", max-age=5"#), Some(5));
        assert_eq!(seconds(r#"x="\", max-age=9", max-age=5"#), Some(5));
        assert_eq!(seconds(r#"max-age="6\0""#), Some(60));
        assert_eq!(max_age(b"x=\"\xff\", max-age=5"), Some(Duration::from_secs(5)));
        for none in
            ["", "no-store", "s-maxage=5", "max-age=", "max-age=-1", "max-age=1.5", "max-age=\"60", "x=\"max-age=5"]
        {
            assert_eq!(seconds(none), None, "{none}");
        }
        assert_eq!(seconds(r#"max-age="60\""#), None);
    }

    #[test]
    fn k98_what_a_cache_on_the_way_has_used_up_is_gone() {
        let fresh = |fields: &[(&'static str, &'static str)]| {
            let name = |name| reqwest::header::HeaderName::from_static(name);
            let fields = fields.iter().map(|&(field, value)| (name(field), value.parse().expect("a field value")));
            fresh_for(&fields.collect()).map(|fresh| fresh.as_secs())
        };
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "100")]), Some(200));
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "100, 5")]), Some(200));
        assert_eq!(fresh(&[("cache-control", "max-age=300"), ("age", "99999999999999999999")]), Some(0));
        let both_huge = [("cache-control", "max-age=18446744073709551615"), ("age", "99999999999999999999")];
        assert_eq!(fresh(&both_huge), Some(0));
        assert_eq!(fresh(&[("cache-control", "public"), ("cache-control", "max-age=300"), ("age", "x")]), Some(300));
        assert_eq!(fresh(&[("age", "100")]), None);
    }
}
