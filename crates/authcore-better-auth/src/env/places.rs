//! Where the environment has sessions looked up, and how these places are opened.

use std::time::Duration;

use authcore::{ConfigError, Secret};

use super::named;
use crate::api_key::{ApiKeys, KeyLimits};
use crate::builder::BetterAuthBuilder;
use crate::jwt_settings::JwtSettings;
use crate::store::SessionStore;

/// In this order of truth and nearness: Redis, the database, the server itself.
#[derive(Debug, Default)]
pub(super) struct Places {
    redis: Option<Redis>,
    database: Option<Database>,
    /// The endpoint of the server itself.
    server: Option<String>,
    wanted: Wanted,
}

/// What else is looked up in the database.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The users of JWTs.
    pub(super) users: bool,
    /// API keys, and what becomes of their own limits.
    pub(super) api_keys: Option<KeyLimits>,
    /// The configurations of keys that count, if not the default one.
    pub(super) key_configs: Option<Vec<String>>,
    /// Whether sessions that Redis does not have are looked up in the database.
    pub(super) fallback: bool,
    /// For how long look-ups of sessions are remembered.
    pub(super) recent: Option<Duration>,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only Redis is asked with it"))]
struct Redis {
    url: Secret,
    prefix: String,
}

#[derive(Debug)]
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "for SQL")
)]
struct Database {
    url: Secret,
    snake_case: bool,
}

pub(super) const DATABASE_URL: &str = "BETTER_AUTH_DATABASE_URL";

pub(super) const REDIS_URL: &str = "BETTER_AUTH_REDIS_URL";

pub(super) const CHECK_USERS: &str = "BETTER_AUTH_CHECK_USERS";

pub(super) const SESSION_CACHE: &str = "BETTER_AUTH_SESSION_CACHE";

pub(super) const API_KEYS: &str = "BETTER_AUTH_API_KEYS";

pub(super) const FALLBACK: &str = "BETTER_AUTH_SESSIONS_IN_DATABASE";

/// Columns by which somebody is refused.
const GUARDS: [&str; 2] = ["user.banned", "session.impersonatedBy"];

pub(super) const REDIS_PREFIX: &str = "BETTER_AUTH_REDIS_PREFIX";

pub(super) const SCHEMA: &str = "BETTER_AUTH_SCHEMA";

impl Places {
    pub(super) fn from_vars(
        variable: &impl Fn(&str) -> Option<String>,
        jwt: &JwtSettings,
        wanted: Wanted,
    ) -> Result<Self, ConfigError> {
        let alone = |name: &str, other: &str| Err(named(name, &format!("says nothing without {other}: set it")));
        let redis = match (variable(REDIS_URL), variable(REDIS_PREFIX)) {
            (None, Some(_)) => return alone(REDIS_PREFIX, REDIS_URL),
            (None, None) => None,
            (Some(url), prefix) => {
                let prefix = match prefix.as_deref() {
                    None => "better-auth:",
                    Some("none") => "",
                    Some(prefix) => prefix,
                };
                Some(Redis { url: Secret::new(url), prefix: prefix.to_owned() })
            }
        };
        let database = match (variable(DATABASE_URL), variable(SCHEMA).as_deref()) {
            (None, Some(_)) => return alone(SCHEMA, DATABASE_URL),
            (None, None) => None,
            (Some(_), Some(other)) if !matches!(other, "better-auth" | "snake_case") => {
                return Err(named(SCHEMA, &"takes `better-auth` or `snake_case`"));
            }
            (Some(url), schema) => Some(Database { url: Secret::new(url), snake_case: schema == Some("snake_case") }),
        };
        if wanted.fallback && (redis.is_none() || database.is_none()) {
            return Err(named(FALLBACK, &format!("needs both {REDIS_URL} and {DATABASE_URL}: set them")));
        }
        if database.is_none() {
            let needs = [(wanted.users, CHECK_USERS, "users"), (wanted.api_keys.is_some(), API_KEYS, "keys")];
            if let Some((_, name, what)) = needs.into_iter().find(|(is, ..)| *is) {
                return Err(named(name, &format!("needs to look the {what} up: set {DATABASE_URL}")));
            }
        }
        let server = jwt.base.as_ref().map(|base| base.endpoint(jwt.base_path.as_deref(), "get-session")).transpose();
        let server = server.map_err(|error| named("BETTER_AUTH_BASE_PATH", &error))?;
        // A program that cannot ask the server still takes its JWTs.
        let server = server.filter(|_| cfg!(feature = "http"));
        Ok(Self { redis, database, server, wanted })
    }

    /// The variable that says where sessions are looked up.
    pub(super) fn session_store(&self) -> Option<&'static str> {
        let places = [
            (self.redis.is_some(), REDIS_URL),
            (self.database.is_some(), DATABASE_URL),
            (self.server.is_some(), "BETTER_AUTH_URL"),
        ];
        places.into_iter().find(|(is_set, _)| *is_set).map(|(_, name)| name)
    }

    #[cfg(test)]
    pub(super) fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Opens what is named and hands it to the builder.
    pub(super) async fn open(self, builder: BetterAuthBuilder) -> Result<BetterAuthBuilder, ConfigError> {
        let database = match &self.database {
            Some(database) => Some(database.open(&self.wanted, self.redis.is_some()).await?),
            None => None,
        };
        let mut builder = builder;
        for column in database.iter().flat_map(|database| database.absent()).filter(|column| GUARDS.contains(column)) {
            builder.warnings.push(format!(
                "{DATABASE_URL}: there is no column `{column}` to be read, so nobody counts as such; the admin plugin makes it"
            ));
        }
        let builder = match &database {
            Some(database) if self.wanted.users => builder.check_users(database.users()),
            _ => builder,
        };
        let builder = match (&database, self.wanted.api_keys) {
            (Some(database), Some(limits)) => {
                builder.api_keys(api_keys(database, limits, self.wanted.key_configs.as_deref())?)
            }
            _ => builder,
        };
        match (&self.redis, database, &self.server) {
            (Some(redis), database, _) => redis.open(builder, database, &self.wanted).await,
            (None, Some(database), _) => remembered(builder, database, &self.wanted),
            (None, None, Some(endpoint)) => ask_server(builder, endpoint, &self.wanted),
            (None, None, None) => Ok(builder),
        }
    }
}

impl Database {
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    async fn open(&self, wanted: &Wanted, beside_redis: bool) -> Result<OpenDatabase, ConfigError> {
        use crate::sql::{Schema, SqlSessions};

        let schema = if self.snake_case { Schema::snake_case() } else { Schema::better_auth() };
        let builder = SqlSessions::builder().schema(schema);
        let builder = if beside_redis && !wanted.fallback { builder.sessions_elsewhere() } else { builder };
        let builder = match wanted.api_keys {
            Some(KeyLimits::Enforce) => builder.write_key_counters(),
            _ => builder,
        };
        let connecting = async { builder.connect(text(&self.url)?).await };
        connecting.await.map_err(|error| named(DATABASE_URL, &error))
    }

    #[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
    async fn open(&self, _: &Wanted, _: bool) -> Result<OpenDatabase, ConfigError> {
        Err(unbuilt(DATABASE_URL, "`sqlite`, `postgres` or `mysql`"))
    }
}

impl Redis {
    #[cfg(feature = "redis")]
    async fn open(
        &self,
        builder: BetterAuthBuilder,
        database: Option<OpenDatabase>,
        wanted: &Wanted,
    ) -> Result<BetterAuthBuilder, ConfigError> {
        let connecting = async { crate::redis::RedisSessions::connect(text(&self.url)?).await };
        let redis = connecting.await.map_err(|error| named(REDIS_URL, &error))?.prefix(self.prefix.as_str());
        match database {
            Some(database) if wanted.fallback => remembered(builder, redis.or_database(database), wanted),
            Some(_) | None => remembered(builder, redis, wanted),
        }
    }

    #[cfg(not(feature = "redis"))]
    async fn open(
        &self,
        _: BetterAuthBuilder,
        _: Option<OpenDatabase>,
        _: &Wanted,
    ) -> Result<BetterAuthBuilder, ConfigError> {
        Err(unbuilt(REDIS_URL, "`redis`"))
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn api_keys(
    database: &OpenDatabase,
    limits: KeyLimits,
    configurations: Option<&[String]>,
) -> Result<ApiKeys, ConfigError> {
    let keys = database.api_keys().map_err(|error| named(API_KEYS, &error))?;
    let builder = ApiKeys::builder(keys).limits(limits);
    let builder = match configurations {
        Some(named) => builder.configurations(named),
        None => builder,
    };
    builder.build().map_err(|error| named(API_KEYS, &error))
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn api_keys(database: &OpenDatabase, _: KeyLimits, _: Option<&[String]>) -> Result<ApiKeys, ConfigError> {
    match *database {}
}

#[cfg(feature = "http")]
fn ask_server(builder: BetterAuthBuilder, endpoint: &str, wanted: &Wanted) -> Result<BetterAuthBuilder, ConfigError> {
    let asking = builder.forward_cookie().and_then(|forward| crate::http::HttpSessions::asking(endpoint, forward));
    remembered(builder, asking.map_err(|error| named("BETTER_AUTH_URL", &error))?, wanted)
}

#[cfg(not(feature = "http"))]
fn ask_server(_: BetterAuthBuilder, _: &str, _: &Wanted) -> Result<BetterAuthBuilder, ConfigError> {
    Err(unbuilt("BETTER_AUTH_URL", "`http`"))
}

/// With this store of sessions, its look-ups remembered if that is wanted.
#[cfg(feature = "recent")]
fn remembered(
    builder: BetterAuthBuilder,
    store: impl SessionStore,
    wanted: &Wanted,
) -> Result<BetterAuthBuilder, ConfigError> {
    let Some(max_age) = wanted.recent else { return Ok(builder.sessions(store)) };
    let recent = crate::recent::RecentSessions::over(store).max_age(max_age).build();
    Ok(builder.sessions(recent.map_err(|error| named(SESSION_CACHE, &error))?))
}

#[cfg(not(feature = "recent"))]
fn remembered(
    builder: BetterAuthBuilder,
    store: impl SessionStore,
    wanted: &Wanted,
) -> Result<BetterAuthBuilder, ConfigError> {
    match wanted.recent {
        Some(_) => Err(unbuilt(SESSION_CACHE, "`recent`")),
        None => Ok(builder.sessions(store)),
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
type OpenDatabase = crate::sql::SqlSessions;

/// No database is ever open in a program that speaks no SQL.
#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
use self::never::OpenDatabase;

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
mod never {
    use authcore::{Unavailable, UserId};

    use crate::{SessionRecord, SessionStore, SessionToken, User, UserStore};

    #[derive(Clone, Copy)]
    pub(super) enum OpenDatabase {}

    impl OpenDatabase {
        pub(super) fn users(&self) -> Self {
            *self
        }

        pub(super) fn absent(&self) -> &[&'static str] {
            match *self {}
        }
    }

    impl SessionStore for OpenDatabase {
        async fn session(&self, _: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
            match *self {}
        }

        fn source(&self) -> &'static str {
            match *self {}
        }
    }

    impl UserStore for OpenDatabase {
        async fn user(&self, _: &UserId) -> Result<Option<User>, Unavailable> {
            match *self {}
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "redis"))]
fn text(url: &Secret) -> Result<&str, ConfigError> {
    std::str::from_utf8(url.expose_bytes()).map_err(|_| ConfigError::new("not a URL"))
}

#[cfg(not(all(
    feature = "redis",
    feature = "http",
    feature = "recent",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
)))]
fn unbuilt(variable: &str, feature: &str) -> ConfigError {
    named(variable, &format!("this program was built without the feature {feature} of authcore-better-auth"))
}
