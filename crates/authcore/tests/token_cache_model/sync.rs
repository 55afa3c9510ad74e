//! Loom's types, as `jwt/cache/sync.rs` has the standard library's.

use std::sync::Arc;

pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use loom::sync::{Mutex, MutexGuard};

/// `arc_swap` promises what a lock around each look would: a look gets what was stored last, and keeps it.
pub(crate) struct Slot<T>(Mutex<Option<Arc<T>>>);

pub(crate) struct Held<T>(Option<Arc<T>>);

impl<T> Slot<T> {
    pub(crate) fn empty() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn load(&self) -> Held<T> {
        Held(self.0.lock().expect("no panic").clone())
    }

    pub(crate) fn store(&self, item: Option<Arc<T>>) {
        *self.0.lock().expect("no panic") = item;
    }
}

impl<T> Held<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no panic")
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// All share one front, which is the harder case.
pub(crate) fn thread_number() -> usize {
    0
}

pub(crate) fn likely_threads() -> usize {
    1
}
