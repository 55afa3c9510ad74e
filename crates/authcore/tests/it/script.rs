//! What tests of fetched keys share: a fetch that does as the test says, and tokens of known and unknown keys.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{Algorithm, BoxError, Fetch, Fetched, JwtVerifier, RemoteKeys, RemoteKeysBuilder};
use authcore_testkit::{SigningKey, jwks, mint};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

/// A fetch that does as the test says, without a network.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Stage>);

struct Stage {
    act: Mutex<Act>,
    fetches: AtomicU64,
    begun: Mutex<Vec<Instant>>,
    curtain: Semaphore,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Serve {
        document: String,
        max_age: Option<u64>,
    },
    /// As [`Act::Serve`], once the test opens the curtain.
    ServeLater(String),
    Fail,
    Panic,
    Hang,
    /// One byte a second.
    Drip(String),
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            act: Mutex::new(Act::Fail),
            fetches: AtomicU64::new(0),
            begun: Mutex::default(),
            curtain: Semaphore::new(0),
        }
    }
}

impl Script {
    pub(crate) fn serving(keys: &[&SigningKey]) -> Self {
        let script = Self::default();
        script.now(serve(keys));
        script
    }

    pub(crate) fn now(&self, act: Act) {
        *self.0.act.lock().expect("nobody panics holding it") = act;
    }

    pub(crate) fn fetches(&self) -> u64 {
        self.0.fetches.load(Ordering::SeqCst)
    }

    /// How much time passed between one fetch and the next.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        let begun = self.0.begun.lock().expect("nobody panics holding it");
        begun.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Lets so many of [`Act::ServeLater`] come to their end.
    pub(crate) fn open_curtain(&self, fetches: usize) {
        self.0.curtain.add_permits(fetches);
    }

    /// How many more of [`Act::ServeLater`] may come to their end.
    pub(crate) fn open_ends(&self) -> usize {
        self.0.curtain.available_permits()
    }

    pub(crate) fn keys(&self) -> RemoteKeys {
        self.builder().build().expect("good settings")
    }

    pub(crate) fn builder(&self) -> RemoteKeysBuilder {
        RemoteKeys::builder("https://id.example.com/jwks").fetch(self.clone())
    }

    /// Lets other tasks run until so many fetches have begun.
    pub(crate) async fn fetched(&self, count: u64) {
        while self.fetches() < count {
            tokio::task::yield_now().await;
        }
    }
}

impl Fetch for Script {
    async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
        self.0.begun.lock().expect("nobody panics holding it").push(Instant::now());
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
            Act::Drip(document) => {
                for _ in document.bytes() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(Fetched { body: document.into_bytes(), max_age: None })
            }
        }
    }
}

pub(crate) fn serve(keys: &[&SigningKey]) -> Act {
    Act::Serve { document: jwks(keys.iter().copied()), max_age: None }
}

pub(crate) fn serve_for(max_age: u64) -> Act {
    Act::Serve { document: jwks([known()]), max_age: Some(max_age) }
}

pub(crate) fn known() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

pub(crate) fn another() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

/// A token of a known key that names a key nobody has heard of.
pub(crate) fn strange_token(number: usize) -> String {
    mint().sign(&known().clone().with_kid(format!("stranger-{number}").as_str()))
}

pub(crate) fn verifier(keys: &RemoteKeys) -> JwtVerifier {
    JwtVerifier::builder(keys.clone()).issuer(authcore_testkit::ISSUER).build().expect("good settings")
}

pub(crate) async fn reason(verifier: &JwtVerifier, token: &str) -> &'static str {
    match verifier.verify_token(token).await {
        Ok(_) => "accepted",
        Err(error) => error.reason(),
    }
}

/// Lets a refresh in the background begin and come to its end.
pub(crate) async fn let_refresh(keys: &RemoteKeys, fetches: u64) {
    while keys.status().fetches < fetches {
        tokio::task::yield_now().await;
    }
    // A scripted fetch ends when polled; the runtime has one thread.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long no fetch is begun after one that failed, by default.
pub(crate) const COOLDOWN: Duration = Duration::from_secs(30);

/// How long a fetch may take, by default.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
