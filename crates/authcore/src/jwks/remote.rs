//! A key set behind a URL, kept fresh and kept through outages.
//!
//! - The first token that needs keys, and a token with an unknown `kid`, cause one fetch; whoever needs it waits for the
//!   same one, and it goes on when its first caller goes away.
//! - After a fetch that failed, and after one that an unknown `kid` asked for, there is none for a cooldown: random
//!   `kid`s cause no storm, and keys already known are not affected.
//! - A set is refreshed in the background before it is due; the last good one serves meanwhile, and through an outage.
//! - An unknown `kid` is refused only when the last fetch succeeded. While fetches fail nobody could judge it.
//!
//! Ages run on the monotonic clock, so that a jump of the wall clock changes nothing.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::fetch::{AnyFetch, Fetch, Fetched, HttpFetch};
use super::resolver::{KeyResolver, KeySnapshot, Miss};
use super::set::KeySet;
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
    /// Set while a fetch runs; becomes true when it is over.
    running: Option<watch::Receiver<bool>>,
    cooldown_until: Option<Instant>,
    last_error: Option<String>,
    fetches: u64,
    failures: u64,
}

impl State {
    /// The fetch that runs. One whose task died is over.
    fn joinable(&self) -> Option<&watch::Receiver<bool>> {
        self.running.as_ref().filter(|running| running.has_changed().is_ok())
    }
}

/// Why a fetch is begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A token that no key was found for.
    Miss,
    /// The set is due.
    Schedule,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    refresh_every: Duration,
    cooldown: Duration,
    deadline: Duration,
    max_stale: Duration,
    max_bytes: usize,
}

/// How a [`RemoteKeys`] is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteStatus {
    /// How many keys can be used.
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
        let settings = Settings {
            refresh_every: Duration::from_secs(300),
            cooldown: Duration::from_secs(30),
            deadline: Duration::from_secs(5),
            max_stale: MAX_AGE,
            max_bytes: 512 * 1024,
        };
        RemoteKeysBuilder { url: url.to_owned(), fetch: None, settings }
    }

    /// Loads the keys now, unless they are loaded already: at start-up, so that the first request need not wait.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they could not be had. Later requests will try again after the cooldown.
    pub async fn load(&self) -> Result<(), Unavailable> {
        if self.usable_since(Instant::now()) { Ok(()) } else { Shared::fetch_for(Arc::clone(&self.0), None).await }
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
            usable_keys: loaded.set.keys().count(),
            age: loaded.fetched.map(|fetched| now - fetched),
            last_error: state.last_error.clone(),
            next_refresh: due.saturating_duration_since(now),
            fetches: state.fetches,
            failures: state.failures,
        }
    }

    fn usable_since(&self, now: Instant) -> bool {
        let fetched = self.0.loaded.load().fetched;
        fetched.is_some_and(|fetched| now - fetched < self.0.settings.max_stale)
    }
}

impl KeyResolver for RemoteKeys {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        let shared = &self.0;
        let now = Instant::now();
        let loaded = shared.loaded.load();
        let age = loaded.fetched.map(|fetched| now - fetched)?;
        if micros(now - shared.born) >= shared.due.load(Ordering::Relaxed) {
            shared.refresh_in_background(now);
        }
        (age < shared.settings.max_stale).then(|| loaded.into())
    }

    fn after_miss(&self, key_id: Option<&str>) -> Miss {
        let shared = &self.0;
        let state = shared.state();
        let now = Instant::now();
        match state.cooldown_until {
            Some(until) if now < until && state.joinable().is_none() => match &state.last_error {
                Some(error) => Miss::Unavailable(Unavailable::new(error.clone(), until - now)),
                None => Miss::Unknown,
            },
            _ => Miss::Fetch(Box::pin(Shared::fetch_for(Arc::clone(shared), key_id.map(Box::from)))),
        }
    }
}

impl Shared {
    /// Starts a fetch or joins the one that runs, waits for its end, and tells whether it brought keys.
    async fn fetch_for(shared: Arc<Self>, wanted: Option<Box<str>>) -> Result<(), Unavailable> {
        let mut running = shared.start_or_join(Instant::now(), Cause::Miss);
        // The deadline of the fetch bounds the wait; this is for a runtime too busy to keep it.
        let waited = timeout(shared.settings.deadline * 2, running.wait_for(|over| *over)).await;
        let ended = waited.is_ok_and(|over| over.is_ok());

        let now = Instant::now();
        let mut state = shared.state();
        if !ended && state.joinable().is_none() {
            shared.note_failure(&mut state, now, "the fetch was interrupted".to_owned());
        }
        let until = state.cooldown_until.unwrap_or(now);
        if let Some(error) = state.last_error.clone() {
            return Err(Unavailable::new(error, until.saturating_duration_since(now)));
        }
        if wanted.is_some_and(|id| !shared.loaded.load().set.knows(&id)) {
            // The set was just read and the key is not in it: no need to look again soon.
            state.cooldown_until = Some(until.max(now + shared.settings.cooldown));
        }
        Ok(())
    }

    fn refresh_in_background(self: &Arc<Self>, now: Instant) {
        let cooling = self.state().cooldown_until.is_some_and(|until| now < until);
        if !cooling && tokio::runtime::Handle::try_current().is_ok() {
            self.start_or_join(now, Cause::Schedule);
        }
    }

    fn start_or_join(self: &Arc<Self>, now: Instant, cause: Cause) -> watch::Receiver<bool> {
        let mut state = self.state();
        if let Some(running) = state.joinable() {
            return running.clone();
        }
        let (over, running) = watch::channel(false);
        state.running = Some(running.clone());
        state.fetches += 1;
        let next = now + self.settings.cooldown;
        // The first load is nobody's second look: an unknown `kid` may still ask for one afterwards.
        let second_look = cause == Cause::Miss && self.loaded.load().fetched.is_some();
        state.cooldown_until = if second_look { Some(next) } else { state.cooldown_until };
        self.due.store(micros(next - self.born), Ordering::Relaxed);
        drop(state);

        let shared = Arc::clone(self);
        tokio::spawn(async move {
            shared.fetch_once().await;
            over.send_replace(true);
        });
        running
    }

    async fn fetch_once(&self) {
        let Settings { deadline, max_bytes, .. } = self.settings;
        let fetching = Arc::clone(&self.fetch).fetch_any(self.url.clone(), max_bytes);
        let outcome = match timeout(deadline, fetching).await {
            Ok(fetched) => fetched.and_then(|document| Ok((read(&document)?, document.max_age))),
            Err(_) => Err(format!("no answer within {} s", deadline.as_secs_f32()).into()),
        };
        let now = Instant::now();
        let mut state = self.state();
        state.running = None;
        match outcome {
            Ok((set, max_age)) => {
                tracing::debug!(keys = set.keys().count(), ignored = set.ignored().len(), "key set loaded");
                self.loaded.store(Arc::new(Loaded { set, fetched: Some(now) }));
                let every = max_age.unwrap_or(self.settings.refresh_every).clamp(self.settings.cooldown, MAX_AGE);
                self.due.store(micros(now + every.mul_f32(REFRESH_AHEAD) - self.born), Ordering::Relaxed);
                state.last_error = None;
            }
            Err(error) => self.note_failure(&mut state, now, error.to_string()),
        }
    }

    fn note_failure(&self, state: &mut State, now: Instant, error: String) {
        tracing::warn!(%error, "key set could not be fetched; the last good one stays");
        state.running = None;
        state.failures += 1;
        state.last_error = Some(error);
        state.cooldown_until = Some(now + self.settings.cooldown);
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

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Longest that a set is kept without a successful refresh, and that `Cache-Control` may ask for.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Share of a set's life after which it is refreshed.
const REFRESH_AHEAD: f32 = 0.8;

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("url", &self.0.url.as_str()).finish_non_exhaustive()
    }
}

/// Settings of [`RemoteKeys`].
#[must_use]
pub struct RemoteKeysBuilder {
    url: String,
    fetch: Option<Arc<dyn AnyFetch>>,
    settings: Settings,
}

impl RemoteKeysBuilder {
    /// How the document is fetched: [`HttpFetch`] by default.
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// How long a set serves when the answer does not say (`Cache-Control: max-age`): 5 minutes by default. Either is
    /// kept between the cooldown and 24 hours, and a refresh begins after four fifths of it.
    pub fn refresh_every(mut self, every: Duration) -> Self {
        self.settings.refresh_every = every;
        self
    }

    /// How long no fetch is begun after one that failed or that an unknown `kid` asked for: 30 s by default.
    pub fn cooldown(mut self, cooldown: Duration) -> Self {
        self.settings.cooldown = cooldown;
        self
    }

    /// How long one fetch may take as a whole: 5 s by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How long the last good set serves while fetches fail: 24 h by default, and at most. Then tokens get 503.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.settings.max_stale = max_stale;
        self
    }

    /// The longest document that is read: 512 KiB by default.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.settings.max_bytes = max_bytes;
        self
    }

    /// The keys; nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a URL that is not https (http is for loopback hosts only), names a link-local address or
    /// carries a password, for a setting out of its bounds, or when the platform's certificates cannot be loaded.
    pub fn build(self) -> Result<RemoteKeys, ConfigError> {
        let url = checked_url(&self.url)?;
        let Settings { cooldown, deadline, max_stale, max_bytes, .. } = self.settings;
        if cooldown.is_zero() || deadline.is_zero() || max_bytes == 0 || max_stale > MAX_AGE {
            let bounds = "key set: cooldown, deadline and max_bytes must not be zero, max_stale not above 24 h";
            return Err(ConfigError::new(bounds));
        }
        let fetch = match self.fetch {
            Some(fetch) => fetch,
            None => Arc::new(HttpFetch::new(&url)?),
        };
        Ok(RemoteKeys(Arc::new(Shared {
            url,
            fetch,
            settings: self.settings,
            loaded: ArcSwap::from_pointee(Loaded { set: KeySet::default(), fetched: None }),
            due: AtomicU64::new(0),
            born: Instant::now(),
            state: Mutex::default(),
        })))
    }
}

fn checked_url(text: &str) -> Result<Url, ConfigError> {
    let refused = |why: &str| ConfigError::new(format!("key set URL: {why}"));
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    let host = url.host().ok_or_else(|| refused("names no host"))?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
        Host::Domain(_) => None,
    };
    let is_loopback = address.map_or(host == Host::Domain("localhost"), |address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(refused("must be https (http is for loopback hosts only)")),
    }
    let is_link_local = match address {
        Some(IpAddr::V4(address)) => address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unicast_link_local(),
        None => false,
    };
    if is_link_local || !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not name a link-local address or carry a password"));
    }
    Ok(url)
}
