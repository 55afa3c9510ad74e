//! Servers that are started while the auth server is down: without keys they judge nobody, and with them everybody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use authcore_testkit::mint;
use tasks_conformance::{Example, Request, Server};

use crate::judge::{Needs, Want};
use crate::lanes::Run;

/// Two of them, one of each framework.
pub(crate) struct Newcomers(Vec<JoinHandle<Option<Instant>>>);

/// After a fetch that failed the next begins 30 s later. What is left is for a machine that is busy.
const BOUND: Duration = Duration::from_secs(40);

impl Newcomers {
    /// They ask until they are served, in threads of their own.
    pub(crate) fn watch(run: &Arc<Run>, start: impl Fn(Example) -> Server) -> Self {
        let watched = Example::ALL.into_iter().enumerate().map(|(number, example)| {
            let (run, server) = (Arc::clone(run), start(example));
            thread::spawn(move || served(&run, number, &server))
        });
        Self(watched.collect())
    }

    /// How long after the auth server was back they were served.
    pub(crate) fn conclude(self, run: &Run, back: Instant) {
        for watched in self.0 {
            match watched.join().expect("a client that judges everything") {
                Some(served) if served < back + BOUND => {
                    let after = served.saturating_duration_since(back).as_secs_f64();
                    println!("started while the auth server was down, served {after:.1} s after it was back");
                }
                _ => run.judge.complain(format!("who was started without keys is not served {BOUND:?} later")),
            }
        }
    }
}

/// When the first good request was served; `None` when the run was over before. Its answers count as those of the server of
/// the same framework.
fn served(run: &Run, number: usize, server: &Server) -> Option<Instant> {
    let ada = &run.sites[number].ada;
    let ask = |token: &str, want| {
        let request = Request::new("GET", format!("/api/users/{}", ada.id)).bearer(token);
        let at = (number, server.authority());
        run.judge.ask(at, "newcomer", &request, (want, Needs::AFreshKeySet), |_| Ok(()))
    };
    while !run.is_over.load(Ordering::Relaxed) {
        ask(&mint().subject(&*ada.id).issuer(&*run.issuer).unsigned(), Want::Refused(401, "token_invalid"));
        if ask(&ada.token, Want::Served(200)).is_some() {
            return Some(Instant::now());
        }
        thread::sleep(Duration::from_millis(250));
    }
    None
}
