//! A scoped pool is no executor, its pool cannot be taken out, and only PostgreSQL lends its connection.

use authcore::UserScope;
use authcore_sqlx::ScopedPool;
use sqlx::{Postgres, Sqlite};

async fn around(pool: &ScopedPool<Postgres>, file: &ScopedPool<Sqlite>, scope: &UserScope) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT id FROM tasks").fetch_all(pool).await?;
    let _ = pool.begin().await?;
    let _ = &pool.pool;
    let _ = file.read(scope).await?.connection();
    Ok(())
}

fn main() {}
