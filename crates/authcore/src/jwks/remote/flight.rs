//! Fetches under way: the rules of `refresh.rs` behind a lock, and the task that carries a fetch out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::refresh::{Cause, Moment, Refresh, Rules, Start, Verdict};
use super::source::{Document, Source};
use crate::error::{BoxError, Unavailable};
use crate::jwks::set::KeySet;

/// What all clones of a [`RemoteKeys`](super::RemoteKeys) share.
pub(super) struct Shared {
    pub(super) source: Source,
    pub(super) rules: Rules,
    pub(super) loaded: ArcSwap<Loaded>,
    /// Microseconds after `born` until which who finds their key need not take the lock.
    quiet_until: AtomicU64,
    born: Instant,
    state: Mutex<State>,
}

/// The keys in use and when they were fetched; none yet at first.
#[derive(Default)]
pub(in crate::jwks) struct Loaded {
    pub(in crate::jwks) set: KeySet,
    pub(super) fetched: Option<Moment>,
}

struct State {
    refresh: Refresh,
    /// Becomes true when the fetch that was begun last is over.
    over: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn new(source: Source, rules: Rules) -> Self {
        let state = State { refresh: Refresh::new(rules), over: watch::channel(true).1 };
        let (loaded, quiet_until, born) = (ArcSwap::default(), AtomicU64::new(0), Instant::now());
        Self { source, rules, loaded, quiet_until, born, state: Mutex::new(state) }
    }

    pub(super) fn now(&self) -> Moment {
        self.born.elapsed()
    }

    /// One step of the rules.
    pub(super) fn step<R>(&self, step: impl FnOnce(&mut Refresh, Moment) -> R) -> R {
        self.locked(|state, now| step(&mut state.refresh, now))
    }

    /// Whether the rules have something to do even for who finds their key.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        micros(now) >= self.quiet_until.load(Ordering::Relaxed)
    }

    /// Waits for a fetch, if one is called for, and tells whether asking for the key again makes sense.
    pub(super) async fn fetch_for(shared: Arc<Self>, wanted: Option<Box<str>>) -> Result<(), Unavailable> {
        if Handle::try_current().is_err() {
            return Err(Unavailable::new("keys are fetched on a tokio runtime only", shared.rules.cooldown));
        }
        let wanted = wanted.as_deref();
        let joined = shared.start(|shared| Cause::Miss { has_arrived: shared.has_arrived(wanted) });
        let looked = joined.is_some() && wanted.is_some();
        if let Some(mut over) = joined {
            // Whether it ended or is lost, the state tells.
            let _ = timeout(shared.rules.patience(), over.wait_for(|over| *over)).await;
        }
        if shared.has_arrived(wanted) {
            return Ok(());
        }
        match shared.step(|refresh, now| refresh.waited(now, looked)) {
            Verdict::Unavailable(error, cooling) => Err(Unavailable::new(error, cooling)),
            Verdict::Unknown | Verdict::Fetch => Ok(()),
        }
    }

    /// The fetch to wait for: the one that runs, or else a new one; `None` when none is called for. `cause` is asked under
    /// the lock, so that no fetch ends between the two.
    pub(super) fn start(self: &Arc<Self>, cause: impl FnOnce(&Self) -> Cause) -> Option<watch::Receiver<bool>> {
        let (joined, begun) = self.locked(|state, now| match state.refresh.start(now, cause(self)) {
            Start::No => (None, None),
            Start::Join => (Some(state.over.clone()), None),
            Start::Begin(number) => {
                let (over, is_over) = watch::channel(false);
                state.over = is_over.clone();
                (Some(is_over), Some((number, over)))
            }
        });
        if let Some((number, over)) = begun {
            tokio::spawn(Flight { shared: Arc::clone(self), number, over, outcome: None }.fly());
        }
        joined
    }

    /// Whether the keys are by now of use to who missed one: the wanted key is among them, or for a token that names none
    /// the set is fresh.
    pub(super) fn has_arrived(&self, wanted: Option<&str>) -> bool {
        let loaded = self.loaded.load();
        match (self.rules.usable_age(loaded.fetched, self.now()), wanted) {
            (Some(_), Some(id)) => loaded.set.knows(id),
            (Some(age), None) => age < A_MOMENT,
            (None, _) => false,
        }
    }

    fn locked<R>(&self, step: impl FnOnce(&mut State, Moment) -> R) -> R {
        // Nothing in here panics while holding it; were it to, the state is still whole.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = step(&mut state, self.now());
        self.quiet_until.store(micros(state.refresh.quiet_until()), Ordering::Relaxed);
        done
    }

    /// Takes over what a fetch brought, or notes that it failed.
    fn settle(&self, number: u64, outcome: Result<Document, BoxError>) {
        let (set, outcome) = match outcome {
            Ok((set, max_age)) => (Some(set), Ok(max_age)),
            Err(error) => (None, Err(with_sources(&*error))),
        };
        self.step(|refresh, now| {
            if let (true, Some(set)) = (refresh.settle(now, number, outcome), set) {
                tracing::debug!(keys = set.keys().count(), ignored = set.ignored().len(), "key set loaded");
                self.loaded.store(Arc::new(Loaded { set, fetched: Some(now) }));
            }
        });
    }
}

/// A fetch that runs. However it ends, be it by a panic or with its runtime, the state is settled before those who wait
/// are told.
struct Flight {
    shared: Arc<Shared>,
    number: u64,
    over: watch::Sender<bool>,
    outcome: Option<Result<Document, BoxError>>,
}

impl Flight {
    async fn fly(mut self) {
        let Rules { deadline, .. } = self.shared.rules;
        let read = timeout(deadline, self.shared.source.read(self.shared.rules)).await;
        self.outcome =
            Some(read.unwrap_or_else(|_| Err(format!("no answer within {} s", deadline.as_secs_f32()).into())));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err("the fetch was interrupted".into()));
        self.shared.settle(self.number, outcome);
        self.over.send_replace(true);
    }
}

/// An error's message with those of its sources: "connection refused" is never the outermost.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

fn micros(moment: Moment) -> u64 {
    u64::try_from(moment.as_micros()).unwrap_or(u64::MAX)
}

/// A set this young is taken for one that arrived while a token without `kid` was being judged.
const A_MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::jwks::fetch::{Fetch, Fetched};
    use crate::jwks::remote::RemoteKeys;
    use crate::jwks::resolver::KeyResolver as _;
    use crate::jwt::Algorithm;

    /// Answers the first time, and then no more.
    #[derive(Default)]
    struct Once(AtomicBool);

    impl Fetch for Once {
        async fn fetch(&self, _: &url::Url, _: usize) -> Result<Fetched, BoxError> {
            if self.0.swap(true, Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
            Ok(Fetched { body: format!(r#"{{"keys":[{key}]}}"#).into_bytes(), max_age: None })
        }
    }

    /// By the default times: the set is due after 240 s, a fetch is given up after 10 s, and the next may begin 30 s later.
    #[tokio::test(start_paused = true)]
    async fn who_finds_their_key_takes_the_lock_only_when_there_is_something_to_do() {
        let keys = RemoteKeys::builder("https://id.example.com/jwks").fetch(Once::default()).build().expect("good");
        keys.load().await.expect("it answers");
        let second = Duration::from_secs(1);
        for quiet in [240 * second, 10 * second, 30 * second] {
            assert!(!keys.0.is_due(keys.0.now()));
            tokio::time::advance(quiet - Duration::from_micros(1)).await;
            assert!(!keys.0.is_due(keys.0.now()), "within {quiet:?}");
            tokio::time::advance(Duration::from_micros(1)).await;
            assert!(keys.0.is_due(keys.0.now()), "after {quiet:?}");
            // Begins a fetch, or gives the one up that does not end.
            assert!(keys.current(Algorithm::EdDsa).is_some());
        }
    }
}
