//! From settings to a running server: what both servers do before and after they serve.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use authcore::{BoxError, ConfigError};

use crate::backend::Backend;
use crate::settings::Settings;

/// How long requests in flight may take once the server is asked to stop: with what is left to do after them, the process
/// ends within ten seconds.
pub const DRAIN: Duration = Duration::from_secs(9);

/// Why a server did not start, or stopped on its own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be served.
    #[error("{0}")]
    Setting(#[from] ConfigError),
    /// The task store cannot be opened.
    #[error("DATABASE_URL: the tasks cannot be opened: {0}")]
    Store(#[source] BoxError),
    /// The address cannot be listened on.
    #[error("BIND_ADDR: cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// Serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] io::Error),
}

/// Settings, log, store, guard and listener, ready to serve.
#[derive(Debug)]
pub struct Started {
    /// What the routes need.
    pub backend: Backend,
    /// Where requests come in; non-blocking.
    pub listener: TcpListener,
}

impl Started {
    /// Reads the environment, opens the store, listens, and says where on stdout.
    ///
    /// # Errors
    ///
    /// [`StartError`] with one line for the operator.
    pub async fn from_env() -> Result<Self, StartError> {
        let settings = Settings::from_env()?;
        let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
        // A second subscriber, as in tests, leaves the first one in place.
        let _ = log.with_env_filter(settings.log.clone()).try_init();
        let address = settings.bind;

        let backend = Backend::start(settings).await?;
        let listener = listen(address).map_err(|error| StartError::Listen(address, error))?;
        announce(&backend, listener.local_addr()?);
        Ok(Self { backend, listener })
    }
}

/// What a program ends with: `0` after a stop, `2` for a setting that cannot be served, `1` for what else went wrong.
#[must_use]
pub fn exit_code(served: Result<(), StartError>) -> ExitCode {
    let Err(error) = served else { return ExitCode::SUCCESS };
    // Nobody may be listening; there is nothing more to be done about it.
    let _ = writeln!(io::stderr(), "{}", one_line(&error));
    ExitCode::from(if matches!(error, StartError::Setting(_)) { 2 } else { 1 })
}

/// Completes when the process is asked to stop: SIGTERM or SIGINT.
pub async fn stop_requested() {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be listened to; the server stops only when it is killed");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Completes when requests in flight have had their [`DRAIN`] since the process was asked to stop.
pub async fn drain_is_over() {
    stop_requested().await;
    tokio::time::sleep(DRAIN).await;
    tracing::warn!("requests in flight took too long and are dropped");
}

/// Runs a request, and keeps a panic from taking the connection down with it. The panic itself is already in the log.
///
/// # Errors
///
/// [`Panicked`], which a server answers with `500 internal`.
pub async fn unless_it_panics<F: Future>(request: F) -> Result<F::Output, Panicked> {
    let mut request = pin!(request);
    // The request is not looked at again after a panic; what it shares with others guards itself.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

/// A handler panicked: a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn announce(backend: &Backend, address: SocketAddr) {
    let origin = format!("http://{address}");
    let commands = backend.demo().map(|demo| demo.commands(&origin)).unwrap_or_default();
    let mut stdout = io::stdout().lock();
    // A closed stdout is no reason not to serve.
    let _ = writeln!(stdout, "listening on {origin}");
    let _ = commands.into_iter().try_for_each(|line| writeln!(stdout, "{line}"));
}

fn one_line(error: &impl fmt::Display) -> String {
    error.to_string().replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_an_answer_passed_on() {
        assert_eq!(unless_it_panics(async { 7 }).await, Ok(7));
        let panics = async {
            tokio::task::yield_now().await;
            panic!("a bug, on purpose")
        };
        assert_eq!(unless_it_panics(panics).await, Err::<(), _>(Panicked));
    }

    #[test]
    fn an_error_is_one_line() {
        let error = StartError::Store("a\nb".into());
        assert_eq!(one_line(&error), "DATABASE_URL: the tasks cannot be opened: a b");
    }
}
