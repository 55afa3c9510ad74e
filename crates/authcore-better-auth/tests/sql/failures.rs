//! What cannot be read is an outage that names the field and never shows what is in it; what cannot work is refused on
//! connecting.

use std::time::Duration;

use authcore_better_auth::{Schema, SessionStore, SqlSessions, UserStore as _};

use crate::bench::{SqlBench, text_id};
use crate::database::{Database, SqliteFile};
use crate::sqlite::built_in;
use crate::store_suite::{Bench, Seed, token};

async fn bench(file: &SqliteFile) -> SqlBench {
    let bench = SqlBench::new(Database::sqlite(file).await, &file.url(), built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Spoilt", 1)).await;
    bench
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_outage_and_not_a_verdict() {
    let file = SqliteFile::new("spoilt");
    let bench = bench(&file).await;
    for (column, value) in [
        ("session.expiresAt", "'soon-secret'"),
        ("session.expiresAt", "1795806433.5"),
        ("session.expiresAt", "1795806433"),
        ("session.expiresAt", "''"),
        ("session.expiresAt", "x'ff00'"),
        ("session.createdAt", "'2026-02-30T00:00:00Z'"),
        ("session.userId", "''"),
        ("session.userId", "' padded-secret'"),
        ("session.impersonatedBy", "''"),
        ("user.banned", "'secret'"),
        ("user.banned", "2"),
        ("user.banExpires", "'never-secret'"),
        ("user.banExpires", "1795806433"),
        ("user.emailVerified", "-1"),
        ("user.role", "x'ff'"),
    ] {
        let (table, name) = column.split_once('.').expect("table and column");
        let write = |value: &str| format!("UPDATE \"{table}\" SET \"{name}\" = {value}");
        bench.database.run(&format!("CREATE TABLE kept AS SELECT * FROM \"{table}\"")).await;
        bench.database.run(&write(value)).await;
        let error = bench.sessions.session(&token("Spoilt")).await.expect_err("nobody can tell");
        let said = format!("{error:?}");
        assert!(!said.contains("secret"), "{column} = {value}: {said}");
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let is_named = cause == format!("`{column}` holds what cannot be read");
        assert!(is_named || value.starts_with("x'"), "{column} = {value}: {cause}");
        bench
            .database
            .run(&format!("DELETE FROM \"{table}\"; INSERT INTO \"{table}\" SELECT * FROM kept; DROP TABLE kept"))
            .await;
        assert!(bench.sessions.session(&token("Spoilt")).await.expect("as before").is_some(), "{column}");
    }
}

/// In milliseconds the end of such a ban would be in January 1970.
#[tokio::test]
async fn a_ban_whose_end_is_in_seconds_lets_nobody_in() {
    let file = SqliteFile::new("seconds");
    let bench = bench(&file).await;
    bench.database.run("UPDATE \"user\" SET \"banned\" = 1, \"banExpires\" = 4102444800").await;
    let id = authcore::UserId::new(&text_id(1)).expect("an id");
    let error = bench.sessions.users().user(&id).await.expect_err("nobody can tell");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("`user.banExpires` holds what cannot be read"));
}

/// One user who cannot be read does not hide behind the others.
#[tokio::test]
async fn a_user_who_cannot_be_read_is_an_outage_of_the_directory() {
    let file = SqliteFile::new("spoilt-users");
    let bench = bench(&file).await;
    bench.database.run("UPDATE \"user\" SET \"banned\" = 'perhaps'").await;
    let id = authcore::UserId::new(&text_id(1)).expect("an id");
    bench.sessions.users().user(&id).await.expect_err("nobody can tell");
}

#[tokio::test]
async fn tables_that_do_not_fit_are_refused_on_connecting() {
    let file = SqliteFile::new("misfit");
    let bench = bench(&file).await;
    let refusal = async |schema: Schema| {
        SqlSessions::builder().schema(schema).connect(&file.url()).await.expect_err("it does not fit").to_string()
    };
    assert_eq!(
        refusal(Schema::better_auth().table("user", "users")).await,
        "schema: this SQLite database has no table `users`; see Schema::table(\"user\", …)"
    );
    assert_eq!(
        refusal(Schema::better_auth().column("session.userId", "owner")).await,
        "schema: table `session` has no column `owner`; see Schema::column(\"session.userId\", …)"
    );
    assert_eq!(
        refusal(Schema::snake_case()).await,
        "schema: table `session` has no column `user_id`; but `userId`: choose Schema::better_auth() or \
         Schema::snake_case() by that"
    );
    assert!(refusal(Schema::better_auth().require("member.role")).await.contains("has no table `member`"));

    bench.database.run("ALTER TABLE \"user\" RENAME COLUMN \"banExpires\" TO \"ban_expires\"").await;
    let twin = refusal(Schema::better_auth()).await;
    assert!(
        twin.contains("has no column `banExpires`; but `ban_expires`"),
        "no ban is overlooked by its spelling: {twin}"
    );
    bench.database.run("ALTER TABLE \"user\" DROP COLUMN ban_expires").await;
    let sessions = SqlSessions::connect(&file.url()).await.expect("a server without that column");
    assert_eq!(sessions.absent(), ["user.banExpires"]);
    let required = refusal(Schema::better_auth().require("user.banExpires")).await;
    assert!(required.contains("has no column `banExpires`"), "{required}");
}

#[tokio::test]
async fn settings_that_cannot_be_served_are_refused_and_no_password_is_shown() {
    let refusal = async |url: &str| SqlSessions::connect(url).await.expect_err("nothing is there").to_string();
    assert_eq!(refusal("redis://127.0.0.1").await, "database URL: this build knows sqlite:, postgres:, mysql:");
    assert_eq!(refusal("auth.db").await, "database URL: this build knows sqlite:, postgres:, mysql:");
    for url in [
        "postgres://ann:pa55word@127.0.0.1:1/auth",
        "postgres://ann:pa55word@127.0.0.1:1/auth?sslmode=surely",
        "postgres://ann:pa55word@127.0.0.1:port/auth",
        "mysql://ann:pa55word@127.0.0.1:1/auth",
        "mysql://ann:pa55word@127.0.0.1:1/auth?ssl-mode=surely",
    ] {
        let said = refusal(url).await;
        assert!(said.starts_with("database URL: the database cannot be reached"), "{said}");
        assert!(!said.contains("pa55word"), "{said}");
    }
    let file = SqliteFile::new("limits");
    let bench = bench(&file).await;
    let long = SqlSessions::builder().deadline(Duration::from_secs(31)).connect(&file.url()).await;
    assert_eq!(long.expect_err("too long").to_string(), "deadline: use 10 ms to 30 s");
    let many = SqlSessions::builder().max_connections(65).connect(&file.url()).await;
    assert_eq!(many.expect_err("too many").to_string(), "max_connections: use 1 to 64");
    assert_eq!(format!("{:?}", bench.sessions), "SqlSessions { engine: \"SQLite\", absent: [], .. }");
}
