//! What the table is built of. The models of `tests/token_cache_model.rs` put loom's types in the place of these.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::{ArcSwapOption, Guard};

pub(crate) use super::thread::number as thread_number;

/// A place for one item, read without a lock and without a write to what other readers read.
pub(crate) struct Slot<T>(ArcSwapOption<T>);

/// What was in a slot. It stays as it is.
pub(crate) struct Held<T>(Guard<Option<Arc<T>>>);

impl<T> Slot<T> {
    pub(crate) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    pub(crate) fn load(&self) -> Held<T> {
        Held(self.0.load())
    }

    pub(crate) fn store(&self, item: Option<Arc<T>>) {
        self.0.store(item);
    }
}

impl<T> Held<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    pub(crate) fn shared(&self) -> Option<Arc<T>> {
        (*self.0).clone()
    }
}

/// For those who write.
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Without waiting.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// How many threads are likely to look at once.
pub(crate) fn likely_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
