//! An issuer on the loopback, with faults to order.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::key::{SigningKey, jwks};

/// A server of one key set on a free port of the loopback. It speaks HTTP/1.1, answers every path alike, and stops when
/// dropped.
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
    targets: Vec<String>,
}

/// How a [`FakeIssuer`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// With the published keys.
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
        let behaviour = Behaviour { keys: document(keys), answer: Answer::Keys, targets: Vec::new() };
        let shared = Arc::new(Shared { behaviour: Mutex::new(behaviour), requests: watch::Sender::new(0) });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
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

    /// Answers like this from now on. Requests that are being answered are not affected.
    pub fn answer(&self, answer: Answer) {
        self.shared.behaviour().answer = answer;
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

/// Accepts until aborted, and takes the open connections along.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(talk(stream, Arc::clone(&shared)));
    }
}

/// One request, one answer. What the client does to the connection is no concern of ours.
async fn talk(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    if shared.behaviour().answer == Answer::Down {
        shared.count();
        return Ok(());
    }
    let Some(target) = read_target(&mut stream).await? else { return Ok(()) };
    let (keys, answer) = {
        let mut behaviour = shared.behaviour();
        behaviour.targets.push(target);
        (behaviour.keys.clone(), behaviour.answer.clone())
    };
    shared.count();
    match answer {
        Answer::Keys => respond(&mut stream, 200, &[JSON], keys.as_bytes()).await,
        Answer::CacheControl(value) => {
            respond(&mut stream, 200, &[JSON, ("cache-control", &value)], keys.as_bytes()).await
        }
        Answer::Delay(delay) => {
            tokio::time::sleep(delay).await;
            respond(&mut stream, 200, &[JSON], keys.as_bytes()).await
        }
        Answer::Body { status, content_type, body, headers } => {
            let mut fields = vec![("content-type", content_type.as_str())];
            fields.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            respond(&mut stream, status, &fields, &body).await
        }
        Answer::Oversized(length) => {
            // Without a length the body ends with the connection.
            stream.write_all(head(200, &[JSON], None).as_bytes()).await?;
            let mut body = keys.into_bytes();
            body.resize(length.max(body.len()), b' ');
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Answer::GzipBomb => {
            let zeros = include_bytes!("../testdata/zeros.gz");
            respond(&mut stream, 200, &[JSON, ("content-encoding", "gzip")], zeros).await
        }
        Answer::Drip => {
            stream.write_all(head(200, &[JSON], Some(keys.len())).as_bytes()).await?;
            for byte in keys.as_bytes() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Answer::Redirect(location) => respond(&mut stream, 302, &[("location", &location)], b"").await,
        // Until the client gives up.
        Answer::Hang => stream.read(&mut [0]).await.map(drop),
        Answer::Down => Ok(()),
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// Longest request head that is read.
const MAX_HEAD: usize = 64 * 1024;

/// Reads a request head, whose second word is the target; `None` when the client went away before it was whole.
async fn read_target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 || head.len() > MAX_HEAD {
            return Ok(None);
        }
    }
    let line = String::from_utf8_lossy(&head);
    Ok(Some(line.split(' ').nth(1).unwrap_or_default().to_owned()))
}

async fn respond(stream: &mut TcpStream, status: u16, fields: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
    stream.write_all(head(status, fields, Some(body.len())).as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

fn head(status: u16, fields: &[(&str, &str)], length: Option<usize>) -> String {
    let mut lines = vec![format!("HTTP/1.1 {status} "), "connection: close".to_owned()];
    // RFC 9110 §8.6: none with 204.
    lines.extend(length.filter(|_| status != 204).map(|length| format!("content-length: {length}")));
    lines.extend(fields.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.join("\r\n") + "\r\n\r\n"
}

#[cfg(test)]
mod tests {
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
