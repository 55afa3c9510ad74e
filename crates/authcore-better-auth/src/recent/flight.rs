//! One look-up: under way, then over, with its answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use authcore::{BoxError, Unavailable};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::session::SessionRecord;

/// A look-up as those see it who wait for it.
pub(super) struct Flight {
    begun: Instant,
    answer: watch::Receiver<Option<Answer>>,
}

/// Where its answer goes. However the look-up ends, be it by a panic or with its runtime, those who wait are told.
pub(super) struct Landing(watch::Sender<Option<Answer>>);

/// What everybody who waited is told.
type Answer = Result<Option<Arc<SessionRecord>>, Arc<Unavailable>>;

pub(super) type Found = Result<Option<SessionRecord>, Unavailable>;

/// How a look-up stands.
pub(super) enum State {
    UnderWay,
    Known(Arc<SessionRecord>),
    NotFound,
    Failed,
}

impl Flight {
    /// A look-up of which the age counts from now on. It begins when its landing is told what it is to land
    /// [after](Landing::after).
    pub(super) fn new(now: Instant) -> (Arc<Self>, Landing) {
        let (sender, answer) = watch::channel(None);
        (Arc::new(Self { begun: now, answer }), Landing(sender))
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    pub(super) fn state(&self) -> State {
        match &*self.answer.borrow() {
            None => State::UnderWay,
            Some(Ok(Some(record))) => State::Known(Arc::clone(record)),
            Some(Ok(None)) => State::NotFound,
            Some(Err(_)) => State::Failed,
        }
    }

    /// What it found, once it is over.
    pub(super) async fn answer(&self) -> Found {
        if let Some(answer) = &*self.answer.borrow() {
            return told(answer);
        }
        let mut answer = self.answer.clone();
        match timeout(PATIENCE, answer.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.as_ref().map_or_else(|| Err(unavailable(Interrupted)), told),
            Ok(Err(_)) => Err(unavailable(Interrupted)),
            Err(_) => Err(unavailable(TooSlow)),
        }
    }
}

impl Landing {
    /// Begins the look-up, in a task of the present runtime.
    pub(super) fn after(self, looking_up: impl Future<Output = Found> + Send + 'static) {
        tokio::spawn(async move {
            let answer = looking_up.await.map(|record| record.map(Arc::new)).map_err(Arc::new);
            self.0.send_replace(Some(answer));
        });
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.send_if_modified(|answer| {
            let is_interrupted = answer.is_none();
            answer.get_or_insert_with(|| Err(Arc::new(unavailable(Interrupted))));
            is_interrupted
        });
    }
}

fn told(answer: &Answer) -> Found {
    match answer {
        Ok(record) => Ok(record.as_deref().cloned()),
        Err(cause) => Err(Unavailable::new(Arc::clone(cause), cause.retry_after())),
    }
}

fn unavailable(source: impl Into<BoxError>) -> Unavailable {
    Unavailable::new(source, Duration::from_secs(1))
}

#[derive(Debug, thiserror::Error)]
#[error("the look-up was interrupted")]
struct Interrupted;

#[derive(Debug, thiserror::Error)]
#[error("the look-up took longer than {} s", PATIENCE.as_secs())]
struct TooSlow;

/// Stores have deadlines of their own, of 30 s at most. They do not run out on a runtime that has come to rest, which may be
/// another one than that of those who wait.
const PATIENCE: Duration = Duration::from_secs(31);
