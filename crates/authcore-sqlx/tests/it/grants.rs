//! What was shared is given by who may change it, and can be taken back.

use authcore::{Access, Action, Identity, Isolation, Method, Object, Permit, UserId};
use authcore_sqlx::{Engine, Grants, WritePermit};
use sqlx::{AssertSqlSafe, Executor, Pool};

use crate::database::Server;
use crate::sqlite::File;
use crate::world::grants;

fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

fn identity(name: &str) -> Identity {
    Identity::assertion(user(name), Method::Other("test")).into_identity()
}

fn permit<'o>(owner: &str, action: Action, object: &Object<'o>) -> Permit<'o> {
    Isolation::default().judge(&identity(owner), action, object).expect("one's own")
}

/// What the caller may do to bob's object, as reading and writing are judged: the status of a refusal.
async fn judged<DB: Engine>(grants: &Grants<DB>, caller: &str, kind: &str, id: &str) -> [Option<u16>; 2] {
    let isolation = Isolation::default().allow_shared();
    let object = Object::new(kind, id).of_user("bob");
    let mut statuses = [None; 2];
    for (status, action) in statuses.iter_mut().zip([Action::Read, Action::Write]) {
        let caller = identity(caller);
        let judged = isolation.judge_shared(&caller, action, &object, grants).await;
        *status = judged.err().map(|refusal| refusal.status());
    }
    statuses
}

const NOTHING: [Option<u16>; 2] = [Some(403), Some(403)];
const READS: [Option<u16>; 2] = [None, Some(403)];
const WRITES: [Option<u16>; 2] = [None, None];

pub(crate) async fn are_given_and_taken_back<DB: Engine>(grants: &Grants<DB>) {
    let bobs = permit("bob", Action::Write, &Object::new("plan", "17").of_user("bob"));
    let bobs = WritePermit::of(&bobs).expect("to write");
    assert_eq!(bobs.permit().object().id(), "17");
    assert_eq!(judged(grants, "ann", "plan", "17").await, NOTHING);
    grants.grant(&bobs, &user("ann"), Access::Read).await.expect("given");
    assert_eq!(judged(grants, "ann", "plan", "17").await, READS);
    grants.grant(&bobs, &user("ann"), Access::Full).await.expect("replaced");
    assert_eq!(judged(grants, "ann", "plan", "17").await, WRITES);
    for (caller, kind, id) in [
        ("Ann", "plan", "17"),
        ("cyd", "plan", "17"),
        ("ann", "Plan", "17"),
        ("ann", "plan", "1"),
        ("ann", "plan", "17 "),
    ] {
        assert_eq!(judged(grants, caller, kind, id).await, NOTHING, "{caller} {kind} {id}");
    }
    grants.grant(&bobs, &user("ann"), Access::Read).await.expect("replaced");
    assert_eq!(judged(grants, "ann", "plan", "17").await, READS);
    assert!(!grants.revoke(&bobs, &user("cyd")).await.expect("an answer"), "she had nothing");
    assert!(grants.revoke(&bobs, &user("ann")).await.expect("an answer"));
    assert_eq!(judged(grants, "ann", "plan", "17").await, NOTHING);
    for name in ["ann", "cyd"] {
        grants.grant(&bobs, &user(name), Access::Full).await.expect("given");
    }
    let other = permit("bob", Action::Write, &Object::new("plan", "18").of_user("bob"));
    let other = WritePermit::of(&other).expect("to write");
    grants.grant(&other, &user("ann"), Access::Full).await.expect("given");
    assert_eq!(grants.revoke_all(&bobs).await.expect("an answer"), 2);
    assert_eq!(judged(grants, "ann", "plan", "17").await, NOTHING);
    assert_eq!(judged(grants, "ann", "plan", "18").await, WRITES, "of this object alone");
    grants.revoke_all(&other).await.expect("an answer");
}

async fn make<DB: Engine>(pool: &Pool<DB>) -> Grants<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let make = sqlx::raw_sql(AssertSqlSafe(grants().create_table::<DB>()));
    Executor::execute(&mut *pool.acquire().await.expect("a connection"), make).await.expect("a table");
    grants().over(pool.clone())
}

#[tokio::test]
async fn on_sqlite_what_was_shared_can_be_taken_back() {
    let file = File::new("grants");
    let pool = file.pool(1).await;
    let given = make(&pool).await;
    are_given_and_taken_back(&given).await;
    are_given_and_taken_back(&given.clone().unnamed_statements()).await;

    let word = "PRAGMA ignore_check_constraints = ON; INSERT INTO grants VALUES ('plan', '17', 'ann', 'FULL')";
    sqlx::raw_sql(word).execute(&pool).await.expect("a row");
    assert_eq!(judged(&given, "ann", "plan", "17").await, NOTHING, "a word that is none gives nothing");

    let folding = "DROP TABLE grants; CREATE TABLE grants (kind text COLLATE NOCASE, object_id text COLLATE RTRIM, \
                   user_id text COLLATE NOCASE, access text); INSERT INTO grants VALUES ('plan', '17', 'ann', 'read')";
    sqlx::raw_sql(folding).execute(&pool).await.expect("a table of somebody's own");
    assert_eq!(judged(&given, "ann", "plan", "17").await, READS);
    for (caller, kind, id) in [("Ann", "plan", "17"), ("ann", "Plan", "17"), ("ann", "plan", "17 ")] {
        assert_eq!(judged(&given, caller, kind, id).await, NOTHING, "{caller} {kind} {id:?}: the bytes count");
    }

    sqlx::raw_sql("DROP TABLE grants").execute(&pool).await.expect("gone");
    assert_eq!(judged(&given, "ann", "plan", "17").await, [Some(503); 2], "nobody can tell");
    pool.close().await;
    assert_eq!(judged(&given, "ann", "plan", "17").await, [Some(503); 2], "an outage");
}

#[tokio::test]
async fn on_postgresql_what_was_shared_can_be_taken_back() {
    let server = Server::start().await;
    let given = make(&server.admin).await;
    server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON grants TO app").await;
    are_given_and_taken_back(&given).await;
    are_given_and_taken_back(&grants().over(server.pool("app", 1).await)).await;
    assert_eq!(judged(&given, "ann", "plan", "17\0").await, NOTHING, "no column holds NUL, and this is no outage");
    assert_eq!(judged(&given, "ann", "pl\0n", "17").await, NOTHING);
}

#[test]
fn a_permit_to_read_shares_nothing() {
    let object = Object::new("plan", "17").of_user("bob");
    let refused = WritePermit::of(&permit("bob", Action::Read, &object)).map(drop).expect_err("to read");
    assert_eq!((refused.status(), refused.code()), (403, "insufficient_role"));
}
