//! Requests that are given up on their way through a guard, as when a client goes away.

use authcore::{Admission, Guard, ManualClock, Refusal, Secret};
use authcore_better_auth::{BearerSessions, BetterAuth, CookieNames, Secrets, SessionStore};
use authcore_testkit::{TestHead, polled};

use super::NOW;

/// Gives requests for this live session up at each place where they wait. The next ones are judged as ever.
pub(crate) async fn anywhere(store: impl SessionStore, live: &str, user: &str) {
    let guard = guard(store);
    let [live, unknown] = [live, "NobodysToken"].map(|token| TestHead::get("/api").bearer(token));
    // How often a request waits is up to how fast the store answers.
    for _ in 0..3 {
        for polls in 0.. {
            let ended = polled(polls, guard.begin(&live).finish()).await;
            assert_eq!(verdict(&guard, &live).await, user, "after {polls} polls");
            assert_eq!(verdict(&guard, &unknown).await, "session_invalid", "after {polls} polls");
            if let Some(decided) = ended {
                assert_eq!(told(decided), user, "after {polls} polls");
                assert!(polls > 1, "nothing was given up");
                break;
            }
        }
    }
}

async fn verdict(guard: &Guard, head: &TestHead) -> String {
    told(guard.begin(head).finish().await)
}

/// The user, or the code of the refusal.
fn told(decided: Result<Admission, Refusal>) -> String {
    match decided {
        Ok(admission) => admission.identity().expect("a credential was sent").user_id().to_string(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

fn guard(store: impl SessionStore) -> Guard {
    let secrets = Secrets::new(&Secret::new("a-secret-of-the-tests-with-32-bytes-or-more")).expect("a good secret");
    let auth = BetterAuth::builder().without_jwts().secrets(&secrets).cookie_names(CookieNames::new(false));
    let auth = auth.sessions(store).bearer_sessions(BearerSessions::Raw).clock(ManualClock::at(NOW)).build();
    Guard::builder().authenticator(auth.expect("good settings")).build().expect("good settings")
}
