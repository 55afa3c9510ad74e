//! Settings come to the database as they are, stay inside their transaction, and are the scope's alone.

use authcore::{Access, Action, Identity, Isolation, Membership, Method, UserId};
use authcore_sqlx::{Owner, ScopedPool};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres, Row as _};

use crate::database::{Server, state, tasks};
use crate::scopes::{scope, write_scope};

const BOTH: &str = "SELECT current_setting('authcore.user_id', true), current_setting('authcore.actor_id', true)";

#[tokio::test]
async fn i126_settings_are_the_transactions_alone() {
    let server = Server::start().await;
    server.make_tasks().await;
    let pool = server.pool("app", 1).await;
    let db = ScopedPool::postgres(pool.clone(), [tasks()]).await.expect("row-level security holds");
    ids_arrive_as_they_are(&db).await;
    who_is_calling_comes_along(&db).await;
    nothing_of_them_stays(&db, &pool).await;
    what_a_statement_sets_for_the_session_does_not_count(&db, &pool).await;
    one_own_settings_end_with_the_transaction(&db, &pool).await;
    a_forgotten_savepoint_is_not_taken_for_the_transaction(&db).await;
    functions_of_the_same_name_are_not_called(&server).await;
    an_id_that_the_database_cannot_hold_spoils_nothing(&server).await;
}

async fn ids_arrive_as_they_are(db: &ScopedPool<Postgres>) {
    let mut runner = TestRunner::deterministic();
    let any = (0..200).map(|_| "\\PC{1,60}".new_tree(&mut runner).expect("a text").current());
    let hard = [
        "'",
        "''",
        "\\",
        "\\'",
        "';DROP TABLE tasks;--",
        "$1",
        "$$",
        "%s",
        "\u{1f980}",
        "e\u{301}",
        "a\"b",
        "\u{200b}x",
    ];
    for id in any.chain(hard.map(str::to_owned)).filter(|id| authcore::UserId::new(id).is_ok()) {
        let mut tx = db.read(&scope(&id)).await.unwrap_or_else(|error| panic!("{id:?}: {error}"));
        let (user, actor): (String, String) = sqlx::query_as(BOTH).fetch_one(tx.connection()).await.expect("settings");
        assert_eq!((user.as_str(), actor.as_str()), (id.as_str(), id.as_str()));
        let (same,): (bool,) = tx
            .query("SELECT $1 = current_setting('authcore.user_id')")
            .bind_owner()
            .fetch_one()
            .await
            .expect("an argument");
        assert!(same, "{id:?}");
        assert_eq!(tx.owner(), &Owner::of(&scope(&id)));
    }
}

/// Only what there is a value for.
async fn who_is_calling_comes_along(db: &ScopedPool<Postgres>) {
    let user = UserId::new("ann").expect("an id");
    let membership = Membership::assertion("o'1\\\u{1f980}", user.clone(), ["member"]);
    let caller = Identity::assertion(user, Method::Other("test")).roles(" editor,, o'2").issuer("https://id".into());
    let caller = caller.into_identity();
    let mut read: Vec<[Option<String>; 3]> = Vec::new();
    let ask = "SELECT current_setting('authcore.issuer', true), current_setting('authcore.roles', true), \
               current_setting('authcore.organization_id', true)";
    let isolation = Isolation::default().allow_members(Access::Read);
    let in_organization = isolation.in_organization(&caller, &membership).expect("her own");
    let rows = isolation.rows(&caller, Action::Read);
    for scope in [scope("bob"), in_organization, caller.scope()] {
        let mut tx = db.read(&scope).await.expect("a transaction");
        let row = sqlx::query(ask).fetch_one(tx.connection()).await.expect("settings");
        read.push(std::array::from_fn(|index| row.get(index)));
    }
    let mut tx = db.read_rows(&rows).await.expect("a transaction");
    let row = sqlx::query(ask).fetch_one(tx.connection()).await.expect("settings");
    read.push(std::array::from_fn(|index| row.get(index)));
    let settings = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
    let (issuer, roles) = (Some("https://id"), Some("editor,o'2"));
    assert_eq!(
        read,
        [
            settings([None, None, None]),
            settings([issuer, roles, Some("o'1\\\u{1f980}")]),
            // The connection knows the name by now.
            settings([issuer, roles, Some("")]),
            settings([issuer, roles, Some("")]),
        ]
    );
}

async fn nothing_of_them_stays(db: &ScopedPool<Postgres>, pool: &PgPool) {
    drop(db.read(&scope("ann")).await.expect("a transaction"));
    assert_eq!(left_over(pool).await, "");
    db.write(&write_scope("ann")).await.expect("a transaction").commit().await.expect("it ends");
    assert_eq!(left_over(pool).await, "");
    db.write(&write_scope("ann")).await.expect("a transaction").rollback().await.expect("it ends");
    assert_eq!(left_over(pool).await, "");
    let mut failed = db.write(&write_scope("ann")).await.expect("a transaction");
    sqlx::query("SELECT 1 / 0").execute(failed.connection()).await.expect_err("no number");
    drop(failed);
    assert_eq!(left_over(pool).await, "");
}

/// A statement may set what it likes: the next scope says its own, and a transaction without one is not this crate's.
async fn what_a_statement_sets_for_the_session_does_not_count(db: &ScopedPool<Postgres>, pool: &PgPool) {
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    sqlx::query("SELECT set_config('authcore.user_id', 'bob', false)").execute(tx.connection()).await.expect("set");
    tx.commit().await.expect("it ends");
    assert_eq!(left_over(pool).await, "bob", "this is what is tried here");
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    let (user, _): (String, String) = sqlx::query_as(BOTH).fetch_one(tx.connection()).await.expect("settings");
    assert_eq!(user, "ann");
    drop(tx);
    sqlx::query("RESET authcore.user_id").execute(pool).await.expect("as before");
}

async fn one_own_settings_end_with_the_transaction(db: &ScopedPool<Postgres>, pool: &PgPool) {
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    tx.set("app.organization_id", "o'1\\").await.expect("a setting");
    let read = "SELECT current_setting('app.organization_id', true)";
    let inside: String = sqlx::query_scalar(read).fetch_one(tx.connection()).await.expect("a setting");
    assert_eq!(inside, "o'1\\");
    for name in ["authcore.user_id", "AUTHCORE.user_id", " authcore.actor_id"] {
        let refused = tx.set(name, "bob").await.expect_err("the scope's alone");
        assert!(matches!(refused, sqlx::Error::InvalidArgument(_)), "{name}: {refused}");
    }
    drop(tx);
    let after: Option<String> = sqlx::query_scalar(read).fetch_one(pool).await.expect("a connection");
    assert_eq!(after.unwrap_or_default(), "");
}

async fn a_forgotten_savepoint_is_not_taken_for_the_transaction(db: &ScopedPool<Postgres>) {
    use sqlx::Connection as _;
    for commits in [true, false] {
        let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
        let insert = "INSERT INTO tasks VALUES (-20, $1, 'forgotten')";
        tx.query(insert).bind_owner().execute().await.expect("a row");
        std::mem::forget(tx.connection().begin().await.expect("a savepoint"));
        if commits {
            let refused = tx.commit().await.expect_err("the savepoint is open");
            assert!(matches!(refused, sqlx::Error::InvalidSavePointStatement), "{refused}");
        } else {
            drop(tx);
        }
        let mut tx = db.write(&write_scope("ann")).await.expect("the connection is free again");
        let found: Vec<(i64,)> =
            tx.query("SELECT id FROM tasks WHERE user_id = $1").bind_owner().fetch_all().await.expect("no error");
        assert!(found.is_empty(), "rolled back");
    }
}

async fn functions_of_the_same_name_are_not_called(server: &Server) {
    server
        .run(
            "CREATE FUNCTION public.decode(text, text) RETURNS bytea LANGUAGE sql AS $$ SELECT 'bob'::bytea $$; \
             ALTER ROLE app SET search_path = public, pg_catalog",
        )
        .await;
    let role = server.pool("app", 1).await;
    let elsewhere = ScopedPool::postgres(role, [tasks()]).await.expect("row-level security holds");
    let mut tx = elsewhere.read(&scope("ann")).await.expect("a transaction");
    let (user, _): (String, String) = sqlx::query_as(BOTH).fetch_one(tx.connection()).await.expect("settings");
    assert_eq!(user, "ann");
    drop(tx);
}

/// It refuses to begin, and the connection is not kept in that state.
async fn an_id_that_the_database_cannot_hold_spoils_nothing(server: &Server) {
    server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").await;
    let options =
        PgConnectOptions::new().host("127.0.0.1").port(server.engine.port()).username("app").database("latin");
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
    let latin = ScopedPool::postgres(pool, []).await.expect("no tables, no questions");
    let refused = latin.read(&scope("\u{1f980}")).await.expect_err("no letter of Latin 1");
    assert_eq!(state(&refused), "22P05", "{refused}");
    latin.read(&scope("\u{e9}mile")).await.expect("the next one is served");
}

/// What the pool's only connection says outside of any scope; empty for nothing.
async fn left_over(pool: &PgPool) -> String {
    let (user, _): (Option<String>, Option<String>) = sqlx::query_as(BOTH).fetch_one(pool).await.expect("a connection");
    user.unwrap_or_default()
}
