//! Keys found through an issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414): K-85 to K-93 and K-98 of
//! docs/security/cases.md.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{BoxError, Fetch, Fetched, JwtVerifier, Metadata, RemoteKeys};
use authcore_testkit::{Answer, FakeIssuer, jwks, mint};
use tokio::time::{Instant, advance};
use url::Url;

use crate::script::{COOLDOWN, another, known, reason, strange_token, verifier};

/// Documents by URL, for tests that let time pass.
#[derive(Clone, Default)]
struct Site(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    pages: HashMap<&'static str, Page>,
    asked: Vec<String>,
}

#[derive(Clone, Default)]
struct Page {
    document: String,
    max_age: Option<Duration>,
    takes: Duration,
}

impl Site {
    fn has(&self, url: &'static str, document: impl Into<String>) {
        self.shows(url, Page { document: document.into(), ..Page::default() });
    }

    fn shows(&self, url: &'static str, page: Page) {
        self.0.lock().expect("nobody panics holding it").pages.insert(url, page);
    }

    fn no_longer_has(&self, url: &'static str) {
        self.0.lock().expect("nobody panics holding it").pages.remove(url);
    }

    /// The URLs that were asked for since this was called last, by their paths.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panics holding it").asked)
    }

    /// With the metadata of [`ISSUER`] and one key at the first place.
    fn usual() -> Self {
        let site = Self::default();
        site.has(METADATA, metadata(FIRST));
        site.has(FIRST, jwks([known()]));
        site
    }

    fn keys(&self) -> RemoteKeys {
        RemoteKeys::discovery(ISSUER, Metadata::OpenIdConnect).fetch(self.clone()).build().expect("good settings")
    }
}

impl Fetch for Site {
    async fn fetch(&self, url: &Url, _: usize) -> Result<Fetched, BoxError> {
        let page = {
            let mut pages = self.0.lock().expect("nobody panics holding it");
            pages.asked.push(url.path().to_owned());
            pages.pages.get(url.as_str()).cloned()
        };
        let Page { document, max_age, takes } = page.ok_or("status 404")?;
        tokio::time::sleep(takes).await;
        Ok(Fetched { body: document.into_bytes(), max_age })
    }
}

const ISSUER: &str = "https://id.example.com/tenant";
const METADATA: &str = "https://id.example.com/tenant/.well-known/openid-configuration";
const METADATA_PATH: &str = "/tenant/.well-known/openid-configuration";
const FIRST: &str = "https://keys.example.com/first";
const SECOND: &str = "https://keys.example.com/second";

fn metadata(jwks_uri: &str) -> String {
    format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{jwks_uri}","scopes_supported":["openid"]}}"#)
}

#[tokio::test]
async fn k90_keys_are_found_by_either_document() {
    for (kind, path) in [
        (Metadata::OpenIdConnect, "/api/auth/.well-known/openid-configuration"),
        (Metadata::OAuth, "/.well-known/oauth-authorization-server/api/auth"),
    ] {
        let server = FakeIssuer::start(&[known()]).await;
        let issuer = format!("{}/api/auth", server.url());
        let keys = RemoteKeys::discovery(&issuer, kind).build().unwrap();
        assert_eq!(keys.issuer(), Some(&*issuer));
        let verifier = JwtVerifier::builder(keys.clone()).issuer(&*issuer).build().unwrap();
        assert_eq!(reason(&verifier, &mint().issuer(&*issuer).sign(known())).await, "accepted");
        assert_eq!(reason(&verifier, &mint().issuer("https://elsewhere").sign(known())).await, "wrong_issuer");
        // Who says nothing of an issuer expects that of the keys.
        let untold = JwtVerifier::builder(keys.clone()).build().unwrap();
        assert_eq!(reason(&untold, &mint().issuer(&*issuer).sign(known())).await, "accepted");
        assert_eq!(reason(&untold, &mint().issuer("https://elsewhere").sign(known())).await, "wrong_issuer");
        assert_eq!(server.targets(), [path, "/api/auth/jwks"]);
        assert_eq!((keys.status().fetches, keys.status().failures), (1, 0));

        // Rotation: the metadata is still good.
        server.publish(&[known(), another()]);
        assert_eq!(reason(&verifier, &mint().issuer(&*issuer).sign(another())).await, "accepted");
        assert_eq!(server.requests(), 3);
    }
    assert_eq!(RemoteKeys::at("https://id.example.com/jwks").unwrap().issuer(), None);
}

/// Every answer that leads to no keys.
fn bad_metadata(elsewhere: &FakeIssuer) -> Vec<(Answer, Duration)> {
    let (issuer, keys) = (elsewhere.url(), elsewhere.jwks_url());
    let other = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}"}}"#);
    let soon = Duration::from_secs(5);
    vec![
        (Answer::json(other.clone()), soon),
        (Answer::json("{}"), soon),
        (Answer::json("[]"), soon),
        (Answer::json(""), soon),
        (Answer::json(b"\xff".to_vec()), soon),
        (Answer::body(200, "text/html", "<!doctype html>"), soon),
        (Answer::body(204, "application/json", ""), soon),
        (Answer::body(404, "application/json", other), soon),
        (Answer::Redirect(format!("{issuer}/.well-known/openid-configuration")), soon),
        (Answer::Oversized(512 * 1024 + 1), soon),
        (Answer::CutOff, soon),
        (Answer::GzipBomb, soon),
        (Answer::Hang, Duration::from_millis(200)),
        (Answer::Drip, Duration::from_millis(200)),
    ]
}

#[tokio::test]
async fn k85_k93_without_good_metadata_nobody_is_judged_and_no_keys_are_asked_for() {
    let elsewhere = FakeIssuer::start(&[known()]).await;
    for (answer, deadline) in bad_metadata(&elsewhere) {
        let server = FakeIssuer::start(&[known()]).await;
        server.answer_metadata(answer.clone());
        let keys = RemoteKeys::discovery(&server.url(), Metadata::OpenIdConnect).deadline(deadline).build().unwrap();
        let verifier = verifier(&keys);
        for _ in 0..3 {
            assert_eq!(reason(&verifier, &mint().sign(known())).await, "unavailable", "{answer:?}");
        }
        assert_eq!(server.targets(), ["/.well-known/openid-configuration"], "{answer:?}");
        assert_eq!((keys.status().failures, keys.status().is_ready()), (1, false), "{answer:?}");
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn k93_metadata_of_another_issuer_is_refused_by_its_name() {
    let server = FakeIssuer::start(&[known()]).await;
    let issuer = server.url();
    for named in [format!("{issuer}/"), issuer.replace("127.0.0.1", "localhost"), issuer.to_uppercase()] {
        server.publish_metadata(format!(r#"{{"issuer":"{named}","jwks_uri":"{}"}}"#, server.jwks_url()));
        let keys = RemoteKeys::discover(&issuer).unwrap();
        let error = keys.load().await.unwrap_err();
        assert_eq!(error.to_string(), format!("metadata: it is not of the issuer `{issuer}` but of {named:?}"));
    }
    for uri in ["http://169.254.169.254/keys", "http://id.example.com/keys", "file:///etc/keys"] {
        server.publish_metadata(format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#));
        let error = RemoteKeys::discover(&issuer).unwrap().load().await.unwrap_err();
        assert!(error.to_string().starts_with("metadata: jwks_uri: "), "{error}");
    }
    assert!(server.targets().iter().all(|target| target == "/.well-known/openid-configuration"));
}

#[test]
fn k93_issuers_that_lead_astray_are_refused_at_configuration() {
    for issuer in
        ["", "id.example.com", "http://id.example.com", "https://169.254.169.254", "https://id.example.com?a=b"]
    {
        let error = RemoteKeys::discover(issuer).unwrap_err();
        assert!(error.to_string().starts_with("issuer of a key set: "), "{issuer}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn k87_while_metadata_fails_the_last_good_set_serves_and_strangers_get_503() {
    let site = Site::usual();
    let keys = site.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    assert_eq!(site.asked(), [METADATA_PATH, "/first"]);

    site.no_longer_has(METADATA);
    advance(Duration::from_secs(241)).await;
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unavailable");
    assert_eq!(site.asked(), [METADATA_PATH]);
    assert_eq!(keys.status().last_error.as_deref(), Some("metadata could not be fetched: status 404"));
    assert!(verifier.check(&mint().sign(known())).is_ok());

    // With metadata of somebody else, as without.
    site.has(METADATA, metadata(FIRST).replace("tenant", "other"));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unavailable");
    assert!(verifier.check(&mint().sign(known())).is_ok());

    site.has(METADATA, metadata(FIRST));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unknown_key");
}

#[tokio::test(start_paused = true)]
async fn k90_keys_that_moved_are_followed_at_once_where_the_old_place_is_empty() {
    let site = Site::usual();
    let keys = site.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    site.asked();

    site.no_longer_has(FIRST);
    site.has(METADATA, metadata(SECOND));
    site.has(SECOND, jwks([another()]));
    assert_eq!(reason(&verifier, &mint().sign(another())).await, "accepted");
    assert_eq!(site.asked(), ["/first", METADATA_PATH, "/second"]);
    assert_eq!((keys.status().fetches, keys.status().failures), (2, 0));

    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unknown_key");
    assert_eq!(site.asked(), ["/second"]);
}

#[tokio::test(start_paused = true)]
async fn k90_keys_that_moved_are_followed_in_time_where_the_old_place_still_answers() {
    let site = Site::usual();
    let keys = site.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();

    site.has(METADATA, metadata(SECOND));
    site.has(SECOND, jwks([another()]));
    assert_eq!(reason(&verifier, &mint().sign(another())).await, "unknown_key");
    advance(Duration::from_secs(241)).await;
    assert_eq!(reason(&verifier, &mint().sign(another())).await, "accepted");
    assert_eq!(site.asked(), [METADATA_PATH, "/first", "/first", METADATA_PATH, "/second"]);
}

#[tokio::test(start_paused = true)]
async fn k84_keys_that_are_away_and_did_not_move_are_asked_for_once_each_attempt() {
    let site = Site::usual();
    let keys = site.keys();
    let verifier = verifier(&keys);
    keys.load().await.unwrap();
    site.asked();

    site.no_longer_has(FIRST);
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unavailable");
    assert_eq!(site.asked(), ["/first", METADATA_PATH]);
    assert_eq!(keys.status().last_error.as_deref(), Some("status 404"));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unavailable");
    assert_eq!(site.asked(), [METADATA_PATH, "/first"]);
    assert!(verifier.check(&mint().sign(known())).is_ok());
}

#[tokio::test(start_paused = true)]
async fn k92_one_deadline_holds_for_metadata_and_keys_together() {
    let site = Site::usual();
    let slow = |document| Page { document, takes: Duration::from_secs(3), ..Page::default() };
    site.shows(METADATA, slow(metadata(FIRST)));
    site.shows(FIRST, slow(jwks([known()])));
    let keys = site.keys();
    let begun = Instant::now();
    assert_eq!(reason(&verifier(&keys), &mint().sign(known())).await, "unavailable");
    assert!(begun.elapsed().abs_diff(Duration::from_secs(5)) < Duration::from_millis(10), "{:?}", begun.elapsed());

    // Keys that hang leave it to the next attempt to see whether they moved.
    site.has(METADATA, metadata(FIRST));
    site.has(FIRST, jwks([known()]));
    advance(COOLDOWN).await;
    keys.load().await.unwrap();
    site.shows(FIRST, Page { takes: Duration::from_secs(6), ..Page::default() });
    site.asked();
    assert_eq!(reason(&verifier(&keys), &strange_token(0)).await, "unavailable");
    assert_eq!(site.asked(), ["/first"]);
    site.has(METADATA, metadata(SECOND));
    site.has(SECOND, jwks([another()]));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier(&keys), &mint().sign(another())).await, "accepted");
    assert_eq!(site.asked(), [METADATA_PATH, "/second"]);
}

#[tokio::test(start_paused = true)]
async fn k98_metadata_is_read_again_as_it_says_within_bounds() {
    // A document is read again after four fifths of its life, by the first fetch from then on: one a minute.
    for (max_age, every) in [(None, 4), (Some(0), 1), (Some(60), 1), (Some(600), 8), (Some(u64::MAX), 1_152)] {
        let site = Site::usual();
        let max_age = max_age.map(Duration::from_secs);
        site.shows(METADATA, Page { document: metadata(FIRST), max_age, ..Page::default() });
        let keys = site.keys();
        let verifier = verifier(&keys);
        keys.load().await.unwrap();
        site.asked();
        let mut fetches = 0;
        while !site.asked().iter().any(|path| path == METADATA_PATH) {
            fetches += 1;
            advance(Duration::from_secs(60)).await;
            assert_eq!(reason(&verifier, &strange_token(fetches)).await, "unknown_key");
        }
        assert_eq!(fetches, every, "{max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k88_random_key_ids_cost_an_issuer_no_more_than_its_keys_do() {
    let site = Site::usual();
    let keys = site.keys();
    let verifier = verifier(&keys);
    for number in 0..10_000 {
        assert_eq!(reason(&verifier, &strange_token(number)).await, "unknown_key");
        advance(Duration::from_millis(1)).await;
    }
    assert_eq!(site.asked(), [METADATA_PATH, "/first"]);
}

#[tokio::test]
async fn a_discovered_source_passes_the_suite_of_key_resolvers() {
    let keys = [known(), another()];
    let server = FakeIssuer::start(&keys).await;
    authcore_testkit::suites::key_resolver(RemoteKeys::discover(&server.url()).unwrap(), &keys).await;
    assert_eq!(server.requests(), 3, "metadata, keys, and the keys again for the first stranger");
}
