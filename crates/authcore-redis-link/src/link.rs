//! The one connection to Redis: made anew when it breaks, and known to be down while it is.

use std::hash::{BuildHasher as _, RandomState};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use authcore::BoxError;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::url::RedisUrl;

/// A connection that mends itself; closed when dropped.
pub struct Link {
    host: Box<str>,
    state: watch::Receiver<State>,
    doubts: Arc<Doubts>,
    keeper: AbortHandle,
}

#[derive(Clone)]
enum State {
    /// An attempt has just begun. It is worth waiting for.
    Connecting,
    /// The first attempt goes on for longer than anybody waits.
    StillConnecting,
    Up(MultiplexedConnection),
    /// The last attempt failed, or the connection is silent. It is not worth waiting for.
    Down(Arc<str>),
}

/// What those who use a connection have against it. Heard by who waits for it, and not kept for the next connection.
#[derive(Default)]
struct Doubts {
    overdue: Notify,
    read_only: Notify,
}

impl Link {
    /// Begins to connect, in a task of this runtime. Who asks waits no longer than `patience`.
    pub fn to(url: RedisUrl, tls: Option<TlsConnector>, patience: Duration, runtime: &Handle) -> Self {
        let doubts = Arc::new(Doubts::default());
        let (sender, state) = watch::channel(State::Connecting);
        let host = url.host.as_str().into();
        let keeper = Keeper { url, tls, patience, doubts: Arc::clone(&doubts), state: sender };
        Self { host, state, doubts, keeper: runtime.spawn(keeper.keep()).abort_handle() }
    }

    /// Of the server, as the URL names it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is connected now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(*self.state.borrow(), State::Up(_))
    }

    /// The connection: at once when it is there or known not to be, else once an attempt that has just begun is over.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn connection(&self) -> Result<MultiplexedConnection, BoxError> {
        let now = self.state.borrow().clone();
        if !matches!(now, State::Connecting) {
            return now.connection();
        }
        self.settled(|state| !matches!(state, State::Connecting)).await
    }

    /// The connection, however long the first attempt takes.
    ///
    /// # Errors
    ///
    /// Why it failed.
    pub async fn first(&self) -> Result<MultiplexedConnection, BoxError> {
        self.settled(|state| matches!(state, State::Up(_) | State::Down(_))).await
    }

    async fn settled(&self, enough: impl FnMut(&State) -> bool) -> Result<MultiplexedConnection, BoxError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(enough).await;
        settled.map_err(|_| "the runtime of the connection has ended")?.clone().connection()
    }

    /// Says that an answer is overdue: the connection will be tried, and made anew if it is dead.
    pub fn overdue(&self) {
        self.doubts.overdue.notify_waiters();
    }

    /// Says that it leads to a replica, as after a fail-over: it will be made anew, perhaps to another server.
    pub fn read_only(&self) {
        self.doubts.read_only.notify_waiters();
    }
}

impl State {
    fn connection(self) -> Result<MultiplexedConnection, BoxError> {
        match self {
            Self::Up(connection) => Ok(connection),
            Self::Down(why) => Err(format!("not connected: {why}").into()),
            Self::Connecting | Self::StillConnecting => Err("not connected yet".into()),
        }
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
    patience: Duration,
    doubts: Arc<Doubts>,
    state: watch::Sender<State>,
}

impl Keeper {
    async fn keep(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect_in_time().await {
                Ok((connection, driver)) => {
                    let begin = Instant::now();
                    self.state.send_replace(State::Up(connection.clone()));
                    let end = tokio::select! {
                        () = driver => End::Closed,
                        end = self.until_bad(connection) => end,
                    };
                    let lasted = begin.elapsed() >= LONGEST_PAUSE;
                    self.state.send_replace(match end {
                        End::Closed if lasted => State::Connecting,
                        _ => State::Down(end.why().into()),
                    });
                    // One that lasted is replaced at once; a server that lets us in and out again is not run against.
                    if lasted {
                        pause = FIRST_PAUSE;
                        continue;
                    }
                }
                Err(error) => _ = self.state.send_replace(State::Down(error.to_string().into())),
            }
            sleep(some_of(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect_in_time(&self) -> Result<(MultiplexedConnection, Driver), BoxError> {
        let mut connecting = pin!(timeout(CONNECT_TIMEOUT, self.connect()));
        let made = tokio::select! {
            made = &mut connecting => made,
            () = sleep(self.patience) => {
                self.state.send_if_modified(|state| {
                    let first = matches!(state, State::Connecting);
                    if first {
                        *state = State::StillConnecting;
                    }
                    first
                });
                connecting.await
            }
        };
        made.unwrap_or_else(|_| Err("no answer".into()))
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
        // The deadline is the decision's.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.url.login, stream, config).await;
        let (connection, driver) = made.map_err(|error| told(&error))?;
        Ok((connection, Box::pin(driver)))
    }

    async fn until_bad(&self, connection: MultiplexedConnection) -> End {
        tokio::select! {
            () = self.until_silent(connection) => End::Silent,
            () = self.doubts.read_only.notified() => End::ReadOnly,
        }
    }

    /// Waits for a connection that is open but answers no more. While one is late nobody waits for it in vain, and nothing
    /// piles up on it.
    async fn until_silent(&self, connection: MultiplexedConnection) {
        loop {
            self.doubts.overdue.notified().await;
            let (ping, mut pinged) = (redis::cmd("PING"), connection.clone());
            let mut pong = pin!(ping.query_async::<redis::Value>(&mut pinged));
            if timeout(self.patience, &mut pong).await.is_err() {
                self.state.send_replace(State::Down(End::Silent.why().into()));
                if timeout(PING_TIMEOUT, pong).await.is_err() {
                    return;
                }
                self.state.send_replace(State::Up(connection.clone()));
            }
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy)]
enum End {
    Closed,
    Silent,
    ReadOnly,
}

impl End {
    fn why(self) -> &'static str {
        match self {
            Self::Closed => "the connection was closed",
            Self::Silent => "no answer",
            Self::ReadOnly => "the server is a replica (READONLY)",
        }
    }
}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The kind of an error. Its detail is Redis's own words, which may repeat a command with its arguments.
pub fn told(error: &RedisError) -> String {
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

/// How long a silent connection is kept after it was found to be silent.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest that is waited before it is tried again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(1);
