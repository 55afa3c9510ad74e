//! Session cookies, cookie caches and bearer session tokens, through the public API only.

mod authenticator;
mod caches;
mod cookies;
mod cross_site;
mod judged;
mod jwt_users;
mod properties;
mod support;
mod vectors;
