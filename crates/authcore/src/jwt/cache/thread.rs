//! Small numbers for threads, so that each finds words of its own.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// The smallest number that no other living thread has; 0 for a thread that is ending.
pub(crate) fn number() -> usize {
    thread_local! {
        static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
        static LEASE: Lease = Lease::take();
    }
    NUMBER.get().unwrap_or_else(|| {
        let number = LEASE.try_with(|lease| lease.0).unwrap_or(0);
        NUMBER.set(Some(number));
        number
    })
}

/// A number that is taken until the thread ends.
struct Lease(usize);

static TAKEN: Mutex<Vec<bool>> = Mutex::new(Vec::new());

impl Lease {
    fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let number = taken.iter().position(|taken| !taken).unwrap_or(taken.len());
        if number == taken.len() {
            taken.push(true);
        }
        taken[number] = true;
        Self(number)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner)[self.0] = false;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_live_at_once_have_numbers_of_their_own() {
        let together = Barrier::new(8);
        let numbers = thread::scope(|scope| {
            let ask = || {
                let number = number();
                together.wait();
                number
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        let mut different = numbers.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 8, "{numbers:?}");
        assert_eq!(number(), number());
    }

    #[test]
    fn the_number_of_a_thread_that_ended_is_free() {
        let of_another = || thread::spawn(number).join().expect("no panic");
        // Other tests have threads of their own meanwhile, but never so many.
        let highest = (0..500).map(|_| of_another()).max();
        assert!(highest < Some(250), "{highest:?}");
    }
}
