//! A request that several limits hold waits once for a store that does not answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use authcore::rate::{Counted, Counter, Decision, Limit, Outage, Quota, RateKey, RateLimits, RateStore};
use authcore::{Guard, Unavailable};
use authcore_testkit::TestHead;

use super::{ADMITTED, LIMITED, field, guard, quota, run, status, token};

/// What the limits were asked, and how often each decision was polled. A limit's name says how it is answered.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Vec<(String, u32)>>>);

impl Watched {
    /// Since the last time.
    fn polls(&self) -> Vec<(String, u32)> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

impl RateStore for Watched {
    fn counter(&self, limit: &str, quota: Quota) -> Arc<dyn Counter> {
        Arc::new(WatchedCounter { store: self.clone(), limit: limit.to_owned(), quota })
    }
}

struct WatchedCounter {
    store: Watched,
    limit: String,
    quota: Quota,
}

impl Counter for WatchedCounter {
    fn count(&self, _: &RateKey<'_>, cost: u32) -> Counted {
        let mut asked = self.store.0.lock().expect("no panic");
        let place = asked.len();
        asked.push((self.limit.clone(), 0));
        let good = Decision::new(self.quota, true, cost, 0);
        match self.limit.split('-').next() {
            Some("known") => Counted::Now(good),
            Some("denied") => Counted::Now(Decision::new(self.quota, false, cost, 60_000_000)),
            Some("answered") => Counted::Later(Box::pin(Later { store: self.store.clone(), place, good: Some(good) })),
            _ => Counted::Later(Box::pin(Later { store: self.store.clone(), place, good: None })),
        }
    }
}

/// Not ready at first, then the decision, if there is one.
struct Later {
    store: Watched,
    place: usize,
    good: Option<Decision>,
}

impl Future for Later {
    type Output = Result<Decision, Unavailable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut asked = self.store.0.lock().expect("no panic");
        let (_, polls) = &mut asked[self.place];
        *polls += 1;
        if *polls < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let seconds = 3 + self.place as u64;
        Poll::Ready(self.good.ok_or_else(|| Unavailable::new("no answer", Duration::from_secs(seconds))))
    }
}

fn limit(name: &str) -> Limit {
    Limit::new(name, quota("1/minute"))
}

fn guarded(store: &Watched, limits: impl IntoIterator<Item = Limit>) -> Guard {
    guard(limits.into_iter().fold(RateLimits::counted_in(store.clone()), RateLimits::limit))
}

fn ann() -> TestHead {
    TestHead::get("/x").peer("192.0.2.1").bearer(token("ann", "user"))
}

fn asked<const N: usize>(polls: [(&str, u32); N]) -> Vec<(String, u32)> {
    polls.map(|(name, polls)| (name.to_owned(), polls)).into()
}

#[test]
fn r144_a_request_waits_once_for_a_store_that_does_not_answer() {
    let store = Watched::default();
    let by_caller = [limit("silent-c").per_user(), limit("known-d").per_user(), limit("answered-e").per_user()];
    let limits = [limit("answered-a"), limit("silent-b")].into_iter().chain(by_caller);
    let guard = guarded(&store, limits);
    for _ in 0..2 {
        let answer = run(&guard, &ann());
        assert_eq!(field(&answer, "ratelimit").as_deref(), Some(r#""answered-a";r=1, "known-d";r=1"#));
        let polls = [("answered-a", 3), ("silent-b", 3), ("silent-c", 0), ("known-d", 0), ("answered-e", 0)];
        assert_eq!(store.polls(), asked(polls), "the next request tries anew");
    }
}

#[test]
fn r143_a_limit_that_is_not_waited_for_does_what_it_does_in_an_outage() {
    let store = Watched::default();
    let silent = || limit("silent");
    let closed = guarded(&store, [silent(), limit("answered").per_user().when_store_fails(Outage::Closed)]);
    let refused = run(&closed, &ann());
    assert_eq!(refused.as_ref().expect_err("nobody could tell").code(), "store_unavailable");
    assert_eq!(field(&refused, "retry-after").as_deref(), Some("3"), "as the first of them says");
    assert_eq!(store.polls(), asked([("silent", 3), ("answered", 0)]));

    let local = guarded(&store, [silent(), limit("answered").when_store_fails(Outage::Local)]);
    assert_eq!([status(&local, &ann()), status(&local, &ann())], [ADMITTED, LIMITED], "counted here");

    let known = guarded(&store, [silent(), limit("denied").when_store_fails(Outage::Open)]);
    assert_eq!(status(&known, &ann()), LIMITED, "what is known without waiting holds");
}

#[test]
fn bad_credentials_are_not_waited_for_again_either() {
    let store = Watched::default();
    let from = |token: &str| TestHead::get("/x").peer("192.0.2.1").bearer(token);

    // The limit on them has waited.
    let limits = RateLimits::counted_in(Silenced(store.clone())).failed_authentications(quota("1/minute"));
    let first = guard(limits.limit(limit("general")).limit(limit("mine").per_user()));
    assert_eq!(status(&first, &from("junk")), (401, "not_compact"));
    assert_eq!(store.polls(), asked([("silent", 3), ("silent", 0), ("silent", 0)]), "before, general, and after");
    assert_eq!(status(&first, &ann()), ADMITTED);
    assert_eq!(store.polls(), asked([("silent", 3), ("silent", 0), ("silent", 0)]), "before, general, mine");
}

/// The same, where no limit is answered.
struct Silenced(Watched);

impl RateStore for Silenced {
    fn counter(&self, _: &str, quota: Quota) -> Arc<dyn Counter> {
        self.0.counter("silent", quota)
    }
}
