//! An issuer on the loopback, with faults to order.

mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::key::{SigningKey, jwks};

/// A server of one key set on a free port of the loopback. It speaks HTTP/1.1, and stops when dropped.
///
/// The well-known paths of OpenID Connect Discovery and RFC 8414 answer with metadata that leads to the key set, for
/// whatever issuer of this host is asked about; all other paths answer alike.
///
/// ```
/// use authcore::{Algorithm, JwtVerifier, RemoteKeys};
/// use authcore_testkit::{Answer, FakeIssuer, SigningKey, mint};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let key = SigningKey::fixed(Algorithm::Es256);
/// let issuer = FakeIssuer::start(&[key]).await;
/// let verifier = JwtVerifier::builder(RemoteKeys::at(&issuer.jwks_url())?).build()?;
///
/// issuer.answer(Answer::Down);
/// assert_eq!(verifier.verify_token(&mint().sign(key)).await.unwrap_err().reason(), "unavailable");
/// assert_eq!(issuer.requests(), 1);
/// # Ok::<(), authcore::ConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct FakeIssuer {
    port: u16,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: watch::Sender<u64>,
}

#[derive(Debug)]
struct Behaviour {
    keys: String,
    answer: Answer,
    /// Instead of metadata that is right.
    metadata: Option<String>,
    metadata_answer: Answer,
    targets: Vec<String>,
}

/// How a [`FakeIssuer`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// With the published keys; on a well-known path with the metadata. So for all that follow.
    Keys,
    /// With the published keys and this `Cache-Control`.
    CacheControl(String),
    /// With the published keys, this much later.
    Delay(Duration),
    /// With this status, type, body and further header fields. [`Answer::body`] makes a short one.
    Body {
        /// The status code.
        status: u16,
        /// The value of `Content-Type`.
        content_type: String,
        /// The body, as it is.
        body: Vec<u8>,
        /// Further header fields.
        headers: Vec<(String, String)>,
    },
    /// With the published keys, and white space up to this many bytes: a good document, but for its length. The length
    /// is not announced.
    Oversized(usize),
    /// With the first half of the published keys, though the length of all is announced.
    CutOff,
    /// With 10 KB of gzip that inflate to 10 MiB of zeros.
    GzipBomb,
    /// With the published keys, one byte a second.
    Drip,
    /// With `302` to this URL.
    Redirect(String),
    /// Not at all: the request is read, and the connection stays open.
    Hang,
    /// Not at all: the connection is closed at once.
    Down,
}

impl Answer {
    /// With this status, type and body.
    pub fn body(status: u16, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::Body { status, content_type: content_type.into(), body: body.into(), headers: Vec::new() }
    }

    /// With status 200 and this JSON text, or what pretends to be.
    pub fn json(text: impl Into<Vec<u8>>) -> Self {
        Self::body(200, "application/json", text)
    }
}

impl FakeIssuer {
    /// Starts serving these keys. Needs a tokio runtime, with I/O and time.
    ///
    /// # Panics
    ///
    /// When the loopback has no free port.
    pub async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let behaviour = Behaviour {
            keys: document(keys),
            answer: Answer::Keys,
            metadata: None,
            metadata_answer: Answer::Keys,
            targets: Vec::new(),
        };
        let shared = Arc::new(Shared { behaviour: Mutex::new(behaviour), requests: watch::Sender::new(0) });
        let server = tokio::spawn(wire::serve(listener, port, Arc::clone(&shared))).abort_handle();
        Self { port, shared, server }
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The URL of the key set, with the path that Better Auth gives it.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}/api/auth/jwks", self.url())
    }

    /// Serves these keys from now on: a rotation.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.shared.behaviour().keys = document(keys);
    }

    /// Answers like this from now on, but for metadata. Requests that are being answered are not affected.
    pub fn answer(&self, answer: Answer) {
        self.shared.behaviour().answer = answer;
    }

    /// Serves this text as metadata from now on, whoever is asked about.
    pub fn publish_metadata(&self, document: impl Into<String>) {
        self.shared.behaviour().metadata = Some(document.into());
    }

    /// Answers like this on the well-known paths from now on. [`Answer::Down`] is for [`answer`](Self::answer) alone,
    /// since who goes away at once does not know what would have been asked.
    pub fn answer_metadata(&self, answer: Answer) {
        self.shared.behaviour().metadata_answer = answer;
    }

    /// How many requests have come; under [`Answer::Down`], how many connections.
    #[must_use]
    pub fn requests(&self) -> u64 {
        *self.shared.requests.borrow()
    }

    /// Waits until so many requests have come, counted from the start.
    ///
    /// # Panics
    ///
    /// After ten seconds.
    pub async fn requested(&self, count: u64) {
        let mut requests = self.shared.requests.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(10), requests.wait_for(|seen| *seen >= count)).await;
        assert!(waited.is_ok(), "{} of {count} requests came within ten seconds", self.requests());
    }

    /// The targets of the requests, in order; a connection under [`Answer::Down`] has none.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.shared.behaviour().targets.clone()
    }
}

impl Drop for FakeIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) {
        self.requests.send_modify(|requests| *requests += 1);
    }
}

fn document(keys: &[&SigningKey]) -> String {
    jwks(keys.iter().copied())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// The whole answer to a plain request, or what came of it before `patience` ran out.
    async fn ask(issuer: &FakeIssuer, target: &str, patience: Duration) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", issuer.port)).await.expect("a connection");
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = Vec::new();
        // A connection closed under an unread request is reset: that too is an answer.
        let _ = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    const LONG: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(100);

    fn key() -> &'static SigningKey {
        SigningKey::fixed(authcore::Algorithm::EdDsa)
    }

    #[tokio::test]
    async fn every_path_answers_with_the_keys_published_last() {
        let issuer = FakeIssuer::start(&[]).await;
        assert!(ask(&issuer, "/a", LONG).await.ends_with("\r\n\r\n{\"keys\":[]}"));
        issuer.publish(&[key()]);
        assert!(ask(&issuer, "/b?c", LONG).await.contains("eddsa-1"));
        assert_eq!((issuer.requests(), issuer.targets()), (2, vec!["/a".to_owned(), "/b?c".to_owned()]));
        issuer.requested(2).await;
    }

    #[tokio::test]
    async fn well_known_paths_answer_with_metadata() {
        let issuer = FakeIssuer::start(&[key()]).await;
        let (host, keys) = (issuer.url(), issuer.jwks_url());
        for (target, path) in [
            ("/.well-known/openid-configuration", ""),
            ("/a/b/.well-known/openid-configuration", "/a/b"),
            ("/.well-known/oauth-authorization-server/a/b", "/a/b"),
        ] {
            let answer = ask(&issuer, target, LONG).await;
            assert!(answer.contains(&format!(r#"{{"issuer":"{host}{path}","jwks_uri":"{keys}","#)), "{answer}");
        }
        issuer.publish_metadata("{}");
        issuer.answer_metadata(Answer::CacheControl("no-store".into()));
        let answer = ask(&issuer, "/.well-known/openid-configuration", LONG).await;
        assert!(answer.contains("cache-control: no-store") && answer.ends_with("\r\n\r\n{}"), "{answer}");
        assert!(ask(&issuer, "/api/auth/jwks", LONG).await.contains("eddsa-1"));
    }

    #[tokio::test]
    async fn faults_come_as_ordered() {
        let issuer = FakeIssuer::start(&[key()]).await;
        let starts = [
            (
                Answer::Redirect("http://x/".into()),
                "HTTP/1.1 302 \r\nconnection: close\r\ncontent-length: 0\r\nlocation",
            ),
            (
                Answer::body(204, "text/html", ""),
                "HTTP/1.1 204 \r\nconnection: close\r\ncontent-type: text/html\r\n\r\n",
            ),
            (Answer::CacheControl("max-age=0".into()), "HTTP/1.1 200 "),
            (Answer::GzipBomb, "HTTP/1.1 200 "),
            (Answer::Delay(SHORT), "HTTP/1.1 200 "),
        ];
        for (answer, start) in starts {
            issuer.answer(answer.clone());
            assert!(ask(&issuer, "/", LONG).await.starts_with(start), "{answer:?}");
        }
        issuer.answer(Answer::Oversized(100_000));
        let oversized = ask(&issuer, "/", LONG).await;
        let (_, body) = oversized.split_once("\r\n\r\n").expect("a head and a body");
        assert_eq!((body.len(), authcore::KeySet::from_json(body).is_ok()), (100_000, true));
        issuer.answer(Answer::CutOff);
        assert!(ask(&issuer, "/", LONG).await.ends_with(&jwks([key()])[..jwks([key()]).len() / 2]));
        for answer in [Answer::Hang, Answer::Down] {
            issuer.answer(answer);
            assert_eq!(ask(&issuer, "/", SHORT).await, "");
        }
        issuer.answer(Answer::Drip);
        assert!(ask(&issuer, "/", SHORT).await.ends_with("\r\n\r\n{"));
    }

    #[tokio::test]
    async fn a_dropped_issuer_is_gone() {
        let issuer = FakeIssuer::start(&[]).await;
        let server = issuer.server.clone();
        let port = issuer.port;
        drop(issuer);
        while !server.is_finished() {
            tokio::task::yield_now().await;
        }
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    }
}
