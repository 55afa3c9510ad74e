//! `authcore-better-auth` against real Better Auth servers, over real databases and a real Redis.

// The engines are those of the crate's own tests, which use more of them than these do.
#[allow(dead_code, reason = "shared with the tests of authcore-better-auth")]
#[path = "../../../../../crates/authcore-better-auth/tests/sql/database.rs"]
mod database;
#[allow(dead_code, reason = "shared with the tests of authcore-better-auth")]
#[path = "../../../../../crates/authcore-better-auth/tests/support/engines.rs"]
mod engines;
#[allow(dead_code, reason = "shared with the tests of authcore-better-auth")]
#[path = "../../../../../crates/authcore-redis/tests/it/server.rs"]
mod redis_server;

mod api_keys;
mod broken;
mod http;
mod never_written;
mod permissions;
mod redis;
mod same;
mod sql;
