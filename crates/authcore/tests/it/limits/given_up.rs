//! Requests that are given up while they are counted elsewhere, as when a client goes away.

use authcore::rate::{Limit, RateLimits};
use authcore_testkit::{TestHead, polled};

use super::{Scripted, guard, quota, token};

#[tokio::test]
async fn r144_a_request_that_is_given_up_anywhere_counts_once_at_most() {
    for polls in 0.. {
        let store = Scripted::default();
        store.set(|script| script.is_remote = true);
        let limits = RateLimits::counted_in(store.clone())
            .limit(Limit::new("general", quota("10/minute")))
            .limit(Limit::new("own", quota("10/minute")).per_user());
        let guard = guard(limits);
        let head = TestHead::get("/api/alice/tasks").bearer(token("alice", "user"));
        let ended = polled(polls, guard.begin(&head).finish()).await;
        let asked = store.asked();
        assert!([&["general"][..], &["general", "own"]].iter().any(|few| *few == asked), "{polls} polls: {asked:?}");

        let admission = guard.begin(&head).finish().await.expect("far from the limits");
        assert_eq!(admission.identity().expect("a caller").user_id().as_str(), "alice");
        assert_eq!(store.asked(), ["general", "own"], "after {polls} polls");
        if let Some(decided) = ended {
            decided.expect("far from the limits");
            return assert!(polls > 1, "nothing was given up");
        }
    }
}
