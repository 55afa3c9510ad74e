//! Futures that are given up on the way, and numbers to choose by.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives up when the future has waited this often: what a cancelled request does.
pub(crate) struct Cut<F> {
    inner: Pin<Box<F>>,
    waits: u32,
}

pub(crate) fn after<F: Future>(waits: u32, inner: F) -> Cut<F> {
    Cut { inner: Box::pin(inner), waits }
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.waits == 0 => Poll::Ready(None),
            Poll::Pending => {
                self.waits -= 1;
                Poll::Pending
            }
        }
    }
}

/// xorshift64: the same numbers in each run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
