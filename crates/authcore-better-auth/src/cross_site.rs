//! Whether another site may have caused a request: what a cookie alone cannot tell (CWE-352).

use std::sync::Arc;

use authcore::{AuthError, ConfigError, RequestHead};
use url::{Origin, Url};

/// The origins whose pages may change something with a session cookie. Cloning is cheap.
///
/// `SameSite=Lax`, which Better Auth sets, is no defence against a sibling domain of the same site. So each state change by
/// cookie is asked where it comes from; requests with a bearer token need not be, since no browser adds one by itself.
///
/// ```
/// use authcore_better_auth::TrustedOrigins;
/// use authcore_testkit::TestHead;
///
/// let origins = TrustedOrigins::new(["https://app.example.com"])?;
/// let post = TestHead::new("POST", "/api/tasks");
///
/// assert!(origins.check(&post.clone().header("origin", "https://app.example.com")).is_ok());
/// assert_eq!(origins.check(&post.header("origin", "https://evil.example")).unwrap_err().reason(), "cross_site");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedOrigins(Arc<[Box<str>]>);

impl TrustedOrigins {
    /// These origins, each as a browser writes it in `Origin`: scheme, host, and the port if it is not the scheme's own.
    /// There are no patterns.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the first that is not written so.
    pub fn new<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Result<Self, ConfigError> {
        origins.into_iter().map(|origin| checked(origin.into())).collect::<Result<_, _>>().map(Self)
    }

    /// Judges a request that carries a session cookie.
    ///
    /// `GET`, `HEAD` and `OPTIONS` pass: handlers must change nothing on them, and a WebSocket handshake, which is a `GET`,
    /// has to look at `Origin` itself. Else an `Origin` that is present decides alone, and has to be one of these. Without
    /// one, `Sec-Fetch-Site` has to say `same-origin` or `none`, which only a browser can say; so a script that sends a
    /// cookie also sends `Origin`.
    ///
    /// # Errors
    ///
    /// [`AuthError::CrossSite`], also when a field comes twice.
    pub fn check(&self, head: &dyn RequestHead) -> Result<(), AuthError> {
        if matches!(head.method(), "GET" | "HEAD" | "OPTIONS") {
            return Ok(());
        }
        let sole = |name| head.sole_field(name).map_err(|_| AuthError::CrossSite);
        let ours = match sole("origin")? {
            Some(origin) => self.0.iter().any(|trusted| trusted.as_bytes() == origin),
            None => matches!(sole("sec-fetch-site")?, Some(b"same-origin" | b"none")),
        };
        if ours { Ok(()) } else { Err(AuthError::CrossSite) }
    }
}

fn checked(origin: String) -> Result<Box<str>, ConfigError> {
    let as_browsers_write_it = Url::parse(&origin).ok().map(|url| url.origin()).filter(Origin::is_tuple);
    // A star is a host to the URL standard; whoever writes one means a pattern.
    let pattern = origin.contains('*');
    if pattern || as_browsers_write_it.is_none_or(|written| written.ascii_serialization() != origin) {
        return Err(ConfigError::new(format!("{origin:?} is not an origin: write it as https://app.example.com")));
    }
    Ok(origin.into_boxed_str())
}
