//! Rows beyond one's own: a predicate and a policy say what the isolation says of each of them.

use std::collections::BTreeSet;

use authcore::{Access, Action, Identity, Isolation, Method, UserId};
use authcore_sqlx::{Engine, OwnedTable, ScopedPool, WriteRows};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, Postgres, Sqlite};

use crate::database::{Server, state};
use crate::engines;
use crate::scopes::{scope, write_scope};
use crate::sqlite::File;
use crate::world::{World, grants, plans, worlds};

const ALL: &str = "SELECT id FROM plans WHERE ";

/// What a run saw, so that one that shows nothing is noticed.
#[derive(Default)]
struct Seen {
    sizes: BTreeSet<usize>,
    some_of_several: usize,
}

impl Seen {
    fn note(&mut self, world: &World, judged: &[i64]) {
        self.sizes.insert(judged.len());
        self.some_of_several += usize::from(!judged.is_empty() && judged.len() < world.plans.len());
    }

    fn check(&self, least: usize) {
        assert!(self.some_of_several >= least && self.sizes.len() > 4, "{} {:?}", self.some_of_several, self.sizes);
    }
}

#[tokio::test]
async fn a_predicate_lets_in_what_the_isolation_does_on_sqlite() {
    let file = File::new("rows");
    let pool = file.pool(1).await;
    make::<Sqlite>(&pool, "text").await;
    sqlx::raw_sql("PRAGMA synchronous = OFF").execute(&pool).await.expect("faster");
    let db = ScopedPool::sqlite(file.pool(1).await);
    let (given, mut seen) = (grants().over(pool.clone()), Seen::default());
    for world in worlds(1500) {
        let insertions = format!("BEGIN; {} COMMIT", world.insertions(false));
        sqlx::raw_sql(AssertSqlSafe(insertions)).execute(&pool).await.expect("rows");
        let judged = world.judged(&given).await;
        let rows = world.rows();
        let mut tx = db.read_rows(&rows).await.expect("a transaction");
        let query = tx.query(ALL).rows(&plans()).push(" AND title = ").bind("as it was").push(" ORDER BY id");
        let found: Vec<(i64,)> = query.fetch_all().await.expect("rows");
        assert_eq!(ids(found), judged, "{world:?}");
        drop(tx);
        seen.note(&world, &judged);
        if world.action == Action::Write {
            let mut tx = db.write_rows(&WriteRows::of(&rows).expect("to write")).await.expect("a transaction");
            let update = tx.query("UPDATE plans SET title = ").bind("new").push(" WHERE ").rows(&plans());
            assert_eq!(update.execute().await.expect("no error").rows_affected(), judged.len() as u64, "{world:?}");
        }
    }
    seen.check(300);
}

#[tokio::test]
async fn and_on_mariadb() {
    let engine = engines::Engine::mariadb();
    let pool = loop {
        match MySqlPoolOptions::new().max_connections(1).connect(&engine.url("auth")).await {
            Ok(pool) => break pool,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    };
    make_on_mariadb(&pool).await;
    for (spoil, mend, cause) in [
        (
            "ALTER TABLE plans MODIFY organization_id varchar(255) COLLATE utf8mb4_general_ci",
            "ALTER TABLE plans MODIFY organization_id varchar(255) COLLATE utf8mb4_bin",
            "`organization_id` compares by utf8mb4_general_ci",
        ),
        (
            "ALTER TABLE plans MODIFY organization_id bigint",
            "ALTER TABLE plans MODIFY organization_id varchar(255) COLLATE utf8mb4_bin",
            "`organization_id` is of type bigint",
        ),
        (
            "ALTER TABLE grants MODIFY object_id varchar(255) COLLATE utf8mb4_general_ci NOT NULL",
            "ALTER TABLE grants MODIFY object_id varchar(255) COLLATE utf8mb4_bin NOT NULL",
            "`object_id` compares by utf8mb4_general_ci",
        ),
    ] {
        sqlx::raw_sql(spoil).execute(&pool).await.expect("spoilt");
        let refused = ScopedPool::mysql(pool.clone(), [plans()]).await.expect_err("spoilt").to_string();
        assert!(refused.contains(cause), "{refused}");
        sqlx::raw_sql(mend).execute(&pool).await.expect("mended");
    }
    let db = ScopedPool::mysql(pool.clone(), [plans()]).await.expect("compared byte for byte");
    let (given, mut seen) = (grants().over(pool.clone()), Seen::default());
    for world in worlds(150) {
        sqlx::raw_sql(AssertSqlSafe(world.insertions(true))).execute(&pool).await.expect("rows");
        let judged = world.judged(&given).await;
        let mut tx = db.read_rows(&world.rows()).await.expect("a transaction");
        let found: Vec<(i64,)> = tx.query(ALL).rows(&plans()).push(" ORDER BY id").fetch_all().await.expect("rows");
        assert_eq!(ids(found), judged, "{world:?}");
        seen.note(&world, &judged);
    }
    seen.check(30);
    crate::grants::are_given_and_taken_back(&given).await;
    crate::audit::two_writers_have_a_chain_each(&pool).await;
}

#[tokio::test]
async fn a_policy_says_it_again_on_postgresql_where_the_condition_is_forgotten() {
    let server = Server::start().await;
    make::<Postgres>(&server.admin, "text").await;
    server.run("ALTER TABLE plans OWNER TO keeper; GRANT SELECT, INSERT, UPDATE, DELETE ON plans, grants TO app").await;
    server.run(&plans().migration()).await;
    server.run(&plans().migration()).await; // once more does no harm
    let db = ScopedPool::postgres(server.pool("app", 1).await, [plans()]).await.expect("row-level security holds");
    let superuser = unguarded(&server).await;
    let (given, mut seen) = (grants().over(server.admin.clone()), Seen::default());
    for world in worlds(300) {
        server.run(&world.insertions(false)).await;
        let judged = world.judged(&given).await;
        seen.note(&world, &judged);
        let rows = world.rows();
        let mut query = sqlx::QueryBuilder::<Postgres>::new(ALL);
        plans().filter(&rows, &mut query);
        let found = query.push(" ORDER BY id").build_query_as().fetch_all(&superuser).await.expect("rows");
        assert_eq!(ids(found), judged, "the predicate: {world:?}");

        let mut tx = db.read_rows(&rows).await.expect("a transaction");
        let all = "SELECT id FROM plans ORDER BY id";
        let found = sqlx::query_as(all).fetch_all(tx.connection()).await.expect("rows");
        assert_eq!(ids(found), judged, "the policy: {world:?}");
        let found: Vec<(i64,)> = tx.query(ALL).rows(&plans()).push(" ORDER BY id").fetch_all().await.expect("rows");
        assert_eq!(ids(found), judged, "both: {world:?}");
        drop(tx);
        writes_reach_what_is_judged(&db, &world, &judged).await;

        let mut tx = db.read(&scope("ann")).await.expect("a transaction");
        let own: i64 = sqlx::query_scalar("SELECT count(*) FROM plans WHERE user_id IS DISTINCT FROM 'ann'")
            .fetch_one(tx.connection())
            .await
            .expect("a count");
        assert_eq!(own, 0, "a transaction for one scope is as before");
    }
    seen.check(60);
    what_was_left_on_the_session_does_not_count(&server).await;
    rows_go_to_nobody_whose_rows_are_only_read(&server, &db).await;
    start_up_says_what_is_missing(&server).await;
}

async fn writes_reach_what_is_judged(db: &ScopedPool<Postgres>, world: &World, judged: &[i64]) {
    let Ok(rows) = WriteRows::of(&world.rows()) else {
        assert_eq!(world.action, Action::Read);
        let mut tx = db.read_rows(&world.rows()).await.expect("a transaction");
        let refused = sqlx::query("UPDATE plans SET title = 'new'").execute(tx.connection()).await;
        assert_eq!(state(&refused.expect_err("a transaction that reads")), "25006");
        return;
    };
    for sql in ["UPDATE plans SET title = 'new'", "DELETE FROM plans"] {
        let mut tx = db.write_rows(&rows).await.expect("a transaction");
        let done = sqlx::query(sql).execute(tx.connection()).await.expect("no error");
        assert_eq!(done.rows_affected(), judged.len() as u64, "{sql}: {world:?}");
    }
}

/// Somebody's statement set for the session what a transaction for one scope does not say.
async fn what_was_left_on_the_session_does_not_count(server: &Server) {
    server.run("DELETE FROM plans; INSERT INTO plans VALUES (1, 'bob', 'acme', '')").await;
    let pool = server.pool("app", 1).await;
    let db = ScopedPool::postgres(pool.clone(), [plans()]).await.expect("row-level security holds");
    let left = "SELECT set_config('authcore.' || name, value, false) FROM (VALUES ('every_row', 'true'), ('action', 'read'), \
                ('include_shared', 'true'), ('organization_ids', '[\"acme\"]')) AS v (name, value)";
    sqlx::query(left).execute(&pool).await.expect("set");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM plans").fetch_one(&pool).await.expect("a count");
    assert_eq!(seen, 1, "this is what is tried here");
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM plans").fetch_one(tx.connection()).await.expect("a count");
    assert_eq!(seen, 0);
    drop(tx);
    let ann = identity("ann", "");
    let mut tx = db.read_rows(&Isolation::default().rows(&ann, Action::Read)).await.expect("a transaction");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM plans").fetch_one(tx.connection()).await.expect("a count");
    assert_eq!(seen, 0);
}

/// Ann edits in acme, reads in beta, and was given plan 3 to read and plan 4 in full.
async fn rows_go_to_nobody_whose_rows_are_only_read(server: &Server, db: &ScopedPool<Postgres>) {
    let made = "DELETE FROM plans; DELETE FROM grants; \
                INSERT INTO plans VALUES (1, 'bob', 'acme', ''), (2, 'bob', 'beta', ''), (3, 'bob', NULL, ''), (4, 'bob', NULL, ''); \
                INSERT INTO grants VALUES ('plan', '3', 'ann', 'read'), ('plan', '4', 'ann', 'full')";
    server.run(made).await;
    let isolation =
        Isolation::default().allow_members(Access::Read).allow_member_role("editor", Access::Full).allow_shared();
    let ann = identity("ann", "");
    let member =
        |organization: &str, role| authcore::Membership::assertion(organization, ann.user_id().clone(), [role]);
    let memberships = [member("acme", "editor"), member("beta", "member")];
    let rows = isolation.rows(authcore::Caller::new(&ann, &memberships), Action::Write);
    let rows = WriteRows::of(&rows).expect("to write");
    for (sql, expected) in [
        ("INSERT INTO plans VALUES (10, 'bob', 'acme', '')", Ok(1)),
        ("INSERT INTO plans VALUES (10, 'ann', NULL, '')", Ok(1)),
        ("INSERT INTO plans VALUES (10, 'bob', 'beta', '')", Err("42501")),
        ("INSERT INTO plans VALUES (10, 'bob', NULL, '')", Err("42501")),
        ("INSERT INTO plans VALUES (3, 'bob', NULL, '')", Err("42501")),
        ("UPDATE plans SET organization_id = 'beta' WHERE id = 1", Err("42501")),
        ("UPDATE plans SET organization_id = NULL WHERE id = 1", Err("42501")),
        ("UPDATE plans SET title = 'x' WHERE id IN (2, 3)", Ok(0)),
        ("UPDATE plans SET title = 'x' WHERE id = 4", Ok(1)),
        ("UPDATE plans SET id = 5 WHERE id = 4", Err("42501")),
        ("DELETE FROM plans WHERE id IN (2, 3)", Ok(0)),
    ] {
        let mut tx = db.write_rows(&rows).await.expect("a transaction");
        let done = sqlx::raw_sql(sql).execute(tx.connection()).await;
        let done = done.map(|done| done.rows_affected()).map_err(|error| state(&error));
        assert_eq!(done, expected.map_err(str::to_owned), "{sql}");
    }
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let refused = sqlx::raw_sql("INSERT INTO plans VALUES (10, 'bob', 'acme', '')").execute(tx.connection()).await;
    assert_eq!(state(&refused.expect_err("a scope is for the owner's rows")), "42501");
    drop(tx);
    let mut tx = db.write_rows(&rows).await.expect("a transaction");
    let insert = tx.insert(&plans(), "id, title").push(", 11, ").bind("mine").push(")");
    assert_eq!(insert.execute().await.expect("her own").rows_affected(), 1);
    tx.commit().await.expect("it lasts");
    assert_eq!(server.value::<String>("SELECT user_id FROM plans WHERE id = 11").await, "ann");
}

async fn folding_collations_are_refused(server: &Server, refusal: impl AsyncFn(OwnedTable) -> String) {
    let folding =
        OwnedTable::new("folding", "user_id").and_then(|table| table.organization("place")).expect("good names");
    let collation = "CREATE COLLATION folds (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
    server.run(collation).await;
    for (column, other) in [("user_id", "place"), ("place", "user_id")] {
        server.run(&format!("CREATE TABLE folding ({column} text COLLATE folds, {other} text)")).await;
        server.run(&folding.migration()).await;
        let said = refusal(folding.clone()).await;
        assert!(said.contains(&format!("`{column}` compares by a collation that is not deterministic")), "{said}");
        server.run("DROP TABLE folding").await;
    }
}

async fn start_up_says_what_is_missing(server: &Server) {
    let refusal = async |table: OwnedTable| {
        let refused = ScopedPool::postgres(server.pool("app", 1).await, [table]).await.err();
        refused.map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refusal(plans()).await, "");
    let own = || OwnedTable::new("plans", "user_id").expect("good names");
    let said = refusal(own()).await;
    assert!(said.contains("a policy for rows beyond their owner's, which it is not said to have"), "{said}");
    for right in ["DELETE ON", "SELECT (title) ON", "INSERT ON"] {
        server.run(&format!("CREATE VIEW all_plans AS SELECT * FROM plans; GRANT {right} all_plans TO app")).await;
        let said = refusal(plans()).await;
        assert!(said.contains("view all_plans shows all of its rows"), "{right}: {said}");
        server.run("DROP VIEW all_plans").await;
    }
    folding_collations_are_refused(server, refusal).await;
    let other = plans().organization("place").expect("a good name");
    assert_eq!(refusal(other).await, "table `plans`: it has no column `place`");
    for (spoil, mend, cause) in [
        ("REVOKE SELECT ON grants FROM app", "GRANT SELECT ON grants TO app", "GRANT SELECT ON \"grants\""),
        ("ALTER TABLE grants RENAME TO g", "ALTER TABLE g RENAME TO grants", "there is no table \"grants\""),
        ("DROP POLICY authcore_rows ON plans", "", "no policy of it reads `authcore.every_row`"),
    ] {
        server.run(spoil).await;
        let said = refusal(plans()).await;
        assert!(said.contains(cause), "{said}");
        server.run(mend).await;
    }
    assert_eq!(refusal(own()).await, "", "whose rows are their owners' alone needs none of it");
}

fn identity(user: &str, roles: &str) -> Identity {
    Identity::assertion(UserId::new(user).expect("an id"), Method::Other("test")).roles(roles).into_identity()
}

/// As the superuser, whom no policy holds: what is found is the predicate's.
async fn unguarded(server: &Server) -> PgPool {
    PgPool::connect(&server.engine.first_database()).await.expect("the superuser may log in")
}

async fn make<DB: Engine>(pool: &sqlx::Pool<DB>, text: &str)
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let plans = format!(
        "CREATE TABLE plans (id bigint PRIMARY KEY, user_id {text}, organization_id {text}, title {text} NOT NULL); {}",
        grants().create_table::<DB>()
    );
    let mut connection = pool.acquire().await.expect("a connection");
    sqlx::Executor::execute(&mut *connection, sqlx::raw_sql(AssertSqlSafe(plans))).await.expect("tables");
}

async fn make_on_mariadb(pool: &MySqlPool) {
    make(pool, "varchar(255) COLLATE utf8mb4_bin").await;
}

fn ids(rows: Vec<(i64,)>) -> Vec<i64> {
    rows.into_iter().map(|(id,)| id).collect()
}
