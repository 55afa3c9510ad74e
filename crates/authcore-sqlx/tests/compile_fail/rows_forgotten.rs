//! A statement for rows runs only once it says which, and rows are changed only after a check that they may be.

use authcore::Rows;
use authcore_sqlx::{OwnedTable, ScopedPool, WriteRows};
use sqlx::Sqlite;

async fn all(pool: &ScopedPool<Sqlite>, rows: &Rows) -> Result<(), sqlx::Error> {
    let mut tx = pool.read_rows(rows).await?;
    let _: Vec<(i64,)> = tx.query("SELECT id FROM plans WHERE user_id = ").bind("bob").fetch_all().await?;
    Ok(())
}

async fn anybodys(pool: &ScopedPool<Sqlite>, rows: &WriteRows) -> Result<(), sqlx::Error> {
    let mut tx = pool.write_rows(rows).await?;
    tx.query("UPDATE plans SET editor = ").bind_caller().push(" WHERE id = ").bind(7).execute().await?;
    Ok(())
}

async fn change(pool: &ScopedPool<Sqlite>, rows: &Rows, plans: &OwnedTable) -> Result<(), sqlx::Error> {
    pool.write_rows(rows).await?;
    let mut tx = pool.read_rows(rows).await?;
    tx.query("DELETE FROM plans WHERE ").rows(plans).execute().await?;
    let _ = WriteRows(rows.clone());
    Ok(())
}

fn main() {}
