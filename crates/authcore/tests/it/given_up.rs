//! Requests that are given up on their way through a guard, as when a client goes away: the next one is judged as ever.

use authcore::{Attempt, Guard, RemoteKeys};
use authcore_testkit::{FakeIssuer, TestHead, mint, polled};

use crate::script::{another, known, strange_token, verifier};

fn guard(keys: &RemoteKeys) -> Guard {
    Guard::builder().authenticator(verifier(keys)).build().expect("good settings")
}

fn head(token: &str) -> TestHead {
    TestHead::get("/api").bearer(token)
}

async fn verdict(guard: &Guard, token: &str) -> &'static str {
    match guard.begin(&head(token)).finish().await {
        Ok(_) => "accepted",
        Err(refusal) => refusal.reason(),
    }
}

#[tokio::test]
async fn k89_whoever_is_given_up_on_a_cold_start_leaves_the_fetch_to_the_next() {
    for polls in 0.. {
        let issuer = FakeIssuer::start(&[known()]).await;
        let guard = guard(&RemoteKeys::at(&issuer.jwks_url()).unwrap());
        let token = mint().sign(known());
        let attempt = guard.begin(&head(&token));
        assert!(matches!(attempt, Attempt::Pending(_)), "there are no keys yet");
        let ended = polled(polls, attempt.finish()).await;
        assert_eq!(verdict(&guard, &token).await, "accepted", "after {polls} polls");
        assert_eq!(verdict(&guard, &strange_token(0)).await, "unknown_key", "after {polls} polls");
        assert_eq!(issuer.requests(), 2, "after {polls} polls: the keys, and a look for the stranger's");
        if ended.is_some() {
            return assert!(polls > 1, "nothing was given up");
        }
    }
}

#[tokio::test]
async fn k89_whoever_is_given_up_looking_for_a_new_key_leaves_the_fetch_to_the_next() {
    for polls in 0.. {
        let issuer = FakeIssuer::start(&[known()]).await;
        let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
        keys.load().await.unwrap();
        let guard = guard(&keys);
        issuer.publish(&[known(), another()]);
        let new = mint().sign(another());
        let ended = polled(polls, guard.begin(&head(&new)).finish()).await;
        assert_eq!(verdict(&guard, &new).await, "accepted", "after {polls} polls");
        assert_eq!(verdict(&guard, &mint().sign(known())).await, "accepted", "after {polls} polls");
        assert_eq!(verdict(&guard, &strange_token(0)).await, "unknown_key", "after {polls} polls");
        assert_eq!((issuer.requests(), keys.status().failures), (2, 0), "after {polls} polls");
        if ended.is_some() {
            return assert!(polls > 1, "nothing was given up");
        }
    }
}
