//! The one connection to Redis: watched by a task, made anew when it breaks.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use authcore::{BoxError, ConfigError};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::url::RedisUrl;
use crate::tls;

/// A connection that mends itself; closed when dropped.
pub(super) struct Link {
    state: watch::Receiver<State>,
    suspicion: Arc<Notify>,
    keeper: AbortHandle,
}

#[derive(Clone)]
enum State {
    /// The first attempt since the start, or since a connection broke. It is worth waiting for.
    Connecting,
    Up(MultiplexedConnection),
    /// The last attempt failed, and another will follow. It is not worth waiting for.
    Down(Arc<str>),
}

impl Link {
    /// Begins to connect, in a task of the present runtime.
    pub(super) fn to(url: RedisUrl, pem: &[u8]) -> Result<Self, ConfigError> {
        let tls = if url.tls { Some(connector(pem)?) } else { None };
        let suspicion = Arc::new(Notify::new());
        let (sender, state) = watch::channel(State::Connecting);
        let keeper = Keeper { url, tls, suspicion: Arc::clone(&suspicion), state: sender };
        Ok(Self { state, suspicion, keeper: tokio::spawn(keeper.keep()).abort_handle() })
    }

    /// The connection, once it is there.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection, BoxError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match &*settled.map_err(|_| "the runtime of the connection has ended")? {
            State::Up(connection) => Ok(connection.clone()),
            State::Down(why) => Err(format!("not connected: {why}").into()),
            State::Connecting => Err("not connected".into()),
        }
    }

    /// The first bytes under a key, empty when there are none.
    pub(super) async fn head(&self, key: &str, bytes: usize) -> Result<Vec<u8>, BoxError> {
        let mut connection = self.connection().await?;
        let mut command = redis::cmd("GETRANGE");
        let asked = command.arg(key).arg(0).arg(bytes - 1).query_async(&mut connection).await;
        asked.map_err(|error| told(&error).into())
    }

    /// Runs a script that puts `new` in the place of `old`: whether it did.
    pub(super) async fn replace(
        &self,
        script: &str,
        keys: &[String; 2],
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, BoxError> {
        let mut connection = self.connection().await?;
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(keys.len()).arg(keys).arg(old).arg(new);
        command.query_async(&mut connection).await.map_err(|error| told(&error).into())
    }

    /// Says that an answer is overdue: the connection will be tried, and made anew if it is dead.
    pub(super) fn suspect(&self) {
        self.suspicion.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Connects, watches, connects again.
struct Keeper {
    url: RedisUrl,
    tls: Option<TlsConnector>,
    suspicion: Arc<Notify>,
    state: watch::Sender<State>,
}

impl Keeper {
    async fn keep(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match timeout(CONNECT_TIMEOUT, self.connect()).await.unwrap_or_else(|_| Err("no answer".into())) {
                Ok((connection, driver)) => {
                    self.state.send_replace(State::Up(connection.clone()));
                    tokio::select! {
                        () = driver => {}
                        () = self.until_dead(connection) => {}
                    }
                    self.state.send_replace(State::Connecting);
                    pause = FIRST_PAUSE;
                }
                Err(error) => {
                    self.state.send_replace(State::Down(error.to_string().into()));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            tokio::time::sleep(some_of(pause)).await;
        }
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, Driver), BoxError> {
        let stream = TcpStream::connect((self.url.host.as_str(), self.url.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return self.log_in(stream).await };
        let host = ServerName::try_from(self.url.host.clone())?;
        self.log_in(tls.connect(host, stream).await?).await
    }

    async fn log_in<S>(&self, stream: S) -> Result<(MultiplexedConnection, Driver), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // The deadline is the look-up's.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.url.login, stream, config).await;
        let (connection, driver) = made.map_err(|error| told(&error))?;
        Ok((connection, Box::pin(driver)))
    }

    /// Waits for a connection that is open but answers no more, as after a fail-over that dropped it without a word.
    async fn until_dead(&self, mut connection: MultiplexedConnection) {
        loop {
            self.suspicion.notified().await;
            let ping = redis::cmd("PING");
            let pong = timeout(PING_TIMEOUT, ping.query_async::<redis::Value>(&mut connection)).await;
            if pong.is_err() {
                return;
            }
        }
    }
}

type Driver = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn connector(pem: &[u8]) -> Result<TlsConnector, ConfigError> {
    let unreadable = |_| ConfigError::new("Redis certificates: the PEM text cannot be read");
    let roots: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    if roots.is_empty() && !pem.is_empty() {
        return Err(ConfigError::new("Redis certificates: none in the PEM text"));
    }
    Ok(TlsConnector::from(Arc::new(tls::trusting(roots)?)))
}

/// The kind of an error. Its detail is Redis's own words, which may repeat a command with its arguments: a key is a
/// session token.
fn told(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("{} ({code})", error.category()),
        None => error.category().to_owned(),
    }
}

/// Between half a pause and all of it, so that many instances do not come back at once.
fn some_of(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) % 1000).unwrap_or(0);
    pause / 2 + pause / 2000 * random
}

/// Longest that connecting and logging in may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a suspected connection has for an answer.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
