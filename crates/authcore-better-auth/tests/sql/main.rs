//! Sessions in real databases: SQLite files, PostgreSQL, MariaDB.

#[path = "../store_suite/mod.rs"]
mod store_suite;
#[path = "../support/mod.rs"]
mod support;

mod bench;
mod database;
mod failures;
mod mariadb;
mod network;
mod postgres;
mod sqlite;
mod tls;
mod users;
