//! Look-ups remembered in process for a few seconds, over any store.
//!
//! - One look-up of a token is under way at a time; whoever needs it waits for the same one, and it goes on when its first
//!   caller goes away.
//! - Its age counts from its start, so that no request is told of a store as it was longer than that before the request.
//! - What is forgotten is looked up again by every request that begins afterwards, be the old look-up still under way.
//! - That nobody could tell is told to those who waited for it, and not remembered.
//! - Room is bounded, and goes to tokens in steady use: those that come once pass through a small part of it. What users
//!   made large, by a long name or picture, is told and not remembered.
//!
//! Ages run on the monotonic clock, so that a jump of the wall clock changes nothing.

mod flight;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use authcore::{ConfigError, Unavailable, UserId};
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use tokio::time::Instant;

use self::flight::{Flight, Found, Landing, State};
use crate::session::{Session, SessionRecord, User};
use crate::store::SessionStore;
use crate::token::SessionToken;

/// A store that remembers what another one answered, for 5 s unless told otherwise. Cloning is cheap; clones share what
/// they remember. Needs a tokio runtime.
///
/// What is remembered is session and user as they were read, and it is judged on every request: a session or a ban that
/// runs out does so on time. What happened in the store since is not seen for [`max_age`](RecentSessionsBuilder::max_age): a
/// sign-out, a ban, a change of role. Where this process learns of one, [`forget`](Self::forget) makes it count at once, here
/// and in no other process. A token that the store did not know is asked for again after 1 s at the latest.
///
/// ```
/// use std::time::Duration;
///
/// use authcore_better_auth::{RecentSessions, SessionStore};
///
/// fn remembering<S: SessionStore>(store: S) -> Result<RecentSessions<S>, authcore::ConfigError> {
///     RecentSessions::over(store).max_age(Duration::from_secs(2)).build()
/// }
/// ```
pub struct RecentSessions<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    flights: Cache<Key, Arc<Flight>>,
    max_age: Duration,
}

impl<S: SessionStore> RecentSessions<S> {
    /// Begins with the store that is asked.
    pub fn over(store: S) -> RecentSessionsBuilder<S> {
        RecentSessionsBuilder { store, max_age: Duration::from_secs(5), max_entries: 10_000 }
    }

    /// Forgets this session, as after its sign-out. Every request that begins afterwards sees the store as it is now, or
    /// later.
    pub fn forget(&self, token: &SessionToken) {
        self.0.flights.remove(token.expose());
    }

    /// Forgets the sessions of this user, also those in which the user acts as another, as after a ban or a change of role:
    /// otherwise as [`forget`](Self::forget). Goes through all that is remembered, which takes some 15 ms for a hundred
    /// thousand sessions.
    pub fn forget_user(&self, user: &UserId) {
        // Of a look-up that is under way, or found nothing, nobody knows whose the session will be.
        self.0.flights.retain(|_, flight| matches!(flight.state(), State::Known(record) if !record.is_about(user)));
    }

    /// Forgets everything: otherwise as [`forget`](Self::forget).
    pub fn forget_all(&self) {
        self.0.flights.clear();
    }

    /// The look-up that answers for this token now. With a landing it has not begun yet, and the caller has to begin it.
    fn flight(&self, token: &SessionToken) -> (Arc<Flight>, Option<Landing>) {
        let inner = &*self.0;
        let now = Instant::now();
        if let Some(flight) = inner.flights.get(token.expose()).filter(|flight| inner.still_counts(flight, now)) {
            return (flight, None);
        }
        let (fresh, landing) = Flight::new(now);
        let entry = inner.flights.entry(&Key(token.clone()), None, |_, flight| {
            // Somebody else may have been here in between.
            if inner.still_counts(flight, now) {
                return EntryAction::Retain(Some(Arc::clone(flight)));
            }
            *flight = Arc::clone(&fresh);
            EntryAction::Retain(None)
        });
        match entry {
            EntryResult::Retained(Some(flight)) => return (flight, None),
            EntryResult::Vacant(place) => {
                // No place is left when it was forgotten in between: then nobody else finds it, as it should be.
                let _ = place.insert(Arc::clone(&fresh));
            }
            // It has been put in the place of the old one. The rest is what other callbacks and limits would lead to.
            EntryResult::Retained(None)
            | EntryResult::Removed(..)
            | EntryResult::Replaced(..)
            | EntryResult::Timeout => {}
        }
        (fresh, Some(landing))
    }

    /// For a look-up that outlives its caller.
    fn owned(&self, token: &SessionToken, flight: &Arc<Flight>) -> (Arc<Inner<S>>, SessionToken, Arc<Flight>) {
        (Arc::clone(&self.0), token.clone(), Arc::clone(flight))
    }
}

impl<S> Inner<S> {
    fn still_counts(&self, flight: &Flight, now: Instant) -> bool {
        let longest = match flight.state() {
            State::UnderWay | State::Known(_) => self.max_age,
            State::NotFound => self.max_age.min(NOT_FOUND_FOR),
            State::Failed => return false,
        };
        flight.age(now) < longest
    }

    /// What a look-up found; it is forgotten before it is told if it would take the room of many.
    fn without_large(&self, token: &SessionToken, flight: &Arc<Flight>, found: Found) -> Found {
        if matches!(&found, Ok(Some(record)) if record.text_bytes() > MAX_REMEMBERED) {
            self.flights.remove_if(token.expose(), |known| Arc::ptr_eq(known, flight));
        }
        found
    }
}

// A look-up begins when its flight is where `forget` finds it, and no earlier: what a forgetting misses sees what it was for.
impl<S: SessionStore> SessionStore for RecentSessions<S> {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        let (flight, landing) = self.flight(token);
        if let Some(landing) = landing {
            let (inner, token, begun) = self.owned(token, &flight);
            landing.after(async move { inner.without_large(&token, &begun, inner.store.session(&token).await) });
        }
        flight.answer().await
    }

    /// Asks the store, and remembers its answer in place of the one before.
    async fn session_now(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        let (flight, landing) = Flight::new(Instant::now());
        self.0.flights.insert(Key(token.clone()), Arc::clone(&flight));
        let (inner, token, begun) = self.owned(token, &flight);
        landing.after(async move { inner.without_large(&token, &begun, inner.store.session_now(&token).await) });
        flight.answer().await
    }

    fn source(&self) -> &'static str {
        self.0.store.source()
    }
}

impl<S> Clone for RecentSessions<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug> fmt::Debug for RecentSessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { store, flights, max_age } = &*self.0;
        f.debug_struct("RecentSessions")
            .field("store", store)
            .field("max_age", max_age)
            .field("entries", &flights.len())
            .finish_non_exhaustive()
    }
}

/// Settings of a [`RecentSessions`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RecentSessionsBuilder<S> {
    store: S,
    max_age: Duration,
    max_entries: usize,
}

impl<S: SessionStore> RecentSessionsBuilder<S> {
    /// For how long a sign-out, a ban or a change of role may go unnoticed, counted from the start of a look-up: 5 s by
    /// default, between 100 ms and 60 s.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// About how many tokens are remembered at most, of a kilobyte or so each: 10 000 by default, between 1 and 1 000 000.
    /// A session whose texts, with its user's, come to more than 16 KiB is looked up each time.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a setting is out of its bounds.
    pub fn build(self) -> Result<RecentSessions<S>, ConfigError> {
        let Self { store, max_age, max_entries } = self;
        if !(Duration::from_millis(100)..=Duration::from_secs(60)).contains(&max_age) {
            return Err(ConfigError::new("recent sessions: max_age: use 100 ms to 60 s"));
        }
        if !(1..=1_000_000).contains(&max_entries) {
            return Err(ConfigError::new("recent sessions: max_entries: use 1 to 1000000"));
        }
        Ok(RecentSessions(Arc::new(Inner { store, flights: Cache::new(max_entries), max_age })))
    }
}

impl SessionRecord {
    fn is_about(&self, user: &UserId) -> bool {
        self.session.user_id == *user || self.session.impersonated_by.as_ref() == Some(user)
    }

    /// How much of it may be of any length.
    fn text_bytes(&self) -> usize {
        let Session { id, active_organization_id, active_team_id, .. } = &self.session;
        let session =
            [id, active_organization_id, active_team_id].into_iter().flatten().map(String::len).sum::<usize>();
        let user = self.user.as_ref().map_or(0, |User { email, name, image, role, .. }| {
            email.len() + name.len() + [image, role].into_iter().flatten().map(String::len).sum::<usize>()
        });
        session + user
    }
}

/// A token to find a look-up by, as text. Tables hash it under a random key, so that nobody can make tokens collide.
#[derive(Clone)]
struct Key(SessionToken);

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.0.expose()
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.expose().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for Key {}

/// The most text of a session that is remembered, in bytes. Users write their own names, and as long as they please.
const MAX_REMEMBERED: usize = 16 * 1024;

/// Longest that a token counts as unknown: its session may begin in between.
const NOT_FOUND_FOR: Duration = Duration::from_secs(1);
