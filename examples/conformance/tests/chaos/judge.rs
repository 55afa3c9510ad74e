//! Who knows what is right: each answer is held against what was asked and against what was out meanwhile.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tasks_conformance::{Answer, Request};

use crate::needs::Needs;
use crate::outages::Outages;

/// What a request is to be answered.
#[derive(Clone, Copy)]
pub(crate) enum Want {
    /// Served, with this status: the credential is good, and what it asks for is its owner's.
    Served(u16),
    /// Served or, with `429`, put off.
    ServedOrPutOff,
    /// Refused: the credential is bad, or what it asks for is somebody else's.
    Refused(u16, &'static str),
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Right,
    /// `503` with this code, while something was out that it needs for that.
    PutOff(&'static str),
    /// `503` after as long as some look-up is waited for, while nothing was out: the machine was too busy.
    Late,
    /// What had to be refused was served, or somebody else's rows were shown.
    WrongAccept,
    /// Good, and refused with 401 or 403.
    WrongRefusal,
    /// 500, or any other 5xx that is no outage.
    Fault,
    /// Refused, reset, or no answer in time.
    NoAnswer,
    /// Anything else that is not what it should be.
    Odd,
}

impl Verdict {
    pub(crate) fn is_violation(self) -> bool {
        !matches!(self, Self::Right | Self::PutOff(_) | Self::Late)
    }
}

/// How often something was answered so, by server, phase and verdict; and the longest wait.
pub(crate) type Counts = BTreeMap<(usize, usize, Verdict), (u64, Duration)>;

pub(crate) struct Judge {
    pub(crate) outages: Outages,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    counts: Counts,
    /// In words, in the order they came.
    violations: Vec<String>,
    /// Good answers in a row, by server and what was asked, to requests sent after this moment.
    streaks: BTreeMap<(usize, &'static str), u32>,
    since: Option<Instant>,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self { outages: Outages::none(), book: Mutex::default() }
    }

    /// Sends the request and judges the answer; gives it if it is right. `check` says what is wrong with a body.
    pub(crate) fn ask(
        &self,
        (server, authority): (usize, &str),
        kind: &'static str,
        request: &Request,
        (want, needs): (Want, Needs),
        check: impl FnOnce(&Value) -> Result<(), String>,
    ) -> Option<Answer> {
        let (phase, sent) = (self.outages.now(), Instant::now());
        let answer = request.send_within(PATIENCE, authority);
        let waited = sent.elapsed();
        let (verdict, why) = match self.verdict(&answer, want, needs, (sent, waited)) {
            Verdict::Right => match answer.as_ref().map_or(Ok(()), |answer| check(&answer.json())) {
                Ok(()) => (Verdict::Right, String::new()),
                Err(why) => (Verdict::WrongAccept, why),
            },
            verdict => (verdict, told(&answer)),
        };
        let mut book = self.book();
        let (count, longest) = book.counts.entry((server, phase, verdict)).or_default();
        (*count, *longest) = (*count + 1, waited.max(*longest));
        if matches!(want, Want::Served(_)) && book.since.is_some_and(|since| sent >= since) {
            let streak = book.streaks.entry((server, kind)).or_default();
            *streak = if verdict == Verdict::Right { *streak + 1 } else { 0 };
        }
        if verdict.is_violation() {
            let during = self.outages.phases().swap_remove(phase).name;
            let asked = format!("server {server}, {during}: {kind}, {request}, after {waited:?}");
            book.violations.push(format!("{verdict:?}: {asked}: {why}"));
        }
        answer.ok().filter(|_| verdict == Verdict::Right)
    }

    fn verdict(&self, answer: &io::Result<Answer>, want: Want, needs: Needs, times: (Instant, Duration)) -> Verdict {
        let Ok(answer) = answer else { return Verdict::NoAnswer };
        let body = answer.json();
        let code = body["code"].as_str().unwrap_or_default();
        let served = (200..300).contains(&answer.status);
        match (want, answer.status) {
            (Want::Served(status), found) if status == found => Verdict::Right,
            (Want::ServedOrPutOff, 200 | 429) => Verdict::Right,
            (Want::Refused(status, wanted), found) if (status, wanted) == (found, code) => Verdict::Right,
            (_, 503) => self.outage(answer, code, needs, times),
            (_, 500..) => Verdict::Fault,
            (Want::Refused(..), _) if served => Verdict::WrongAccept,
            (Want::Served(_) | Want::ServedOrPutOff, 401 | 403) => Verdict::WrongRefusal,
            _ => Verdict::Odd,
        }
    }

    /// A `503` says when to come back, in whole seconds, and is there only for what is out.
    fn outage(&self, answer: &Answer, code: &str, needs: Needs, (sent, waited): (Instant, Duration)) -> Verdict {
        let again = answer.field("retry-after").and_then(|after| after.parse::<u32>().ok());
        let is_problem = answer.field("content-type").as_deref() == Some("application/problem+json");
        let is_whole = is_problem && again.is_some_and(|again| (1..=30).contains(&again));
        match [AUTH, STORE].into_iter().find(|known| *known == code && is_whole) {
            Some(code) if needs.excuse(code, &self.outages, sent) => Verdict::PutOff(code),
            Some(code) if waited >= SHORTEST_DEADLINE && needs.look_up(code) => Verdict::Late,
            _ => Verdict::Fault,
        }
    }

    /// From now on good answers are counted, to tell when all are served again.
    pub(crate) fn watch(&self, since: Instant) {
        let mut book = self.book();
        (book.since, book.streaks) = (Some(since), BTreeMap::new());
    }

    /// What good requests, by server and what was asked, were not served so often in a row since [`Self::watch`].
    pub(crate) fn missing(&self, good: &[(usize, &'static str)], often: u32) -> Vec<(usize, &'static str)> {
        let book = self.book();
        let missing = |asked: &&(usize, &'static str)| book.streaks.get(*asked).is_none_or(|streak| *streak < often);
        good.iter().filter(missing).copied().collect()
    }

    /// Something that no single answer shows.
    pub(crate) fn complain(&self, what: String) {
        self.book().violations.push(what);
    }

    pub(crate) fn counts(&self) -> Counts {
        self.book().counts.clone()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.book().violations.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of an answer, for people. Our answers repeat no credential.
fn told(answer: &io::Result<Answer>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.status, answer.text().chars().take(200).collect::<String>()),
        Err(error) => error.to_string(),
    }
}

pub(crate) const AUTH: &str = "auth_unavailable";
pub(crate) const STORE: &str = "store_unavailable";

/// Of all look-ups: that of a session in Redis.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(500);

/// Longer than everything that a server waits for, one after another.
const PATIENCE: Duration = Duration::from_secs(30);
