//! Time since a store was made: microseconds that do not jump.

use std::fmt;
use std::sync::Arc;

use super::quota::Quota;
use super::slot::LATEST_ARRIVAL;
use crate::clock::{Clock, Timestamp};

/// Microseconds since it was started.
#[derive(Clone)]
pub(super) enum Stopwatch {
    /// By the processor's time stamp counter where that is steady, else by the system's monotonic clock: nobody can set it.
    Monotonic { clock: quanta::Clock, start: u64 },
    /// By a clock that was handed in.
    Given { clock: Arc<dyn Clock>, start: Timestamp },
}

impl Stopwatch {
    pub(super) fn monotonic() -> Self {
        let clock = quanta::Clock::new();
        let start = clock.raw();
        Self::Monotonic { clock, start }
    }

    pub(super) fn by(clock: impl Clock) -> Self {
        let start = clock.now();
        Self::Given { clock: Arc::new(clock), start }
    }

    /// The time now. After 34 years it stands still, a year before arrival times end, and who is at a limit stays there.
    #[inline]
    pub(super) fn micros(&self) -> u64 {
        const LAST: u64 = LATEST_ARRIVAL - Quota::MAX_WINDOW.as_micros() as u64;
        let elapsed = match self {
            Self::Monotonic { clock, start } => clock.delta_as_nanos(*start, clock.raw()) / 1_000,
            Self::Given { clock, start } => clock.now().as_micros().saturating_sub(start.as_micros()).max(0) as u64,
        };
        elapsed.min(LAST)
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stopwatch({} us)", self.micros())
    }
}
