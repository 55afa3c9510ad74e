//! The cases that every store has to hold to, on a server that knows the sessions it is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use authcore_better_auth::HttpSessions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::by_bearer;
use super::store_suite::{self, Bench, Seed};
use super::stored_json::{record, user_id, without_user};

struct HttpBench {
    known: Arc<Mutex<Known>>,
    sessions: HttpSessions,
}

#[derive(Default)]
struct Known {
    /// Users and records by token.
    sessions: BTreeMap<String, (u32, String)>,
    silent: bool,
}

impl HttpBench {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let known = Arc::default();
        tokio::spawn(serve(listener, Arc::clone(&known)));
        Self { known, sessions: by_bearer(&url).deadline(DEADLINE) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panicked")
    }
}

const DEADLINE: Duration = Duration::from_millis(300);

async fn serve(listener: TcpListener, known: Arc<Mutex<Known>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(talk(stream, Arc::clone(&known)));
    }
}

async fn talk(mut stream: TcpStream, known: Arc<Mutex<Known>>) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(std::mem::take(&mut head)).expect("text");
        let body = {
            let known = known.lock().expect("nobody panicked");
            let token = text.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
            let record = known.sessions.get(token.expect("a bearer")).map(|(_, record)| record.clone());
            (!known.silent).then(|| record.unwrap_or_else(|| "null".to_owned()))
        };
        let Some(body) = body else { continue };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.expect("a reader");
    }
}

impl Bench for HttpBench {
    type Store = HttpSessions;

    fn store(&self) -> &HttpSessions {
        &self.sessions
    }

    fn deadline(&self) -> Duration {
        DEADLINE
    }

    fn user_id(&self, user: u32) -> String {
        user_id(user)
    }

    fn has_plugins(&self) -> bool {
        true
    }

    async fn insert(&self, seed: &Seed) {
        self.known().sessions.insert(seed.token.clone(), (seed.user, record(seed)));
    }

    async fn delete_session(&self, token: &str) {
        self.known().sessions.remove(token).expect("a session");
    }

    async fn delete_user(&self, user: u32) {
        for (_, record) in self.known().sessions.values_mut().filter(|(theirs, _)| *theirs == user) {
            *record = without_user(record);
        }
    }

    async fn interrupt(&mut self) {
        self.known().silent = true;
    }

    async fn resume(&mut self) {
        self.known().silent = false;
    }
}

#[tokio::test]
async fn the_server_is_a_store() {
    store_suite::run(&HttpBench::start().await).await;
}

#[tokio::test]
async fn the_server_interrupted_judges_nobody() {
    store_suite::run_interrupted(&mut HttpBench::start().await).await;
}
