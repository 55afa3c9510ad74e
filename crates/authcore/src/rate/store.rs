//! Where counts are kept.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::decision::Decision;
use super::key::RateKey;
use super::quota::Quota;
use crate::error::Unavailable;

/// A place that counts: `InProcess`, or one shared between instances.
pub trait RateStore: Send + Sync + 'static {
    /// The counter of the limit of this name, by this quota. Counters of different names or quotas have nothing to do with
    /// each other; where the store is shared, those of the same name and quota are one.
    fn counter(&self, limit: &str, quota: Quota) -> Arc<dyn Counter>;
}

/// Counts by one quota, for each key apart.
pub trait Counter: Send + Sync + 'static {
    /// Counts a request of this cost, if it is let through; a cost of zero only looks.
    fn count(&self, key: &RateKey<'_>, cost: u32) -> Counted;
}

/// A decision, or one that has to be waited for.
pub enum Counted {
    /// Decided at once.
    Now(Decision),
    /// To be waited for, with a deadline of the store's own. A [`Guard`](crate::Guard) drops it unpolled once it has waited
    /// for another of the same request in vain: nothing is to be sent before it is polled.
    Later(Pin<Box<dyn Future<Output = Result<Decision, Unavailable>> + Send>>),
}

impl Counted {
    /// Waits for the decision.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the store cannot be asked, or is too slow.
    pub async fn wait(self) -> Result<Decision, Unavailable> {
        match self {
            Self::Now(decision) => Ok(decision),
            Self::Later(decision) => decision.await,
        }
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(decision) => f.debug_tuple("Now").field(decision).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
