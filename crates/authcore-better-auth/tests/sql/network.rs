//! A network that swallows connections without a word: the places they had in the pool are free again at the deadline.

use std::time::{Duration, Instant};

use authcore_better_auth::{Schema, SessionStore, SqlSessions};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::bench::SqlBench;
use crate::database::Database;
use crate::postgres;
use crate::store_suite::{Bench as _, Seed, token};
use crate::support::engines::Engine;

/// Hands connections through. Those that are open when it is told to swallow are open for ever, and silent.
struct Network {
    port: u16,
    swallow: watch::Sender<()>,
}

impl Network {
    async fn before(engine: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (swallow, told) = watch::channel(());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut told = told.clone();
                told.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", engine)).await.expect("the engine listens");
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = told.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, swallow }
    }
}

#[tokio::test]
async fn swallowed_connections_are_replaced_after_one_deadline() {
    let engine = Engine::postgres();
    let direct = engine.first_database();
    let bench = SqlBench::new(Database::at(&direct).await, &direct, postgres::built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Swallowed", 1)).await;
    let network = Network::before(engine.port()).await;
    let url = direct.replace(&engine.port().to_string(), &network.port.to_string());
    let deadline = Duration::from_millis(500);
    let sessions = SqlSessions::builder().deadline(deadline).max_connections(2).connect(&url).await.expect("it fits");
    let all = async |count: usize| {
        let asked: Vec<_> = (0..count)
            .map(|_| {
                let sessions = sessions.clone();
                tokio::spawn(
                    async move { sessions.session(&token("Swallowed")).await.is_ok_and(|found| found.is_some()) },
                )
            })
            .collect();
        let mut found = 0;
        for asked in asked {
            found += usize::from(asked.await.expect("no panic"));
        }
        found
    };
    assert_eq!(all(8).await, 8, "both connections are made");
    // While connections are on their way back to the pool, and once they rest there.
    for rest in [Duration::ZERO, Duration::from_millis(200)] {
        tokio::time::sleep(rest).await;
        network.swallow.send(()).expect("the network is there");
        let began = Instant::now();
        assert_eq!(all(2).await, 0, "nobody answers on a swallowed connection");
        assert!(began.elapsed() < deadline * 2, "{:?}", began.elapsed());
        assert_eq!(all(8).await, 8, "new connections take the place of the lost ones");
    }
}
