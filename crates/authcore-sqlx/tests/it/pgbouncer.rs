//! The same behind pgbouncer in transaction mode: each transaction may get another server connection.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authcore_sqlx::ScopedPool;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::crowd;
use crate::database::{Server, tasks};
use crate::engines;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_users_behind_pgbouncer_see_their_own() {
    let server = Server::start().await;
    server.make_tasks().await;
    server.run("CREATE SEQUENCE ids START 1000000; GRANT USAGE ON SEQUENCE ids TO app").await;
    let bouncer = Bouncer::before(server.engine.port());
    let pool = bouncer.pool(16).await;
    let db = ScopedPool::postgres(pool.clone(), [tasks()]).await.expect("row-level security holds");
    crowd::run(&server, &db.unnamed_statements(), &pool).await;
    let sessions: i64 = server.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").await;
    assert!(sessions <= 4, "sixteen clients share what is there: {sessions}");
    pool.close().await;
}

/// A pgbouncer with four server connections. Ended, and its folder removed, when dropped.
struct Bouncer {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl Bouncer {
    fn before(server: u16) -> Self {
        let program = engines::find("pgbouncer").expect("pgbouncer is missing: apt-get install pgbouncer");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port").port();
        let folder = std::env::temp_dir().join(format!("authcore-pgbouncer-{}-{port}", std::process::id()));
        std::fs::create_dir(&folder).expect("a new folder");
        std::fs::write(folder.join("users"), "\"app\" \"\"\n").expect("a writable folder");
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 4\n\
             ignore_startup_parameters = extra_float_digits\n",
            folder.join("users").display()
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("a writable folder");
        // It does not run as root.
        let is_root = Command::new("id").arg("-u").output().expect("id is there").stdout == b"0\n";
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command.arg("-q").arg(file).current_dir(&folder).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { folder, port, child: child.expect("the program was found") }
    }

    async fn pool(&self, connections: u32) -> PgPool {
        let options = PgConnectOptions::new().host("127.0.0.1").port(self.port).username("app").database("postgres");
        let pool = PgPoolOptions::new().max_connections(connections);
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            match pool.clone().connect_with(options.clone()).await {
                Ok(pool) => return pool,
                Err(error) => assert!(Instant::now() < patience, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder); // a folder left behind fails no test
    }
}
