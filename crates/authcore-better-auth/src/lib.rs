#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authenticator;
mod base_url;
mod bearer_session;
mod builder;
mod cache;
mod cookie;
mod cross_site;
mod crypto;
mod date;
mod env;
#[cfg(feature = "http")]
mod http;
mod jwt;
mod keys;
#[cfg(feature = "recent")]
mod recent;
#[cfg(any(feature = "redis", feature = "http", test))]
mod record;
#[cfg(feature = "redis")]
mod redis;
mod secrets;
mod session;
mod session_settings;
mod signed;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
mod store;
#[cfg(any(feature = "redis", feature = "http"))]
mod tls;
mod token;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod users;

#[cfg(feature = "redis")]
pub use self::redis::{RedisOrDatabase, RedisSessions};
pub use authenticator::{BetterAuthSessions, BetterAuthSessionsBuilder, SessionCredential};
pub use bearer_session::BearerSessions;
pub use builder::BetterAuth;
pub use cache::{CacheCookie, CacheFault, CachedSession, CookieCache, CookieCacheBuilder};
pub use cookie::{CookieNames, SignedCookie};
pub use cross_site::TrustedOrigins;
#[cfg(feature = "http")]
pub use http::{Forward, HttpSessions};
pub use jwt::BetterAuthJwt;
#[cfg(feature = "recent")]
pub use recent::{RecentSessions, RecentSessionsBuilder};
pub use secrets::Secrets;
pub use session::{Session, SessionRecord, User};
pub use session_settings::SessionSettings;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use sql::{Schema, SqlSessions, SqlSessionsBuilder};
pub use store::{SessionStore, UserStore};
pub use token::SessionToken;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use users::{Membership, Memberships, UserDirectory};
