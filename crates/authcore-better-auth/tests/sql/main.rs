//! Sessions in real databases: SQLite files, PostgreSQL, MariaDB.

#[path = "../key_suite/mod.rs"]
mod key_suite;
#[path = "../store_suite/mod.rs"]
mod store_suite;
#[path = "../support/mod.rs"]
mod support;

mod api_keys;
mod bench;
mod database;
mod failures;
mod mariadb;
mod network;
mod postgres;
#[cfg(feature = "recent")]
mod recent;
mod sqlite;
mod tls;
mod users;
