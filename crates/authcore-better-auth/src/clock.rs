//! One clock for several judges.

use std::sync::Arc;

use authcore::{Clock, Timestamp};

/// A clock that is handed to more than one.
pub(crate) struct SharedClock(pub(crate) Arc<dyn Clock>);

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
