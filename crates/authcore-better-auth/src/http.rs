//! Sessions asked of the Better Auth server itself: `GET /get-session`.

mod forward;

use std::fmt;
use std::time::{Duration, Instant};

use authcore::{BoxError, ConfigError, Unavailable};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Response};
use url::{Host, Url};

pub use forward::Forward;

use crate::base_url::BaseUrl;
use crate::record;
use crate::session::SessionRecord;
use crate::store::SessionStore;
use crate::tls;
use crate::token::SessionToken;

/// The sessions of a Better Auth server, asked of the server for each request: no database to reach, no table to know.
///
/// ```no_run
/// use authcore::Secret;
/// use authcore_better_auth::{CookieNames, Forward, HttpSessions, Secrets};
///
/// let url = "https://app.example.com";
/// let secrets = Secrets::new(&Secret::new(std::env::var("BETTER_AUTH_SECRET").unwrap_or_default()))?;
/// let sessions = HttpSessions::at(url, Forward::cookie(&CookieNames::at(url), &secrets)?)?;
/// # Ok::<(), authcore::ConfigError>(())
/// ```
///
/// A look-up sends the session token and nothing else of the request. It wants the truth and leaves no trace:
/// `disableCookieCache` has the server look the session up, and `disableRefresh` keeps it from extending it. The answer
/// `null` means that there is no such session. Whatever else is not a session with its user is [`Unavailable`], refusals
/// too: a 401, 403 or 429 comes from a proxy, a plugin or a limit, and was not said about this user.
///
/// Better Auth limits requests by client address in production, 100 in ten seconds, and all look-ups come from one: give
/// it a rule for this path, `rateLimit: { customRules: { "/get-session": false } }`. With the `customSession` plugin the
/// answer is whatever the application makes of it, so keep `session` and `user` in it as they are.
///
/// Connections are kept for a few seconds and used again; a look-up on one that the server has closed meanwhile is sent
/// once more. One that belongs to a runtime which no longer runs hangs until
/// the deadline.
#[derive(Clone)]
#[must_use]
pub struct HttpSessions {
    client: Client,
    url: Url,
    forward: Forward,
    deadline: Duration,
}

impl HttpSessions {
    /// The server at this base URL, as in its own `BETTER_AUTH_URL`: a path in it replaces `/api/auth`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a URL that is not https (http is for loopback hosts only, since session tokens travel there), and
    /// when the platform's certificates cannot be loaded.
    pub fn at(base_url: &str, forward: Forward) -> Result<Self, ConfigError> {
        Self::asking(&BaseUrl::parse(base_url)?.endpoint(None, "get-session")?, forward)
    }

    /// The server whose `get-session` is at this URL.
    pub(crate) fn asking(endpoint: &str, forward: Forward) -> Result<Self, ConfigError> {
        let url = session_url(endpoint)?;
        Ok(Self { client: client(&url)?, url, forward, deadline: DEADLINE })
    }

    /// How long a look-up may take: 5 s by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn ask(&self, token: &SessionToken) -> Result<String, BoxError> {
        let credential = self.forward.field(token)?;
        let begin = Instant::now();
        let answer = match self.send(&credential, self.deadline).await {
            // A connection that was kept may turn out to be closed. To ask again does no harm: a look-up only reads.
            Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
                self.send(&credential, self.deadline.saturating_sub(begin.elapsed())).await
            }
            sent => sent,
        };
        let answer = answer.map_err(told)?;
        if answer.status().as_u16() != 200 {
            return Err(format!("status {}", answer.status().as_u16()).into());
        }
        text(answer).await
    }

    async fn send(&self, (name, value): &(HeaderName, HeaderValue), deadline: Duration) -> reqwest::Result<Response> {
        let request = self.client.get(self.url.clone()).header("accept", "application/json");
        request.header(name, value).timeout(deadline).send().await
    }
}

impl SessionStore for HttpSessions {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        let unavailable = |error: BoxError| Unavailable::new(format!("get-session: {error}"), RETRY_AFTER);
        let json = self.ask(token).await.map_err(unavailable)?;
        if json.trim_ascii() == "null" {
            return Ok(None);
        }
        record::read(&json).map(Some).map_err(|error| unavailable(error.into()))
    }

    fn source(&self) -> &'static str {
        "http"
    }
}

impl fmt::Debug for HttpSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, url, forward, deadline } = self;
        let mut debug = f.debug_struct("HttpSessions");
        debug.field("url", &url.as_str()).field("forward", forward).field("deadline", deadline).finish_non_exhaustive()
    }
}

fn session_url(endpoint: &str) -> Result<Url, ConfigError> {
    let refused = |why: &str| ConfigError::new(format!("base URL: {why}"));
    let mut url = Url::parse(endpoint).map_err(|_| refused("not an absolute URL"))?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !is_loopback {
        return Err(refused("must be https to ask for sessions (http is for loopback hosts only)"));
    }
    url.set_query(Some("disableCookieCache=true&disableRefresh=true"));
    Ok(url)
}

/// No redirects: following one would hand the token to whoever answers. No compression, so there is nothing to inflate.
fn client(url: &Url) -> Result<Client, ConfigError> {
    let is_plain = url.scheme() == "http";
    let builder = Client::builder()
        .tls_backend_preconfigured(if is_plain { tls::unused()? } else { tls::platform()? })
        .redirect(reqwest::redirect::Policy::none())
        // Off by default, but another crate in the build may switch the features on.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .pool_idle_timeout(KEEP_ALIVE)
        .user_agent(concat!("authcore/", env!("CARGO_PKG_VERSION")));
    let builder = if is_plain { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| ConfigError::new(format!("HTTP client: {error}")))
}

async fn text(mut answer: Response) -> Result<String, BoxError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if body.len() + chunk.len() > record::MAX_BYTES {
            return Err(format!("more than {} bytes", record::MAX_BYTES).into());
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| "not text".into())
}

/// What failed and why at the bottom of it, without the URL.
fn told(error: reqwest::Error) -> BoxError {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{error}: {cause}").into()
}

const DEADLINE: Duration = Duration::from_secs(5);

/// When trying again may help.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Node closes a connection that rested for five seconds: one that is about to be closed is not used again.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_follows_from_the_base_url() {
        let at = |base: &str| HttpSessions::at(base, Forward::bearer());
        let url = |base: &str| at(base).map(|sessions| sessions.url.into()).map_err(|error| error.to_string());
        let query = "?disableCookieCache=true&disableRefresh=true";
        assert_eq!(
            url("https://app.example.com"),
            Ok::<String, _>(format!("https://app.example.com/api/auth/get-session{query}"))
        );
        assert_eq!(url("https://h.example/auth/"), Ok(format!("https://h.example/auth/get-session{query}")));
        for loopback in ["http://127.0.0.1:3000", "http://localhost", "http://[::1]"] {
            assert!(url(loopback).is_ok(), "{loopback}");
        }
        for plain in ["http://app.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"] {
            assert!(url(plain).is_err_and(|why| why.contains("must be https")), "{plain}");
        }
    }
}
