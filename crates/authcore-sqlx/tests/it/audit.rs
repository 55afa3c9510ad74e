//! Decisions in a table: every one of them, in a chain that shows where it was touched.

use std::time::Duration;

use authcore::{Action, Identity, Isolation, ManualClock, Method, Object, UserId};
use authcore_sqlx::{AuditTable, ChainHead, Chained, Engine, SqlAudit};
use sqlx::{AssertSqlSafe, Executor, Pool, Sqlite, SqlitePool};

use crate::database::{Server, state};
use crate::sqlite::File;

pub(crate) fn table() -> AuditTable {
    AuditTable::new("decisions").expect("a good name")
}

fn identity(name: &str) -> Identity {
    Identity::assertion(UserId::new(name).expect("an id"), Method::Other("test")).into_identity()
}

/// Ann asks for a plan of bob's.
fn ask(audit: &SqlAudit, id: &str) {
    let isolation = Isolation::default().audit(audit.clone());
    let refused = isolation.judge(&identity("ann"), Action::Read, &Object::new("plan", id).of_user("bob"));
    assert_eq!(refused.expect_err("bob's").code(), "not_owner");
}

async fn make<DB: Engine>(pool: &Pool<DB>)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let make = sqlx::raw_sql(AssertSqlSafe(table().create_table::<DB>()));
    Executor::execute(&mut *pool.acquire().await.expect("a connection"), make).await.expect("a table");
}

async fn whole<DB: Engine>(pool: &Pool<DB>, chain: &str) -> ChainHead {
    match table().verify(pool, chain).await.expect("a database") {
        Chained::Whole(head) => head,
        Chained::Broken { seq } => panic!("broken at {seq}"),
    }
}

/// Six hundred decisions, of hostile ids among them, by two writers.
pub(crate) async fn two_writers_have_a_chain_each<DB: Engine>(pool: &Pool<DB>)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    make(pool).await;
    let [one, two] = [(), ()].map(|()| table().writer(pool.clone()).start().expect("in a runtime"));
    assert_ne!(one.head().chain, two.head().chain);
    for number in 0..600 {
        ask(if number % 3 == 0 { &two } else { &one }, &format!("{number}"));
    }
    ask(&two, "a'b\0c\\\u{1f980}");
    ask(&two, &"x".repeat(100_000));
    for (audit, rows) in [(one, 400), (two, 202)] {
        audit.flush().await.expect("written");
        let head = audit.head();
        assert_eq!((head.seq, audit.lost()), (rows, 0));
        assert_eq!(whole(pool, &head.chain).await, head);
        assert_eq!(table().verify_beyond(pool, &head).await.expect("an answer"), Chained::Whole(head));
        audit.close().await.expect("nothing is left");
    }
    assert_eq!(table().chains(pool).await.expect("an answer").len(), 2);
}

#[tokio::test]
async fn on_sqlite_each_writer_has_a_chain() {
    let file = File::new("audit");
    two_writers_have_a_chain_each(&file.pool(1).await).await;
}

#[tokio::test]
async fn a_row_says_who_asked_for_what_and_why_not() {
    let file = File::new("audit-row");
    let pool = file.pool(1).await;
    make(&pool).await;
    let clock = ManualClock::at(1_700_000_000);
    let audit = table().writer(pool.clone()).clock(clock.clone()).start().expect("in a runtime");
    let isolation = Isolation::default().audit(audit.clone());
    let eve = UserId::new("eve").expect("an id");
    let ann = Identity::assertion(UserId::new("ann").expect("an id"), Method::Other("test"));
    let ann = ann.issuer("https://id".into()).impersonated_by(eve).claims(r#"{"email":"a@b"}"#).into_identity();
    isolation
        .judge(&ann, Action::Write, &Object::new("plan", "17").of_user("bob").of_organization("acme"))
        .expect_err("bob's");
    clock.advance(Duration::from_micros(1_000_001));
    isolation
        .judge(&ann, Action::Read, &Object::new("plan", "18").of_user("ann").of_organization("acme"))
        .expect("her own");
    audit.close().await.expect("written");
    let rows: Vec<[Option<String>; 11]> = rows(&pool).await;
    let words = |words: [&str; 11]| words.map(|word| Some(word.to_owned()));
    assert_eq!(
        rows,
        [
            words([
                "2023-11-14T22:13:20.000000Z",
                "ann",
                "https://id",
                "eve",
                "write",
                "plan",
                "17",
                "bob",
                "acme",
                "denied",
                "not_owner"
            ]),
            words([
                "2023-11-14T22:13:21.000001Z",
                "ann",
                "https://id",
                "eve",
                "read",
                "plan",
                "18",
                "ann",
                "acme",
                "allowed",
                "owner"
            ]),
        ]
    );
}

async fn rows(pool: &SqlitePool) -> Vec<[Option<String>; 11]> {
    let all = sqlx::query(
        "SELECT at, actor, issuer, impersonated_by, action, kind, object_id, owner, organization, decision, reason \
                           FROM decisions ORDER BY chain, seq",
    );
    let all = all.fetch_all(pool).await.expect("rows");
    all.iter().map(|row| std::array::from_fn(|index| sqlx::Row::get(row, index))).collect()
}

#[tokio::test]
async fn whatever_is_done_to_a_chain_shows() {
    let file = File::new("audit-broken");
    let pool = file.pool(1).await;
    make(&pool).await;
    let audit = table().writer(pool.clone()).start().expect("in a runtime");
    for number in 0..1200 {
        ask(&audit, &number.to_string());
    }
    audit.flush().await.expect("written");
    let head = audit.head();
    let save = "CREATE TABLE saved AS SELECT * FROM decisions";
    sqlx::raw_sql(save).execute(&pool).await.expect("saved");
    for (touch, seq) in [
        ("UPDATE decisions SET actor = 'cyd' WHERE seq = 3", Some(3)),
        ("UPDATE decisions SET decision = 'allowed' WHERE seq = 1200", Some(1200)),
        ("UPDATE decisions SET owner = NULL WHERE seq = 501", Some(501)),
        ("UPDATE decisions SET issuer = '' WHERE seq = 1", Some(1)),
        ("UPDATE decisions SET at = '2000-01-01T00:00:00.000000Z' WHERE seq = 7", Some(7)),
        ("UPDATE decisions SET kind = 'pla', object_id = 'n' || object_id WHERE seq = 9", Some(9)),
        ("UPDATE decisions SET hash = upper(hash) WHERE seq = 2", Some(2)),
        ("DELETE FROM decisions WHERE seq = 1", Some(1)),
        ("DELETE FROM decisions WHERE seq = 500", Some(500)),
        ("DELETE FROM decisions WHERE seq BETWEEN 500 AND 1100", Some(500)),
        ("DELETE FROM decisions WHERE seq = 4; UPDATE decisions SET seq = seq - 1 WHERE seq > 4", Some(4)),
        ("UPDATE decisions SET seq = 13 - seq WHERE seq IN (6, 7)", Some(6)),
        (
            "INSERT INTO decisions SELECT chain, 1201, at, actor, issuer, impersonated_by, action, kind, object_id, owner, organization, \
          decision, reason, hash FROM decisions WHERE seq = 1200",
            Some(1201),
        ),
        ("INSERT INTO decisions (chain, seq, hash) SELECT chain, 0, hash FROM decisions WHERE seq = 1", Some(0)),
        (
            "INSERT INTO decisions (chain, seq, hash) SELECT chain, -9223372036854775808, hash FROM decisions WHERE seq = 1",
            Some(i64::MIN),
        ),
        // Only who noted the end of the chain can tell.
        ("DELETE FROM decisions WHERE seq > 1000", None),
        ("DELETE FROM decisions", None),
    ] {
        let sql = format!("BEGIN; {touch}; COMMIT");
        // SQLite checks keys row by row: apart first.
        let sql = sql.replace("SET seq = 13 - seq", "SET seq = seq + 10000");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect(touch);
        if touch.contains("13 - seq") {
            let back = "UPDATE decisions SET seq = 10013 - seq WHERE seq > 10000";
            sqlx::raw_sql(back).execute(&pool).await.expect("swapped");
        }
        let found = table().verify(&pool, &head.chain).await.expect("an answer");
        match seq {
            Some(seq) => assert_eq!(found, Chained::Broken { seq }, "{touch}"),
            None => assert!(matches!(found, Chained::Whole(ref end) if end.seq < 1200), "{touch}: {found:?}"),
        }
        let beyond = table().verify_beyond(&pool, &head).await.expect("an answer");
        assert!(matches!(beyond, Chained::Broken { .. }) || seq == Some(1201), "{touch}: {beyond:?}");
        let mend = "DELETE FROM decisions; INSERT INTO decisions SELECT * FROM saved";
        sqlx::raw_sql(mend).execute(&pool).await.expect("mended");
        assert_eq!(whole(&pool, &head.chain).await, head);
    }
    let other = ChainHead { hash: "00".repeat(32), seq: 3, ..head };
    let found = table().verify_beyond(&pool, &other).await.expect("an answer");
    assert_eq!(found, Chained::Broken { seq: 3 }, "a chain that was written anew");
}

#[tokio::test]
async fn a_writer_whose_place_is_taken_begins_another_chain() {
    let file = File::new("audit-taken");
    let pool = file.pool(1).await;
    make(&pool).await;
    let audit = table().writer(pool.clone()).start().expect("in a runtime");
    let first = audit.head().chain;
    let plant = sqlx::query("INSERT INTO decisions (chain, seq, hash) VALUES (?, 1, 'planted')").bind(&first);
    plant.execute(&pool).await.expect("a row");
    ask(&audit, "1");
    audit.flush().await.expect("written");
    let second = audit.head();
    assert_ne!(second.chain, first);
    assert_eq!((second.seq, whole(&pool, &second.chain).await), (1, second.clone()));
    assert_eq!(table().verify(&pool, &first).await.expect("an answer"), Chained::Broken { seq: 1 });
    audit.close().await.expect("nothing is left");
}

/// Requests go on; what fits is kept and written later, what does not is counted in its place.
#[tokio::test]
async fn an_outage_of_the_database_is_waited_for_and_losses_are_counted() {
    let file = File::new("audit-outage");
    let pool = file.pool(1).await;
    let audit = table().writer(pool.clone()).capacity(4).start().expect("in a runtime");
    ask(&audit, "1");
    let outage = audit.flush().await.expect_err("there is no table");
    assert_eq!(outage.retry_after(), Duration::from_secs(1));
    for number in 2..=9 {
        ask(&audit, &number.to_string());
    }
    // One is in the writer's hands and four in the queue.
    assert_eq!((audit.lost(), audit.head().seq), (4, 0));
    make(&pool).await;
    audit.flush().await.expect("written");
    ask(&audit, "10");
    audit.flush().await.expect("written");
    let rows = rows(&pool).await;
    let said: Vec<_> = rows.iter().map(|row| row[6].as_deref().or(row[10].as_deref()).unwrap_or("")).collect();
    assert_eq!(said, ["1", "2", "3", "4", "5", "4 decisions were lost", "10"]);
    assert_eq!(rows[5][9].as_deref(), Some("lost"));
    assert_eq!(whole(&pool, &audit.head().chain).await.seq, 7);
    let again = audit.clone();
    audit.close().await.expect("nothing is left");
    ask(&again, "11");
    assert_eq!(again.lost(), 5, "after the end");
    let ended = again.flush().await.map_err(|error| error.to_string());
    assert!(ended.is_err(), "{ended:?}");
    again.close().await.expect("it has ended well");
}

#[tokio::test]
async fn what_cannot_be_written_at_the_end_is_lost_and_said_so() {
    let file = File::new("audit-end");
    let pool = file.pool(1).await;
    let audit = table().writer(pool).start().expect("in a runtime");
    ask(&audit, "1");
    ask(&audit, "2");
    let again = audit.clone();
    assert!(audit.close().await.is_err(), "there is no table");
    assert_eq!(again.lost(), 2);
}

/// Without a request, by the clock alone: tokio's, which runs ahead while everybody waits.
#[tokio::test]
async fn what_failed_is_tried_again_without_being_asked() {
    let file = File::new("audit-again");
    let pool = file.pool(1).await;
    let audit = table().writer(pool.clone()).start().expect("in a runtime");
    ask(&audit, "1");
    audit.flush().await.expect_err("there is no table");
    make(&pool).await;
    tokio::time::pause();
    while audit.head().seq == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::resume();
    assert_eq!(whole(&pool, &audit.head().chain).await.seq, 1);
}

#[tokio::test]
async fn the_last_to_go_leaves_nothing_behind() {
    let file = File::new("audit-drop");
    let pool = file.pool(1).await;
    make(&pool).await;
    let audit = table().writer(pool.clone()).start().expect("in a runtime");
    let chain = audit.head().chain;
    ask(&audit, "1");
    drop(audit);
    while whole::<Sqlite>(&pool, &chain).await.seq == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn own_rows_and_what_is_allowed_can_be_left_out() {
    let file = File::new("audit-only");
    let pool = file.pool(1).await;
    make(&pool).await;
    let foreign = table().writer(pool.clone()).only_foreign().start().expect("in a runtime");
    let denied = table().writer(pool.clone()).only_denied().start().expect("in a runtime");
    let admin = Identity::assertion(UserId::new("root").expect("an id"), Method::Other("test")).roles("admin");
    let admin = admin.into_identity();
    let acted = Identity::assertion(UserId::new("ann").expect("an id"), Method::Other("test"));
    let acted = acted.impersonated_by(UserId::new("eve").expect("an id")).into_identity();
    for (audit, kept) in [(foreign, 3), (denied, 1)] {
        let isolation = Isolation::default().allow_role("admin").audit(audit.clone());
        let [bobs, anns] = ["bob", "ann"].map(|owner| Object::new("plan", "1").of_user(owner));
        isolation.judge(&identity("ann"), Action::Read, &anns).expect("her own");
        let _ = isolation.rows(&identity("ann"), Action::Read);
        isolation.judge(&identity("ann"), Action::Read, &bobs).expect_err("bob's");
        isolation.judge(&admin, Action::Read, &bobs).expect("an admin");
        isolation.judge(&acted, Action::Read, &anns).expect("by an administrator");
        audit.flush().await.expect("written");
        assert_eq!(audit.head().seq, kept);
    }
}

#[tokio::test]
async fn on_postgresql_the_table_only_grows() {
    let server = Server::start().await;
    let role = server.pool("app", 1).await;
    two_writers_have_a_chain_each(&server.admin).await;
    server.run("DELETE FROM decisions; ALTER TABLE decisions OWNER TO keeper; GRANT ALL ON decisions TO app").await;
    let only = table().append_only("app").expect("a good name");
    server.run(&only).await;
    server.run(&only).await; // once more does no harm
    assert!(table().append_only("app\"; --").is_err());
    let audit = table().writer(role.clone()).start().expect("in a runtime");
    ask(&audit, "1");
    audit.flush().await.expect("the role may add");
    assert_eq!(whole(&role, &audit.head().chain).await, audit.head());
    for touch in ["UPDATE decisions SET actor = 'x'", "DELETE FROM decisions", "TRUNCATE decisions"] {
        let refused = sqlx::query(touch).execute(&role).await.expect_err(touch);
        assert_eq!(state(&refused), "42501", "{touch}");
        let refused = sqlx::query(touch).execute(&server.admin).await.expect_err(touch);
        assert!(refused.to_string().contains("rows of decisions are only added"), "{touch}: {refused}");
    }
    let mut server = server;
    server.engine.stop();
    ask(&audit, "2");
    audit.flush().await.expect_err("the server is gone");
    assert_eq!(audit.lost(), 0, "and nothing is lost");
    server.engine.start();
    while audit.flush().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(whole(&role, &audit.head().chain).await.seq, 2);
}

#[test]
fn outside_of_a_runtime_it_says_so() {
    let pool = sqlx::pool::PoolOptions::<Sqlite>::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let pool = {
        let _inside = runtime.enter();
        pool.connect_lazy("sqlite::memory:").expect("lazily")
    };
    let refused = table().writer(pool).start().expect_err("no runtime").to_string();
    assert_eq!(refused, "audit: it is started within a tokio runtime");
}
