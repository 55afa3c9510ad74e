//! A million rows of two users: whatever one of them asks by SQL, the other's stay out of reach.

use std::future::poll_fn;

use authcore_sqlx::{ReadTx, ScopedPool, WriteTx};
use sqlx::{AssertSqlSafe, Connection as _, PgPool, Postgres};

use crate::database::{Server, state, tasks};
use crate::scopes::{audit_scope, scope, write_scope};

#[tokio::test]
async fn the_others_rows_stay_out_of_reach_of_any_statement() {
    let server = Server::start().await;
    server.make_tasks().await;
    server
        .run(
            "INSERT INTO tasks SELECT n, CASE WHEN n % 2 = 0 THEN 'ann' ELSE 'bob' END, 'task ' || n \
             FROM generate_series(1, 1000000) AS n; ANALYZE tasks; \
             CREATE VIEW by_keeper AS SELECT * FROM tasks; ALTER VIEW by_keeper OWNER TO keeper; \
             CREATE VIEW by_caller WITH (security_invoker = true) AS SELECT * FROM tasks; \
             CREATE FUNCTION everything() RETURNS SETOF tasks LANGUAGE sql SECURITY INVOKER AS 'SELECT * FROM tasks'; \
             CREATE FUNCTION peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS \
             $$ BEGIN IF $1 = 'bob' THEN RAISE EXCEPTION 'bob was here'; END IF; RETURN true; END $$; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON by_keeper, by_caller TO app",
        )
        .await;
    let pool = server.pool("app", 2).await;
    let db = ScopedPool::postgres(pool.clone(), [tasks()]).await.expect("row-level security holds");
    let before = fingerprint(&server).await;

    no_read_shows_them(&db).await;
    no_write_reaches_them(&db).await;
    copies_hold_none_of_them(&db).await;
    what_is_one_own_can_be_changed(&db).await;
    i127_without_a_setting_there_is_nothing(&server, &pool, &db).await;
    an_auditor_reads_and_changes_nothing(&db).await;
    i125_a_row_given_away_meanwhile_is_not_changed(&server, &db).await;

    assert_eq!(fingerprint(&server).await, before, "nothing of bob's was changed");
}

/// All that there is of bob's rows, in one number.
async fn fingerprint(server: &Server) -> i64 {
    server
        .value("SELECT sum(hashtextextended(tasks::text, 0) % 1000000007)::bigint FROM tasks WHERE user_id = 'bob'")
        .await
}

async fn no_read_shows_them(db: &ScopedPool<Postgres>) {
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    for sql in [
        "SELECT DISTINCT user_id FROM tasks",
        "SELECT DISTINCT user_id FROM tasks WHERE true OR user_id = 'bob'",
        "SELECT DISTINCT user_id FROM ONLY public.tasks",
        "SELECT DISTINCT b.user_id FROM tasks AS a JOIN tasks AS b ON b.id = a.id + 1 OR b.id = a.id WHERE a.id < 2000",
        "SELECT DISTINCT user_id FROM by_keeper",
        "SELECT DISTINCT user_id FROM by_caller",
        "SELECT DISTINCT user_id FROM everything()",
        "SELECT DISTINCT user_id FROM tasks UNION SELECT user_id FROM tasks TABLESAMPLE SYSTEM (100)",
        "WITH t AS MATERIALIZED (SELECT * FROM tasks) SELECT DISTINCT user_id FROM t",
        "SELECT DISTINCT user_id FROM tasks WHERE peek(user_id)",
        "SELECT (xpath('//user_id/text()', query_to_xml('SELECT DISTINCT user_id FROM tasks', true, false, '')))[1]::text",
    ] {
        let seen: Vec<(String,)> = fetch(&mut tx, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(seen, [("ann".to_owned(),)], "{sql}");
    }
    for sql in [
        "SELECT user_id FROM tasks WHERE user_id = 'bob'",
        "SELECT user_id FROM tasks WHERE id = 1",
        "SELECT user_id FROM tasks WHERE ctid = '(0,1)'",
        "SELECT b.user_id FROM tasks AS a JOIN tasks AS b ON b.id = a.id + 1 WHERE a.id < 2000",
        "SELECT user_id FROM by_keeper WHERE id = 1",
    ] {
        let seen: Vec<(String,)> = fetch(&mut tx, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(seen.is_empty(), "{sql}: {seen:?}");
    }
    let (count,): (i64,) =
        tx.query("SELECT count(*) FROM tasks WHERE user_id = $1").bind_owner().fetch_one().await.expect("a count");
    assert_eq!(count, 500_000, "and all of one's own");
}

/// One transaction for each statement, committed: what it did would last.
async fn no_write_reaches_them(db: &ScopedPool<Postgres>) {
    for (sql, expected) in [
        ("UPDATE tasks SET title = 'mine' WHERE user_id = 'bob'", Ok(0)),
        ("UPDATE tasks SET title = 'mine' WHERE id = 1", Ok(0)),
        (
            "UPDATE tasks SET title = 'mine' FROM tasks AS other WHERE tasks.id = other.id AND other.user_id = 'bob'",
            Ok(0),
        ),
        ("UPDATE by_keeper SET title = 'mine' WHERE id = 1", Ok(0)),
        ("UPDATE by_caller SET title = 'mine' WHERE id = 1", Ok(0)),
        ("UPDATE tasks SET user_id = 'bob' WHERE id = 2", Err("42501")),
        ("UPDATE tasks SET user_id = 'bob' WHERE id = 2 RETURNING id", Err("42501")),
        ("DELETE FROM tasks WHERE id = 1", Ok(0)),
        ("DELETE FROM tasks WHERE user_id = 'bob' RETURNING title", Ok(0)),
        ("DELETE FROM tasks USING tasks AS other WHERE tasks.id = other.id + 1 AND other.id = 2", Ok(0)),
        ("INSERT INTO tasks VALUES (-1, 'bob', 'planted')", Err("42501")),
        ("INSERT INTO tasks VALUES (-1, 'bob', 'planted') RETURNING id", Err("42501")),
        ("INSERT INTO by_keeper VALUES (-1, 'bob', 'planted')", Err("42501")),
        ("INSERT INTO tasks SELECT -id, user_id, title FROM tasks WHERE user_id = 'bob'", Ok(0)),
        ("INSERT INTO tasks VALUES (1, 'ann', 'x') ON CONFLICT (id) DO NOTHING", Ok(0)),
        ("INSERT INTO tasks VALUES (1, 'ann', 'x') ON CONFLICT (id) DO UPDATE SET title = 'mine'", Err("42501")),
        ("INSERT INTO tasks VALUES (1, 'ann', 'x') ON CONFLICT (id) DO UPDATE SET user_id = 'ann'", Err("42501")),
        ("INSERT INTO tasks VALUES (1, 'ann', 'x')", Err("23505")),
        (
            "MERGE INTO tasks USING (VALUES (1::bigint)) AS v (id) ON tasks.id = v.id WHEN MATCHED THEN DELETE \
             WHEN NOT MATCHED THEN INSERT VALUES (-1, 'bob', 'planted')",
            Err("42501"),
        ),
        ("COPY tasks FROM '/dev/null'", Err("42501")),
        ("TRUNCATE tasks", Err("42501")),
        ("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", Err("42501")),
        ("DROP POLICY authcore_owner ON tasks", Err("42501")),
        ("SET LOCAL row_security = off; SELECT * FROM tasks", Err("42501")),
        ("SET LOCAL ROLE keeper", Err("42501")),
    ] {
        let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(tx.connection()).await;
        let done = done.map(|done| done.rows_affected()).map_err(|error| state(&error));
        assert_eq!(done, expected.map_err(str::to_owned), "{sql}");
        tx.commit().await.expect("it ends");
    }
}

async fn copies_hold_none_of_them(db: &ScopedPool<Postgres>) {
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let mut copy = tx.connection().copy_out_raw("COPY tasks (user_id) TO STDOUT").await.expect("a copy");
    let mut lines = 0;
    while let Some(bytes) = poll_fn(|context| copy.as_mut().poll_next(context)).await {
        for line in bytes.expect("a chunk").split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert_eq!(line, b"ann");
            lines += 1;
        }
    }
    drop(copy);
    assert_eq!(lines, 500_000);
    let refused =
        tx.connection().copy_in_raw("COPY tasks FROM STDIN").await.err().expect("it is not for tables like this");
    assert_eq!(state(&refused), "0A000", "{refused}");
}

async fn what_is_one_own_can_be_changed(db: &ScopedPool<Postgres>) {
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let add = "INSERT INTO tasks (id, user_id, title) VALUES ($1, $2, $3) RETURNING user_id";
    let (owner,): (String,) =
        tx.query(add).bind(-7_i64).bind_owner().bind("new").fetch_one().await.expect("a row of one's own");
    assert_eq!(owner, "ann");
    let upsert = "INSERT INTO tasks (id, user_id, title) VALUES (-7, $1, 'newer') \
                  ON CONFLICT (id) DO UPDATE SET title = excluded.title";
    let done = tx.query(upsert).bind_owner().execute().await.expect("one's own row");
    assert_eq!(done.rows_affected(), 1);
    {
        let mut savepoint = tx.connection().begin().await.expect("a savepoint");
        sqlx::query("DELETE FROM tasks").execute(&mut *savepoint).await.expect("all of one's own");
        savepoint.rollback().await.expect("undone");
    }
    tx.commit().await.expect("it lasts");
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    let kept: (String,) = tx
        .query("SELECT title FROM tasks WHERE user_id = $1 AND id = $2")
        .bind_owner()
        .bind(-7_i64)
        .fetch_one()
        .await
        .expect("it lasted");
    assert_eq!(kept.0, "newer");
}

async fn i127_without_a_setting_there_is_nothing(server: &Server, pool: &PgPool, db: &ScopedPool<Postgres>) {
    drop(db.read(&scope("ann")).await.expect("a transaction")); // from now on the setting is known, and empty
    for prepare in ["SELECT 1", "SET authcore.user_id = ''", "RESET authcore.user_id"] {
        let mut connection = pool.acquire().await.expect("a connection");
        sqlx::raw_sql(prepare).execute(&mut *connection).await.expect(prepare);
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(&mut *connection).await.expect("no error");
        assert_eq!(count, 0, "{prepare}");
        let refused = sqlx::query("INSERT INTO tasks VALUES (-1, '', 'planted')").execute(&mut *connection).await;
        assert_eq!(state(&refused.expect_err("nobody's row")), "42501", "{prepare}");
    }
    let planted: i64 = server.value("SELECT count(*) FROM tasks WHERE user_id = ''").await;
    assert_eq!(planted, 0);
}

async fn an_auditor_reads_and_changes_nothing(db: &ScopedPool<Postgres>) {
    let eve = audit_scope("bob", "eve");
    let mut tx = db.read(&eve).await.expect("a transaction");
    let settings: (String, String) =
        fetch(&mut tx, "SELECT current_setting('authcore.user_id'), current_setting('authcore.actor_id')")
            .await
            .map(|mut rows| rows.remove(0))
            .expect("settings");
    assert_eq!(settings, ("bob".to_owned(), "eve".to_owned()));
    let refused = sqlx::query("UPDATE tasks SET title = 'seen'").execute(tx.connection()).await;
    assert_eq!(state(&refused.expect_err("a transaction that reads")), "25006");
    drop(tx);
    let mut tx = db.read(&eve).await.expect("a transaction");
    let refused = sqlx::query("SET TRANSACTION READ WRITE").execute(tx.connection()).await;
    assert_eq!(state(&refused.expect_err("too late")), "25001");
    drop(tx);
    let mut tx = db.read(&eve).await.expect("a transaction");
    let deleted =
        tx.query("DELETE FROM tasks WHERE user_id = $1 RETURNING id").bind_owner().fetch_all::<(i64,)>().await;
    assert_eq!(state(&deleted.expect_err("a transaction that reads")), "25006");
    let refused = authcore_sqlx::WriteScope::of(&eve).expect_err("it only reads");
    assert_eq!((refused.status(), refused.reason()), (403, "insufficient_role"));
}

/// The write waits for the row; when it gets it, the row is bob's.
async fn i125_a_row_given_away_meanwhile_is_not_changed(server: &Server, db: &ScopedPool<Postgres>) {
    server.run("INSERT INTO tasks VALUES (-9, 'ann', 'a gift')").await;
    let mut gift = server.admin.begin().await.expect("a transaction");
    sqlx::query("UPDATE tasks SET user_id = 'carl' WHERE id = -9").execute(&mut *gift).await.expect("given away");
    let write = async {
        let mut tx: WriteTx<Postgres> = db.write(&write_scope("ann")).await.expect("a transaction");
        let change = "UPDATE tasks SET title = 'still mine' WHERE id = -9 AND user_id = $1";
        let done = tx.query(change).bind_owner().execute().await.expect("no error");
        tx.commit().await.expect("it ends");
        done.rows_affected()
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let give = async {
        while server.value::<i64>(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
        gift.commit().await.expect("given away for good");
    };
    let (changed, ()) = tokio::join!(write, give);
    assert_eq!(changed, 0);
    let row: String = server.value("SELECT user_id || ': ' || title FROM tasks WHERE id = -9").await;
    assert_eq!(row, "carl: a gift");
}

async fn fetch<T>(tx: &mut ReadTx<Postgres>, sql: &str) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(tx.connection()).await
}
