//! Better Auth's tables in the forms that its database layers give them, filled for the suite.

use std::time::Duration;

use authcore_better_auth::{Schema, SqlSessions};

use crate::database::Database;
use crate::store_suite::{Bench, NOW, Seed, given_up};
use crate::support::engines::Engine;

/// A way of writing the tables.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) snake_case: bool,
    pub(crate) plugins: bool,
    /// The type of ids, and an id in it.
    pub(crate) id: (&'static str, fn(u32) -> String),
    /// The type of times, and how milliseconds since the epoch are written.
    pub(crate) time: (&'static str, fn(i64) -> String),
    pub(crate) boolean: &'static str,
    pub(crate) text: &'static str,
}

/// One database in one form, and its sessions as the code under test sees them.
pub(crate) struct SqlBench {
    pub(crate) database: Database,
    pub(crate) sessions: SqlSessions,
    url: String,
    form: Form,
    /// What holds the look-ups up while the store is interrupted.
    engine: Option<Engine>,
}

impl SqlBench {
    pub(crate) async fn new(database: Database, url: &str, form: Form, schema: Schema) -> Self {
        form.create(&database).await;
        let sessions = SqlSessions::builder().schema(schema).deadline(DEADLINE).connect(url).await;
        Self { database, sessions: sessions.expect("the tables fit"), url: url.to_owned(), form, engine: None }
    }

    /// With sessions that look for the tables anew.
    pub(crate) async fn reconnect(&self, then: impl AsyncFnOnce(SqlSessions)) {
        then(SqlSessions::connect(&self.url).await.expect("the tables fit")).await;
    }

    /// Requests that are given up lose none of the connections: there is but one.
    pub(crate) async fn survives_over_one_connection(&self) {
        self.insert(&Seed::live("OfOneConnection", 91)).await;
        let builder = SqlSessions::builder().deadline(DEADLINE).max_connections(1);
        let sessions = builder.connect(&self.url).await.expect("the tables fit");
        given_up::anywhere(sessions, "OfOneConnection", &self.user_id(91)).await;
    }

    /// With the server, to interrupt it.
    pub(crate) fn over(self, engine: Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }
}

impl Bench for SqlBench {
    type Store = SqlSessions;

    fn store(&self) -> &SqlSessions {
        &self.sessions
    }

    fn deadline(&self) -> Duration {
        DEADLINE
    }

    fn user_id(&self, user: u32) -> String {
        (self.form.id.1)(user)
    }

    fn has_plugins(&self) -> bool {
        self.form.plugins
    }

    async fn insert(&self, seed: &Seed) {
        self.database.run(&self.form.insert_user(seed)).await;
        self.database.run(&self.form.insert_session(seed)).await;
    }

    async fn delete_session(&self, token: &str) {
        self.database.run(&format!("DELETE FROM \"session\" WHERE \"token\" = '{token}'")).await;
    }

    async fn delete_user(&self, user: u32) {
        let id = self.user_id(user);
        self.database.run(&format!("DELETE FROM \"user\" WHERE \"id\" = '{id}'")).await;
    }

    async fn interrupt(&mut self) {
        self.engine.as_mut().expect("a server").stop();
    }

    async fn resume(&mut self) {
        self.engine.as_mut().expect("a server").start();
    }
}

impl Form {
    pub(crate) async fn create(&self, database: &Database) {
        let Self { id: (id, _), time: (time, _), boolean, text, .. } = self;
        let plugin = |column: String| if self.plugins { column } else { String::new() };
        let (role, banned) = (format!(", \"role\" {text}"), format!(", \"banned\" {boolean}"));
        let user = [plugin(role), plugin(banned), plugin(format!(", \"banExpires\" {time}"))].concat();
        let hints = [
            plugin(format!(", \"impersonatedBy\" {id}")),
            plugin(format!(", \"activeOrganizationId\" {text}, \"activeTeamId\" {text}")),
        ];
        let sql = format!(
            "CREATE TABLE \"user\" (\"id\" {id} NOT NULL PRIMARY KEY, \"name\" {text} NOT NULL, \"email\" {text} NOT NULL, \
             \"emailVerified\" {boolean} NOT NULL, \"image\" {text}{user}); \
             CREATE TABLE \"session\" (\"id\" {text} NOT NULL, \"token\" {text} NOT NULL UNIQUE, \
             \"userId\" {id} NOT NULL, \"expiresAt\" {time} NOT NULL, \"createdAt\" {time} NOT NULL{})",
            hints.concat()
        );
        database.run(&self.spell(&sql)).await;
    }

    pub(crate) fn insert_user(&self, seed: &Seed) -> String {
        let Seed { user, role, banned, ban_expires, .. } = seed;
        let (yes, no) = if self.boolean == "boolean" { ("true", "false") } else { ("1", "0") };
        let id = (self.id.1)(*user);
        let mut columns = vec!["id", "name", "email", "emailVerified"];
        let mut values =
            vec![format!("'{id}'"), format!("'User {user} ü'"), format!("'user{user}@example.com'"), yes.into()];
        if self.plugins {
            columns.extend(["role", "banned", "banExpires"]);
            let banned = if *banned { yes } else { no };
            values.extend([quoted(*role), banned.into(), ban_expires.map_or("NULL".into(), |end| self.written(end))]);
        }
        self.insert("user", &columns, &values)
    }

    fn insert_session(&self, seed: &Seed) -> String {
        let Seed { token, user, expires, impersonated_by, organization, .. } = seed;
        let mut columns = vec!["id", "token", "userId", "expiresAt", "createdAt"];
        let user = (self.id.1)(*user);
        let (expires, created) = (self.written(*expires), self.written(-60_000));
        let mut values = vec![format!("'id-{token}'"), format!("'{token}'"), format!("'{user}'"), expires, created];
        if self.plugins {
            columns.extend(["impersonatedBy", "activeOrganizationId"]);
            let administrator = impersonated_by.map(self.id.1);
            values.extend([quoted(administrator.as_deref()), quoted(*organization)]);
        }
        self.insert("session", &columns, &values)
    }

    pub(crate) fn insert(&self, table: &str, columns: &[&str], values: &[String]) -> String {
        let columns: Vec<_> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        self.spell(&format!("INSERT INTO \"{table}\" ({})", columns.join(", ")))
            + &format!(" VALUES ({})", values.join(", "))
    }

    pub(crate) fn written(&self, milliseconds: i64) -> String {
        (self.time.1)(NOW * 1000 + milliseconds)
    }

    /// Names as this form spells them.
    pub(crate) fn spell(&self, sql: &str) -> String {
        if !self.snake_case {
            return sql.to_owned();
        }
        let mut spelt = String::new();
        for (index, part) in sql.split('"').enumerate() {
            let is_name = index % 2 == 1;
            spelt += if index > 0 { "\"" } else { "" };
            for letter in part.chars() {
                if is_name && letter.is_ascii_uppercase() {
                    spelt.push('_');
                }
                spelt.push(if is_name { letter.to_ascii_lowercase() } else { letter });
            }
        }
        spelt
    }
}

pub(crate) fn quoted(text: Option<&str>) -> String {
    text.map_or("NULL".into(), |text| format!("'{text}'"))
}

pub(crate) fn text_id(user: u32) -> String {
    format!("HxiEJ8zGrJbf3UYfSWWe9ECwLxMv{user:04}")
}

pub(crate) fn uuid(user: u32) -> String {
    format!("0190b5a4-7f3e-7abc-8def-00000000{user:04x}")
}

pub(crate) fn number(user: u32) -> String {
    user.to_string()
}

/// `2026-11-27T19:07:13.112`, with another letter between date and time if need be.
pub(crate) fn clock(milliseconds: i64, between: char) -> String {
    let (mut day, time) = (milliseconds.div_euclid(86_400_000) + 1, milliseconds.rem_euclid(86_400_000));
    let (mut year, mut month) = (1970, 0);
    let days = |year: i64, month: usize| match month {
        1 if year % 4 == 0 => 29, // no test is set in 2100
        _ => [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month],
    };
    while day > days(year, month) {
        day -= days(year, month);
        (year, month) = if month == 11 { (year + 1, 0) } else { (year, month + 1) };
    }
    let (hour, minute, second) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60);
    format!("{year}-{:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}.{:03}", month + 1, time % 1000)
}

pub(crate) const DEADLINE: Duration = Duration::from_secs(2);
