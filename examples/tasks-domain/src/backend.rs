//! What the routes of a server share, put together from the settings once.

use std::sync::Arc;
use std::time::Duration;

use authcore::rate::RateLimits;
use authcore::{ConfigError, FieldError, Guard, GuardBuilder, Identity, Isolation, Refusal, RemoteKeys, UserScope};
use authcore_better_auth::{BetterAuth, TrustedOrigins};
use serde::Serialize;

use crate::caller::Profile;
use crate::demo::Demo;
use crate::edge::Edge;
use crate::limits::LimitSettings;
use crate::page::sole_value;
use crate::reply::Reply;
use crate::routes;
use crate::settings::Settings;
use crate::start::StartError;
use crate::store::TaskStore;

/// Everything behind the routes. Cheap to clone.
#[derive(Clone)]
pub struct Backend(Arc<Parts>);

struct Parts {
    guard: Guard,
    edge: Edge,
    store: TaskStore,
    keys: Option<RemoteKeys>,
    limits: Option<LimitSettings>,
    demo: Option<Demo>,
}

impl Backend {
    /// Opens the store and begins to load the keys. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened or the guard not be built.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let store = TaskStore::open(&settings.database).await?;
        let origins = TrustedOrigins::new(settings.origins.clone())?;
        let auth = settings.auth.trusted_origins(origins).connect().await?;
        for warning in auth.warnings() {
            tracing::warn!("{warning}");
        }
        let keys = auth.keys().cloned();
        if let Some(keys) = keys.clone() {
            tokio::spawn(load(keys));
        }
        let limits = settings.limits.as_ref().map(LimitSettings::limits).transpose()?;
        let (guard, edge) = (guard(auth, limits)?, Edge::new(settings.origins));
        Ok(Self(Arc::new(Parts { guard, edge, store, keys, limits: settings.limits, demo: settings.demo })))
    }

    /// Closes the store, once nothing is served any more.
    pub async fn stop(&self) {
        // A statement that hangs must not keep the process from ending.
        if tokio::time::timeout(Duration::from_secs(1), self.0.store.close()).await.is_err() {
            tracing::warn!("the task store did not close in time");
        }
    }

    /// Who gets in, and to whose tasks.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// The outermost layer.
    #[must_use]
    pub fn edge(&self) -> &Edge {
        &self.0.edge
    }

    /// The tasks.
    #[must_use]
    pub fn tasks(&self) -> &TaskStore {
        &self.0.store
    }

    /// Whether the server makes up its own users, for want of a Better Auth server.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.demo().is_some()
    }

    pub(crate) fn demo(&self) -> Option<&Demo> {
        self.0.demo.as_ref()
    }

    /// The answer of `GET /health`: the process serves.
    #[must_use]
    pub fn health(&self) -> Reply {
        #[derive(Serialize)]
        struct Health {
            status: &'static str,
        }
        Reply::json(200, &Health { status: "ok" })
    }

    /// The answer of `GET /ready`: `200`, or `503` with the parts that fail.
    pub async fn ready(&self) -> Reply {
        let has_database = self.0.store.is_reachable().await;
        let has_keys = has_keys(self.0.keys.as_ref()).await;
        let counts = match &self.0.limits {
            Some(limits) => limits.can_count().await,
            None => true,
        };
        readiness(has_database, has_keys, counts)
    }

    /// What is known of the owner of a scope: the claims for the caller, else what the demo knows.
    #[must_use]
    pub fn profile(&self, caller: &Identity, scope: &UserScope) -> Profile {
        if scope.owner() == caller.user_id() {
            return Profile::of(caller);
        }
        let known = self.demo().and_then(|demo| demo.profile(scope.owner().as_str()));
        known.unwrap_or_else(|| Profile::unknown(scope.owner().as_str()))
    }

    /// The answer of `GET /`: a page on which alice and bob try what the server lets them do.
    ///
    /// # Errors
    ///
    /// `404 not_found` outside demo mode.
    pub fn demo_page(&self) -> Result<Reply, Refusal> {
        let page = self.demo().map(|_| Reply::html(200, include_str!("demo.html"))).ok_or_else(Refusal::not_found)?;
        // All of it is in the one file.
        let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        Ok(page.with_field("content-security-policy", policy).with_field("cache-control", "no-store"))
    }

    /// The answer of `GET /demo/token?user=alice`.
    ///
    /// # Errors
    ///
    /// `404 not_found` outside demo mode and for an unknown user, `422 validation_failed` without one.
    pub fn demo_token(&self, query: Option<&str>) -> Result<Reply, Refusal> {
        #[derive(Serialize)]
        struct Token {
            token: String,
        }
        let demo = self.demo().ok_or_else(Refusal::not_found)?;
        let Ok(Some(user)) = sole_value(query.unwrap_or_default(), "user") else {
            let message = "must be given once, as in ?user=alice".into();
            return Err(Refusal::validation_failed(vec![FieldError { field: "user".into(), message }]));
        };
        let token = demo.token(&user).ok_or_else(Refusal::not_found)?;
        Ok(Reply::json(200, &Token { token }).with_field("cache-control", "no-store"))
    }

    /// The answer to a request that no route took: `204` to `OPTIONS` on a path there is, `405` to another method there,
    /// `404` elsewhere.
    ///
    /// # Errors
    ///
    /// `404 not_found` or `405 method_not_allowed`.
    pub fn no_route(&self, method: &str, path: &str) -> Result<Reply, Refusal> {
        if !self.is_demo() && (path == "/" || path.starts_with("/demo")) {
            return Err(Refusal::not_found());
        }
        routes::no_route(method, path)
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").finish_non_exhaustive()
    }
}

fn guard(auth: BetterAuth, limits: Option<RateLimits>) -> Result<Guard, ConfigError> {
    let isolation = Isolation::path("/api/{user_id}/tasks/**")
        .and_path("/api/users/{user_id}")
        .own("/api/tasks/**") // `tasks` and `user` are words here, not somebody's id
        .own("/api/user/**")
        .allow_role("admin");
    let guarded = Guard::builder().authenticator(auth).isolate(isolation);
    let guarded = limits.into_iter().fold(guarded, GuardBuilder::rate_limits);
    guarded.protect("/api/**").open("/**").realm("tasks").build()
}

/// Loads the keys before the first request needs them, and until they are there: nobody sends requests to a server that
/// is not ready, so none would ask for them.
async fn load(keys: RemoteKeys) {
    while let Err(error) = keys.load().await {
        tracing::warn!(%error, "the keys cannot be loaded yet");
        tokio::time::sleep(error.retry_after().max(Duration::from_secs(1))).await;
    }
}

/// Whether tokens can be judged. Keys that grew too old are loaded again here: a server that is not ready gets no requests,
/// and keys are fetched only for those.
async fn has_keys(keys: Option<&RemoteKeys>) -> bool {
    match keys {
        Some(keys) => keys.status().is_ready() || keys.load().await.is_ok(),
        None => true,
    }
}

fn readiness(has_database: bool, has_keys: bool, has_redis: bool) -> Reply {
    #[derive(Serialize)]
    struct Ready {
        status: &'static str,
    }
    /// A problem (RFC 9457) with an extension: the failing parts.
    #[derive(Serialize)]
    struct NotReady<'a> {
        r#type: &'static str,
        title: &'static str,
        status: u16,
        code: &'static str,
        detail: String,
        failing: &'a [&'static str],
    }
    let parts = [(has_database, "database"), (has_keys, "keys"), (has_redis, "redis")];
    let failing: Vec<_> = parts.iter().filter(|(is, _)| !is).map(|(_, part)| *part).collect();
    if failing.is_empty() {
        return Reply::json(200, &Ready { status: "ready" });
    }
    let problem = NotReady {
        r#type: "about:blank",
        title: "Service Unavailable",
        status: 503,
        code: if has_database && has_redis { "auth_unavailable" } else { "store_unavailable" },
        detail: format!("Not ready: {}", failing.join(", ")),
        failing: &failing,
    };
    let mut reply = Reply::json(503, &problem).with_field("retry-after", "1");
    reply.fields[0].1 = "application/problem+json".to_owned();
    reply
}

#[cfg(test)]
mod tests {
    use authcore::{Algorithm, BoxError, Fetch, Fetched};
    use authcore_testkit::{SigningKey, jwks};

    use super::*;

    async fn backend(variables: &[(&str, &str)]) -> Backend {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Backend::start(Settings::from_vars(variable).expect("good settings")).await.expect("a backend")
    }

    #[tokio::test]
    async fn a_demo_is_ready_at_once() {
        let demo = backend(&[]).await;
        assert_eq!(demo.ready().await, Reply::json(200, &serde_json::json!({ "status": "ready" })));
        demo.tasks().close().await;
        assert_eq!(demo.ready().await.status, 503);
    }

    #[test]
    fn what_fails_is_named_and_the_answer_is_a_problem() {
        let reply = readiness(false, false, true);
        assert_eq!(reply.status, 503);
        assert!(reply.body.contains(r#""code":"store_unavailable""#));
        assert!(reply.body.contains(r#""failing":["database","keys"]"#));
        assert!(reply.fields.contains(&("content-type", "application/problem+json".to_owned())));
        assert!(readiness(true, false, true).body.contains(r#""code":"auth_unavailable""#));
        assert!(readiness(true, true, false).body.contains(r#""failing":["redis"]"#));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_nobody_asked_for_a_day_gets_ready_again() {
        struct Serving;
        impl Fetch for Serving {
            async fn fetch(&self, _: &url::Url, _: usize) -> Result<Fetched, BoxError> {
                Ok(Fetched { body: jwks([SigningKey::fixed(Algorithm::EdDsa)]).into_bytes(), max_age: None })
            }
        }
        let keys = RemoteKeys::builder("https://id.example.com/jwks").fetch(Serving).build().expect("good settings");
        keys.load().await.expect("keys");
        tokio::time::advance(Duration::from_secs(24 * 60 * 60)).await;
        assert!(!keys.status().is_ready());
        assert!(has_keys(Some(&keys)).await);
        assert_eq!(keys.status().fetches, 2);
    }

    #[tokio::test]
    async fn demo_tokens_are_for_demo_users_in_demo_mode() {
        let status =
            |answer: Result<Reply, Refusal>| answer.map_or_else(|refusal| refusal.status(), |reply| reply.status);
        let demo = backend(&[]).await;
        assert_eq!(status(demo.demo_token(Some("user=alice"))), 200);
        assert_eq!(status(demo.demo_token(Some("user=mallory"))), 404);
        assert_eq!(status(demo.demo_token(Some("user=alice&user=bob"))), 422);
        assert_eq!(status(demo.demo_token(None)), 422);
        assert_eq!(status(demo.no_route("POST", "/demo/token")), 405);
        assert_eq!((status(demo.demo_page()), status(demo.no_route("POST", "/"))), (200, 405));

        let real = backend(&[("BETTER_AUTH_SECRET", "a-secret-of-the-tests-with-32-bytes-or-more")]).await;
        assert_eq!(status(real.demo_token(Some("user=alice"))), 404);
        assert_eq!(status(real.no_route("POST", "/demo/token")), 404);
        assert_eq!((status(real.demo_page()), status(real.no_route("POST", "/"))), (404, 404));
    }
}
