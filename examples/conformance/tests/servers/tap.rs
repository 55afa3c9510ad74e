//! A proxy before PostgreSQL that can ask in a session of somebody else's: what is left over there, only it can tell.
//!
//! It speaks as much of the protocol as that takes (PostgreSQL 15, chapter 55): messages are a letter, a length of four
//! bytes that counts itself, and a body; the first one of a client has no letter. It does not speak TLS.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The proxy. Its threads end with the connections they serve.
pub(crate) struct Tap {
    port: u16,
    is_silent: Arc<AtomicBool>,
    sessions: Arc<Mutex<Vec<Arc<Session>>>>,
}

impl Tap {
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let sessions = Arc::new(Mutex::new(Vec::new()));
        let is_silent = Arc::new(AtomicBool::new(false));
        let (made, silenced) = (Arc::clone(&sessions), Arc::clone(&is_silent));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let upstream = TcpStream::connect(("127.0.0.1", server)).expect("PostgreSQL listens");
                made.lock().unwrap_or_else(PoisonError::into_inner).push(Session::between(
                    client,
                    upstream,
                    Arc::clone(&silenced),
                ));
            }
        });
        Self { port, is_silent, sessions }
    }

    /// The URL of the database of this role's name.
    pub(crate) fn url(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{role}?sslmode=disable", self.port)
    }

    /// From now on no answer comes through, or again all of them: the server stands still, and connections stay open.
    pub(crate) fn silence(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::SeqCst);
    }

    /// Asks this in every open session, once nothing is under way there: the one value that each answers.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().filter_map(|session| session.ask(sql)).collect()
    }
}

/// One client's connection.
struct Session {
    /// What goes to the server. Whoever has it speaks.
    server: Mutex<TcpStream>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Questions of the client that are not answered to their end.
    under_way: usize,
    /// Between two transactions.
    is_idle: bool,
    is_closed: bool,
    /// The answer to our own question, which the client does not get.
    ours: Option<Ours>,
}

#[derive(Default)]
struct Ours {
    value: String,
    is_whole: bool,
}

impl Session {
    fn between(client: TcpStream, server: TcpStream, is_silent: Arc<AtomicBool>) -> Arc<Self> {
        let (mut from_client, mut from_server) = (copy(&client), copy(&server));
        let session = Arc::new(Self { server: Mutex::new(server), state: Mutex::default(), changed: Condvar::new() });
        let (asking, answering) = (Arc::clone(&session), Arc::clone(&session));
        thread::spawn(move || {
            let _ = asking.forward_questions(&mut from_client); // until the client goes away
            asking.change(|state| state.is_closed = true);
            let _ = asking.server.lock().map(|server| server.shutdown(std::net::Shutdown::Both));
        });
        thread::spawn(move || {
            let _ = answering.forward_answers(&mut from_server, client, &is_silent); // until the server goes away
            answering.change(|state| state.is_closed = true);
        });
        session
    }

    fn forward_questions(&self, client: &mut TcpStream) -> io::Result<()> {
        // Asks for one ReadyForQuery, once the client is let in.
        let first = read_rest(client, Vec::new())?;
        self.send(&first, true)?;
        loop {
            let mut kind = [0];
            client.read_exact(&mut kind)?;
            let message = read_rest(client, kind.to_vec())?;
            // Sync and Query ask for one each.
            self.send(&message, matches!(kind[0], b'S' | b'Q'))?;
        }
    }

    fn send(&self, message: &[u8], is_question: bool) -> io::Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        self.change(|state| state.under_way += usize::from(is_question));
        server.write_all(message)
    }

    fn forward_answers(&self, server: &mut TcpStream, mut client: TcpStream, is_silent: &AtomicBool) -> io::Result<()> {
        loop {
            let mut kind = [0];
            server.read_exact(&mut kind)?;
            let message = read_rest(server, kind.to_vec())?;
            while is_silent.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            if !self.kept(&message) {
                client.write_all(&message)?;
            }
        }
    }

    /// Whether a message of the server's belongs to our own question.
    fn kept(&self, message: &[u8]) -> bool {
        let mut is_ours = false;
        self.change(|state| {
            let is_ready = message[0] == b'Z';
            match &mut state.ours {
                Some(ours) if !ours.is_whole => {
                    is_ours = true;
                    ours.is_whole = is_ready;
                    // DataRow: how many columns, how long the first is, the first.
                    if message[0] == b'D' {
                        ours.value = String::from_utf8_lossy(message.get(11..).unwrap_or_default()).into_owned();
                    }
                }
                _ if is_ready => {
                    state.under_way -= 1;
                    state.is_idle = message[5] == b'I';
                }
                _ => {}
            }
        });
        is_ours
    }

    /// `None` when the client is gone.
    fn ask(&self, sql: &str) -> Option<String> {
        // As long as this is held, the client says nothing.
        let mut server = self.wait_for_a_pause()?;
        self.change(|state| state.ours = Some(Ours::default()));
        let length = u32::try_from(sql.len() + 5).expect("a short statement").to_be_bytes();
        server.write_all(&[b"Q", length.as_slice(), sql.as_bytes(), b"\0"].concat()).ok()?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |state: &mut State| !state.is_closed && state.ours.as_ref().is_some_and(|ours| !ours.is_whole);
        let waited = self.changed.wait_timeout_while(state, Duration::from_secs(30), is_open);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.ours.take().filter(|ours| ours.is_whole).map(|ours| ours.value)
    }

    fn wait_for_a_pause(&self) -> Option<MutexGuard<'_, TcpStream>> {
        let is_busy = |state: &mut State| !state.is_closed && (state.under_way > 0 || !state.is_idle);
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let paused = self.changed.wait_timeout_while(state, Duration::from_secs(30), is_busy);
            let (state, waited) = paused.unwrap_or_else(PoisonError::into_inner);
            assert!(!waited.timed_out(), "a session that is left in the middle of something");
            if state.is_closed {
                return None;
            }
            drop(state);
            // The client may have been quicker.
            let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_busy(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner)) {
                return Some(server);
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a second handle")
}

/// The length of a message and what it counts, after what was read of it.
fn read_rest(stream: &mut TcpStream, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    message.extend(length);
    let begin = message.len();
    message.resize(begin + (u32::from_be_bytes(length) as usize).saturating_sub(4), 0);
    stream.read_exact(&mut message[begin..])?;
    Ok(message)
}
