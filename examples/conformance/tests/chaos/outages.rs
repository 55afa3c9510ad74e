//! Which parts are out, and since when: what an answer of `503` is held against.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the servers need besides themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Auth,
    Redis,
    Postgres,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth server",
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// All phases so far: the quiet one before anything failed, then one for each outage.
pub(crate) struct Outages(Mutex<Vec<Phase>>);

/// From the moment that parts fail until the next do.
#[derive(Clone)]
pub(crate) struct Phase {
    pub(crate) name: String,
    /// Those that are out, and no others that are merely slow.
    parts: Vec<Part>,
    since: Instant,
    /// When they were there again.
    mended: Option<Instant>,
    /// When all that is good was served again.
    recovered: Option<Instant>,
}

impl Outages {
    pub(crate) fn none() -> Self {
        let now = Instant::now();
        let (name, parts) = ("nothing is out".to_owned(), Vec::new());
        Self(Mutex::new(vec![Phase { name, parts, since: now, mended: Some(now), recovered: Some(now) }]))
    }

    /// These parts are out from now on.
    pub(crate) fn begin(&self, name: String, parts: Vec<Part>) {
        self.locked().push(Phase { name, parts, since: Instant::now(), mended: None, recovered: None });
    }

    /// The parts are back. Gives the moment.
    pub(crate) fn mend(&self) -> Instant {
        let now = Instant::now();
        self.last(|phase| phase.mended = Some(now));
        now
    }

    /// When the parts of this phase were back, if they are.
    pub(crate) fn back(&self, phase: usize) -> Option<Instant> {
        self.locked()[phase].mended
    }

    /// All that is good is served.
    pub(crate) fn recover(&self) {
        let now = Instant::now();
        self.last(|phase| phase.recovered = Some(now));
    }

    /// The phase that runs, by its number.
    pub(crate) fn now(&self) -> usize {
        self.locked().len() - 1
    }

    /// Whether any of these was out, or not yet found to be back, or back for no longer than this, at some time from then
    /// until now.
    pub(crate) fn touched(&self, needs: &[Part], least: Duration, from: Instant) -> bool {
        let before = |moment: Option<Instant>, later: Duration| moment.is_some_and(|moment| moment + later < from);
        let ended = |phase: &Phase| before(phase.recovered, Duration::ZERO) && before(phase.mended, least);
        self.locked().iter().any(|phase| !ended(phase) && phase.parts.iter().any(|part| needs.contains(part)))
    }

    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.locked().clone()
    }

    fn last(&self, change: impl FnOnce(&mut Phase)) {
        change(self.locked().last_mut().expect("there is a first one"));
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Phase>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    /// How long the parts were out, and how long it then took until all that is good was served.
    pub(crate) fn lasted(&self) -> (Duration, Duration) {
        let mended = self.mended.unwrap_or_else(Instant::now);
        let recovered = self.recovered.unwrap_or_else(Instant::now);
        (mended.duration_since(self.since), recovered.duration_since(mended))
    }
}
