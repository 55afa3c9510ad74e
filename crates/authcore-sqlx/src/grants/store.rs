//! Giving, taking back, and asking what was given.

use std::fmt;
use std::time::Duration;

use authcore::{Access, Caller, Object, Permit, Refusal, Sharing, Unavailable, UserId};
use sqlx::Pool;

use super::{GrantTable, Names};
use crate::dialect::{Draft, Sink as _};
use crate::engine::Engine;
use crate::lease::Lent;

/// Proof that the caller may change one object, and so share it.
///
/// A permit names the object that was judged, so a grant can be of no other; a scope would say whose rows, and leave it to
/// an id from the request which of them. Whoever may change it may share it, also those it was shared with in full.
#[derive(Clone, Copy, Debug)]
pub struct WritePermit<'p, 'o>(&'p Permit<'o>);

impl<'p, 'o> WritePermit<'p, 'o> {
    /// The permit, if it is for writing.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` when it is for reading.
    pub fn of(permit: &'p Permit<'o>) -> Result<Self, Refusal> {
        permit.require_write().map(|()| Self(permit))
    }

    /// The permit that was checked.
    #[must_use]
    pub fn permit(&self) -> &'p Permit<'o> {
        self.0
    }
}

/// What was shared, in a database: [`GrantTable::over`] makes it. Cheap to clone.
///
/// It answers [`Isolation::judge_shared`](authcore::Isolation::judge_shared).
pub struct Grants<DB: Engine> {
    pool: Pool<DB>,
    table: GrantTable,
    is_persistent: bool,
}

impl GrantTable {
    /// The grants in the table, by connections of this pool.
    #[must_use]
    pub fn over<DB: Engine>(&self, pool: Pool<DB>) -> Grants<DB> {
        Grants { pool, table: self.clone(), is_persistent: true }
    }
}

impl<DB: Engine> Grants<DB> {
    /// Prepares statements without a name, as [`ScopedPool::unnamed_statements`](crate::ScopedPool::unnamed_statements).
    #[must_use]
    pub fn unnamed_statements(mut self) -> Self {
        self.is_persistent = false;
        self
    }

    /// Shares the object with a user. What they were given before is replaced.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn grant(&self, permit: &WritePermit<'_, '_>, user: &UserId, access: Access) -> Result<(), sqlx::Error> {
        let Names { table, kind, object_id, user_id, access: column } = self.table.names::<DB>();
        let mut draft = self.draft(format!("INSERT INTO {table} ({kind}, {object_id}, {user_id}, {column}) VALUES ("));
        let object = permit.0.object();
        for value in [object.kind(), object.id(), user.as_str()] {
            draft.value(value.into());
            draft.text(", ");
        }
        draft.value(word(access).into());
        draft.text(")");
        draft.text(&DB::or_replace(&[user_id, kind, object_id], &column));
        self.run(draft).await.map(drop)
    }

    /// Takes the object back from a user. Whether they had it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn revoke(&self, permit: &WritePermit<'_, '_>, user: &UserId) -> Result<bool, sqlx::Error> {
        let mut draft = self.of_object("DELETE", permit.0.object());
        draft.text(&format!(" AND {} = ", self.table.names::<DB>().user_id));
        draft.value(user.as_str().into());
        Ok(self.run(draft).await? > 0)
    }

    /// Takes the object back from everybody, and says from how many: when it is deleted, since another may get its id.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn revoke_all(&self, permit: &WritePermit<'_, '_>) -> Result<u64, sqlx::Error> {
        self.run(self.of_object("DELETE", permit.0.object())).await
    }

    async fn given(&self, user: &UserId, object: &Object<'_>) -> Result<Option<Access>, sqlx::Error> {
        // To ask for what cannot be there would fail, and pass for an outage.
        if !(DB::can_hold(object.kind()) && DB::can_hold(object.id())) {
            return Ok(None);
        }
        let Names { kind, object_id, user_id, access, .. } = self.table.names::<DB>();
        let [kind, object_id, of_user] = [&kind, &object_id, &user_id].map(|column| DB::as_text(column));
        let mut draft = self.of_object(&format!("SELECT {kind}, {object_id}, {of_user}, {access}"), object);
        draft.text(&format!(" AND {user_id} = "));
        draft.value(user.as_str().into());
        let mut connection = Lent::from(self.pool.acquire().await?);
        let rows = connection.answered(async |connection| DB::rows(connection, draft).await).await?;
        // Some collations overlook case, or spaces at the end: a row counts for the very ids it holds.
        let asked = [object.kind(), object.id(), user.as_str()];
        for row in &rows {
            let texts = [DB::text(row, 0)?, DB::text(row, 1)?, DB::text(row, 2)?];
            if texts.each_ref().map(Option::as_deref) == asked.map(Some) {
                let given = DB::text(row, 3)?;
                return Ok([Access::Read, Access::Full]
                    .into_iter()
                    .find(|known| given.as_deref() == Some(word(*known))));
            }
        }
        Ok(None)
    }

    fn of_object(&self, begin: &str, object: &Object<'_>) -> Draft<DB> {
        let Names { table, kind, object_id, .. } = self.table.names::<DB>();
        let mut draft = self.draft(format!("{begin} FROM {table} WHERE {kind} = "));
        draft.value(object.kind().into());
        draft.text(&format!(" AND {object_id} = "));
        draft.value(object.id().into());
        draft
    }

    fn draft(&self, text: String) -> Draft<DB> {
        Draft::new(text, self.is_persistent)
    }

    async fn run(&self, draft: Draft<DB>) -> Result<u64, sqlx::Error> {
        let mut connection = Lent::from(self.pool.acquire().await?);
        connection.answered(async |connection| DB::run(connection, draft).await).await
    }
}

impl<DB: Engine> Sharing for Grants<DB> {
    /// A database that cannot answer, whatever the reason, leaves it open what was shared.
    async fn shared(&self, caller: &Caller<'_>, object: &Object<'_>) -> Result<Option<Access>, Unavailable> {
        let given = self.given(caller.identity().user_id(), object).await;
        let fault = |error| Unavailable::new(error, Duration::from_secs(1));
        given.map_err(|error| crate::unavailable(error).unwrap_or_else(fault))
    }
}

/// As the table has it.
fn word(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Full => "full",
    }
}

impl<DB: Engine> Clone for Grants<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), table: self.table.clone(), is_persistent: self.is_persistent }
    }
}

impl<DB: Engine> fmt::Debug for Grants<DB> {
    /// Without the pool, whose options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("engine", &DB::NAME).field("table", &self.table).finish_non_exhaustive()
    }
}
