//! What row-level security by scope costs on PostgreSQL: a read of the owner's twenty rows and a single insert, scoped
//! beside plain statements with a predicate, and the ways to say for whom a transaction is.
//!
//! `cargo bench -p authcore-benches --bench row_isolation`

use std::time::{Duration, Instant};

use authcore::{Identity, Method, UserId, UserScope};
use authcore_benches::is_measured;
use authcore_sqlx::{OwnedTable, ScopedPool, WriteScope};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres};
use tokio::runtime::Runtime;

use engines::Engine;

#[path = "../../crates/authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "tests do more with a server than ask it")]
mod engines;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let engine = Engine::postgres();
    let admin = patiently_at(&engine.first_database()).await;
    for statement in tables() {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&admin).await.expect("a good statement");
    }
    let bench = Bench::new(&engine).await;
    let (rounds, round) = if is_measured() { (9, Duration::from_secs(1)) } else { (1, Duration::from_millis(5)) };
    for tasks in [1, 8] {
        println!("{tasks} at once, median of {rounds} rounds");
        let mut times = vec![Vec::new(); FORMS.len()];
        // By turns, so that what else the machine does falls on all of them.
        for _ in 0..rounds {
            for (index, (_, form)) in FORMS.iter().enumerate() {
                times[index].push(bench.time(*form, tasks, round).await);
            }
        }
        let mut plain = 0.0;
        for ((name, form), mut times) in FORMS.iter().zip(times) {
            times.sort_by(f64::total_cmp);
            let median = times[times.len() / 2];
            if matches!(form, Form::PlainRead | Form::PlainInsert) {
                plain = median;
            }
            println!("  {name:<44} {median:>8.1} us  {:>5.2}", median / plain);
        }
    }
    if is_measured() {
        for (name, sql) in [
            ("scoped, without WHERE", "SELECT id, title FROM tasks ORDER BY id LIMIT 20"),
            ("scoped, with WHERE", "SELECT id, title FROM tasks WHERE user_id = 'user-7' ORDER BY id LIMIT 20"),
        ] {
            let mut tx = bench.scoped.read(&bench.scopes[7]).await.expect("a transaction");
            let plan: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN (ANALYZE, TIMING OFF) {sql}")))
                .fetch_all(tx.connection())
                .await
                .expect("a plan");
            println!("{name}: {sql}");
            plan.iter().for_each(|(line,)| println!("  {line}"));
        }
    }
}

/// A way to do it. Reads first, the plain one before those that are held against it.
const FORMS: [(&str, Form); 8] = [
    ("read: plain, with a predicate", Form::PlainRead),
    ("read: plain, in a transaction", Form::TransactionRead),
    ("read: BEGIN; SELECT set_config; query; COMMIT", Form::NaiveRead),
    ("read: scoped", Form::ScopedRead),
    ("read: scoped, statements without names", Form::UnnamedRead),
    ("insert: plain", Form::PlainInsert),
    ("insert: plain, in a transaction", Form::TransactionInsert),
    ("insert: scoped", Form::ScopedInsert),
];

#[derive(Clone, Copy)]
enum Form {
    PlainRead,
    TransactionRead,
    NaiveRead,
    ScopedRead,
    UnnamedRead,
    PlainInsert,
    TransactionInsert,
    ScopedInsert,
}

#[derive(Clone)]
struct Bench {
    plain: PgPool,
    scoped: ScopedPool<Postgres>,
    unnamed: ScopedPool<Postgres>,
    scopes: std::sync::Arc<Vec<UserScope>>,
}

impl Bench {
    async fn new(engine: &Engine) -> Self {
        let tasks = OwnedTable::new("tasks", "user_id").expect("good names");
        let scoped = ScopedPool::postgres(pool(engine).await, [tasks.clone()]).await.expect("row-level security holds");
        // On connections of its own: a statement that has a name there keeps it.
        let unnamed = ScopedPool::postgres(pool(engine).await, [tasks]).await.expect("row-level security holds");
        let unnamed = unnamed.unnamed_statements();
        let scopes = (0..USERS).map(|user| scope(&format!("user-{user}"))).collect();
        Self { plain: pool(engine).await, scoped, unnamed, scopes: std::sync::Arc::new(scopes) }
    }

    /// Microseconds for one, seen by each of so many tasks.
    async fn time(&self, form: Form, tasks: usize, round: Duration) -> f64 {
        let began = Instant::now();
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let bench = self.clone();
                tokio::spawn(async move {
                    let mut done = 0_usize;
                    while began.elapsed() < round {
                        bench.once(form, (task * 31 + done * 7) % USERS).await.expect("the database answers");
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        let mut done = 0;
        for task in running {
            done += task.await.expect("no statement fails");
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let each = began.elapsed().as_secs_f64() * 1e6 * tasks as f64 / done as f64;
        each
    }

    async fn once(&self, form: Form, user: usize) -> Result<(), sqlx::Error> {
        let scope = &self.scopes[user];
        let owner = scope.owner().as_str();
        let rows: Vec<(i64, String)> = match form {
            Form::PlainRead => sqlx::query_as(PLAIN).bind(owner).fetch_all(&self.plain).await?,
            Form::TransactionRead => {
                let mut tx = self.plain.begin().await?;
                let rows = sqlx::query_as(PLAIN).bind(owner).fetch_all(&mut *tx).await?;
                tx.commit().await?;
                rows
            }
            Form::NaiveRead => {
                let mut tx = self.plain.begin().await?;
                let set = sqlx::query("SELECT set_config('authcore.user_id', $1, true)").bind(owner);
                set.execute(&mut *tx).await?;
                let rows = sqlx::query_as(TASKS).fetch_all(&mut *tx).await?;
                tx.commit().await?;
                rows
            }
            Form::ScopedRead => {
                let mut tx = self.scoped.read(scope).await?;
                sqlx::query_as(TASKS).fetch_all(tx.connection()).await?
            }
            Form::UnnamedRead => {
                let mut tx = self.unnamed.read(scope).await?;
                sqlx::query_as(TASKS).persistent(false).fetch_all(tx.connection()).await?
            }
            Form::PlainInsert => {
                sqlx::query(ADD_PLAIN).bind(owner).execute(&self.plain).await?;
                return Ok(());
            }
            Form::TransactionInsert => {
                let mut tx = self.plain.begin().await?;
                sqlx::query(ADD_PLAIN).bind(owner).execute(&mut *tx).await?;
                return tx.commit().await;
            }
            Form::ScopedInsert => {
                let mut tx = self.scoped.write(&WriteScope::of(scope).expect("one's own")).await?;
                tx.query(ADD).bind_owner().execute().await?;
                return tx.commit().await;
            }
        };
        assert_eq!(rows.len(), 20);
        Ok(())
    }
}

/// The same rows in both: a million under row-level security, and as many without.
const TASKS: &str = "SELECT id, title FROM tasks ORDER BY id LIMIT 20";

const PLAIN: &str = "SELECT id, title FROM plain WHERE user_id = $1 ORDER BY id LIMIT 20";

const ADD: &str = "INSERT INTO tasks (user_id, title) VALUES ($1, 'new')";

const ADD_PLAIN: &str = "INSERT INTO plain (user_id, title) VALUES ($1, 'new')";

const USERS: usize = 1000;

fn tables() -> Vec<String> {
    let rows = if is_measured() { 1_000_000 } else { 20_000 };
    let make = |name: &str| {
        format!(
            "CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY, user_id text NOT NULL, title text NOT NULL); \
             INSERT INTO {name} (user_id, title) SELECT 'user-' || n % {USERS}, 'task ' || n FROM generate_series(1, {rows}) \
             AS n; CREATE INDEX ON {name} (user_id, id); ANALYZE {name}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO app"
        )
    };
    let tasks = OwnedTable::new("tasks", "user_id").expect("good names");
    // The index of the migration would be a second one on the same column.
    let policy = tasks.migration().replace("CREATE INDEX", "-- CREATE INDEX");
    vec!["CREATE ROLE app LOGIN".to_owned(), make("tasks"), make("plain"), policy]
}

/// Eight connections that are not asked each time whether they are alive.
async fn pool(engine: &Engine) -> PgPool {
    let options = PgConnectOptions::new().host("127.0.0.1").port(engine.port()).username("app").database("postgres");
    let pool = PgPoolOptions::new().max_connections(8).test_before_acquire(false);
    pool.connect_with(options).await.expect("the role may log in")
}

fn scope(user: &str) -> UserScope {
    Identity::assertion(UserId::new(user).expect("a good id"), Method::Other("bench")).into_identity().scope()
}

/// Waits until the server is there.
async fn patiently_at(url: &str) -> PgPool {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match PgPool::connect(url).await {
            Ok(pool) => return pool,
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
