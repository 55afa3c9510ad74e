//! The pipeline of a guard with limits: by address, then the credential, then by caller.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::asked::Asked;
use super::present::Presented;
use super::{Admission, Attempt, Guard, Pending};
use crate::authenticator::AnyAuthenticator;
use crate::head::RequestHead;
use crate::rate::Course;
use crate::refusal::Refusal;

impl Guard {
    /// Where the limits' store answers at once, and nothing else has to be waited for, so does this.
    pub(super) fn begin_limited(&self, head: &dyn RequestHead, asked: Asked<'_>, mut course: Course) -> Attempt {
        let looks_at_credentials = !asked.is_open();
        let mut counting = Box::pin(async move { (course.by_address(looks_at_credentials).await, course) });
        let (before, presented) = match poll_now(counting.as_mut()) {
            // Whoever is over the limit of their address has no credential looked at.
            Poll::Ready((Err(refusal), course)) => {
                return Attempt::Ready(Err(self.refuse(refusal.measured_by(course.tally()), asked.grpc)));
            }
            Poll::Ready((Ok(()), course)) => {
                (Before::Counted(course), self.present(head, &asked, AnyAuthenticator::glance_any))
            }
            Poll::Pending => (Before::Counting(counting), self.present(head, &asked, AnyAuthenticator::present_any)),
        };
        let mut rest = Box::pin(self.clone().conclude(before, presented, asked.into_owned()));
        match poll_now(rest.as_mut()) {
            Poll::Ready(decision) => Attempt::Ready(decision),
            Poll::Pending => Attempt::Pending(Pending::new(rest)),
        }
    }

    async fn conclude(
        self,
        before: Before<impl Future<Output = (Result<(), Refusal>, Course)>>,
        presented: Presented,
        asked: Asked<'static>,
    ) -> Result<Admission, Refusal> {
        let (within, mut course) = match before {
            Before::Counted(course) => (Ok(()), course),
            Before::Counting(counting) => counting.await,
        };
        let decided = match within {
            Ok(()) => self.decide_within(&mut course, presented, &asked).await,
            Err(refusal) => Err(refusal),
        };
        match decided {
            Ok(admission) => Ok(admission.measured_by(&course.tally())),
            Err(refusal) => Err(self.refuse(refusal.measured_by(course.tally()), asked.grpc)),
        }
    }

    async fn decide_within(
        &self,
        course: &mut Course,
        presented: Presented,
        asked: &Asked<'static>,
    ) -> Result<Admission, Refusal> {
        let verdict = match presented {
            Presented::Judged(verdict) => verdict,
            Presented::Pending(verdict) => verdict.await.map(Some),
        };
        if let Err(error) = &verdict {
            course.failed(error).await;
        }
        let admission = self.admit(verdict, asked)?;
        course.by_caller(admission.identity()).await?;
        Ok(admission)
    }
}

/// How far counting by address has come.
enum Before<F> {
    Counted(Course),
    Counting(Pin<Box<F>>),
}

/// Whether it is ready without waiting. If not, it has to be polled again by whoever waits.
fn poll_now<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
