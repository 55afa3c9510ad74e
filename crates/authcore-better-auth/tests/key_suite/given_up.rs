//! Requests with a counted key that are given up on their way through a guard, as when a client goes away.

use authcore::Guard;
use authcore_better_auth::{ApiKeyStore, ApiKeys, KeyLimits};
use authcore_testkit::{TestHead, polled};

use super::{KeyBench, KeySeed, found, limited};

/// Gives requests up at each place where they wait: each costs one use or none, and the next is counted as ever.
pub(crate) async fn anywhere(bench: &impl KeyBench, store: impl ApiKeyStore, (text, number): (&'static str, u32)) {
    const MANY: i64 = 1000;
    bench.insert(&KeySeed { remaining: Some(MANY), ..KeySeed::good(text, number) }).await;
    let keys = limited(ApiKeys::builder(store), KeyLimits::Enforce, 0);
    let guard = Guard::builder().authenticator(keys).build().expect("good settings");
    let head = TestHead::get("/api").header("x-api-key", text);
    let (mut ended, mut given_up, mut longest) = (0, 0, 0);
    // How often a request waits is up to how fast the store answers: it may have done so before it is waited for.
    for _ in 0..3 {
        for polls in 0.. {
            let is_over = match polled(polls, guard.begin(&head).finish()).await {
                None => false,
                Some(decided) => decided.is_ok(),
            };
            let next = guard.begin(&head).finish().await;
            let admission = next.unwrap_or_else(|refusal| panic!("{} after {polls} polls", refusal.reason()));
            assert_eq!(admission.identity().expect("a key was sent").user_id().as_str(), bench.user_id(number));
            (ended, given_up) = (ended + 1 + i64::from(is_over), given_up + i64::from(!is_over && polls > 0));
            if is_over {
                longest = longest.max(polls);
                break;
            }
        }
    }
    assert!(longest > 2, "a request waits for the look-up and for the counting");
    let left = found(bench, text).await.expect("the key is there").usage.remaining.expect("it is limited");
    let spent = MANY - left;
    assert!((ended..=ended + given_up).contains(&spent), "{spent} for {ended} and {given_up} that were given up");
}
