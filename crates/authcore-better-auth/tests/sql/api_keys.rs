//! API keys in each engine, in the forms that Better Auth's database layers give them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use authcore_better_auth::{ApiKey, ApiKeyStore as _, ApiKeys, KeyLimits, Schema, SqlApiKeys, SqlSessions};

use crate::bench::{Form, number, quoted, uuid};
use crate::database::{Database, SqliteFile};
use crate::key_suite::{self, KeyBench, KeySeed, said};
use crate::store_suite::Seed;
use crate::support::engines::Engine;
use crate::{mariadb, postgres, sqlite};

struct SqlKeys {
    database: Database,
    form: Form,
    reader: SqlApiKeys,
    counter: SqlApiKeys,
    /// Over one connection to read by, and one to count by.
    single: SqlApiKeys,
}

impl SqlKeys {
    async fn new(database: Database, url: &str, form: Form, schema: Schema) -> Self {
        form.create(&database).await;
        database.run(&table(&form)).await;
        let connect = async |writes: bool, connections: u32| {
            let builder = SqlSessions::builder().schema(schema.clone()).max_connections(connections);
            let builder = if writes { builder.write_key_counters() } else { builder };
            let sessions = builder.connect(url).await.expect("the tables fit");
            sessions.api_keys().expect("the table of keys fits")
        };
        let (reader, counter, single) = (connect(false, 8).await, connect(true, 8).await, connect(true, 1).await);
        Self { database, form, reader, counter, single }
    }

    /// A text with quotation marks, which would be spelt as those of names in MariaDB.
    fn json(&self, text: &str) -> String {
        match self.database {
            Database::MariaDb(_) => {
                format!("x'{}'", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
            _ => quoted(Some(text)),
        }
    }

    async fn enforced(&self, key: &str) -> &'static str {
        let keys = ApiKeys::builder(self.counter.clone()).limits(KeyLimits::Enforce).build().expect("it may count");
        said(&keys, key).await
    }
}

/// Better Auth's: the owner's id is text, whatever the type of ids.
fn table(form: &Form) -> String {
    let Form { id: (id, _), time: (time, _), boolean, text, .. } = form;
    form.spell(&format!(
        "CREATE TABLE \"apikey\" (\"id\" {id} NOT NULL PRIMARY KEY, \"configId\" {text} NOT NULL, \"name\" {text}, \
         \"referenceId\" {text} NOT NULL, \"key\" {text} NOT NULL, \"refillInterval\" integer, \"refillAmount\" integer, \
         \"lastRefillAt\" {time} NULL, \"enabled\" {boolean}, \"rateLimitEnabled\" {boolean}, \
         \"rateLimitTimeWindow\" integer, \"rateLimitMax\" integer, \"requestCount\" integer, \"remaining\" integer, \
         \"lastRequest\" {time} NULL, \"expiresAt\" {time} NULL, \"createdAt\" {time} NOT NULL, \
         \"updatedAt\" {time} NULL, \"permissions\" text, \"metadata\" text)"
    ))
}

impl KeyBench for SqlKeys {
    type Store = SqlApiKeys;

    fn reader(&self) -> SqlApiKeys {
        self.reader.clone()
    }

    fn counter(&self) -> SqlApiKeys {
        self.counter.clone()
    }

    fn user_id(&self, number: u32) -> String {
        (self.form.id.1)(number)
    }

    fn key_id(&self, number: u32) -> String {
        (self.form.id.1)(number + 1000)
    }

    async fn insert(&self, seed: &KeySeed) {
        let KeySeed { role, banned, ban_expires, .. } = *seed;
        let user = Seed { role, banned, ban_expires, ..Seed::live("", seed.number) };
        self.database.run(&self.form.insert_user(&user)).await;
        let number = |number: Option<i64>| number.map_or("NULL".to_owned(), |number| number.to_string());
        let time = |time: Option<i64>| time.map_or("NULL".to_owned(), |time| self.form.written(time));
        let flag = |is: bool| match (self.form.boolean, is) {
            ("boolean", is) => is.to_string(),
            (_, is) => u8::from(is).to_string(),
        };
        let cells = [
            ("id", format!("'{}'", self.key_id(seed.number))),
            ("configId", quoted(Some(seed.config.unwrap_or_default()))),
            ("name", format!("'Key {} ü'", seed.number)),
            ("referenceId", format!("'{}'", self.user_id(seed.number))),
            ("key", format!("'{}'", seed.stored())),
            ("refillInterval", number(seed.refill.map(|(interval, _)| interval))),
            ("refillAmount", number(seed.refill.map(|(_, amount)| amount))),
            ("enabled", flag(seed.enabled)),
            ("rateLimitEnabled", flag(seed.rate.is_some())),
            ("rateLimitTimeWindow", number(seed.rate.map(|(window, _)| window))),
            ("rateLimitMax", number(seed.rate.map(|(_, max)| max))),
            ("requestCount", number(Some(seed.request_count))),
            ("remaining", number(seed.remaining)),
            ("lastRequest", time(seed.last_request)),
            ("expiresAt", time(seed.expires)),
            ("createdAt", time(Some(-60_000))),
            ("updatedAt", time(Some(-60_000))),
            ("permissions", seed.permissions.map_or("NULL".to_owned(), |json| self.json(json))),
            ("metadata", self.json(r#"{"a":1}"#)),
        ];
        let (columns, values): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
        self.database.run(&self.form.insert("apikey", &columns, &values)).await;
    }

    async fn delete_owner(&self, number: u32) {
        let id = self.user_id(number);
        self.database.run(&format!("DELETE FROM \"user\" WHERE \"id\" = '{id}'")).await;
    }

    async fn dump(&self) -> BTreeMap<String, String> {
        self.database.cells(&["user", "session", "apikey"]).await
    }
}

fn iso(milliseconds: i64) -> String {
    (sqlite::built_in().time.1)(milliseconds)
}

#[tokio::test]
async fn keys_hold_to_the_suite_in_sqlite() {
    let drizzle = Form {
        snake_case: true,
        id: ("integer", number),
        time: ("integer", |milliseconds| milliseconds.to_string()),
        ..sqlite::built_in()
    };
    let prisma = Form { time: ("text", |ms| iso(ms).replace("Z'", "+00:00'")), ..sqlite::built_in() };
    for (name, form, written) in [
        ("keys-built-in", sqlite::built_in(), "2026-11-27T19:07:14.501Z text"),
        ("keys-drizzle", drizzle, "1795806434501 integer"),
        ("keys-prisma", prisma, "2026-11-27T19:07:14.501+00:00 text"),
    ] {
        let file = SqliteFile::new(name);
        let schema = if form.snake_case { Schema::snake_case() } else { Schema::better_auth() };
        let bench = SqlKeys::new(Database::sqlite(&file).await, &file.url(), form, schema).await;
        key_suite::run(&bench).await;
        key_suite::given_up::anywhere(&bench, bench.single.clone(), ("OfOneConnection", 22)).await;
        // The form of the times is the row's own.
        let cells = bench.dump().await;
        let is_last_request = |name: &str| {
            name.contains(&bench.key_id(18)) && name.to_lowercase().replace('_', "").ends_with("/lastrequest")
        };
        let cell = cells.iter().find(|(name, _)| is_last_request(name)).expect("the key of the rate limit");
        assert_eq!(cell.1, written, "{name}");
        a_reference_that_begins_like_an_id_is_another(&bench).await;
    }
}

#[tokio::test]
async fn keys_hold_to_the_suite_in_postgres() {
    let engine = Engine::postgres();
    let first = Database::at(&engine.first_database()).await;
    let forms = [
        ("text", Form { ..postgres::built_in() }, Schema::better_auth()),
        ("uuids", Form { id: ("uuid", uuid), ..postgres::built_in() }, Schema::better_auth()),
        ("drizzle", Form { snake_case: true, id: ("integer", number), ..postgres::drizzle() }, Schema::snake_case()),
    ];
    for (name, form, schema) in forms {
        first.run(&format!("CREATE DATABASE \"{name}\"")).await;
        let url = engine.url(name);
        let bench = SqlKeys::new(Database::at(&url).await, &url, form, schema).await;
        key_suite::run(&bench).await;
        key_suite::given_up::anywhere(&bench, bench.single.clone(), ("OfOneConnection", 22)).await;
        a_time_before_or_after_all_others_is_not_none(&bench).await;
        a_reference_to_no_such_id_is_no_outage(&bench).await;
    }
    rights_to_four_columns_are_enough(&engine).await;
    a_locked_row_is_an_outage(&engine).await;
}

/// A reference that no id of this type could be: an organization's, or what a migration left.
async fn a_reference_to_no_such_id_is_no_outage(bench: &SqlKeys) {
    for reference in ["nobody", "5x", "99999999999999999999", "", "0190B5A4-7F3E-7ABC-8DEF-000000000001"] {
        let key = bench.form.spell("UPDATE \"apikey\" SET \"referenceId\" = ");
        let of = bench.form.spell(&format!(" WHERE \"id\" = '{}'", bench.key_id(17)));
        bench.database.run(&format!("{key}'{reference}'{of}")).await;
        let found = bench.reader.api_key(&ApiKey::new("Unlimited").expect("a key")).await;
        match reference {
            "" => assert!(found.is_err(), "no id at all cannot be read"),
            _ => assert!(found.expect("it answers").expect("the key is there").owner.is_none(), "{reference}"),
        }
    }
}

/// PostgreSQL writes infinite times as null: a key that is long over would be one without an end.
async fn a_time_before_or_after_all_others_is_not_none(bench: &SqlKeys) {
    let set = async |end: &str| {
        let key = bench.form.spell("UPDATE \"apikey\" SET \"expiresAt\" = ");
        let of = bench.form.spell(&format!(" WHERE \"id\" = '{}'", bench.key_id(17)));
        bench.database.run(&format!("{key}{end}{of}")).await;
        bench.reader.api_key(&ApiKey::new("Unlimited").expect("a key")).await
    };
    for end in ["'-infinity'", "'infinity'"] {
        let cause = std::error::Error::source(&set(end).await.expect_err(end)).map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("`apikey.expiresAt` holds what cannot be read"), "{end}");
    }
    set("NULL").await.expect("it answers").expect("the key is there");
}

async fn rights_to_four_columns_are_enough(engine: &Engine) {
    let url = engine.url("text");
    let database = Database::at(&url).await;
    let grants = "CREATE ROLE counter LOGIN; GRANT SELECT ON \"user\", \"session\", \"apikey\" TO counter";
    database.run(grants).await;
    let url = url.replace("auth:pa55word@", "counter@");
    let connect = async || SqlSessions::builder().write_key_counters().connect(&url).await;
    let error = connect().await.expect_err("no right to write").to_string();
    assert!(error.starts_with("write_key_counters: ") && error.contains("permission denied"), "{error}");
    SqlSessions::connect(&url).await.expect("reading is enough").api_keys().expect("the keys can be read");
    database
        .run("GRANT UPDATE (remaining, \"lastRefillAt\", \"requestCount\", \"lastRequest\") ON apikey TO counter")
        .await;
    let keys = connect().await.expect("all rights that are needed").api_keys().expect("the keys can be read");
    let keys = ApiKeys::builder(keys).limits(KeyLimits::Enforce).build().expect("it may count");
    assert_eq!(said(&keys, "TenADay").await, "accepted");
}

async fn a_locked_row_is_an_outage(engine: &Engine) {
    let url = engine.url("text");
    let counter = SqlSessions::builder().write_key_counters().deadline(Duration::from_millis(500)).connect(&url).await;
    let keys = counter.expect("the tables fit").api_keys().expect("the keys can be read");
    let keys = ApiKeys::builder(keys).limits(KeyLimits::Enforce).build().expect("it may count");
    let Database::Postgres(pool) = Database::at(&url).await else { unreachable!("a PostgreSQL server") };
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("SELECT 1 FROM apikey FOR UPDATE").fetch_all(&mut *lock).await.expect("the lock");
    let began = Instant::now();
    assert_eq!(said(&keys, "TenADay").await, "unavailable");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    lock.rollback().await.expect("the lock's end");
    assert_eq!(said(&keys, "TenADay").await, "accepted");
}

#[tokio::test]
async fn keys_hold_to_the_suite_in_mariadb() {
    let engine = Engine::mariadb();
    let first = Database::at(&engine.first_database()).await;
    let new_york = |milliseconds: i64| (mariadb::built_in().time.1)(milliseconds - 5 * 3_600_000);
    let forms = [
        ("text", mariadb::built_in(), Schema::better_auth()),
        (
            "local",
            Form { time: ("datetime(3)", new_york), id: ("integer", number), ..mariadb::built_in() },
            Schema::better_auth().zone("-05:00"),
        ),
        ("drizzle", Form { snake_case: true, boolean: "boolean", ..mariadb::built_in() }, Schema::snake_case()),
    ];
    for (name, form, schema) in forms {
        first.run(&format!("CREATE DATABASE \"{name}\"")).await;
        let url = engine.url(name);
        let bench = SqlKeys::new(Database::at(&url).await, &url, form, schema).await;
        key_suite::run(&bench).await;
        key_suite::given_up::anywhere(&bench, bench.single.clone(), ("OfOneConnection", 22)).await;
        a_reference_that_begins_like_an_id_is_another(&bench).await;
    }
}

/// MySQL takes `17x` for the number 17, and so does SQLite with `017`.
async fn a_reference_that_begins_like_an_id_is_another(bench: &SqlKeys) {
    let key = bench.form.spell("UPDATE \"apikey\" SET \"referenceId\" = ");
    let of = bench.form.spell(&format!(" WHERE \"id\" = '{}'", bench.key_id(17)));
    for other in
        [format!("{}x", bench.user_id(17)), format!("0{}", bench.user_id(17)), bench.user_id(17).to_lowercase()]
    {
        if other == bench.user_id(17) {
            continue;
        }
        bench.database.run(&format!("{key}'{other}'{of}")).await;
        let keys = ApiKeys::builder(bench.reader()).build().expect("good settings");
        assert_eq!(said(&keys, "Unlimited").await, "api_key_owner_missing", "{other}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_outage_and_not_a_verdict() {
    let file = SqliteFile::new("keys-spoilt");
    let bench =
        SqlKeys::new(Database::sqlite(&file).await, &file.url(), sqlite::built_in(), Schema::better_auth()).await;
    bench.insert(&KeySeed { remaining: Some(5), ..KeySeed::good("Spoilt", 1) }).await;
    for (column, value) in [
        ("enabled", "'secret'"),
        ("enabled", "2"),
        ("expiresAt", "'soon-secret'"),
        ("expiresAt", "''"),
        ("createdAt", "'2026-02-30T00:00:00Z'"),
        ("referenceId", "' padded-secret'"),
        ("remaining", "'many-secret'"),
        ("remaining", "1.5"),
        ("requestCount", "x'ff'"),
        ("refillInterval", "-1"),
        ("rateLimitTimeWindow", "-1"),
        ("rateLimitEnabled", "'secret'"),
        ("lastRequest", "'secret'"),
        ("lastRefillAt", "253402300800000"),
        ("name", "x'ff'"),
    ] {
        bench.database.run("CREATE TABLE kept AS SELECT * FROM \"apikey\"").await;
        bench.database.run(&format!("UPDATE \"apikey\" SET \"{column}\" = {value}")).await;
        let error = bench.reader.api_key(&ApiKey::new("Spoilt").expect("a key")).await.expect_err("nobody can tell");
        assert!(!format!("{error:?}").contains("secret"), "{column} = {value}: {error:?}");
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let is_named = cause == format!("`apikey.{column}` holds what cannot be read");
        assert!(is_named || value.starts_with("x'"), "{column} = {value}: {cause}");
        assert_eq!(bench.enforced("Spoilt").await, "unavailable", "{column} = {value}");
        bench.database.run("DELETE FROM \"apikey\"; INSERT INTO \"apikey\" SELECT * FROM kept; DROP TABLE kept").await;
    }
    assert_eq!(bench.enforced("Spoilt").await, "accepted");
    bench.database.run("UPDATE \"apikey\" SET \"permissions\" = '{\"files\":7'").await;
    assert_eq!(bench.enforced("Spoilt").await, "accepted", "permissions that cannot be read grant nothing");
    // Two rows for one key.
    bench.database.run("CREATE TABLE kept AS SELECT * FROM \"apikey\"; UPDATE kept SET id = 'k2'").await;
    bench.database.run("INSERT INTO \"apikey\" SELECT * FROM kept").await;
    let error = bench.reader.api_key(&ApiKey::new("Spoilt").expect("a key")).await.expect_err("whose key is it?");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("two rows hold one API key"));
}

/// A pool of one's own decides what may be written: it is found out on connecting.
#[tokio::test]
async fn a_pool_that_only_reads_cannot_count() {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    let file = SqliteFile::new("keys-pool");
    let bench =
        SqlKeys::new(Database::sqlite(&file).await, &file.url(), sqlite::built_in(), Schema::better_auth()).await;
    bench.insert(&KeySeed { remaining: Some(1), ..KeySeed::good("Counted", 1) }).await;
    let over = async |read_only: bool| {
        let options = SqliteConnectOptions::new().filename(file.path()).read_only(read_only);
        let pool = SqlitePoolOptions::new().connect_lazy_with(options);
        SqlSessions::builder().write_key_counters().sqlite_pool(pool).await
    };
    let error = over(true).await.expect_err("it only reads").to_string();
    assert!(error.starts_with("write_key_counters: API keys cannot be counted: "), "{error}");
    let keys = over(false).await.expect("the tables fit").api_keys().expect("the table of keys fits");
    let keys = ApiKeys::builder(keys).limits(KeyLimits::Enforce).build().expect("it may count");
    assert_eq!(said(&keys, "Counted").await, "accepted");
    assert_eq!(said(&keys, "Counted").await, "over_quota");
}

#[tokio::test]
async fn tables_of_keys_that_do_not_fit_are_told_to_who_asks_for_keys() {
    let file = SqliteFile::new("keys-misfit");
    let bench =
        SqlKeys::new(Database::sqlite(&file).await, &file.url(), sqlite::built_in(), Schema::better_auth()).await;
    let connect = async |schema: Schema| SqlSessions::builder().schema(schema).connect(&file.url()).await;
    let refusal = async |schema: Schema| {
        let sessions = connect(schema).await.expect("sessions have nothing to do with it");
        sessions.api_keys().expect_err("it does not fit").to_string()
    };
    let rename = async |from: &str, to: &str| {
        bench.database.run(&format!("ALTER TABLE \"apikey\" RENAME COLUMN \"{from}\" TO \"{to}\"")).await;
    };

    rename("remaining", "left_over").await;
    let said = refusal(Schema::better_auth()).await;
    assert!(said.contains("has no column `remaining`"), "a limit is not overlooked: {said}");
    let named = Schema::better_auth().column("apikey.remaining", "left_over");
    connect(named).await.expect("the tables fit").api_keys().expect("as it is called");
    let error = SqlSessions::builder().write_key_counters().connect(&file.url()).await.expect_err("no such column");
    assert!(error.to_string().contains("has no column `remaining`"), "who wants to count is told at once: {error}");
    rename("left_over", "remaining").await;

    // Older releases: `userId`, and no configurations.
    rename("referenceId", "userId").await;
    let said = refusal(Schema::better_auth()).await;
    assert!(said.contains("has no column `referenceId`; see Schema::column(\"apikey.referenceId\", …)"), "{said}");
    bench.database.run("ALTER TABLE \"apikey\" DROP COLUMN \"configId\"").await;
    let older = connect(Schema::better_auth().column("apikey.referenceId", "userId")).await.expect("the tables fit");
    assert_eq!(older.absent(), ["apikey.configId"]);
    let keys = ApiKeys::builder(older.api_keys().expect("the table fits")).build().expect("good settings");
    bench
        .database
        .run(
            "INSERT INTO \"user\" (id, name, email, \"emailVerified\") VALUES ('u', 'U', 'u@example.com', 1); \
             INSERT INTO \"apikey\" (id, \"userId\", key, \"createdAt\") \
             VALUES ('k', 'u', 'J1QnlUwU1WzS2rUGbIBj6oQzeXmbPuoCuPtyTP781Rc', '2026-11-20T19:19:25.323Z')",
        )
        .await;
    let key = "pk_LuPRlIZUiUzivdUOsLXVZbmPouZwCgPYriWXFZRtTsEfZycYEWcOrQYMffkFnHtN";
    assert_eq!(key_suite::said(&keys, key).await, "accepted");
    rename("userId", "referenceId").await;
    let said = refusal(Schema::better_auth()).await;
    assert!(said.contains("has no column `configId`"), "an organization's key is no user's: {said}");

    bench.database.run("DROP TABLE \"apikey\"").await;
    assert!(refusal(Schema::better_auth()).await.contains("no table of API keys"));
}

#[tokio::test]
async fn what_a_real_server_wrote_is_read() {
    let file = SqliteFile::new("keys-real");
    let bench =
        SqlKeys::new(Database::sqlite(&file).await, &file.url(), sqlite::built_in(), Schema::better_auth()).await;
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../testdata/api-keys.json")).expect("a JSON file");
    bench
        .database
        .run(&format!(
            "INSERT INTO \"user\" (id, name, email, \"emailVerified\") VALUES ({}, 'Ada', 'a@example.com', 1)",
            literal(&vectors["keys"][0]["row"]["referenceId"])
        ))
        .await;
    for vector in vectors["keys"].as_array().expect("a list") {
        let row = vector["row"].as_object().expect("a row");
        let known = |name: &&String| !["start", "prefix"].contains(&name.as_str());
        let columns: Vec<_> = row.keys().filter(known).map(|name| format!("\"{name}\"")).collect();
        let values: Vec<_> = row.iter().filter(|(name, _)| known(name)).map(|(_, value)| literal(value)).collect();
        let insert = format!("INSERT INTO \"apikey\" ({}) VALUES ({})", columns.join(", "), values.join(", "));
        bench.database.run(&insert).await;
        let key = vector["key"].as_str().expect("a key");
        let refused = ApiKeys::builder(bench.reader()).build().expect("good settings");
        assert_eq!(said(&refused, key).await, "api_key_limited", "both carry limits: one by default");
        assert_eq!(bench.enforced(key).await, "accepted");
        let record = key_suite::found(&bench, key).await.expect("the key is there");
        let counted = if row["remaining"].is_null() { (None, 1) } else { (Some(4), 0) }; // refilled to 5 first
        assert_eq!((record.usage.remaining, record.usage.request_count), counted);
    }
}

/// As SQLite writes it.
fn literal(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}
