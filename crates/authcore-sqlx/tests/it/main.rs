//! Rows of one owner, on real servers: PostgreSQL, pgbouncer, MariaDB, and SQLite files.

#[path = "../../../authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "not every test of an engine needs all of it")]
mod engines;

mod attacks;
mod audit;
mod crowd;
mod database;
mod dice;
mod given_up;
mod grants;
mod mariadb;
mod outages;
mod pgbouncer;
mod pooled;
mod rows;
mod scopes;
mod settings;
mod sqlite;
mod start_up;
mod world;
