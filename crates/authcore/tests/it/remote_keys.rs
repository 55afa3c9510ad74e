//! Keys behind a URL: K-84 to K-93, K-98 and K-99 of docs/security/cases.md.
//!
//! Where time has to pass it is tokio's, paused, and the fetch is scripted. All else goes over the loopback.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{
    Algorithm, AuthError, BoxError, Fetch, Fetched, Guard, HttpFetch, JwtVerifier, ManualClock, RemoteKeys,
    RemoteKeysBuilder, Timestamp,
};
use authcore_testkit::{Answer, FakeIssuer, SigningKey, TestHead, jwks, mint};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};
use url::Url;

/// A fetch that does as the test says, without a network.
#[derive(Clone, Default)]
struct Script(Arc<Stage>);

struct Stage {
    act: Mutex<Act>,
    fetches: AtomicU64,
    curtain: Semaphore,
}

#[derive(Clone)]
enum Act {
    Serve {
        document: String,
        max_age: Option<u64>,
    },
    /// As [`Act::Serve`], once the test opens the curtain.
    ServeLater(String),
    Fail,
    Panic,
    Hang,
}

impl Default for Stage {
    fn default() -> Self {
        Self { act: Mutex::new(Act::Fail), fetches: AtomicU64::new(0), curtain: Semaphore::new(0) }
    }
}

impl Script {
    fn serving(keys: &[&SigningKey]) -> Self {
        let script = Self::default();
        script.now(serve(keys));
        script
    }

    fn now(&self, act: Act) {
        *self.0.act.lock().expect("nobody panics holding it") = act;
    }

    fn fetches(&self) -> u64 {
        self.0.fetches.load(Ordering::SeqCst)
    }

    fn keys(&self) -> RemoteKeys {
        self.builder().build().expect("good settings")
    }

    fn builder(&self) -> RemoteKeysBuilder {
        RemoteKeys::builder("https://id.example.com/jwks").fetch(self.clone())
    }

    /// Lets other tasks run until so many fetches have begun.
    async fn fetched(&self, count: u64) {
        while self.fetches() < count {
            tokio::task::yield_now().await;
        }
    }
}

impl Fetch for Script {
    async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
        self.0.fetches.fetch_add(1, Ordering::SeqCst);
        let act = self.0.act.lock().expect("nobody panics holding it").clone();
        match act {
            Act::Serve { document, max_age } => {
                Ok(Fetched { body: document.into_bytes(), max_age: max_age.map(Duration::from_secs) })
            }
            Act::ServeLater(document) => {
                self.0.curtain.acquire().await?.forget();
                Ok(Fetched { body: document.into_bytes(), max_age: None })
            }
            Act::Fail => Err("the issuer is down".into()),
            Act::Panic => panic!("a fetch that panics, on purpose"),
            Act::Hang => pending().await,
        }
    }
}

fn serve(keys: &[&SigningKey]) -> Act {
    Act::Serve { document: jwks(keys.iter().copied()), max_age: None }
}

fn serve_for(max_age: u64) -> Act {
    Act::Serve { document: jwks([known()]), max_age: Some(max_age) }
}

fn known() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn another() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

/// A token of a known key that names a key nobody has heard of.
fn strange_token(number: usize) -> String {
    mint().sign(&known().clone().with_kid(format!("stranger-{number}").as_str()))
}

fn verifier(keys: &RemoteKeys) -> JwtVerifier {
    JwtVerifier::builder(keys.clone()).build().expect("good settings")
}

async fn reason(verifier: &JwtVerifier, token: &str) -> &'static str {
    match verifier.verify_token(token).await {
        Ok(_) => "accepted",
        Err(error) => error.reason(),
    }
}

/// How 10,000 tokens that each name another unknown key are refused, ten at a time over ten seconds.
async fn flood(verifier: &JwtVerifier) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    for batch in 0..1_000 {
        let mut asked = JoinSet::new();
        for number in 0..10 {
            let verifier = verifier.clone();
            asked.spawn(async move { reason(&verifier, &strange_token(batch * 10 + number)).await });
        }
        reasons.extend(asked.join_all().await);
        advance(Duration::from_millis(10)).await;
    }
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Lets a refresh in the background begin and come to its end.
async fn let_refresh(keys: &RemoteKeys, fetches: u64) {
    while keys.status().fetches < fetches {
        tokio::task::yield_now().await;
    }
    // A scripted fetch ends when polled; the runtime has one thread.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn k84_known_keys_survive_an_outage_with_one_attempt_per_cooldown() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    keys.load().await.unwrap();

    script.now(Act::Fail);
    for _ in 0..3_600 {
        advance(Duration::from_secs(1)).await;
        assert!(verifier.check(&token).is_ok());
        tokio::task::yield_now().await;
    }
    // Due after 240 s, then one attempt every 30 s.
    let status = keys.status();
    assert!((100..=114).contains(&status.failures), "{} attempts", status.failures);
    assert_eq!(status.age, Some(Duration::from_secs(3_600)));
    assert_eq!(status.last_error.as_deref(), Some("the issuer is down"));
    assert!(status.is_ready());

    script.now(serve(&[known()]));
    advance(Duration::from_secs(30)).await;
    assert!(verifier.check(&token).is_ok());
    let_refresh(&keys, status.fetches + 1).await;
    assert_eq!((keys.status().age, keys.status().last_error), (Some(Duration::ZERO), None));
}

#[tokio::test]
async fn k85_without_any_set_the_answer_is_503_and_no_verdict() {
    let issuer = FakeIssuer::start(&[known()]).await;
    issuer.answer(Answer::Down);
    let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
    let guard = Guard::builder().authenticator(verifier(&keys)).build().unwrap();
    let head = TestHead::get("/api/tasks").bearer(mint().sign(known()));
    for _ in 0..3 {
        let refusal = guard.begin(&head).finish().await.unwrap_err();
        assert_eq!((refusal.status(), refusal.code(), refusal.challenge()), (503, "auth_unavailable", None));
        let retry_after = refusal.fields().into_iter().find(|(name, _)| *name == "retry-after");
        let seconds: u64 = retry_after.expect("a Retry-After").1.parse().unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
    }
    // Loading by hand keeps to the cooldown as well, and says when to come again.
    assert!(keys.load().await.is_err_and(|error| !error.retry_after().is_zero()));
    assert_eq!((issuer.requests(), keys.status().failures, keys.status().is_ready()), (1, 1, false));
}

#[tokio::test(start_paused = true)]
async fn k86_a_set_older_than_max_stale_judges_nobody() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    keys.load().await.unwrap();

    script.now(Act::Fail);
    advance(DAY - Duration::from_secs(1)).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
    assert!(keys.status().is_ready());
    advance(Duration::from_secs(1)).await;
    assert_eq!(reason(&verifier, &token).await, "unavailable");
    assert!(!keys.status().is_ready());

    script.now(serve(&[known()]));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn k86_no_cooldown_outlasts_the_set() {
    let script = Script::serving(&[known()]);
    let ten = Duration::from_secs(10);
    let keys = script.builder().cooldown(ten).max_stale(ten).build().unwrap();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    {
        let stranger = strange_token(0);
        let waiting = reason(&verifier, &stranger);
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            () = script.fetched(2) => {}
            _ = &mut waiting => panic!("the fetch has not begun"),
        }
        let_refresh(&keys, 2).await;
        // Whoever began the fetch comes to know of its end this late.
        advance(ten / 2).await;
        assert_eq!(waiting.await, "unknown_key");
    }
    advance(ten / 2).await;
    assert_eq!((keys.status().age, keys.status().usable_keys), (Some(ten), 0));
    assert_eq!(reason(&verifier, &mint().sign(known())).await, "accepted", "without a set nobody can be refused");
}

/// Every answer that is not a good key set.
fn bad_answers() -> Vec<Answer> {
    let whole = jwks([known()]);
    let unusable = r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#;
    vec![
        Answer::json(r#"{"keys":[]}"#),
        Answer::json(r#"{"keys":{}}"#),
        Answer::json("{}"),
        Answer::json("[]"),
        Answer::json("null"),
        Answer::json(""),
        Answer::json(unusable),
        Answer::json(&whole.as_bytes()[..whole.len() - 1]),
        Answer::json(whole.clone() + "x"),
        Answer::json(b"\xff\xfe".to_vec()),
        Answer::body(200, "text/html", "<!doctype html><title>Sign in</title>"),
        Answer::body(204, "application/json", ""),
        Answer::body(206, "application/json", whole.clone()),
        Answer::body(404, "application/json", whole.clone()),
        Answer::body(500, "application/json", whole),
        Answer::Down,
    ]
}

/// With a good set loaded and this answer from then on: an unknown key is asked about once, and the set stays.
async fn the_last_good_set_is_kept(answer: Answer, deadline: Duration) {
    let issuer = FakeIssuer::start(&[known()]).await;
    let keys = RemoteKeys::builder(&issuer.jwks_url()).deadline(deadline).build().expect("good settings");
    let verifier = verifier(&keys);
    keys.load().await.expect("the issuer is up");

    issuer.answer(answer.clone());
    let begun = Instant::now();
    for number in 0..3 {
        assert_eq!(reason(&verifier, &strange_token(number)).await, "unavailable", "{answer:?}");
    }
    assert!(begun.elapsed() < deadline + Duration::from_secs(2), "{answer:?}");
    let status = keys.status();
    assert_eq!((status.fetches, status.failures, status.usable_keys), (2, 1, 1), "{answer:?}");
    assert!(status.last_error.is_some(), "{answer:?}");
    assert!(verifier.check(&mint().sign(known())).is_ok(), "{answer:?}");
}

#[tokio::test]
async fn k87_a_bad_answer_never_replaces_a_good_set() {
    for answer in bad_answers() {
        the_last_good_set_is_kept(answer, Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn k87_a_bad_answer_to_the_first_fetch_is_no_verdict() {
    for answer in bad_answers() {
        let issuer = FakeIssuer::start(&[known()]).await;
        issuer.answer(answer.clone());
        let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
        assert_eq!(reason(&verifier(&keys), &mint().sign(known())).await, "unavailable", "{answer:?}");
        assert_eq!((keys.status().failures, keys.status().age), (1, None), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k88_random_key_ids_cause_one_fetch_per_cooldown() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    for round in 1..=3 {
        assert_eq!(flood(&verifier).await, ["unknown_key"]);
        assert_eq!(script.fetches(), 1 + round, "one for the keys, one for each flood");
        assert!(verifier.check(&mint().sign(known())).is_ok());
        advance(COOLDOWN).await;
    }
}

#[tokio::test(start_paused = true)]
async fn k88_also_while_fetches_fail_and_then_nobody_is_judged() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    script.now(Act::Fail);
    for round in 1..=3 {
        assert_eq!(flood(&verifier).await, ["unavailable"]);
        assert_eq!(script.fetches(), 1 + round, "one for the keys, one for each flood");
        assert!(verifier.check(&mint().sign(known())).is_ok());
        advance(COOLDOWN).await;
    }
    script.now(serve(&[known()]));
    assert_eq!(flood(&verifier).await, ["unknown_key"]);
}

#[tokio::test(start_paused = true)]
async fn k88_a_cold_start_under_a_flood_fetches_once_more_than_without() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    assert_eq!(flood(&verifier).await, ["unknown_key"]);
    assert!(script.fetches() <= 2, "{} fetches", script.fetches());
    assert!(verifier.check(&mint().sign(known())).is_ok());

    let script = Script::default();
    let keys = script.keys();
    assert_eq!(flood(&self::verifier(&keys)).await, ["unavailable"]);
    assert_eq!(script.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_a_thousand_cold_requests_share_one_fetch() {
    let issuer = FakeIssuer::start(&[known()]).await;
    issuer.answer(Answer::Delay(Duration::from_millis(100)));
    let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
    let verifier = verifier(&keys);
    let mut asked = JoinSet::new();
    for _ in 0..1_000 {
        let (verifier, token) = (verifier.clone(), mint().sign(known()));
        asked.spawn(async move { reason(&verifier, &token).await });
    }
    assert!(asked.join_all().await.iter().all(|reason| *reason == "accepted"));
    assert_eq!((issuer.requests(), keys.status().fetches), (1, 1));
}

/// The moment between looking for a key and asking for a fetch is short, but another thread's fetch may end in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_also_when_the_fetch_ends_while_others_are_about_to_ask() {
    let nameless = known().clone().with_kid(None);
    for key in [known(), &nameless] {
        let token = mint().sign(key);
        for _ in 0..300 {
            let script = Script::serving(&[key]);
            let verifier = verifier(&script.keys());
            let mut asked = JoinSet::new();
            for _ in 0..16 {
                let (verifier, token) = (verifier.clone(), token.clone());
                asked.spawn(async move { reason(&verifier, &token).await });
            }
            assert!(asked.join_all().await.iter().all(|reason| *reason == "accepted"));
            assert_eq!(script.fetches(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_also_when_that_fetch_fails() {
    let token = mint().sign(known());
    for _ in 0..300 {
        let script = Script::default();
        let verifier = verifier(&script.keys());
        let mut asked = JoinSet::new();
        for _ in 0..16 {
            let (verifier, token) = (verifier.clone(), token.clone());
            asked.spawn(async move { reason(&verifier, &token).await });
        }
        assert!(asked.join_all().await.iter().all(|reason| *reason == "unavailable"));
        assert_eq!(script.fetches(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn k89_a_fetch_outlives_the_request_that_began_it() {
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let leader = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { reason(&verifier, &token).await }
    });
    script.fetched(1).await;
    let follower = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { reason(&verifier, &token).await }
    });
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    script.0.curtain.add_permits(1);
    assert_eq!(follower.await.unwrap(), "accepted");
    assert_eq!((script.fetches(), keys.status().failures), (1, 0));

    // Nor does it need anybody to wait for it.
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let keys = script.keys();
    let alone = tokio::spawn({
        let verifier = self::verifier(&keys);
        async move { reason(&verifier, &token).await }
    });
    script.fetched(1).await;
    alone.abort();
    script.0.curtain.add_permits(1);
    let_refresh(&keys, 1).await;
    assert!(keys.status().is_ready());
}

#[tokio::test(start_paused = true)]
async fn k89_who_waits_waits_no_longer_than_the_deadline() {
    let script = Script::default();
    script.now(Act::Hang);
    let keys = script.keys();
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for _ in 0..1_000 {
        let verifier = verifier(&keys);
        asked.spawn(async move { (reason(&verifier, &mint().sign(known())).await, begun.elapsed()) });
    }
    for (reason, waited) in asked.join_all().await {
        assert_eq!(reason, "unavailable");
        assert!(waited < Duration::from_millis(5_100), "{waited:?}");
    }
    assert_eq!((script.fetches(), keys.status().failures), (1, 1));
    assert_eq!(keys.status().last_error.as_deref(), Some("no answer within 5 s"));
}

#[tokio::test(start_paused = true)]
async fn k89_a_fetch_that_panics_is_one_failure() {
    let script = Script::default();
    script.now(Act::Panic);
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (verifier.clone(), token.clone());
        asked.spawn(async move { reason(&verifier, &token).await });
    }
    assert!(asked.join_all().await.iter().all(|reason| *reason == "unavailable"));
    for _ in 0..100 {
        assert_eq!(reason(&verifier, &token).await, "unavailable");
    }
    assert_eq!((script.fetches(), keys.status().failures), (1, 1));

    script.now(serve(&[known()]));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");

    // In the background too.
    script.now(Act::Panic);
    for _ in 0..600 {
        advance(Duration::from_secs(1)).await;
        assert!(verifier.check(&token).is_ok());
        tokio::task::yield_now().await;
    }
    let status = keys.status();
    assert!((10..=13).contains(&(status.failures - 1)), "{} failures", status.failures);
    assert_eq!((script.fetches(), status.last_error.is_some()), (status.failures + 1, true));
}

#[test]
fn k89_a_fetch_ends_with_its_runtime_and_another_takes_over() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = Script::default();
    script.now(Act::Hang);
    let keys = script.builder().cooldown(Duration::from_millis(1)).deadline(Duration::from_millis(50)).build().unwrap();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let first = runtime();
    let begin = async {
        tokio::select! {
            _ = verifier.verify_token(&token) => panic!("nobody answers"),
            () = script.fetched(1) => {}
        }
    };
    first.block_on(begin);
    // Nobody drives the first runtime now: who joins its fetch has not been judged.
    assert_eq!(runtime().block_on(reason(&verifier, &token)), "unavailable");
    assert_eq!(script.fetches(), 1);
    drop(first);
    assert_eq!((keys.status().failures, keys.status().last_error.is_some()), (1, true));

    script.now(serve(&[known()]));
    runtime().block_on(async { while reason(&verifier, &token).await != "accepted" {} });
    assert_eq!(script.fetches(), 2);
}

#[test]
fn k89_a_fetch_on_a_runtime_that_rests_is_given_up() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = Script::default();
    script.now(Act::ServeLater(jwks([another()])));
    let keys = script.builder().cooldown(Duration::from_millis(1)).deadline(Duration::from_millis(50)).build().unwrap();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let rests = runtime();
    let begin = async {
        tokio::select! {
            _ = keys.load() => panic!("nobody answers"),
            () = script.fetched(1) => {}
        }
    };
    rests.block_on(begin);
    script.now(serve(&[known()]));
    let runs = runtime();
    assert_eq!(runs.block_on(reason(&verifier, &token)), "unavailable");
    assert_eq!(keys.status().last_error.as_deref(), Some("the fetch does not end"));
    runs.block_on(async { while reason(&verifier, &token).await != "accepted" {} });
    assert_eq!((script.fetches(), keys.status().failures), (2, 1));

    // What the first one brings after all is older than what there is.
    script.0.curtain.add_permits(1);
    rests.block_on(async {
        while script.0.curtain.available_permits() > 0 {
            tokio::task::yield_now().await
        }
    });
    drop(rests);
    assert!(verifier.check(&token).is_ok());
    assert_eq!((keys.status().last_error, keys.status().failures), (None, 1));
}

#[test]
fn k89_no_connection_is_taken_over_from_a_runtime_that_rests() {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let body = jwks([known()]);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    // Unlike the fake issuer it keeps connections open.
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, answer) = (connection.unwrap(), answer.clone());
            std::thread::spawn(move || {
                while connection.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    connection.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = RemoteKeys::builder(&url).deadline(Duration::from_secs(2)).build().unwrap();
    let rests = runtime();
    rests.block_on(keys.load()).unwrap();
    // The answer of a fetch, and not its deadline.
    assert_eq!(runtime().block_on(reason(&verifier(&keys), &strange_token(0))), "unknown_key");
    assert_eq!((keys.status().fetches, keys.status().failures), (2, 0));
}

#[tokio::test]
async fn k90_a_new_key_is_accepted_right_after_its_publication() {
    let issuer = FakeIssuer::start(&[known()]).await;
    let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
    let verifier = verifier(&keys);
    assert_eq!(reason(&verifier, &mint().sign(known())).await, "accepted");

    issuer.publish(&[known(), another()]);
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let verifier = verifier.clone();
        asked.spawn(async move { reason(&verifier, &mint().sign(another())).await });
    }
    assert!(asked.join_all().await.iter().all(|reason| *reason == "accepted"));
    assert_eq!(issuer.requests(), 2);
    assert!(verifier.check(&mint().sign(known())).is_ok());
}

#[tokio::test]
async fn k91_a_key_that_was_removed_is_refused_after_the_refresh() {
    let issuer = FakeIssuer::start(&[known()]).await;
    let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    assert_eq!(reason(&verifier, &token).await, "accepted");

    issuer.publish(&[another()]);
    assert!(verifier.check(&token).is_ok(), "nobody has looked yet");
    assert_eq!(reason(&verifier, &mint().sign(another())).await, "accepted");
    assert_eq!(reason(&verifier, &token).await, "unknown_key");
}

#[tokio::test(start_paused = true)]
async fn k91_the_refresh_comes_by_itself() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    keys.load().await.unwrap();

    script.now(serve(&[another()]));
    advance(Duration::from_secs(239)).await;
    assert!(verifier.check(&token).is_ok());
    advance(Duration::from_secs(2)).await;
    assert!(verifier.check(&token).is_ok(), "the last good set serves while the next one comes");
    let_refresh(&keys, 2).await;
    assert_eq!(verifier.check(&token).unwrap_err().reason(), "unknown_key");
    assert_eq!(script.fetches(), 2);
}

#[tokio::test]
async fn k92_a_document_that_is_too_long_or_too_slow_is_given_up() {
    let deadline = Duration::from_millis(300);
    for answer in [Answer::Oversized(512 * 1024 + 1), Answer::Oversized(8 << 20), Answer::GzipBomb] {
        the_last_good_set_is_kept(answer, Duration::from_secs(5)).await;
    }
    for answer in [Answer::Drip, Answer::Hang, Answer::Delay(Duration::from_secs(3_600))] {
        the_last_good_set_is_kept(answer, deadline).await;
    }
}

#[tokio::test]
async fn k92_the_cap_itself_is_still_good() {
    let issuer = FakeIssuer::start(&[known()]).await;
    issuer.answer(Answer::Oversized(512 * 1024));
    RemoteKeys::at(&issuer.jwks_url()).unwrap().load().await.unwrap();
}

#[tokio::test]
async fn k93_a_redirect_is_not_followed() {
    let elsewhere = FakeIssuer::start(&[known(), another()]).await;
    the_last_good_set_is_kept(Answer::Redirect(elsewhere.jwks_url()), Duration::from_secs(5)).await;
    the_last_good_set_is_kept(Answer::Redirect("file:///etc/passwd".to_owned()), Duration::from_secs(5)).await;
    for status in [301, 303, 307, 308] {
        let headers = vec![("location".to_owned(), elsewhere.jwks_url())];
        let answer = Answer::Body { status, content_type: "text/plain".to_owned(), body: Vec::new(), headers };
        the_last_good_set_is_kept(answer, Duration::from_secs(5)).await;
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn k93_urls_that_lead_astray_are_refused_at_configuration() {
    let refused = [
        "",
        "id.example.com/jwks",
        "http://id.example.com/jwks",
        "http://10.0.0.1/jwks",
        "http://127.0.0.1.example.com/jwks",
        "http://localhost.example.com/jwks",
        "http://0.0.0.0/jwks",
        "http://[::]/jwks",
        "file:///etc/jwks.json",
        "file://localhost/etc/jwks.json",
        "ftp://id.example.com/jwks",
        "data:application/json,{}",
        "unix:/run/jwks.sock",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0xa9fea9fe/",
        "https://2852039166/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1]/jwks",
        "http://metadata.google.internal/computeMetadata/v1/",
        "https://user@id.example.com/jwks",
        "https://user:secret@id.example.com/jwks",
        "https://:secret@id.example.com/jwks",
    ];
    for url in refused {
        let error = RemoteKeys::at(url).err().unwrap_or_else(|| panic!("{url} was taken"));
        assert!(error.to_string().starts_with("key set URL: "), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{url}: {error}");
    }
    let taken = [
        "https://id.example.com/jwks",
        "https://10.0.0.1:8443/jwks",
        "http://localhost:3000/jwks",
        "http://127.0.0.1:3000/jwks",
        "http://127.8.8.8/jwks",
        "http://[::1]:3000/jwks",
    ];
    for url in taken {
        assert!(RemoteKeys::builder(url).fetch(Script::default()).build().is_ok(), "{url} was refused");
    }
}

#[test]
fn settings_out_of_bounds_are_refused_at_configuration() {
    let refused =
        |change: fn(RemoteKeysBuilder) -> RemoteKeysBuilder| change(Script::default().builder()).build().is_err();
    assert!(refused(|builder| builder.cooldown(Duration::ZERO)));
    assert!(refused(|builder| builder.cooldown(DAY + COOLDOWN)));
    assert!(refused(|builder| builder.cooldown(Duration::MAX)));
    assert!(refused(|builder| builder.deadline(Duration::ZERO)));
    assert!(refused(|builder| builder.max_bytes(0)));
    assert!(refused(|builder| builder.max_stale(DAY + Duration::from_secs(1))));
    // A set must not grow too old while no fetch is allowed: tokens would be refused that nobody judged.
    assert!(refused(|builder| builder.max_stale(COOLDOWN - Duration::from_secs(1))));
    assert!(!refused(|builder| builder.max_stale(COOLDOWN)));
}

#[tokio::test(start_paused = true)]
async fn settings_at_their_bounds_do_no_harm() {
    let script = Script::serving(&[known()]);
    let builder = script.builder().deadline(Duration::MAX).refresh_every(Duration::MAX).cooldown(DAY);
    let keys = builder.build().unwrap();
    assert_eq!(reason(&verifier(&keys), &mint().sign(known())).await, "accepted");
    assert_eq!(reason(&verifier(&keys), &strange_token(0)).await, "unknown_key");
    assert!(keys.status().next_refresh <= DAY);
}

#[tokio::test(start_paused = true)]
async fn k98_cache_control_is_kept_between_the_cooldown_and_a_day() {
    // A refresh begins after four fifths of a set's life.
    let expected = [(0, 24), (1, 24), (30, 24), (600, 480), (86_400, 69_120), (31_536_000, 69_120), (u64::MAX, 69_120)];
    for (max_age, seconds) in expected {
        let script = Script::default();
        script.now(serve_for(max_age));
        let keys = script.keys();
        keys.load().await.unwrap();
        let next = keys.status().next_refresh;
        assert!(next.abs_diff(Duration::from_secs(seconds)) < Duration::from_millis(10), "max-age={max_age}: {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k98_a_max_age_of_zero_does_not_mean_a_fetch_per_request() {
    let script = Script::default();
    script.now(serve_for(0));
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    for _ in 0..1_000 {
        assert_eq!(reason(&verifier, &token).await, "accepted");
        advance(Duration::from_millis(23)).await;
    }
    assert_eq!(script.fetches(), 1);
    advance(Duration::from_secs(2)).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
    let_refresh(&keys, 2).await;
    assert_eq!(script.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn k98_a_long_max_age_does_not_outlive_max_stale() {
    let script = Script::default();
    script.now(serve_for(86_400));
    let keys = script.builder().max_stale(Duration::from_secs(600)).build().unwrap();
    keys.load().await.unwrap();
    assert!(keys.status().next_refresh < Duration::from_secs(600), "{:?}", keys.status().next_refresh);
}

#[tokio::test]
async fn k98_the_header_is_read_as_it_comes() {
    let day = 69_120;
    let answers =
        [("max-age=0", 24), ("max-age=31536000", day), ("max-age=99999999999999999999999", day), ("no-store", 240)];
    for (value, seconds) in answers {
        let issuer = FakeIssuer::start(&[known()]).await;
        issuer.answer(Answer::CacheControl(value.to_owned()));
        let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
        keys.load().await.unwrap();
        let next = keys.status().next_refresh;
        assert!(next.abs_diff(Duration::from_secs(seconds)) < Duration::from_secs(5), "{value}: {next:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k99_a_jump_of_the_wall_clock_moves_no_key() {
    const NOW: i64 = 1_750_000_000;
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let clock = ManualClock::at(NOW);
    let verifier = JwtVerifier::builder(keys.clone()).clock(clock.clone()).build().unwrap();
    let token = mint().issued_at(NOW).expires_at(NOW + 900).sign(known());
    assert_eq!(reason(&verifier, &token).await, "accepted");

    for (wall, verdict) in [(NOW + 315_360_000, "expired"), (NOW - 315_360_000, "issued_in_future"), (NOW, "accepted")]
    {
        clock.set(Timestamp::from_seconds(wall));
        assert_eq!(reason(&verifier, &token).await, verdict);
        assert_eq!(script.fetches(), 1);
    }
    // And the other way round: keys grow old while the wall clock stands.
    advance(Duration::from_secs(241)).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");
    let_refresh(&keys, 2).await;
    assert_eq!(script.fetches(), 2);
}

#[tokio::test]
async fn the_status_tells_why_an_issuer_cannot_be_reached() {
    let issuer = FakeIssuer::start(&[]).await;
    let url = issuer.jwks_url();
    drop(issuer);
    let keys = RemoteKeys::at(&url).unwrap();
    let error = keys.load().await.unwrap_err();
    let told = keys.status().last_error.unwrap();
    assert!(told.contains("refused"), "{told}");
    assert_eq!(AuthError::Unavailable(error).reason(), "unavailable");
}

#[tokio::test]
async fn nothing_that_is_printed_holds_the_query_of_the_url() {
    let issuer = FakeIssuer::start(&[]).await;
    let url = format!("{}?key=confidential", issuer.jwks_url());
    // Before the head of an answer, and in the middle of its body.
    let cut_off = Answer::Body {
        status: 200,
        content_type: "application/json".to_owned(),
        body: Vec::new(),
        headers: vec![("transfer-encoding".to_owned(), "chunked".to_owned())],
    };
    for answer in [Answer::Down, cut_off] {
        issuer.answer(answer);
        let keys = RemoteKeys::at(&url).unwrap();
        let error = keys.load().await.unwrap_err();
        let printed = format!("{error} {error:?} {keys:?} {:?}", keys.status());
        assert!(!printed.contains("confidential"), "{printed}");
        assert!(printed.contains("/api/auth/jwks"), "{printed}");
    }
}

#[tokio::test]
async fn the_usual_fetch_and_remote_keys_pass_their_suites() {
    authcore_testkit::suites::fetch(HttpFetch::new(&Url::parse("http://127.0.0.1/").unwrap()).unwrap()).await;
    let keys = [known(), another()];
    let issuer = FakeIssuer::start(&keys).await;
    authcore_testkit::suites::key_resolver(RemoteKeys::at(&issuer.jwks_url()).unwrap(), &keys).await;
    assert_eq!(issuer.requests(), 2, "one for the keys, one for the first stranger");
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const COOLDOWN: Duration = Duration::from_secs(30);
