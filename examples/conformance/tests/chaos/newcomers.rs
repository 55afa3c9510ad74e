//! Servers that are started while the auth server is down: without keys they judge nobody, and with them everybody.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use authcore_testkit::mint;
use tasks_conformance::{Example, Request, Server};

use crate::judge::Want;
use crate::lanes::{REFUSED_TOKEN, Run};
use crate::logs::Secrets;
use crate::needs::{NEXT_LOOK, Needs};

/// Two of them, one of each framework.
pub(crate) struct Newcomers {
    /// That they were started in.
    phase: usize,
    watched: Vec<JoinHandle<(Server, Option<Instant>)>>,
}

impl Newcomers {
    /// They ask until they are served, in threads of their own.
    pub(crate) fn watch(run: &Arc<Run>, start: impl Fn(Example) -> Server) -> Self {
        let phase = run.judge.outages.now();
        let watched = Example::ALL.into_iter().enumerate().map(|(number, example)| {
            let (run, server) = (Arc::clone(run), start(example));
            thread::spawn(move || {
                let served = served(&run, phase, number, &server);
                (server, served)
            })
        });
        Self { phase, watched: watched.collect() }
    }

    /// Waits for them, and says how long after the auth server was back they were served.
    pub(crate) fn conclude(self, run: &Run) {
        let back = run.judge.outages.back(self.phase).expect("it is back");
        let secrets = Secrets::of(&run.sites, &run.foreign);
        for watched in self.watched {
            let (mut server, served) = watched.join().expect("a client that judges everything");
            match served {
                Some(served) => {
                    let after = served.saturating_duration_since(back).as_secs_f64();
                    println!("started while the auth server was down, served {after:.1} s after it was back");
                }
                None => {
                    let late = format!("who was started without keys is not served {NEXT_LOOK:?} after they are back");
                    run.judge.complain(late);
                }
            }
            secrets.look_for(&run.judge, "a server that was started without keys", &mut server);
        }
    }
}

/// When the first good request was served; `None` when it was not in time. Its answers count as those of the server of the
/// same framework.
fn served(run: &Run, phase: usize, number: usize, server: &Server) -> Option<Instant> {
    let ada = &run.sites[number].ada;
    let ask = |token: &str, want, needs| {
        let request = Request::new("GET", format!("/api/users/{}", ada.id)).bearer(token);
        let at = (number, server.authority());
        run.judge.ask(at, "newcomer", &request, (want, needs), |_| Ok(()))
    };
    let is_in_time = || run.judge.outages.back(phase).is_none_or(|back| Instant::now() < back + NEXT_LOOK);
    while is_in_time() {
        // No key makes this one good.
        ask(&mint().subject(&*ada.id).issuer(&*run.issuer).unsigned(), REFUSED_TOKEN, Needs::NOTHING);
        if ask(&ada.token, Want::Served(200), Needs::FRESH_KEYS).is_some() {
            return is_in_time().then(Instant::now);
        }
        thread::sleep(Duration::from_millis(250));
    }
    None
}
