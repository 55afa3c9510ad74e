//! Transactions for rows that are given up anywhere, on a pool of one connection.

use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, UserId};
use authcore_sqlx::{ScopedPool, WriteRows};
use authcore_testkit::polled;
use sqlx::{PgPool, Postgres};

use crate::database::Server;
use crate::world::{grants, plans};

/// Ann's and acme's rows, to somebody who edits in acme.
fn rows(user: &str) -> WriteRows {
    let user = UserId::new(user).expect("an id");
    let identity = Identity::assertion(user.clone(), Method::Other("test")).into_identity();
    let isolation = Isolation::default().allow_member_role("editor", Access::Full);
    let memberships = [Membership::assertion("acme", user, ["editor"])];
    WriteRows::of(&isolation.rows(Caller::new(&identity, &memberships), Action::Write)).expect("to write")
}

async fn start(server: &Server) -> (PgPool, ScopedPool<Postgres>) {
    let make = "CREATE TABLE plans (id bigint PRIMARY KEY, user_id text, organization_id text, title text NOT NULL); \
                INSERT INTO plans VALUES (1, 'ann', NULL, 'a'), (2, 'bob', 'acme', 'a'), (3, 'bob', NULL, 'a')";
    server.run(make).await;
    server.run(&grants().create_table::<Postgres>()).await;
    server.run("ALTER TABLE plans OWNER TO keeper; GRANT SELECT, INSERT, UPDATE, DELETE ON plans, grants TO app").await;
    server.run(&plans().migration()).await;
    let pool = server.pool("app", 1).await;
    let db = ScopedPool::postgres(pool.clone(), [plans()]).await.expect("row-level security holds");
    (pool, db)
}

#[tokio::test]
async fn a_transaction_for_rows_that_is_given_up_anywhere_leaves_nothing_behind() {
    let server = Server::start().await;
    let (pool, db) = start(&server).await;
    let (mut finished, mut given_up) = (0_i64, 0_i64);
    // How often one transaction waits is up to how fast the server answers.
    for polls in (0..9).cycle().take(200) {
        let write = async {
            let mut tx = db.write_rows(&rows("ann")).await.expect("a transaction");
            let update = tx.query("UPDATE plans SET title = title || 'b' WHERE ").rows(&plans());
            assert_eq!(update.execute().await.expect("no error").rows_affected(), 2, "her own and acme's");
            tx.commit().await.expect("it lasts");
        };
        match polled(polls, write).await {
            Some(()) => finished += 1,
            None => given_up += 1,
        }
        let settings = "SELECT count(*), coalesce(string_agg(current_setting('authcore.' || name, true), ''), '') \
                        FROM unnest(ARRAY['user_id', 'action', 'every_row', 'organization_ids', 'include_shared']) AS name";
        let left: (i64, String) = sqlx::query_as(settings).fetch_one(&pool).await.expect("an answer");
        assert_eq!(left, (5, String::new()), "a setting was left behind after {polls} polls");
        let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'";
        assert_eq!(server.value::<i64>(open).await, 0, "after {polls} polls");
        let mut tx = db.read_rows(&rows_of_bob()).await.expect("a transaction");
        let seen: Vec<(i64,)> =
            sqlx::query_as("SELECT id FROM plans ORDER BY id").fetch_all(tx.connection()).await.expect("rows");
        assert_eq!(seen, [(2,), (3,)], "after {polls} polls");
        drop(tx);
        // A commit that was given up may have been heard.
        let changes = "SELECT (length(title) - 1)::bigint FROM plans ORDER BY id";
        let changes: Vec<i64> = sqlx::query_scalar(changes).fetch_all(&server.admin).await.expect("rows");
        assert!((finished..=finished + given_up).contains(&changes[0]), "{changes:?}: {finished} and {given_up}");
        assert_eq!(changes[1..], [changes[0], 0], "both rows or none, and nobody else's");
        if finished >= 3 && given_up >= 8 {
            return;
        }
    }
    panic!("{finished} came to their end, {given_up} were given up");
}

/// Bob's own, to read.
fn rows_of_bob() -> authcore::Rows {
    let bob = Identity::assertion(UserId::new("bob").expect("an id"), Method::Other("test")).into_identity();
    Isolation::default().rows(&bob, Action::Read)
}
