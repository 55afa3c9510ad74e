//! How the engines' words differ, and how statements that this crate makes up are run.

use sqlx::error::BoxDynError;
use sqlx::{Arguments, Database, QueryBuilder};

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
    Null,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

/// An engine's words.
pub trait Dialect: Database {
    /// The mark around names. No name that comes here holds one: see `table::checked`.
    const QUOTE: char;
    /// The type of a text in a key, compared byte for byte.
    const KEY: &'static str;
    /// The type of a text of any length, compared byte for byte.
    const TEXT: &'static str;
    /// Whether no text in the database can hold `NUL`.
    const REFUSES_NUL: bool;
    /// Words around the place of an argument that is a UUID.
    const UUID: (&'static str, &'static str) = ("", "");

    /// Whether a text in the database can be this one.
    fn can_hold(text: &str) -> bool {
        !(Self::REFUSES_NUL && text.contains('\0'))
    }

    /// A column of any type as text, compared byte for byte.
    fn as_text(column: &str) -> String {
        format!("CAST({column} AS text)")
    }

    /// "Is among the results of this query", which is asked once and not for each row.
    fn among(query: &str) -> String {
        format!(" IN ({query})")
    }

    /// What an insertion does when the key is there already: it replaces this column.
    fn or_replace(key: &[String], column: &str) -> String {
        format!(" ON CONFLICT ({}) DO UPDATE SET {column} = excluded.{column}", key.join(", "))
    }

    /// Adds an argument.
    fn add(arguments: &mut Self::Arguments, value: Value) -> Result<(), BoxDynError>;

    /// Adds an argument and its place.
    fn push(builder: &mut QueryBuilder<Self>, value: Value);

    /// Runs a statement, and says how many rows it changed.
    fn run(
        connection: &mut Self::Connection,
        draft: Draft<Self>,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// All rows of a statement.
    fn rows(
        connection: &mut Self::Connection,
        draft: Draft<Self>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// A column that holds text or null.
    fn text(row: &Self::Row, index: usize) -> Result<Option<String>, sqlx::Error>;

    /// A column that holds a number.
    fn number(row: &Self::Row, index: usize) -> Result<i64, sqlx::Error>;

    /// A name in quotation marks.
    fn quoted(name: &str) -> String {
        format!("{0}{name}{0}", Self::QUOTE)
    }
}

/// What a statement is written to.
pub(crate) trait Sink {
    fn text(&mut self, text: &str);

    fn value(&mut self, value: Value);
}

impl<DB: Dialect> Sink for QueryBuilder<DB> {
    fn text(&mut self, text: &str) {
        self.push(text);
    }

    fn value(&mut self, value: Value) {
        DB::push(self, value);
    }
}

/// A statement in the making: its text, and the arguments in the order of their places.
pub struct Draft<DB: Database> {
    pub(crate) text: String,
    pub(crate) arguments: Result<DB::Arguments, BoxDynError>,
    pub(crate) is_persistent: bool,
}

impl<DB: Database> Draft<DB> {
    pub(crate) fn new(text: impl Into<String>, is_persistent: bool) -> Self {
        Self { text: text.into(), arguments: Ok(DB::Arguments::default()), is_persistent }
    }

    /// Adds an argument in its own way, and its place. One that cannot be encoded fails the statement when it is run.
    pub(crate) fn place(&mut self, add: impl FnOnce(&mut DB::Arguments) -> Result<(), BoxDynError>) {
        let Ok(arguments) = &mut self.arguments else { return };
        match add(arguments) {
            Ok(()) => arguments.format_placeholder(&mut self.text).expect("a String takes everything"),
            Err(error) => self.arguments = Err(error),
        }
    }
}

impl<DB: Dialect> Sink for Draft<DB> {
    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn value(&mut self, value: Value) {
        self.place(|arguments| DB::add(arguments, value));
    }
}

/// The same lines for each engine, whose types sqlx keeps apart. Texts are made of checked names and places of arguments,
/// nothing else: that is what the assertion rests on.
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "mysql"))]
macro_rules! speaks {
    () => {
        fn add(arguments: &mut Self::Arguments, value: Value) -> Result<(), sqlx::error::BoxDynError> {
            use sqlx::Arguments as _;
            match value {
                Value::Text(text) => arguments.add(text),
                Value::Number(number) => arguments.add(number),
                Value::Null => arguments.add(None::<String>),
            }
        }

        fn push(builder: &mut sqlx::QueryBuilder<Self>, value: Value) {
            match value {
                Value::Text(text) => builder.push_bind(text),
                Value::Number(number) => builder.push_bind(number),
                Value::Null => builder.push_bind(None::<String>),
            };
        }

        async fn run(connection: &mut Self::Connection, draft: Draft<Self>) -> Result<u64, sqlx::Error> {
            let arguments = draft.arguments.map_err(sqlx::Error::Encode)?;
            let query = sqlx::query_with::<Self, _>(sqlx::AssertSqlSafe(draft.text), arguments);
            Ok(query.persistent(draft.is_persistent).execute(connection).await?.rows_affected())
        }

        async fn rows(connection: &mut Self::Connection, draft: Draft<Self>) -> Result<Vec<Self::Row>, sqlx::Error> {
            let arguments = draft.arguments.map_err(sqlx::Error::Encode)?;
            let query = sqlx::query_with::<Self, _>(sqlx::AssertSqlSafe(draft.text), arguments);
            query.persistent(draft.is_persistent).fetch_all(connection).await
        }

        fn text(row: &Self::Row, index: usize) -> Result<Option<String>, sqlx::Error> {
            sqlx::Row::try_get(row, index)
        }

        fn number(row: &Self::Row, index: usize) -> Result<i64, sqlx::Error> {
            sqlx::Row::try_get(row, index)
        }
    };
}

#[cfg(feature = "postgres")]
impl Dialect for sqlx::Postgres {
    const QUOTE: char = '"';
    const KEY: &'static str = "text";
    const TEXT: &'static str = "text";
    const REFUSES_NUL: bool = true;
    const UUID: (&'static str, &'static str) = ("CAST(", " AS uuid)");

    /// As an array, which an index on the column can be asked for.
    fn among(query: &str) -> String {
        format!(" = ANY (ARRAY({query}))")
    }

    speaks!();
}

#[cfg(feature = "sqlite")]
impl Dialect for sqlx::Sqlite {
    const QUOTE: char = '"';
    const KEY: &'static str = "text";
    const TEXT: &'static str = "text";
    const REFUSES_NUL: bool = false;

    speaks!();
}

#[cfg(feature = "mysql")]
impl Dialect for sqlx::MySql {
    const QUOTE: char = '`';
    const KEY: &'static str = "varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    const TEXT: &'static str = "text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    const REFUSES_NUL: bool = false;

    fn as_text(column: &str) -> String {
        format!("CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin")
    }

    fn or_replace(_: &[String], column: &str) -> String {
        format!(" ON DUPLICATE KEY UPDATE {column} = VALUES({column})")
    }

    speaks!();
}
