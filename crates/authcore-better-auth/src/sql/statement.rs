//! The statements, put together once from the columns a database has.

mod api_key;

use std::sync::Arc;

use authcore::ConfigError;

use super::engine::{Engine, Values};
use super::row::Row;
use super::schema::Schema;
use super::unreachable;
pub(super) use api_key::{COUNTERS, KeyStatements};

/// A table's fields by Better Auth's names, and whether it is one without them.
type Fields = &'static [(&'static str, Need)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Core,
    Plugin,
}

/// A SELECT, ready to run.
pub(super) struct Statement {
    pub(super) sql: Arc<str>,
    /// What the columns of a row are.
    fields: Arc<[&'static str]>,
    /// The types of the columns that the arguments are compared with.
    compared: Vec<String>,
}

impl Statement {
    /// Whether there can be a row for these arguments at all.
    pub(super) fn can_match(&self, engine: &dyn Engine, arguments: &[String]) -> bool {
        self.compared.iter().zip(arguments).all(|(declared, value)| engine.can_hold(declared, value))
    }

    pub(super) fn row(&self, values: Values) -> Row {
        Row::new(Arc::clone(&self.fields), values)
    }
}

/// All statements of one database.
pub(super) struct Statements {
    /// `None` where sessions are elsewhere.
    pub(super) session: Option<Statement>,
    /// Users by their ids: so many at most in each.
    pub(super) users: Vec<(usize, Statement)>,
    pub(super) member: Option<Statement>,
    pub(super) team_member: Option<Statement>,
    /// `None` without a table of keys. One of another shape is nobody's trouble until keys are asked for.
    pub(super) api_keys: Result<Option<KeyStatements>, ConfigError>,
    /// Columns of plugins that are not there.
    pub(super) absent: Vec<&'static str>,
}

impl Statements {
    pub(super) async fn prepare(
        engine: &dyn Engine,
        schema: &Schema,
        needs_sessions: bool,
    ) -> Result<Self, ConfigError> {
        let find = |model, alias, fields| Table::find(engine, schema, model, alias, fields);
        let session = find("session", "s", SESSION).await?;
        if session.is_none() && needs_sessions {
            return Err(no_table(engine, schema, "session"));
        }
        let user = find("user", "u", USER).await?.ok_or_else(|| no_table(engine, schema, "user"))?;
        let member = find("member", "m", MEMBER).await?;
        let team = find("team", "t", TEAM).await?;
        let team_member = find("teamMember", "tm", TEAM_MEMBER).await?;
        let keys = find("apikey", "k", api_key::API_KEY).await;
        let write = Writer { engine };
        let absent = |table: &Table, fields: Fields| {
            fields.iter().map(|(field, _)| *field).filter(|field| table.column(field).is_none()).collect::<Vec<_>>()
        };
        Ok(Self {
            absent: [
                session.as_ref().map(|session| absent(session, SESSION)).unwrap_or_default(),
                absent(&user, USER),
                keys.as_ref()
                    .ok()
                    .and_then(Option::as_ref)
                    .map(|keys| absent(keys, api_key::API_KEY))
                    .unwrap_or_default(),
            ]
            .concat(),
            api_keys: keys
                .and_then(|keys| keys.map(|keys| KeyStatements::of(engine, schema, &keys, &user)).transpose()),
            session: session.map(|session| write.session(&session, &user)),
            users: GROUPS.map(|size| (size, write.users(&user, size))).into(),
            team_member: match (&member, &team, &team_member) {
                (Some(member), Some(team), Some(team_member)) => Some(write.team_member(member, team, team_member)),
                _ => None,
            },
            member: member.map(|member| write.member(&member)),
        })
    }
}

/// A table that is there, with what it has of the fields.
struct Table {
    from: String,
    columns: Vec<Column>,
}

struct Column {
    field: &'static str,
    /// Quoted, and with the table's alias before it: SQLite takes a quoted name that it does not know for a text.
    name: String,
    declared: String,
}

impl Column {
    /// Without the alias: what an UPDATE sets takes none.
    fn bare(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(_, bare)| bare)
    }
}

impl Table {
    async fn find(
        engine: &dyn Engine,
        schema: &Schema,
        model: &'static str,
        alias: &'static str,
        fields: Fields,
    ) -> Result<Option<Self>, ConfigError> {
        let name = schema.table_of(model);
        let there = engine.columns(schema.namespace(), &name).await.map_err(|error| unreachable(&error))?;
        if there.is_empty() {
            let is_required = fields.iter().any(|(field, _)| schema.requires(field));
            return if is_required { Err(no_table(engine, schema, model)) } else { Ok(None) };
        }
        let namespace = schema.namespace().filter(|_| engine.name() == "PostgreSQL");
        let namespace = namespace.map(|name| engine.quote(name) + ".").unwrap_or_default();
        let mut table = Self { from: format!("{namespace}{} AS {alias}", engine.quote(&name)), columns: Vec::new() };
        for (field, need) in fields {
            let called = schema.column_of(field);
            let find = |called: &str| there.iter().find(|(name, _)| engine.same_column(name, called));
            if let Some((_, declared)) = find(&called) {
                let name = format!("{alias}.{}", engine.quote(&called));
                table.columns.push(Column { field, name, declared: declared.clone() });
            } else if *need == Need::Core || schema.requires(field) || find(&schema.twin_of(field)).is_some() {
                // A column in the other style is not taken for a plugin that is not there.
                return Err(no_column(schema, model, field, find(&schema.twin_of(field)).is_some()));
            }
        }
        for field in fields.iter().map(|(field, _)| *field).filter(|field| table.column(field).is_none()) {
            let column = schema.column_of(field);
            if engine.hides(&name, &column).await.map_err(|error| unreachable(&error))? {
                return Err(ConfigError::new(format!(
                    "schema: nobody can tell whether table `{name}` has a column `{column}`: grant SELECT on the whole table"
                )));
            }
        }
        Ok(Some(table))
    }

    fn column(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }

    fn core(&self, field: &str) -> &Column {
        self.column(field).expect("a table is not taken without its core fields")
    }
}

/// Puts texts together out of names that were checked and quoted.
struct Writer<'e> {
    engine: &'e dyn Engine,
}

impl Writer<'_> {
    /// The user is joined from the left: that there is none any more is the judge's to say.
    fn session(&self, session: &Table, user: &Table) -> Statement {
        let join = format!(
            "{} LEFT JOIN {} ON {} = {}",
            session.from,
            user.from,
            user.core("user.id").name,
            session.core("session.userId").name
        );
        let filter = self.equal(1, session.core("session.token"));
        self.select(&[session, user], &join, &filter, FEW, vec![session.core("session.token")])
    }

    fn users(&self, user: &Table, size: usize) -> Statement {
        let id = user.core("user.id");
        let arguments: Vec<_> = (1..=size).map(|position| self.engine.argument(position, &id.declared)).collect();
        let filter = format!("{} IN ({})", id.name, arguments.join(", "));
        self.select(&[user], &user.from, &filter, size * FEW, vec![id; size])
    }

    fn member(&self, member: &Table) -> Statement {
        let compared = [member.core("member.organizationId"), member.core("member.userId")];
        self.select(&[member], &member.from, &self.all_equal(&compared), FEW, compared.to_vec())
    }

    /// Through the team to its organization, and to the membership there: a row in `teamMember` alone proves neither.
    fn team_member(&self, member: &Table, team: &Table, team_member: &Table) -> Statement {
        let join = format!(
            "{} JOIN {} ON {} = {} JOIN {} ON {} = {} AND {} = {}",
            team_member.from,
            team.from,
            team.core("team.id").name,
            team_member.core("teamMember.teamId").name,
            member.from,
            member.core("member.organizationId").name,
            team.core("team.organizationId").name,
            member.core("member.userId").name,
            team_member.core("teamMember.userId").name,
        );
        let compared =
            [member.core("member.organizationId"), member.core("member.userId"), team_member.core("teamMember.teamId")];
        self.select(&[member, team_member], &join, &self.all_equal(&compared), FEW, compared.to_vec())
    }

    fn select(&self, read: &[&Table], from: &str, filter: &str, limit: usize, compared: Vec<&Column>) -> Statement {
        let columns: Vec<_> = read.iter().flat_map(|table| &table.columns).collect();
        let texts: Vec<_> = columns.iter().map(|column| self.engine.as_text(&column.name, &column.declared)).collect();
        Statement {
            sql: format!("SELECT {} FROM {from} WHERE {filter} LIMIT {limit}", texts.join(", ")).into(),
            fields: columns.iter().map(|column| column.field).collect(),
            compared: compared.into_iter().map(|column| column.declared.clone()).collect(),
        }
    }

    fn equal(&self, position: usize, column: &Column) -> String {
        format!("{} = {}", column.name, self.engine.argument(position, &column.declared))
    }

    fn all_equal(&self, columns: &[&Column]) -> String {
        let equal = columns.iter().enumerate().map(|(index, column)| self.equal(index + 1, column));
        equal.collect::<Vec<_>>().join(" AND ")
    }
}

fn no_table(engine: &dyn Engine, schema: &Schema, model: &'static str) -> ConfigError {
    let name = schema.table_of(model);
    let engine = engine.name();
    ConfigError::new(format!("schema: this {engine} database has no table `{name}`; see Schema::table(\"{model}\", …)"))
}

fn no_column(schema: &Schema, model: &'static str, field: &'static str, is_twin_there: bool) -> ConfigError {
    let (table, column, twin) = (schema.table_of(model), schema.column_of(field), schema.twin_of(field));
    let mend = match is_twin_there {
        true => format!("but `{twin}`: choose Schema::better_auth() or Schema::snake_case() by that"),
        false => format!("see Schema::column(\"{field}\", …)"),
    };
    ConfigError::new(format!("schema: table `{table}` has no column `{column}`; {mend}"))
}

/// Rows that may differ in what an engine overlooks, such as case, before one too many means ambiguity.
const FEW: usize = 4;

/// Statements for so many users: an engine remembers each, so there are few.
const GROUPS: [usize; 4] = [1, 10, 100, super::MAX_USERS];

const SESSION: Fields = &[
    ("session.id", Need::Core),
    ("session.token", Need::Core),
    ("session.userId", Need::Core),
    ("session.expiresAt", Need::Core),
    ("session.createdAt", Need::Core),
    ("session.impersonatedBy", Need::Plugin),
    ("session.activeOrganizationId", Need::Plugin),
    ("session.activeTeamId", Need::Plugin),
];

const USER: Fields = &[
    ("user.id", Need::Core),
    ("user.email", Need::Core),
    ("user.emailVerified", Need::Core),
    ("user.name", Need::Core),
    ("user.image", Need::Plugin),
    ("user.role", Need::Plugin),
    ("user.banned", Need::Plugin),
    ("user.banExpires", Need::Plugin),
];

const MEMBER: Fields =
    &[("member.organizationId", Need::Core), ("member.userId", Need::Core), ("member.role", Need::Core)];

const TEAM: Fields = &[("team.id", Need::Core), ("team.organizationId", Need::Core)];

const TEAM_MEMBER: Fields = &[("teamMember.teamId", Need::Core), ("teamMember.userId", Need::Core)];
