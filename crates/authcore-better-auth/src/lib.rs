#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_key;
mod authenticator;
mod base_url;
mod bearer_session;
mod builder;
mod cache;
mod clock;
mod cookie;
mod crypto;
mod date;
mod env;
// Set for every crate of a build that cargo-fuzz makes, users' own included, and these may want fewer features.
#[cfg(all(fuzzing, feature = "redis", any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "http")]
mod http;
mod jwt;
mod jwt_settings;
mod keys;
mod permissions;
#[cfg(feature = "recent")]
mod recent;
#[cfg(any(feature = "redis", feature = "http", test))]
mod record;
#[cfg(feature = "redis")]
mod redis;
mod secrets;
mod session;
mod sessions;
mod signed;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod store;
#[cfg(feature = "http")]
mod tls;
mod token;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod users;

#[cfg(feature = "redis")]
pub use self::redis::{RedisApiKeys, RedisOrDatabase, RedisSessions};
pub use api_key::{ApiKey, ApiKeyRecord, ApiKeys, ApiKeysBuilder, KeyAllowance, KeyLimits, KeyUsage, PresentedKey};
pub use authcore::TrustedOrigins;
pub use authenticator::{BetterAuth, Presented};
pub use bearer_session::BearerSessions;
pub use builder::BetterAuthBuilder;
pub use cache::{CacheCookie, CacheFault, CachedSession, CookieCache, CookieCacheBuilder};
pub use cookie::{CookieNames, SignedCookie};
pub use env::BetterAuthSettings;
#[cfg(feature = "http")]
pub use http::{Forward, HttpSessions};
pub use permissions::{admin_permissions, organization_permissions};
#[cfg(feature = "recent")]
pub use recent::{RecentSessions, RecentSessionsBuilder};
pub use secrets::Secrets;
pub use session::{Session, SessionRecord, User};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::{Schema, SqlApiKeys, SqlSessions, SqlSessionsBuilder};
pub use store::{ApiKeyStore, SessionStore, UserStore};
pub use token::SessionToken;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use users::{Memberships, UserDirectory};
