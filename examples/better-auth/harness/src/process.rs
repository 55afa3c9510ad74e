//! A server as a child process: started, listened to, stopped by its id.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a child keeps of this process's environment: how to find programs, and where coverage data goes.
const KEPT: &[&str] = &["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"];

/// A running server whose first line on standard output was `listening on http://…`. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
    output: Arc<Output>,
    log: Arc<Output>,
}

/// A server that ended before it listened.
#[derive(Debug)]
pub struct NotStarted {
    /// Its exit status, if it left one.
    pub status: Option<i32>,
    /// All it wrote to standard error.
    pub stderr: String,
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server did not start (status {:?}): {}", self.status, self.stderr.trim_end())
    }
}

impl Server {
    /// A command with an environment of these variables, and nothing else that could change an answer.
    pub fn command(program: impl AsRef<OsStr>, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(settings.iter().copied());
        command
    }

    /// Starts the command and waits for its first line.
    ///
    /// # Errors
    ///
    /// When it ends, or says anything else first.
    pub fn start(mut command: Command) -> Result<Self, NotStarted> {
        let failed = |stderr: String| NotStarted { status: None, stderr };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(format!("{command:?}: {error}")))?;
        let output = Output::of(child.stdout.take());
        let log = Output::of(child.stderr.take());
        let mut server = Self { child, url: String::new(), output, log };

        let first = server.output.wait_for(PATIENCE, |lines| lines.first().cloned());
        match first.as_deref().and_then(|line| line.strip_prefix("listening on ")) {
            Some(url) if url.starts_with("http://") => {
                url.clone_into(&mut server.url);
                Ok(server)
            }
            _ if first.is_some() => Err(failed(format!("its first line is {first:?}\n{}", server.log()))),
            _ => {
                let status = server.ended_within(Duration::from_secs(1)).and_then(|status| status.code());
                Err(NotStarted { status, stderr: server.log() })
            }
        }
    }

    /// `http://host:port`, as it said.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The first line of standard output, now or within ten seconds, that this finds something in.
    pub fn find_line<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.output.wait_for(Duration::from_secs(10), |lines| lines.iter().find_map(|line| find(line)))
    }

    /// All it wrote to standard error so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Sends a signal by its name, such as `TERM`.
    ///
    /// # Panics
    ///
    /// When there is no shell to send it with.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell is there");
        assert!(sent.success(), "{kill}: {sent}");
    }

    /// Waits until it has ended by itself; `None` when it has not within this time.
    pub fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        // A process that ends closes what it wrote to.
        let deadline = Instant::now() + limit;
        let closed = self.output.closed_by(deadline) && self.log.closed_by(deadline);
        if closed { self.child.wait().ok() } else { None }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already: that is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines of a stream, collected by a thread so that the writer never has to wait.
#[derive(Debug, Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    closed: bool,
}

impl Output {
    fn of(stream: Option<impl Read + Send + 'static>) -> Arc<Self> {
        let output = Arc::new(Self::default());
        let Some(stream) = stream else { return output };
        let collected = Arc::clone(&output);
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                collected.change(|state| state.lines.push(text));
                line.clear();
            }
            collected.change(|state| state.closed = true);
        });
        output
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// What this finds in the lines, as soon as it does; `None` at the end of the stream or of the time.
    fn wait_for<T>(&self, limit: Duration, find: impl Fn(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match find(&state.lines) {
                Some(found) => return Some(found),
                None if state.closed || left.is_zero() => return None,
                None => state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            }
        }
    }

    fn closed_by(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn text(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
