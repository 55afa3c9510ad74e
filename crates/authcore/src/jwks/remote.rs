//! A key set behind a URL, kept fresh and kept through outages.
//!
//! - The first token that needs keys, and a token with an unknown `kid`, cause one fetch; whoever needs it waits for the
//!   same one, and it goes on when its first caller goes away.
//! - After a fetch that failed, and after one that an unknown `kid` asked for, there is none for a cooldown: random
//!   `kid`s cause no storm, and keys already known are not affected.
//! - A fetch that does not end is given up; clones may live on several runtimes, of which any may come to rest.
//! - A set is refreshed in the background before it is due; the last good one serves meanwhile, and through an outage.
//! - An unknown `kid` is refused only when the last fetch succeeded. While fetches fail nobody could judge it.
//!
//! Ages run on the monotonic clock, so that a jump of the wall clock changes nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use url::{Position, Url};

use super::fetch::{AnyFetch, Fetched};
use super::resolver::{KeyResolver, KeySnapshot, Miss};
use super::set::KeySet;
use super::settings::{RemoteKeysBuilder, Settings};
use crate::error::{BoxError, ConfigError, Unavailable};
use crate::jwt::Algorithm;

/// Keys fetched from a URL. Cloning is cheap; clones share keys and fetches. Needs a tokio runtime.
///
/// ```no_run
/// use authcore::{JwtVerifier, RemoteKeys};
///
/// let keys = RemoteKeys::at("https://id.example.com/.well-known/jwks.json")?;
/// let verifier = JwtVerifier::builder(keys.clone()).issuer("https://id.example.com").audience("tasks-api").build()?;
/// assert!(keys.status().last_error.is_none());
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Shared>);

struct Shared {
    url: Url,
    fetch: Arc<dyn AnyFetch>,
    settings: Settings,
    loaded: ArcSwap<Loaded>,
    /// Microseconds after `born` at which the next look at the keys starts a refresh.
    due: AtomicU64,
    born: Instant,
    state: Mutex<State>,
}

/// The keys in use and when they were fetched; none yet at first.
pub(super) struct Loaded {
    pub(super) set: KeySet,
    fetched: Option<Instant>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    cooldown_until: Option<Instant>,
    last_error: Option<String>,
    fetches: u64,
    failures: u64,
}

/// The fetch that runs.
struct Running {
    /// Which one it is, counted by [`State::fetches`].
    number: u64,
    begun: Instant,
    /// Becomes true when it is over.
    over: watch::Receiver<bool>,
}

impl State {
    /// How long no fetch may be begun yet.
    fn cooling(&self, now: Instant) -> Duration {
        self.cooldown_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Notes that the fetch that ran failed.
    fn fail(&mut self, error: String, cooldown_until: Instant) {
        tracing::warn!(%error, "key set could not be fetched; the last good one stays");
        self.running = None;
        self.failures += 1;
        self.last_error = Some(error);
        self.cooldown_until = Some(cooldown_until);
    }
}

/// Why a fetch is wanted.
#[derive(Clone, Copy)]
enum Cause<'a> {
    /// A token that no key was found for, and the key id it names.
    Miss(Option<&'a str>),
    /// The set is due.
    Schedule,
}

/// A fetch that runs. However it ends, be it by a panic or with its runtime, the state is settled before those who wait
/// are told.
struct Flight {
    shared: Arc<Shared>,
    number: u64,
    over: watch::Sender<bool>,
    outcome: Option<Outcome>,
}

/// A set with its `max-age`, or why there is none.
type Outcome = Result<(KeySet, Option<Duration>), BoxError>;

impl Flight {
    async fn fly(mut self) {
        self.outcome = Some(self.shared.fetch_once().await);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err("the fetch was interrupted".into()));
        self.shared.settle(self.number, outcome);
        self.over.send_replace(true);
    }
}

/// How a [`RemoteKeys`] is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteStatus {
    /// How many keys can be used: none once the set is too old.
    pub usable_keys: usize,
    /// How old the set is; `None` while none was ever loaded.
    pub age: Option<Duration>,
    /// What went wrong at the last fetch, if it failed.
    pub last_error: Option<String>,
    /// When the next refresh is due, were anybody to ask.
    pub next_refresh: Duration,
    /// Fetches begun.
    pub fetches: u64,
    /// Fetches that failed.
    pub failures: u64,
}

impl RemoteStatus {
    /// Whether tokens can be judged: some set is loaded and has a usable key.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.age.is_some() && self.usable_keys > 0
    }
}

impl RemoteKeys {
    /// Keys at a URL with the default settings.
    ///
    /// # Errors
    ///
    /// As [`RemoteKeysBuilder::build`].
    pub fn at(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Begins with the URL of a JWK Set document.
    pub fn builder(url: &str) -> RemoteKeysBuilder {
        RemoteKeysBuilder::new(url)
    }

    pub(super) fn new(url: Url, fetch: Arc<dyn AnyFetch>, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            url,
            fetch,
            settings,
            loaded: ArcSwap::from_pointee(Loaded { set: KeySet::default(), fetched: None }),
            due: AtomicU64::new(0),
            born: Instant::now(),
            state: Mutex::default(),
        }))
    }

    /// Loads the keys now, unless they are loaded already: at start-up, so that the first request need not wait.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they could not be had. Later requests will try again after the cooldown.
    pub async fn load(&self) -> Result<(), Unavailable> {
        let shared = &self.0;
        let is_loaded = shared.usable_age(&shared.loaded.load(), Instant::now()).is_some();
        if is_loaded { Ok(()) } else { Shared::fetch_for(Arc::clone(shared), None).await }
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> RemoteStatus {
        let shared = &self.0;
        let loaded = shared.loaded.load();
        let now = Instant::now();
        let due = shared.born + Duration::from_micros(shared.due.load(Ordering::Relaxed));
        let state = shared.state();
        RemoteStatus {
            usable_keys: shared.usable_age(&loaded, now).map_or(0, |_| loaded.set.keys().count()),
            age: loaded.fetched.map(|fetched| now - fetched),
            last_error: state.last_error.clone(),
            next_refresh: due.saturating_duration_since(now),
            fetches: state.fetches,
            failures: state.failures,
        }
    }
}

impl KeyResolver for RemoteKeys {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        let shared = &self.0;
        let now = Instant::now();
        let loaded = shared.loaded.load();
        loaded.fetched?;
        if shared.is_due(now) && tokio::runtime::Handle::try_current().is_ok() {
            shared.join_or_start(now, Cause::Schedule);
        }
        shared.usable_age(&loaded, now).is_some().then(|| loaded.into())
    }

    fn after_miss(&self, key_id: Option<&str>) -> Miss {
        let shared = &self.0;
        let now = Instant::now();
        let mut state = shared.state();
        shared.give_up_if_lost(&mut state, now);
        let cooling = state.cooling(now);
        if cooling.is_zero() || state.running.is_some() || shared.has_arrived(key_id) {
            return Miss::Fetch(Box::pin(Shared::fetch_for(Arc::clone(shared), key_id.map(Box::from))));
        }
        match &state.last_error {
            Some(error) => Miss::Unavailable(Unavailable::new(error.clone(), cooling)),
            None => Miss::Unknown,
        }
    }
}

impl Shared {
    /// Joins the fetch that runs or starts one, if that is called for; waits for its end and tells whether asking for
    /// the key again makes sense.
    async fn fetch_for(shared: Arc<Self>, wanted: Option<Box<str>>) -> Result<(), Unavailable> {
        let wanted = wanted.as_deref();
        let joined = shared.join_or_start(Instant::now(), Cause::Miss(wanted));
        let looked = joined.is_some();
        if let Some(mut over) = joined {
            // Whether it ended or is lost, the state tells.
            let _ = timeout(shared.patience(), over.wait_for(|over| *over)).await;
        }
        if shared.has_arrived(wanted) {
            return Ok(());
        }
        let now = Instant::now();
        let mut state = shared.state();
        shared.give_up_if_lost(&mut state, now);
        if let Some(error) = state.last_error.clone() {
            return Err(Unavailable::new(error, state.cooling(now)));
        }
        if looked && wanted.is_some() {
            // The set was just read and the key is not in it: no need to look again soon. Counted from the reading, however
            // late we wake up, so that no cooldown outlasts the set.
            let read = shared.loaded.load().fetched.map(|fetched| fetched + shared.settings.cooldown);
            state.cooldown_until = state.cooldown_until.max(read);
        }
        Ok(())
    }

    /// The fetch to wait for: the one that runs, or else a new one. `None` when a new one is not called for, since
    /// somebody else's may have ended after the caller looked.
    fn join_or_start(self: &Arc<Self>, now: Instant, cause: Cause<'_>) -> Option<watch::Receiver<bool>> {
        let mut state = self.state();
        self.give_up_if_lost(&mut state, now);
        if let Some(running) = &state.running {
            return Some(running.over.clone());
        }
        let is_called_for = match cause {
            Cause::Miss(wanted) => !self.has_arrived(wanted),
            Cause::Schedule => self.is_due(now),
        };
        if !is_called_for || !state.cooling(now).is_zero() {
            return None;
        }
        let (over, running) = watch::channel(false);
        state.fetches += 1;
        let number = state.fetches;
        state.running = Some(Running { number, begun: now, over: running.clone() });
        let next = now + self.settings.cooldown;
        // The first load is nobody's second look: an unknown `kid` may still ask for one afterwards.
        if matches!(cause, Cause::Miss(_)) && self.loaded.load().fetched.is_some() {
            state.cooldown_until = Some(next);
        }
        self.due.store(micros(next - self.born), Ordering::Relaxed);
        drop(state);

        tokio::spawn(Flight { shared: Arc::clone(self), number, over, outcome: None }.fly());
        Some(running)
    }

    async fn fetch_once(&self) -> Outcome {
        let Settings { deadline, max_bytes, .. } = self.settings;
        let fetching = Arc::clone(&self.fetch).fetch_any(self.url.clone(), max_bytes);
        match timeout(deadline, fetching).await {
            Ok(fetched) => fetched.and_then(|document| Ok((read(&document)?, document.max_age))),
            Err(_) => Err(format!("no answer within {} s", deadline.as_secs_f32()).into()),
        }
    }

    /// Gives up a fetch that is long past its deadline: its runtime is too busy to keep it, or is not run any more.
    /// Otherwise everybody would wait for it for ever.
    fn give_up_if_lost(&self, state: &mut State, now: Instant) {
        let lost = state.running.as_ref().is_some_and(|running| now - running.begun >= self.patience());
        if lost {
            state.fail("the fetch does not end".to_owned(), now + self.settings.cooldown);
        }
    }

    /// How long a fetch is waited for. Its own deadline comes first, if its runtime runs.
    fn patience(&self) -> Duration {
        self.settings.deadline.saturating_mul(2)
    }

    /// Takes over what a fetch brought, or notes that it failed.
    fn settle(&self, number: u64, outcome: Outcome) {
        let now = Instant::now();
        let Settings { refresh_every, cooldown, max_stale, .. } = self.settings;
        let mut state = self.state();
        if state.running.as_ref().is_none_or(|running| running.number != number) {
            // It was given up, and what it brings may be older than what there is.
            return;
        }
        match outcome {
            Ok((set, max_age)) => {
                state.running = None;
                tracing::debug!(keys = set.keys().count(), ignored = set.ignored().len(), "key set loaded");
                self.loaded.store(Arc::new(Loaded { set, fetched: Some(now) }));
                let every = max_age.unwrap_or(refresh_every).clamp(cooldown, max_stale);
                self.due.store(micros(now + every.mul_f32(REFRESH_AHEAD) - self.born), Ordering::Relaxed);
                state.last_error = None;
            }
            Err(error) => state.fail(with_sources(&*error), now + cooldown),
        }
    }

    /// Whether the keys are by now of use to who missed one: the wanted key is among them, or for a token that names none
    /// the set is fresh.
    fn has_arrived(&self, wanted: Option<&str>) -> bool {
        let loaded = self.loaded.load();
        match (self.usable_age(&loaded, Instant::now()), wanted) {
            (Some(_), Some(id)) => loaded.set.knows(id),
            (Some(age), None) => age < A_MOMENT,
            (None, _) => false,
        }
    }

    /// How old a set is; `None` while there is none, and when it is too old to be used.
    fn usable_age(&self, loaded: &Loaded, now: Instant) -> Option<Duration> {
        loaded.fetched.map(|fetched| now - fetched).filter(|age| *age < self.settings.max_stale)
    }

    fn is_due(&self, now: Instant) -> bool {
        micros(now - self.born) >= self.due.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while holding it; were it to, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a document. A set without one usable key is a failure: it must not replace a good one.
fn read(document: &Fetched) -> Result<KeySet, BoxError> {
    let text = std::str::from_utf8(&document.body)?;
    let set = KeySet::from_json(text)?;
    if set.is_empty() { Err("the key set has no usable key".into()) } else { Ok(set) }
}

/// An error's message with those of its sources: "connection refused" is never the outermost.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A set this young is taken for one that arrived while a token without `kid` was being judged.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Share of a set's life after which it is refreshed.
const REFRESH_AHEAD: f32 = 0.8;

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may tell too much.
        f.debug_struct("RemoteKeys").field("url", &&self.0.url[..Position::AfterPath]).finish_non_exhaustive()
    }
}
