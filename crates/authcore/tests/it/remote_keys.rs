//! Keys behind a URL: K-84 to K-88, K-90 to K-93 of docs/security/cases.md.
//!
//! Where time has to pass it is tokio's, paused, and the fetch is scripted. All else goes over the loopback.

use std::time::Duration;

use authcore::{AuthError, Guard, HttpFetch, JwtVerifier, RemoteKeys};
use authcore_testkit::{Answer, FakeIssuer, TestHead, jwks, mint};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};
use url::Url;

use crate::script::{Act, COOLDOWN, DAY, Script, another, known, let_refresh, reason, serve, strange_token, verifier};

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
        Answer::CutOff,
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
