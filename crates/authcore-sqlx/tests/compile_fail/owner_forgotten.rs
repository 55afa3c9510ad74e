//! A statement runs only once it binds its owner, and no text can be bound in the owner's name.

use authcore::UserScope;
use authcore_sqlx::{Owner, ScopedPool};
use sqlx::Sqlite;

fn about(_: Owner) {}

async fn all(pool: &ScopedPool<Sqlite>, scope: &UserScope) -> Result<(), sqlx::Error> {
    let mut tx = pool.read(scope).await?;
    let _: Vec<(i64,)> = tx.query("SELECT id FROM tasks").fetch_all().await?;
    let _: Vec<(i64,)> = tx.query("SELECT id FROM tasks WHERE user_id = ?").bind("bob").fetch_all().await?;
    about("bob");
    Ok(())
}

fn main() {}
