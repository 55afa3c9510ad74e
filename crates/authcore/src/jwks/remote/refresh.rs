//! When keys are fetched: the rules alone, with no clock, thread or network of their own.
//!
//! Each method is one step of whoever holds the lock. Times count from when the source was made. `model.rs` walks through
//! every order in which the steps of several callers, a fetch and the clock can come.

#[cfg(test)]
mod model;

use std::time::Duration;

/// Time since the source was made, on the monotonic clock.
pub(super) type Moment = Duration;

/// The times that the rules go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::jwks) struct Rules {
    /// How long a document serves when it does not say.
    pub(in crate::jwks) refresh_every: Duration,
    /// How long no fetch is begun after one that failed or that a miss asked for.
    pub(in crate::jwks) cooldown: Duration,
    /// How long one fetch may take.
    pub(in crate::jwks) deadline: Duration,
    /// How long the last good set serves.
    pub(in crate::jwks) max_stale: Duration,
}

impl Rules {
    /// How long after it came a document is to be read again: ahead of the end of its life, at four fifths of it.
    pub(super) fn read_again(&self, max_age: Option<Duration>) -> Duration {
        let life = max_age.unwrap_or(self.refresh_every).clamp(self.cooldown, self.max_stale);
        life / 5 * 4
    }

    /// How long a fetch is waited for. Its own deadline comes first, if its runtime runs.
    pub(super) fn patience(&self) -> Duration {
        self.deadline.saturating_mul(2)
    }

    /// How old a set read at this moment is; `None` while there is none, and when it is too old to be used.
    pub(super) fn usable_age(&self, fetched: Option<Moment>, now: Moment) -> Option<Duration> {
        fetched.map(|fetched| now.saturating_sub(fetched)).filter(|age| *age < self.max_stale)
    }
}

/// What was fetched, what is being fetched, and what may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refresh {
    pub(super) rules: Rules,
    running: Option<Running>,
    /// When the set in use came.
    fetched: Option<Moment>,
    /// When that set is to be read again.
    due: Moment,
    cooldown_until: Moment,
    pub(super) last_error: Option<String>,
    pub(super) fetches: u64,
    pub(super) failures: u64,
}

/// The fetch that runs: which one it is, counted by [`Refresh::fetches`], and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Running {
    number: u64,
    begun: Moment,
}

/// Why a fetch is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cause {
    /// A token that no key was found for; or, by now, the keys are of use to it.
    Miss { has_arrived: bool },
    /// The set is due.
    Schedule,
}

/// What becomes of a wish for a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Start {
    /// The caller is to begin the fetch of this number.
    Begin(u64),
    /// One runs, which is as good.
    Join,
    /// None is called for, or none is allowed yet.
    No,
}

/// What a token that no key was found for gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// A fetch may help.
    Fetch,
    /// The set was read just now, and the key is not in it.
    Unknown,
    /// Nobody can tell: what went wrong, and how long until the next attempt.
    Unavailable(String, Duration),
}

impl Refresh {
    pub(super) fn new(rules: Rules) -> Self {
        let (due, cooldown_until) = (Moment::ZERO, Moment::ZERO);
        Self { rules, running: None, fetched: None, due, cooldown_until, last_error: None, fetches: 0, failures: 0 }
    }

    /// What a token that no key was found for gets.
    pub(super) fn miss(&mut self, now: Moment, has_arrived: bool) -> Verdict {
        self.give_up_if_lost(now);
        if self.running.is_some() || has_arrived || self.cooling(now).is_zero() {
            return Verdict::Fetch;
        }
        self.verdict(now)
    }

    /// Joins the fetch that runs or begins one, if that is called for: somebody else's may have ended after the caller
    /// looked.
    pub(super) fn start(&mut self, now: Moment, cause: Cause) -> Start {
        self.give_up_if_lost(now);
        if self.running.is_some() {
            return Start::Join;
        }
        let is_called_for = match cause {
            Cause::Miss { has_arrived } => !has_arrived,
            Cause::Schedule => now >= self.due,
        };
        if !is_called_for || !self.cooling(now).is_zero() {
            return Start::No;
        }
        // The first load is nobody's second look: an unknown `kid` may still ask for one afterwards.
        if cause != Cause::Schedule && self.fetched.is_some() {
            self.cooldown_until = now + self.rules.cooldown;
        }
        self.fetches += 1;
        self.running = Some(Running { number: self.fetches, begun: now });
        Start::Begin(self.fetches)
    }

    /// Notes what a fetch came to: a set with its `max-age`, or what went wrong. False when it was given up before, so
    /// that what it brings may be older than what there is.
    pub(super) fn settle(&mut self, now: Moment, number: u64, outcome: Result<Option<Duration>, String>) -> bool {
        if self.running.is_none_or(|running| running.number != number) {
            return false;
        }
        match outcome {
            Ok(max_age) => {
                self.running = None;
                self.fetched = Some(now);
                self.due = now + self.rules.read_again(max_age);
                self.last_error = None;
            }
            Err(error) => self.fail(now, error),
        }
        true
    }

    /// What a token still without a key gets after waiting, or after no fetch was called for. `looked`: a fetch was waited
    /// for on behalf of a key that has a name.
    pub(super) fn waited(&mut self, now: Moment, looked: bool) -> Verdict {
        self.give_up_if_lost(now);
        let verdict = self.verdict(now);
        if let (Verdict::Unknown, Some(fetched), true) = (&verdict, self.fetched, looked) {
            // The set was just read and the key is not in it: no need to look again soon. Counted from the reading, however
            // late the caller wakes up, so that no cooldown outlasts the set.
            self.cooldown_until = self.cooldown_until.max(fetched + self.rules.cooldown);
        }
        verdict
    }

    /// When a refresh may begin by itself.
    pub(super) fn next(&self) -> Moment {
        self.due.max(self.cooldown_until)
    }

    /// Until when there is nothing to do for who finds their key.
    pub(super) fn quiet_until(&self) -> Moment {
        self.running.map_or(self.next(), |running| running.begun.saturating_add(self.rules.patience()))
    }

    /// Gives up a fetch that is long past its deadline: its runtime is too busy to keep it, or is not run any more.
    /// Otherwise everybody would wait for it for ever.
    fn give_up_if_lost(&mut self, now: Moment) {
        if self.running.is_some_and(|running| now.saturating_sub(running.begun) >= self.rules.patience()) {
            self.fail(now, "the fetch does not end".to_owned());
        }
    }

    fn fail(&mut self, now: Moment, error: String) {
        tracing::warn!(%error, "key set could not be fetched; the last good one stays");
        self.running = None;
        self.failures += 1;
        self.last_error = Some(error);
        self.cooldown_until = now + self.rules.cooldown;
    }

    /// What the last attempt allows to say of a key that is not there.
    fn verdict(&self, now: Moment) -> Verdict {
        match &self.last_error {
            Some(error) => Verdict::Unavailable(error.clone(), self.cooling(now)),
            // Read well, but by who wakes up so late that it is of no use any more.
            None if self.rules.usable_age(self.fetched, now).is_none() => {
                Verdict::Unavailable("the key set is too old".to_owned(), self.cooling(now))
            }
            None => Verdict::Unknown,
        }
    }

    /// How long no fetch may be begun yet.
    fn cooling(&self, now: Moment) -> Duration {
        self.cooldown_until.saturating_sub(now)
    }
}
