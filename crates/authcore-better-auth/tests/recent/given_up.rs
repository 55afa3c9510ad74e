//! Requests that are given up on their way through a guard, as when a client goes away.

use authcore::{Guard, ManualClock, Secret};
use authcore_better_auth::{BearerSessions, BetterAuth, CookieNames, Secrets, SessionStore};
use authcore_testkit::{TestHead, polled};

use crate::scripted::{NOW, holding};

fn guard(store: impl SessionStore) -> Guard {
    let secrets = Secrets::new(&Secret::new("a-secret-of-the-tests-with-32-bytes-or-more")).expect("a good secret");
    let auth = BetterAuth::builder().without_jwts().secrets(&secrets).cookie_names(CookieNames::new(false));
    let auth = auth.sessions(store).bearer_sessions(BearerSessions::Raw).clock(ManualClock::at(NOW)).build();
    Guard::builder().authenticator(auth.expect("good settings")).build().expect("good settings")
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_anywhere_leaves_its_look_up_to_the_next() {
    let head = TestHead::get("/api").bearer("ada");
    for polls in 0.. {
        let store = holding([("ada", "ada")]);
        let guard = guard(store.remembered());
        store.hold();
        let given_up = polled(polls.min(1), guard.begin(&head).finish()).await;
        assert!(given_up.is_none(), "the store does not answer yet");
        store.let_go();
        let ended = polled(polls, guard.begin(&head).finish()).await;
        let admission = guard.begin(&head).finish().await.expect("a live session");
        assert_eq!(admission.identity().expect("a caller").user_id().as_str(), "ada", "after {polls} polls");
        assert_eq!(store.asked(), 1, "after {polls} polls");
        if ended.is_some() {
            return assert!(polls > 1, "nothing was given up");
        }
    }
}
