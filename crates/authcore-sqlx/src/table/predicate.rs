//! Which rows of a table a caller may touch, as a condition of a statement.

use authcore::{Access, Rows};
use sqlx::QueryBuilder;

use super::{OwnedTable, OwnerType};
use crate::dialect::{Dialect, Sink, Value};
use crate::engine::Engine;

impl OwnedTable {
    /// Adds the condition that a row of this table is among `rows` to a statement of sqlx's, in parentheses: the owner is
    /// the caller, the organization one of the caller's, or the row was shared. For pools of one's own; a
    /// [`ScopedPool`](crate::ScopedPool) runs no statement for rows without it.
    ///
    /// What the table has no column for lets nobody in; what remains, the caller's own rows at least.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, UserId};
    /// use authcore_sqlx::OwnedTable;
    /// use sqlx::{QueryBuilder, Sqlite};
    ///
    /// # let ann = Identity::assertion(UserId::new("ann")?, Method::Other("example")).into_identity();
    /// # let hers = [Membership::assertion("acme", UserId::new("ann")?, ["member"])];
    /// # let isolation = Isolation::default().allow_members(Access::Read);
    /// let tasks = OwnedTable::new("tasks", "user_id")?.organization("organization_id")?;
    /// let mut query = QueryBuilder::<Sqlite>::new("SELECT title FROM tasks WHERE done AND ");
    /// tasks.filter(&isolation.rows(Caller::new(&ann, &hers), Action::Read), &mut query);
    /// assert_eq!(
    ///     query.sql().as_str(),
    ///     r#"SELECT title FROM tasks WHERE done AND ("tasks"."user_id" = ? OR "tasks"."organization_id" IN (?))"#
    /// );
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    pub fn filter<DB: Engine>(&self, rows: &Rows, builder: &mut QueryBuilder<DB>) {
        self.write::<DB>(rows, builder);
    }

    pub(crate) fn write<DB: Dialect>(&self, rows: &Rows, sink: &mut impl Sink) {
        sink.text("(");
        let alternatives = self.alternatives::<DB>(rows);
        for (index, pieces) in alternatives.iter().enumerate() {
            sink.text(if index == 0 { "" } else { " OR " });
            for piece in pieces {
                match piece {
                    Piece::Words(words) => sink.text(words),
                    Piece::Argument(value) => sink.value(value.clone()),
                }
            }
        }
        sink.text(if alternatives.is_empty() { "FALSE)" } else { ")" });
    }

    /// Each lets rows in; none widens another.
    fn alternatives<DB: Dialect>(&self, rows: &Rows) -> Vec<Vec<Piece>> {
        if rows.are_all() {
            return vec![vec![words("TRUE")]];
        }
        let all = [self.own::<DB>(rows), self.of_organizations::<DB>(rows), self.given::<DB>(rows)];
        all.into_iter().flatten().collect()
    }

    /// An id that the owner column cannot hold owns nothing there.
    fn own<DB: Dialect>(&self, rows: &Rows) -> Option<Vec<Piece>> {
        let id = rows.user_id().as_str();
        let (value, around) = match self.owner_type {
            OwnerType::Text => (Value::from(id), ("", "")),
            OwnerType::Uuid => (Value::from(Some(id).filter(|id| is_uuid(id))?), DB::UUID),
            OwnerType::BigInt => (Value::Number(big_int(id)?), ("", "")),
        };
        let column = self.column::<DB>(&self.owner);
        Some(vec![words(format!("{column} = {}", around.0)), Piece::Argument(value), words(around.1)])
    }

    fn of_organizations<DB: Dialect>(&self, rows: &Rows) -> Option<Vec<Piece>> {
        let column = self.column::<DB>(self.organization.as_ref()?);
        let ids = rows.organizations().filter(|id| DB::can_hold(id));
        let mut pieces = Vec::new();
        for id in ids {
            pieces.push(if pieces.is_empty() { words(format!("{column} IN (")) } else { words(", ") });
            pieces.push(Piece::Argument(id.into()));
        }
        if pieces.is_empty() {
            return None;
        }
        pieces.push(words(")"));
        Some(pieces)
    }

    /// The query for what was shared does not look at the row, so that it is asked once.
    fn given<DB: Dialect>(&self, rows: &Rows) -> Option<Vec<Piece>> {
        let shared = self.shared.as_ref().filter(|_| rows.include_shared())?;
        let names = shared.grants.names::<DB>();
        let enough = if Access::Read.allows(rows.action()) { "IN ('read', 'full')" } else { "= 'full'" };
        let id = DB::as_text(&self.column::<DB>(&shared.id));
        let place = "\u{1}";
        let query = format!(
            "SELECT {object} FROM {table} WHERE {user} = {place} AND {kind} = {place} AND {access} {enough}",
            object = names.object_id,
            table = names.table,
            user = names.user_id,
            kind = names.kind,
            access = names.access,
        );
        let text = format!("{id}{}", DB::among(&query));
        let values = [rows.user_id().as_str(), &shared.kind].map(|value| Some(Piece::Argument(value.into())));
        let values = values.into_iter().chain([None]);
        let pieces = text.split(place).zip(values).flat_map(|(text, value)| [Some(words(text)), value]);
        Some(pieces.flatten().collect())
    }

    pub(crate) fn column<DB: Dialect>(&self, column: &str) -> String {
        let before = match &self.alias {
            Some(alias) => DB::quoted(alias),
            None => self.quoted_for::<DB>(),
        };
        format!("{before}.{}", DB::quoted(column))
    }
}

/// A piece of a condition.
enum Piece {
    Words(String),
    Argument(Value),
}

fn words(text: impl Into<String>) -> Piece {
    Piece::Words(text.into())
}

/// As the policies of PostgreSQL have it: lower case, with its hyphens.
fn is_uuid(id: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let fits = |(index, byte)| if [8, 13, 18, 23].contains(&index) { byte == b'-' } else { hex(byte) };
    id.len() == 36 && id.bytes().enumerate().all(fits)
}

/// In its shortest spelling, of 18 digits at most.
fn big_int(id: &str) -> Option<i64> {
    let number: i64 = id.parse().ok()?;
    (number.to_string() == id && id.trim_start_matches('-').len() <= 18).then_some(number)
}

#[cfg(all(test, feature = "postgres", feature = "sqlite", feature = "mysql"))]
mod tests {
    use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, UserId};
    use sqlx::{MySql, Postgres, QueryBuilder, Sqlite};

    use super::*;
    use crate::grants::GrantTable;

    fn condition<DB: Engine>(table: &OwnedTable, isolation: &Isolation, user: &str, action: Action) -> String {
        let user = UserId::new(user).expect("an id");
        let caller = Identity::assertion(user.clone(), Method::Other("test")).roles("admin").into_identity();
        let memberships = ["acme", "be\"ta"].map(|id| Membership::assertion(id, user.clone(), ["member"]));
        let mut builder = QueryBuilder::<DB>::new("");
        table.filter(&isolation.rows(Caller::new(&caller, &memberships), action), &mut builder);
        builder.sql().as_str().to_owned()
    }

    fn table() -> OwnedTable {
        OwnedTable::new("tasks", "user_id").expect("good names")
    }

    fn shared() -> OwnedTable {
        let table = table().organization("org").expect("a good name");
        table.grants(&GrantTable::new("grants").expect("a good name"), "task", "id").expect("good names")
    }

    #[test]
    fn each_engine_is_told_in_its_own_words() {
        let isolation = Isolation::default().allow_members(Access::Read).allow_shared();
        assert_eq!(
            condition::<Postgres>(&shared(), &isolation, "ann", Action::Read),
            r#"("tasks"."user_id" = $1 OR "tasks"."org" IN ($2, $3) OR CAST("tasks"."id" AS text) = ANY (ARRAY(SELECT "object_id" FROM "grants" WHERE "user_id" = $4 AND "kind" = $5 AND "access" IN ('read', 'full'))))"#
        );
        assert_eq!(
            condition::<Sqlite>(&shared().called("t").expect("a name"), &isolation, "ann", Action::Write),
            r#"("t"."user_id" = ? OR CAST("t"."id" AS text) IN (SELECT "object_id" FROM "grants" WHERE "user_id" = ? AND "kind" = ? AND "access" = 'full'))"#
        );
        assert_eq!(
            condition::<MySql>(&shared().in_schema("app").expect("a name"), &isolation, "ann", Action::Write),
            "(`app`.`tasks`.`user_id` = ? OR CONVERT(`app`.`tasks`.`id` USING utf8mb4) COLLATE utf8mb4_bin IN (SELECT \
             `object_id` FROM `grants` WHERE `user_id` = ? AND `kind` = ? AND `access` = 'full'))"
        );
    }

    #[test]
    fn what_the_table_does_not_know_lets_nobody_in() {
        let isolation = Isolation::default().allow_members(Access::Full).allow_shared();
        let own = r#"("tasks"."user_id" = $1)"#;
        assert_eq!(condition::<Postgres>(&table(), &isolation, "ann", Action::Read), own);
        assert_eq!(condition::<Postgres>(&shared(), &Isolation::default(), "ann", Action::Read), own);
        for (holds, id, expected) in [
            (OwnerType::BigInt, "07", "(FALSE)"),
            (OwnerType::BigInt, "9999999999999999999", "(FALSE)"),
            (OwnerType::BigInt, "-7", own),
            (OwnerType::Uuid, "ann", "(FALSE)"),
            (OwnerType::Uuid, "0190A5F0-7c1e-7d3a-8b54-2f1f6f1f9a10", "(FALSE)"),
            (OwnerType::Uuid, "0190a5f0-7c1e-7d3a-8b54-2f1f6f1f9a10", r#"("tasks"."user_id" = CAST($1 AS uuid))"#),
        ] {
            let said = condition::<Postgres>(&table().owner_type(holds), &isolation, id, Action::Read);
            assert_eq!(said, expected, "{id}");
        }
        let admin = Isolation::default().allow_role_to_read("admin");
        assert_eq!(condition::<Sqlite>(&table(), &admin, "ann", Action::Read), "(TRUE)");
        assert_eq!(condition::<Sqlite>(&table(), &admin, "ann", Action::Write), r#"("tasks"."user_id" = ?)"#);
    }
}
