//! The table that says what was shared with whom.

mod store;

use authcore::ConfigError;

pub use self::store::{Grants, WritePermit};
use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::table::{checked, quoted};

/// A table of grants: one row for each thing of some kind that a user was given, to read or in full.
///
/// Its columns hold text, compared byte for byte: `kind`, `object_id`, `user_id` and `access`, which is `read` or `full`.
/// Anything else in it gives nothing.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), authcore::ConfigError> {
/// let grants = authcore_sqlx::GrantTable::new("grants")?;
/// assert!(grants.create_table::<sqlx::Sqlite>().starts_with("CREATE TABLE IF NOT EXISTS \"grants\" ("));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTable {
    schema: Option<String>,
    name: String,
    /// Kind, object, user, access.
    columns: [String; 4],
}

/// The names as an engine writes them.
pub(crate) struct Names {
    pub(crate) table: String,
    pub(crate) kind: String,
    pub(crate) object_id: String,
    pub(crate) user_id: String,
    pub(crate) access: String,
}

impl GrantTable {
    /// The table of this name.
    ///
    /// # Errors
    ///
    /// As [`OwnedTable::new`](crate::OwnedTable::new).
    pub fn new(name: impl Into<String>) -> Result<Self, ConfigError> {
        let columns = ["kind", "object_id", "user_id", "access"].map(str::to_owned);
        Ok(Self { schema: None, name: checked(name)?, columns })
    }

    /// In this schema: of PostgreSQL, or MySQL's word for a database.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn in_schema(mut self, schema: impl Into<String>) -> Result<Self, ConfigError> {
        self.schema = Some(checked(schema)?);
        Ok(self)
    }

    /// Other names for the columns: of the kind, the object's id, the user's id, and the access.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn columns(mut self, kind: &str, object_id: &str, user_id: &str, access: &str) -> Result<Self, ConfigError> {
        self.columns = [checked(kind)?, checked(object_id)?, checked(user_id)?, checked(access)?];
        Ok(self)
    }

    /// A migration that makes the table. The service's role needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on it.
    ///
    /// In MySQL, ids and kinds are of 255 characters at most.
    #[must_use]
    pub fn create_table<DB: Engine>(&self) -> String {
        let Names { table, kind, object_id, user_id, access } = self.names::<DB>();
        let key = DB::KEY;
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (\n    \
                 {kind} {key} NOT NULL,\n    \
                 {object_id} {key} NOT NULL,\n    \
                 {user_id} {key} NOT NULL,\n    \
                 {access} {key} NOT NULL CHECK ({access} IN ('read', 'full')),\n    \
                 PRIMARY KEY ({user_id}, {kind}, {object_id})\n\
             );\n"
        )
    }

    pub(crate) fn names<DB: Dialect>(&self) -> Names {
        let [kind, object_id, user_id, access] = self.columns.each_ref().map(|name| DB::quoted(name));
        Names { table: quoted::<DB>(self.schema.as_deref(), &self.name), kind, object_id, user_id, access }
    }

    #[cfg(feature = "mysql")]
    pub(crate) fn places(&self) -> impl Iterator<Item = (Option<&str>, &str, &str)> {
        self.columns.iter().map(|column| (self.schema.as_deref(), self.name.as_str(), column.as_str()))
    }
}
