//! Private writers of statements, for the fuzz targets alone: built with `--cfg fuzzing`, and no part of the API.

use authcore::{Access, Rows, UserScope};
use sqlx::Postgres;

use crate::engine::sealed::{Begin as _, For};

/// What begins a transaction of PostgreSQL for this scope.
pub fn begin_for_scope(scope: &UserScope, access: Access) -> String {
    Postgres::begin(For::Scope(scope), access).as_str().to_owned()
}

/// What begins a transaction of PostgreSQL for these rows.
pub fn begin_for_rows(rows: &Rows, access: Access) -> String {
    Postgres::begin(For::Rows(rows), access).as_str().to_owned()
}
