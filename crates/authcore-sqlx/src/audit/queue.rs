//! What waits to be written: bounded, and with a count of what did not fit.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authcore::{Timestamp, Unavailable};
use tokio::sync::{Notify, oneshot};

use super::chain::ChainHead;
use super::entry::Entry;

/// Between requests, which push, and one writer. Nobody holds the lock for longer than a push.
pub(super) struct Queue {
    state: Mutex<State>,
    /// The writer has something to look at.
    wake: Notify,
    capacity: usize,
}

struct State {
    entries: VecDeque<Entry>,
    /// How many did not fit since the last that did, and when the last of them came.
    missing: Option<(u64, Timestamp)>,
    lost: u64,
    waiting: Vec<oneshot::Sender<Outcome>>,
    phase: Phase,
    head: ChainHead,
}

#[derive(Clone, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Ended(Outcome),
}

/// Whether everything was written, and if not, why.
pub(super) type Outcome = Result<(), String>;

/// When what could not be written is tried again.
pub(super) const RETRY: Duration = Duration::from_secs(1);

impl Queue {
    pub(super) fn new(capacity: usize, head: ChainHead) -> Self {
        let state =
            State { entries: VecDeque::new(), missing: None, lost: 0, waiting: Vec::new(), phase: Phase::Open, head };
        Self { state: Mutex::new(state), wake: Notify::new(), capacity }
    }

    /// Adds an entry, or counts it. The count comes before the next that fits, where the missing ones would be.
    pub(super) fn push(&self, now: Timestamp, entry: impl FnOnce() -> Entry) {
        let mut state = self.state();
        let room = self.capacity.saturating_sub(state.entries.len() + usize::from(state.missing.is_some()));
        if state.phase != Phase::Open || room == 0 {
            state.lost += 1;
            let count = state.missing.map_or(0, |(count, _)| count) + 1;
            state.missing = Some((count, now));
        } else {
            state.note_missing();
            state.entries.push_back(entry());
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Up to so many entries, oldest first.
    pub(super) fn take(&self, most: usize) -> Vec<Entry> {
        let mut state = self.state();
        if state.entries.len() < most {
            state.note_missing();
        }
        let count = most.min(state.entries.len());
        state.entries.drain(..count).collect()
    }

    /// How many there are to take.
    pub(super) fn len(&self) -> usize {
        let state = self.state();
        state.entries.len() + usize::from(state.missing.is_some())
    }

    /// Waits until there is something to do: an entry, or while writing fails, the next try; or somebody waits for the
    /// outcome. Those who do, and whether this is the end.
    pub(super) async fn next(&self, is_failing: bool) -> (Vec<oneshot::Sender<Outcome>>, bool) {
        let called = async {
            while !self.state().calls(is_failing) {
                self.wake.notified().await;
            }
        };
        if is_failing {
            let _ = tokio::time::timeout(RETRY, called).await; // either way it is time
        } else {
            called.await;
        }
        let mut state = self.state();
        (std::mem::take(&mut state.waiting), state.phase == Phase::Closing)
    }

    pub(super) async fn flush(&self) -> Result<(), Unavailable> {
        let (sender, outcome) = oneshot::channel();
        match &mut *self.state() {
            State { phase: Phase::Ended(_), .. } => return Err(Unavailable::new("the audit has ended", RETRY)),
            state => state.waiting.push(sender),
        }
        self.wake.notify_one();
        told(outcome.await.unwrap_or_else(|_| Err("the audit has ended".to_owned())))
    }

    /// Asks the writer to end.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Waits for the end.
    pub(super) async fn closed(&self) -> Result<(), Unavailable> {
        let (sender, outcome) = oneshot::channel();
        let ended = match &mut *self.state() {
            State { phase: Phase::Ended(outcome), .. } => Some(outcome.clone()),
            state => {
                state.waiting.push(sender);
                None
            }
        };
        self.wake.notify_one();
        match ended {
            Some(outcome) => told(outcome),
            None => told(outcome.await.unwrap_or_else(|_| Err("the audit was cut off".to_owned()))),
        }
    }

    /// The writer's last word; what is left in its hands is lost. Those who came meanwhile are told the same.
    pub(super) fn end(&self, outcome: &Outcome, left: usize) {
        let mut state = self.state();
        state.lost += (left + state.entries.len()) as u64;
        state.entries.clear();
        state.phase = Phase::Ended(outcome.clone());
        for waiting in std::mem::take(&mut state.waiting) {
            let _ = waiting.send(outcome.clone()); // who has gone away need not know
        }
    }

    /// The writer is gone without a last word.
    pub(super) fn cut_off(&self, left: usize) {
        if !matches!(self.state().phase, Phase::Ended(_)) {
            tracing::error!("the audit was cut off: decisions are lost from here on");
            self.end(&Err("the audit was cut off".to_owned()), left);
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.state().lost
    }

    pub(super) fn head(&self) -> ChainHead {
        self.state().head.clone()
    }

    pub(super) fn set_head(&self, head: ChainHead) {
        self.state().head = head;
    }

    /// Nothing in here is left half-done by a panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note_missing(&mut self) {
        if let Some((count, last)) = self.missing.take() {
            self.entries.push_back(Entry::lost(count, last));
        }
    }

    fn calls(&self, is_failing: bool) -> bool {
        let has_entries = !self.entries.is_empty() || self.missing.is_some();
        !self.waiting.is_empty() || self.phase == Phase::Closing || has_entries && !is_failing
    }
}

fn told(outcome: Outcome) -> Result<(), Unavailable> {
    outcome.map_err(|cause| Unavailable::new(cause, RETRY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_what_did_not_fit_stands_where_it_would_be() {
        let head = ChainHead { chain: "c".to_owned(), seq: 0, hash: String::new() };
        let (queue, now) = (Queue::new(4, head), Timestamp::from_seconds(7));
        let entry = |number: usize| Entry(std::array::from_fn(|index| (index == 10).then(|| number.to_string())));
        let push = |numbers: std::ops::Range<usize>| numbers.for_each(|number| queue.push(now, || entry(number)));
        let taken = |most| queue.take(most).into_iter().map(|entry| entry.0[10].clone().unwrap_or_default());
        push(1..7);
        assert_eq!((queue.lost(), queue.len()), (2, 5));
        assert_eq!(taken(1).collect::<Vec<_>>(), ["1"]);
        push(7..8);
        assert_eq!(queue.lost(), 3, "the count takes the room that there is");
        assert_eq!(taken(1).collect::<Vec<_>>(), ["2"]);
        push(8..9);
        assert_eq!((queue.lost(), queue.len()), (3, 4));
        assert_eq!(taken(9).collect::<Vec<_>>(), ["3", "4", "3 decisions were lost", "8"]);
        push(9..15);
        assert_eq!(taken(9).collect::<Vec<_>>(), ["9", "10", "11", "12", "2 decisions were lost"]);
        assert_eq!(queue.len(), 0);
        queue.close();
        push(15..16);
        assert_eq!(queue.lost(), 6, "after the end nothing fits");
    }
}
