//! PostgreSQL: each connection is told to give up where we do, and to read only if that is all it is for.

use std::str::FromStr;
use std::sync::Arc;

use authcore::ConfigError;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgQueryResult};

use super::engine::{self, Access, Asked, Engine, Limits, Values};
use super::unreachable;

pub(super) struct Postgres(pub(super) PgPool);

impl Postgres {
    pub(super) async fn connect(url: &str, limits: Limits, access: Access) -> Result<Self, ConfigError> {
        let options = PgConnectOptions::from_str(url).map_err(|error| unreachable(&error))?;
        let give_up = limits.deadline.as_millis().to_string();
        let mut options = options.options([("statement_timeout", &give_up)]);
        if access == Access::Read {
            options = options.options([("default_transaction_read_only", "on")]);
        }
        engine::try_out(&options).await?;
        Ok(Self(limits.pool().connect_lazy_with(options)))
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn quote(&self, name: &str) -> String {
        format!("\"{name}\"")
    }

    /// From the catalogue and not the information schema: that hides what may not be read, and a hidden `banned` would
    /// look like a server without bans.
    fn columns<'a>(&'a self, namespace: Option<&'a str>, table: &'a str) -> Asked<'a, Vec<(String, String)>> {
        let table = namespace.map(|name| self.quote(name) + ".").unwrap_or_default() + &self.quote(table);
        let found = sqlx::query_as(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_catalog.pg_attribute \
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
        );
        Box::pin(found.bind(table).fetch_all(&self.0))
    }

    fn same_column(&self, one: &str, other: &str) -> bool {
        one == other
    }

    /// Infinite times are null to `to_char`, and would pass for none.
    fn as_text(&self, column: &str, declared: &str) -> String {
        match declared {
            "timestamp with time zone" => {
                format!(
                    "coalesce(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {column}::text)"
                )
            }
            "timestamp without time zone" => {
                format!("coalesce(to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), {column}::text)")
            }
            _ => format!("{column}::text"),
        }
    }

    fn argument(&self, position: usize, declared: &str) -> String {
        match declared {
            "uuid" => format!("${position}::uuid"),
            "smallint" | "integer" | "bigint" => format!("${position}::bigint"),
            "timestamp with time zone" => format!("${position}::timestamptz"),
            "timestamp without time zone" => format!("${position}::timestamp"),
            _ => format!("${position}"),
        }
    }

    fn can_hold(&self, declared: &str, value: &str) -> bool {
        match declared {
            "uuid" => is_uuid(value),
            "smallint" | "integer" | "bigint" => value.parse::<i64>().is_ok(),
            _ => !value.contains('\0'),
        }
    }

    /// PostgreSQL compares no text with a number or a UUID, and a cast of what is neither would fail.
    fn reference(&self, column: &str, declared: &str, other: &str) -> String {
        match (declared, other) {
            (same, other) if same == other => column.to_owned(),
            ("text" | "character varying", "uuid") => {
                format!(
                    "CASE WHEN {column} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {column}::uuid END"
                )
            }
            ("text" | "character varying", "smallint" | "integer" | "bigint") => {
                format!("CASE WHEN {column} ~ '^[0-9]{{1,18}}$' THEN {column}::bigint END")
            }
            ("uuid" | "smallint" | "integer" | "bigint", "text" | "character varying") => format!("{column}::text"),
            _ => column.to_owned(),
        }
    }

    fn is_same(&self, text: &str, argument: &str) -> String {
        format!("{text} IS NOT DISTINCT FROM {argument}")
    }

    fn change<'a>(&'a self, sql: &'a Arc<str>, arguments: Values) -> Asked<'a, u64> {
        Box::pin(engine::change(&self.0, sql, arguments, PgQueryResult::rows_affected))
    }

    fn rows<'a>(&'a self, sql: &'a Arc<str>, arguments: Vec<String>) -> Asked<'a, Vec<Values>> {
        Box::pin(engine::rows(&self.0, sql, arguments))
    }
}

/// As PostgreSQL writes it: in five groups, lower case.
fn is_uuid(value: &str) -> bool {
    let fits = |(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    value.len() == 36 && value.bytes().enumerate().all(fits)
}
