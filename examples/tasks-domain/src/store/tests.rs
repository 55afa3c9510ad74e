#[path = "../../../conformance/tests/servers/cluster.rs"]
#[expect(dead_code, reason = "not every test of a server needs all of it")]
mod cluster;
#[path = "../../../../crates/authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "not every test of an engine needs all of it")]
mod engines;

use std::path::PathBuf;

use authcore_testkit::{SigningKey, TestHead, mint};
use cluster::Cluster;

use super::*;
use crate::testing::scope_of;

/// A database file of one test, gone with it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("tasks-{}-{name}.db", std::process::id())));
        file.remove();
        file
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.display())
    }

    async fn open(&self) -> TaskStore {
        open(&self.url()).await
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn open(url: &str) -> TaskStore {
    TaskStore::open(&Database::parse(url).expect("a good URL")).await.expect("a store")
}

async fn in_memory() -> TaskStore {
    open("sqlite::memory:").await
}

/// The same on an empty store of each engine.
async fn on_each_engine(name: &str, test: impl AsyncFn(TaskStore)) {
    test(in_memory().await).await;
    let cluster = Cluster::shared();
    let store = open(&cluster.database(&format!("store_{name}")).await).await;
    test(store.clone()).await;
    store.close().await;
}

fn new(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), description: None }
}

fn status<T>(done: Result<T, Refusal>) -> u16 {
    done.map_or_else(|refusal| refusal.status(), |_| 200)
}

async fn titles(store: &TaskStore, scope: &UserScope, query: &str) -> (Vec<String>, Option<String>) {
    let page = Page::read(Some(query)).expect("a good query");
    let list = store.list(scope, &page).await.expect("a list");
    assert_eq!(list.count, list.tasks.len());
    (list.tasks.into_iter().map(|task| task.title).collect(), list.next)
}

#[tokio::test]
async fn a_task_is_kept_as_it_was_made_and_changed_as_far_as_was_said() {
    on_each_engine("kept", async |store| {
        let ann = scope_of("ann");
        let description = Some("two litres and \u{1F95B}".to_owned());
        let made = NewTask { title: "Buy milk".into(), description: description.clone() };
        let made = store.create(&ann, &made).await.expect("a task");
        assert_eq!((made.user_id.as_str(), made.completed, &made.created_at), ("ann", false, &made.updated_at));
        assert_eq!(made.created_at.len(), "2026-01-02T03:04:05.678Z".len());
        assert_eq!(store.find(&ann, made.id).await.ok(), Some(made.clone()));

        let change = TaskChange { completed: Some(true), ..TaskChange::default() };
        let changed = store.change(&ann, made.id, &change).await.expect("a change");
        assert_eq!((changed.title.as_str(), changed.description, changed.completed), ("Buy milk", description, true));
        assert_eq!(changed.created_at, made.created_at);

        let change = TaskChange { title: Some("Rest".into()), description: Some(None), completed: None };
        let changed = store.change(&ann, made.id, &change).await.expect("a change");
        assert_eq!((changed.title.as_str(), changed.description, changed.completed), ("Rest", None, true));
        assert!(store.toggle(&ann, made.id).await.is_ok_and(|task| !task.completed));
        assert!(store.toggle(&ann, made.id).await.is_ok_and(|task| task.completed));

        assert_eq!(status(store.delete(&ann, made.id).await), 200);
        assert_eq!(status(store.delete(&ann, made.id).await), 404);
        let later = store.create(&ann, &new("Another")).await.expect("a task");
        assert!(later.id > made.id, "an id is never used again");
    })
    .await;
}

#[tokio::test]
async fn i118_somebody_elses_task_is_not_told_apart_from_none() {
    on_each_engine("hidden", async |store| {
        let (ann, bob) = (scope_of("ann"), scope_of("bob"));
        let task = store.create(&ann, &new("Ann's")).await.expect("a task");
        let change = TaskChange { title: Some("Bob's".into()), ..TaskChange::default() };

        for id in [task.id, task.id + 1] {
            let refusals = [
                store.find(&bob, id).await.err(),
                store.change(&bob, id, &change).await.err(),
                store.toggle(&bob, id).await.err(),
                store.delete(&bob, id).await.err(),
            ];
            for refusal in refusals {
                let refusal = refusal.expect("not bob's");
                assert_eq!((refusal.status(), refusal.body()), (404, Refusal::not_found().body()));
            }
        }
        assert_eq!(titles(&store, &bob, "").await.0, Vec::<String>::new());
        assert_eq!(store.find(&ann, task.id).await.ok(), Some(task));
    })
    .await;
}

/// The owner stands in the statement that writes: however early the caller looked, what counts is whose it is then.
#[tokio::test]
async fn i125_a_task_that_changes_hands_between_look_and_write_is_not_written() {
    let file = File::new("hands");
    let (store, ann) = (file.open().await, scope_of("ann"));
    let task = store.create(&ann, &new("Ann's")).await.expect("a task");
    let seen = store.find(&ann, task.id).await.expect("it is hers");
    let elsewhere = sqlx::SqlitePool::connect(&file.url()).await.expect("the same file");
    sqlx::query("UPDATE tasks SET user_id = 'bob'").execute(&elsewhere).await.expect("it changes hands");

    let change = TaskChange { title: Some("Still Ann's".into()), ..TaskChange::default() };
    assert_eq!(status(store.change(&ann, seen.id, &change).await), 404);
    assert_eq!(status(store.toggle(&ann, seen.id).await), 404);
    assert_eq!(status(store.delete(&ann, seen.id).await), 404);
    let kept = store.find(&scope_of("bob"), task.id).await.expect("it is bob's now");
    assert_eq!((kept.title, kept.completed), (seen.title, seen.completed));
}

/// The owner in each statement is one lock of two: the policy is the other.
#[tokio::test]
async fn a_statement_of_the_store_without_its_owner_would_be_held_by_the_policy() {
    let cluster = Cluster::shared();
    let store = open(&cluster.database("store_forgetful").await).await;
    let (ann, bob) = (scope_of("ann"), scope_of("bob"));
    let own = store.create(&ann, &new("Ann's")).await.expect("a task");
    let other = store.create(&bob, &new("Bob's")).await.expect("a task");
    let Engine::Postgres(tables) = &store.0 else { panic!("it is PostgreSQL") };

    for statement in [tables.statements.toggle, tables.statements.delete] {
        let forgetful = statement.replace(" AND user_id = $2", "");
        assert_ne!(forgetful, statement);
        let mut tx = tables.write(&WriteScope::of(&ann).expect("her own rows")).await.expect("a transaction");
        for (id, count) in [(other.id, 0), (own.id, 1)] {
            let done = sqlx::query(sqlx::AssertSqlSafe(forgetful.as_str())).bind(id).execute(tx.connection()).await;
            assert_eq!(done.expect("no error").rows_affected(), count, "{forgetful}");
        }
    }
    assert_eq!(store.find(&bob, other.id).await.ok(), Some(other));
    store.close().await;
}

#[tokio::test]
async fn owners_are_compared_byte_for_byte() {
    on_each_engine("owners", async |store| {
        for owner in ["ann", "Ann", "ann%", "an_", "' OR 1=1 --", "a\u{30a}", "\u{e5}"] {
            let scope = scope_of(owner);
            store.create(&scope, &new(owner)).await.expect("a task");
            assert_eq!(titles(&store, &scope, "").await.0, [owner]);
        }
    })
    .await;
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps() {
    on_each_engine("pages", async |store| {
        let (ann, bob) = (scope_of("ann"), scope_of("bob"));
        for number in 1..=7 {
            let task = store.create(&ann, &new(&number.to_string())).await.expect("a task");
            store.create(&bob, &new("between")).await.expect("a task");
            if number % 2 == 0 {
                store.toggle(&ann, task.id).await.expect("a change");
            }
        }
        let (mut seen, mut next) = (Vec::new(), Some("0".to_owned()));
        while let Some(after) = next {
            let (page, following) = titles(&store, &ann, &format!("limit=3&after={after}")).await;
            assert!(page.len() <= 3);
            seen.extend(page);
            next = following;
        }
        assert_eq!(seen, ["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(titles(&store, &ann, "limit=7").await.1, None, "a full last page has no next");
        assert_eq!(titles(&store, &ann, "completed=true").await.0, ["2", "4", "6"]);
        assert_eq!(titles(&store, &ann, "completed=false&limit=2").await.0, ["1", "3"]);
        assert_eq!(titles(&store, &ann, "after=9223372036854775807").await, (vec![], None));
    })
    .await;
}

#[tokio::test]
async fn a_scope_that_only_reads_writes_nothing() {
    let key = SigningKey::fixed(authcore::Algorithm::Hs256);
    let verifier = authcore::JwtVerifier::builder(authcore::KeySet::new([key.key()])).build().expect("a verifier");
    let isolation = authcore::Isolation::path("/{user}").allow_role_to_read("auditor");
    let guard = authcore::Guard::builder().authenticator(verifier).isolate(isolation).build().expect("a guard");
    let token = mint().subject("eve").claim("role", "auditor").sign(key);
    let admission = guard.begin(&TestHead::get("/ann").bearer(token)).finish().await.expect("an auditor may look");
    let reads = admission.require_user_scope().expect("a scope");

    on_each_engine("reads", async |store| {
        let ann = scope_of("ann");
        let task = store.create(&ann, &new("Ann's")).await.expect("a task");
        assert_eq!(status(store.find(reads, task.id).await), 200);
        assert_eq!(status(store.create(reads, &new("Eve's")).await), 403);
        assert_eq!(status(store.change(reads, task.id, &TaskChange::default()).await), 403);
        assert_eq!(status(store.toggle(reads, task.id).await), 403);
        assert_eq!(status(store.delete(reads, task.id).await), 403);
    })
    .await;
}

#[tokio::test]
async fn tasks_in_a_file_outlive_the_program() {
    let (file, ann) = (File::new("restart"), scope_of("ann"));
    let store = file.open().await;
    let task = store.create(&ann, &new("Kept")).await.expect("a task");
    store.close().await;

    let store = file.open().await;
    assert_eq!(store.find(&ann, task.id).await.ok(), Some(task));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_writers_and_readers_at_once_are_all_served() {
    let file = File::new("writers");
    // Two stores on one file, as two servers would have.
    let stores = [file.open().await, file.open().await];
    let mut at_work = tokio::task::JoinSet::new();
    for number in 0..50 {
        let store = stores[number % 2].clone();
        at_work.spawn(async move {
            let scope = scope_of(&format!("user-{}", number % 5));
            for round in 0..4 {
                let task = store.create(&scope, &new(&format!("{number}/{round}"))).await?;
                store.toggle(&scope, task.id).await?;
                store.list(&scope, &Page::default()).await?;
            }
            Ok::<_, Refusal>(())
        });
    }
    for outcome in at_work.join_all().await {
        assert_eq!(status(outcome), 200);
    }
    let mut count = 0;
    for user in 0..5 {
        count += titles(&stores[0], &scope_of(&format!("user-{user}")), "limit=100&completed=true").await.0.len();
    }
    assert_eq!(count, 200);
    for store in stores {
        store.close().await;
    }
}

#[tokio::test]
async fn servers_that_start_together_on_one_new_file_take_turns() {
    let file = File::new("together");
    for store in <[TaskStore; 4]>::from(tokio::join!(file.open(), file.open(), file.open(), file.open())) {
        assert!(store.is_reachable().await);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_in_memory_outlive_callers_who_go_away() {
    let (store, ann) = (in_memory().await, scope_of("ann"));
    for round in 0..200_u32 {
        let (store, ann) = (store.clone(), ann.clone());
        let call = tokio::spawn(async move { store.create(&ann, &new("Perhaps")).await });
        for _ in 0..round % 4 {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
    }
    let task = store.create(&ann, &new("Surely")).await.expect("the tables are still there");
    assert_eq!(store.find(&ann, task.id).await.ok(), Some(task));
}

#[tokio::test]
async fn a_store_that_is_gone_is_503_and_never_404() {
    on_each_engine("gone", async |store| {
        let ann = scope_of("ann");
        assert!(store.is_reachable().await);
        store.close().await;
        assert!(!store.is_reachable().await);
        let refusal = store.find(&ann, 1).await.expect_err("a closed store");
        assert_eq!((refusal.status(), refusal.code()), (503, "store_unavailable"));
        assert!(refusal.fields().iter().any(|(name, _)| *name == "retry-after"));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_words() {
    let file = File::new("broken");
    std::fs::write(&file.0, "this is a text, long enough to be taken for the head of a database, which it is not. ")
        .expect("a file");
    let error = TaskStore::open(&Database::parse(&file.url()).expect("a good URL")).await.expect_err("no database");
    assert!(error.to_string().starts_with("DATABASE_URL: "), "{error}");
}
