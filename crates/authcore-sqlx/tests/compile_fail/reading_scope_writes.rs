//! A scope that may be for reading only opens no transaction that writes, and one that reads changes nothing.

use authcore::UserScope;
use authcore_sqlx::{ReadTx, ScopedPool, WriteTx};
use sqlx::Postgres;

async fn rename(_: &mut WriteTx<Postgres>) {}

async fn write(pool: &ScopedPool<Postgres>, scope: &UserScope) -> Result<(), sqlx::Error> {
    let _ = pool.write(scope).await?;

    let mut tx: ReadTx<Postgres> = pool.read(scope).await?;
    rename(&mut tx).await;
    tx.query("DELETE FROM tasks WHERE user_id = $1").bind_owner().execute().await?;
    tx.commit().await
}

fn main() {}
