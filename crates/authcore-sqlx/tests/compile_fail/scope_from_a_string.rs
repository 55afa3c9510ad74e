//! No text and no user id stands in for a scope or an owner.

use authcore::UserId;
use authcore_sqlx::{Owner, ScopedPool, WriteScope};
use sqlx::Postgres;

async fn read(pool: &ScopedPool<Postgres>, user_id: &UserId) {
    let _ = pool.read("bob").await;
    let _ = pool.read(user_id).await;
    let _ = pool.write("bob").await;
}

fn main() {
    let _ = Owner::of("bob");
    let _ = Owner("bob");
    let _ = WriteScope::of("bob");
}
