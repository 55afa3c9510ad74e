//! Futures that are given up on the way, as those of cancelled requests are.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a future so often at most, and drops it where it stands: `None` when it has not come to its end by then. With 0 it
/// is dropped unpolled.
///
/// What was left half done shows when one number after another is tried:
///
/// ```
/// use authcore_testkit::polled;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let request = async || {
///     tokio::task::yield_now().await;
///     "an answer"
/// };
/// for polls in 0.. {
///     let answer = polled(polls, request()).await;
///     // Whatever was begun: the next one is answered.
///     assert_eq!(request().await, "an answer");
///     if answer.is_some() {
///         assert_eq!(polls, 2);
///         break;
///     }
/// }
/// # });
/// ```
pub async fn polled<F: Future>(times: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
