//! A table whose rows have owners, by names that were checked.

mod predicate;

use std::fmt;

use authcore::ConfigError;

use crate::dialect::Dialect;
use crate::grants::GrantTable;

/// A table, and the column that says whose each row is.
///
/// ```
/// # fn main() -> Result<(), authcore::ConfigError> {
/// use authcore_sqlx::OwnedTable;
///
/// let tasks = OwnedTable::new("tasks", "user_id")?;
/// assert!(OwnedTable::new("tasks\"; DROP TABLE tasks; --", "user_id").is_err());
/// # let _ = tasks;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedTable {
    schema: Option<String>,
    name: String,
    owner: String,
    owner_type: OwnerType,
    organization: Option<String>,
    shared: Option<Shared>,
    shows_every_row: bool,
    alias: Option<String>,
}

/// Where it stands which rows were shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) grants: GrantTable,
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// What the owner column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnerType {
    /// `text` or `varchar`.
    #[default]
    Text,
    /// `uuid`. A user whose id is not one has no rows.
    Uuid,
    /// `bigint`. A user whose id is not one, in its shortest spelling, has no rows.
    BigInt,
}

impl OwnedTable {
    /// The table of this name, found by the connection's own search path, and its owner column. Names are taken as they
    /// are, upper and lower case apart.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a name that is empty, longer than 63 bytes, or holds anything but letters, digits, `_`, `-` and
    /// `$`.
    pub fn new(name: impl Into<String>, owner: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self {
            schema: None,
            name: checked(name)?,
            owner: checked(owner)?,
            owner_type: OwnerType::default(),
            organization: None,
            shared: None,
            shows_every_row: false,
            alias: None,
        })
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

    /// What the owner column holds: text by default.
    #[must_use]
    pub fn owner_type(mut self, owner_type: OwnerType) -> Self {
        self.owner_type = owner_type;
        self
    }

    /// The column, of a text type, that says which organization's each row is. Null for none.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn organization(mut self, column: impl Into<String>) -> Result<Self, ConfigError> {
        self.organization = Some(checked(column)?);
        Ok(self)
    }

    /// The table that says with whom rows were shared: by this kind, and by this column's values as text.
    ///
    /// # Errors
    ///
    /// As [`Self::new`]; a kind is made of the same characters here.
    pub fn grants(
        mut self,
        grants: &GrantTable,
        kind: impl Into<String>,
        id: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        self.shared = Some(Shared { grants: grants.clone(), kind: checked(kind)?, id: checked(id)? });
        Ok(self)
    }

    /// Lets row-level security show rows that [are all](authcore::Rows::are_all) to whoever has a role for it. A table with
    /// an organization or grants does so anyway.
    #[must_use]
    pub fn every_row(mut self) -> Self {
        self.shows_every_row = true;
        self
    }

    /// The name that a statement gives the table, as in `FROM tasks AS t`: for conditions, where one is needed.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn called(mut self, alias: impl Into<String>) -> Result<Self, ConfigError> {
        self.alias = Some(checked(alias)?);
        Ok(self)
    }

    #[cfg(feature = "mysql")]
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn organization_column(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn shared(&self) -> Option<&Shared> {
        self.shared.as_ref()
    }

    /// Whether more rows than the owner's are shown to anybody.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_beyond_owner(&self) -> bool {
        self.shows_every_row || self.organization.is_some() || self.shared.is_some()
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn holds(&self) -> OwnerType {
        self.owner_type
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn quoted(&self) -> String {
        self.quoted_for::<sqlx::Postgres>()
    }

    pub(crate) fn quoted_for<DB: Dialect>(&self) -> String {
        quoted::<DB>(self.schema.as_deref(), &self.name)
    }
}

/// A table as a statement names it.
pub(crate) fn quoted<DB: Dialect>(schema: Option<&str>, name: &str) -> String {
    let schema = schema.map(|schema| DB::quoted(schema) + ".").unwrap_or_default();
    schema + &DB::quoted(name)
}

impl fmt::Display for OwnedTable {
    /// For messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "`{schema}.{}`", self.name),
            None => write!(f, "`{}`", self.name),
        }
    }
}

/// A name that no quotation mark of any engine is in.
pub(crate) fn checked(name: impl Into<String>) -> Result<String, ConfigError> {
    let name = name.into();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
        return Err(ConfigError::new(format!(
            "table: {name:?} cannot be a name here: use letters, digits, `_`, `-` and `$`, 63 bytes at most"
        )));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_end_a_quotation_are_refused() {
        for bad in ["", "a\"b", "a`b", "a.b", "a b", "a;", "a\\", "a\0", "a'b", &"x".repeat(64)] {
            let error = OwnedTable::new(bad, "user_id").expect_err("a bad name").to_string();
            assert!(error.contains("cannot be a name here"), "{error}");
            assert!(OwnedTable::new("tasks", bad).is_err(), "{bad:?}");
            assert!(OwnedTable::new("tasks", "user_id").and_then(|table| table.in_schema(bad)).is_err(), "{bad:?}");
        }
        for good in ["tasks", "Tasks", "task-list", "täsks", "_1$"] {
            assert!(OwnedTable::new(good, good).and_then(|table| table.in_schema(good)).is_ok(), "{good}");
        }
    }
}
