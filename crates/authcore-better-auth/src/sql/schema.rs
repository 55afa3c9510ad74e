//! What Better Auth's tables and columns are called.

use std::collections::BTreeMap;

use authcore::ConfigError;

use super::time::Zone;

/// What the tables and columns are called, and which zone times without one are in.
///
/// Fields go by Better Auth's own names, such as `session.userId`, whatever their column is called:
///
/// ```
/// use authcore_better_auth::Schema;
///
/// let schema = Schema::better_auth()
///     .table("user", "users")                   // user.modelName
///     .column("session.userId", "owner_id")     // session.fields.userId
///     .postgres_schema("auth");
/// ```
///
/// Columns of plugins need not be there. Those that a program relies on are named by [`Schema::require`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Schema {
    snake_case: bool,
    tables: BTreeMap<String, String>,
    columns: BTreeMap<String, String>,
    required: Vec<String>,
    postgres_schema: Option<String>,
    zone: Option<String>,
}

impl Schema {
    /// Better Auth's own migrations, and Prisma: `session.expiresAt` is `"expiresAt"`.
    pub fn better_auth() -> Self {
        Self {
            snake_case: false,
            tables: BTreeMap::new(),
            columns: BTreeMap::new(),
            required: Vec::new(),
            postgres_schema: None,
            zone: None,
        }
    }

    /// What Better Auth generates for Drizzle: `session.expiresAt` is `expires_at`, `teamMember` is `team_member`.
    pub fn snake_case() -> Self {
        Self { snake_case: true, ..Self::better_auth() }
    }

    /// A table by another name: of `user`, `session`, `member`, `team`, `teamMember`, `apikey`.
    pub fn table(mut self, model: impl Into<String>, name: impl Into<String>) -> Self {
        self.tables.insert(model.into(), name.into());
        self
    }

    /// A column by another name. It has to be there then.
    pub fn column(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        let field = field.into();
        self.required.push(field.clone());
        self.columns.insert(field, name.into());
        self
    }

    /// Columns of plugins that have to be there, such as `user.banned`: without, nobody would be banned in a database that
    /// calls it something else.
    pub fn require(mut self, field: impl Into<String>) -> Self {
        self.required.push(field.into());
        self
    }

    /// The PostgreSQL schema the tables are in: by default wherever the connection's `search_path` finds them.
    pub fn postgres_schema(mut self, name: impl Into<String>) -> Self {
        self.postgres_schema = Some(name.into());
        self
    }

    /// The zone of times that are stored without one, as `-05:00`: UTC by default.
    ///
    /// On MySQL, Node's driver writes times in the zone of its own process unless its `timezone` is `"Z"`. Prefer that:
    /// an offset does not follow summer time.
    pub fn zone(mut self, offset: impl Into<String>) -> Self {
        self.zone = Some(offset.into());
        self
    }

    /// Refuses names that no table, field or column has, before they become part of a statement.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for model in self.tables.keys() {
            if !MODELS.contains(&model.as_str()) {
                return Err(ConfigError::new(format!("table: `{model}` is none of {}", MODELS.join(", "))));
            }
        }
        for field in &self.required {
            if !FIELDS.contains(&field.as_str()) {
                return Err(ConfigError::new(format!("column: `{field}` is none of {}", FIELDS.join(", "))));
            }
        }
        let names = self.tables.values().chain(self.columns.values()).chain(&self.postgres_schema);
        match names.into_iter().find(|name| !is_identifier(name)) {
            Some(name) => Err(ConfigError::new(format!(
                "schema: {name:?} cannot be a name here: use letters, digits, `_`, `-` and `$`, 63 at most"
            ))),
            None => self.offset().map(|_| ()),
        }
    }

    pub(super) fn offset(&self) -> Result<Zone, ConfigError> {
        let Some(zone) = &self.zone else { return Ok(Zone::default()) };
        Zone::parse(zone).ok_or_else(|| ConfigError::new(format!("zone: {zone:?} is no offset such as `-05:00`")))
    }

    pub(super) fn table_of(&self, model: &'static str) -> String {
        self.tables.get(model).cloned().unwrap_or_else(|| self.spelt(model))
    }

    pub(super) fn column_of(&self, field: &'static str) -> String {
        self.columns.get(field).cloned().unwrap_or_else(|| self.spelt(bare(field)))
    }

    /// What the column would be called in the other style.
    pub(super) fn twin_of(&self, field: &'static str) -> String {
        if self.snake_case { bare(field).to_owned() } else { snake(bare(field)) }
    }

    pub(super) fn requires(&self, field: &str) -> bool {
        self.required.iter().any(|required| required == field)
    }

    /// Whether anything is said of this table: somebody means to use it, and wants to know at once that it does not fit.
    pub(super) fn speaks_of(&self, model: &str) -> bool {
        let is_of = |field: &String| field.split_once('.').is_some_and(|(table, _)| table == model);
        self.tables.contains_key(model) || self.required.iter().any(is_of)
    }

    /// Whether this column was given one of these names.
    pub(super) fn renames(&self, field: &str, names: &[&str]) -> bool {
        self.columns.get(field).is_some_and(|name| names.contains(&name.as_str()))
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.postgres_schema.as_deref()
    }

    fn spelt(&self, name: &str) -> String {
        if self.snake_case { snake(name) } else { name.to_owned() }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::better_auth()
    }
}

/// The field without its table: `userId` of `session.userId`.
fn bare(field: &'static str) -> &'static str {
    field.split_once('.').map_or(field, |(_, name)| name)
}

fn snake(name: &str) -> String {
    let spell = |letter: char| {
        let underscore = letter.is_ascii_uppercase().then_some('_');
        underscore.into_iter().chain([letter.to_ascii_lowercase()])
    };
    name.chars().flat_map(spell).collect()
}

/// Stricter than any engine: nothing here needs escaping once it is quoted.
fn is_identifier(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$');
    (1..=63).contains(&name.len()) && name.bytes().all(good)
}

pub(super) const MODELS: [&str; 6] = ["user", "session", "member", "team", "teamMember", "apikey"];

const FIELDS: [&str; 41] = [
    "session.id",
    "session.token",
    "session.userId",
    "session.expiresAt",
    "session.createdAt",
    "session.impersonatedBy",
    "session.activeOrganizationId",
    "session.activeTeamId",
    "user.id",
    "user.email",
    "user.emailVerified",
    "user.name",
    "user.image",
    "user.role",
    "user.banned",
    "user.banExpires",
    "member.organizationId",
    "member.userId",
    "member.role",
    "team.id",
    "team.organizationId",
    "teamMember.teamId",
    "teamMember.userId",
    "apikey.id",
    "apikey.key",
    "apikey.configId",
    "apikey.referenceId",
    "apikey.name",
    "apikey.enabled",
    "apikey.expiresAt",
    "apikey.createdAt",
    "apikey.permissions",
    "apikey.remaining",
    "apikey.refillInterval",
    "apikey.refillAmount",
    "apikey.lastRefillAt",
    "apikey.rateLimitEnabled",
    "apikey.rateLimitTimeWindow",
    "apikey.rateLimitMax",
    "apikey.requestCount",
    "apikey.lastRequest",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(schema: &Schema) -> String {
        schema.check().expect_err("a bad schema").to_string()
    }

    #[test]
    fn names_follow_the_style_until_they_are_given() {
        let names = |schema: &Schema| [schema.table_of("teamMember"), schema.column_of("session.activeOrganizationId")];
        assert_eq!(names(&Schema::better_auth()), ["teamMember", "activeOrganizationId"]);
        assert_eq!(names(&Schema::snake_case()), ["team_member", "active_organization_id"]);
        let given = Schema::snake_case().table("teamMember", "crew").column("session.activeOrganizationId", "org");
        assert_eq!(names(&given), ["crew", "org"]);
        assert!(given.requires("session.activeOrganizationId"), "a column that is named has to be there");
        given.check().expect("a good schema");
    }

    #[test]
    fn no_name_reaches_a_statement_unchecked() {
        for name in ["", "a b", "a\"b", "a`b", "a'b", "a;b", "a.b", "a\0b", "ä", &"a".repeat(64)] {
            let refusals = [
                refusal(&Schema::better_auth().table("user", name)),
                refusal(&Schema::better_auth().column("user.name", name)),
                refusal(&Schema::better_auth().postgres_schema(name)),
            ];
            assert!(refusals.iter().all(|refusal| refusal.contains("cannot be a name")), "{refusals:?}");
        }
        Schema::better_auth().table("user", "better-auth_user$1").check().expect("a good name");
    }

    #[test]
    fn what_is_not_read_cannot_be_named() {
        assert!(refusal(&Schema::better_auth().table("users", "users")).starts_with("table: `users` is none of user,"));
        assert!(refusal(&Schema::better_auth().require("user.ban")).starts_with("column: `user.ban` is none of"));
        assert!(refusal(&Schema::better_auth().zone("UTC")).starts_with("zone: \"UTC\" is no offset"));
    }
}
