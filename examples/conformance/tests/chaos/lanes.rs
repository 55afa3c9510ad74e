//! What is asked, over and over: each lane is one client with one habit, so that none waits for another's answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use authcore::Algorithm;
use authcore_testkit::{SigningKey, b64, mint};
use better_auth_harness::Browser;
use serde_json::{Value, json};
use tasks_conformance::{Answer, Request};

use crate::judge::{Judge, Want};
use crate::needs::Needs;
use crate::world::{Site, User};

/// What all clients share.
pub(crate) struct Run {
    pub(crate) sites: Vec<Site>,
    pub(crate) judge: Judge,
    pub(crate) is_over: AtomicBool,
    /// How often a session was left and found to be over.
    pub(crate) left: AtomicU64,
    /// How many requests a limit let through.
    pub(crate) let_through: AtomicU64,
    /// The base URL of the auth server: the issuer and audience that the servers expect.
    pub(crate) issuer: String,
    /// A token of another Better Auth.
    pub(crate) foreign: String,
}

/// One client of one server.
pub(crate) struct Client {
    number: usize,
    run: Arc<Run>,
    /// A task of bob's.
    task: OnceLock<String>,
}

/// What is done in one round, by its number.
pub(crate) type Habit = fn(&Client, u64);

/// What clients do again and again, and what of it must be served, told by the names they ask under.
pub(crate) const HABITS: [(Habit, Option<&str>); 15] = [
    (Client::read_profile, Some("profile by token")),
    (Client::list_by_token, Some("list by token")),
    (Client::live_through_a_task, Some("task by token")),
    (Client::list_by_cookie, Some("list by cookie")),
    (Client::write_by_cookie, Some("task by cookie")),
    (Client::forge_tokens, None),
    (Client::use_expired_token, None),
    (Client::use_strangers_tokens, None),
    (Client::read_others_path, None),
    (Client::read_others_path_by_cookie, None),
    (Client::touch_others_task, None),
    (Client::use_old_cookie, None),
    (Client::forge_cookies, None),
    (Client::ask_for_more_than_the_limit, None),
    (Client::leave, None),
];

const PAUSE: Duration = Duration::from_millis(250);

impl Client {
    /// Of the server of this number.
    pub(crate) fn of(number: usize, run: &Arc<Run>) -> Self {
        Self { number, run: Arc::clone(run), task: OnceLock::new() }
    }

    /// Until the run is over.
    pub(crate) fn live_by(&self, habit: Habit) {
        for round in 0.. {
            if self.run.is_over.load(Ordering::Relaxed) {
                return;
            }
            habit(self, round);
            std::thread::sleep(PAUSE);
        }
    }

    fn site(&self) -> &Site {
        &self.run.sites[self.number]
    }

    /// The two users of this server.
    fn users(&self) -> (&User, &User) {
        (&self.site().ada, &self.site().bob)
    }

    fn ask(&self, kind: &'static str, request: Request, want: Want, needs: Needs) -> Option<Answer> {
        self.ask_for(kind, request, want, needs, |_| Ok(()))
    }

    fn ask_for(
        &self,
        kind: &'static str,
        request: Request,
        want: Want,
        needs: Needs,
        check: impl FnOnce(&Value) -> Result<(), String>,
    ) -> Option<Answer> {
        let server = (self.number, self.site().server.authority());
        self.run.judge.ask(server, kind, &request, (want, needs), check)
    }

    /// Needs nothing but the keys, which are known.
    fn read_profile(&self, _: u64) {
        let ada = &self.site().ada;
        let request = Request::new("GET", format!("/api/users/{}", ada.id)).bearer(&ada.token);
        self.ask_for("profile by token", request, Want::Served(200), Needs::NOTHING, |body| {
            is(&body["user_id"], &ada.id)
        });
    }

    fn list_by_token(&self, _: u64) {
        let ada = &self.site().ada;
        let request = Request::new("GET", format!("/api/{}/tasks?limit=100", ada.id)).bearer(&ada.token);
        self.ask_for("list by token", request, Want::Served(200), Needs::TASKS, |body| are_of(body, ada));
    }

    /// Makes a task, reads it, turns it over, deletes it, and finds it gone: what was said to be done lasts.
    fn live_through_a_task(&self, round: u64) {
        let (ada, kind) = (&self.site().ada, "task by token");
        let ask = |request: Request, want, check: &dyn Fn(&Value) -> Result<(), String>| {
            self.ask_for(kind, request.bearer(&ada.token), want, Needs::TASKS, check)
        };
        let title = title(ada, round);
        let made = Request::new("POST", "/api/tasks").json(json!({"title": title}));
        let Some(made) = ask(made, Want::Served(201), &|body| is_of(body, ada)) else { return };
        let path = format!("/api/tasks/{}", made.json()["id"]);
        ask(Request::new("GET", &*path), Want::Served(200), &|body| is(&body["title"], &title));
        let toggle = Request::new("PATCH", format!("{path}/complete"));
        ask(toggle, Want::Served(200), &|body| is_of(body, ada));
        // What became of a deletion that was put off nobody can tell.
        if ask(Request::new("DELETE", &*path), Want::Served(204), &|_| Ok(())).is_some() {
            ask(Request::new("GET", &*path), Want::Refused(404, "not_found"), &|_| Ok(()));
        }
    }

    fn list_by_cookie(&self, _: u64) {
        let (ada, needs) = (&self.site().ada, self.session_and_tasks());
        let request = Request::new("GET", "/api/tasks?limit=100").field("Cookie", &*ada.cookie);
        self.ask_for("list by cookie", request, Want::Served(200), needs, |body| are_of(body, ada));
    }

    fn write_by_cookie(&self, round: u64) {
        let (bob, needs) = (&self.site().bob, self.session_and_tasks());
        let by_cookie = |request: Request| request.field("Cookie", &*bob.cookie).field("Origin", ORIGIN);
        let request = by_cookie(Request::new("POST", "/api/tasks").json(json!({"title": title(bob, round)})));
        let check = |body: &Value| is_of(body, bob);
        let Some(made) = self.ask_for("task by cookie", request, Want::Served(201), needs, check) else { return };
        let request = by_cookie(Request::new("DELETE", format!("/api/tasks/{}", made.json()["id"])));
        self.ask("task by cookie", request, Want::Served(204), needs);
    }

    /// By turns: another signature, another user under the old signature, no signature, one by a secret.
    fn forge_tokens(&self, round: u64) {
        let (ada, bob) = self.users();
        let [header, payload, signature] = parts(&ada.token);
        let other = payload_of(&ada.token, &bob.id);
        let minted = mint().subject(&*bob.id).issuer(&*self.run.issuer).audience(&*self.run.issuer);
        let forged = match round % 4 {
            0 => format!("{header}.{payload}.{}", swapped(signature)),
            1 => format!("{header}.{other}.{signature}"),
            2 => minted.unsigned(),
            _ => minted.sign(&SigningKey::hmac(Algorithm::Hs256, "a-secret-of-nobody-0123456789-0123456789")),
        };
        let request = Request::new("GET", format!("/api/{}/tasks", bob.id)).bearer(&forged);
        // The first two are of a key that is known, the others of algorithms that no key here is for.
        self.ask("forged token", request, REFUSED_TOKEN, Needs::NOTHING);
    }

    fn use_expired_token(&self, _: u64) {
        let request = Request::new("GET", "/api/tasks").bearer(&self.site().ada.expired);
        self.ask("expired token", request, Want::Refused(401, "token_expired"), Needs::NOTHING);
    }

    /// By turns of another issuer, and of a key of somebody's own under this one's name.
    fn use_strangers_tokens(&self, round: u64) {
        let Run { issuer, foreign, .. } = &*self.run;
        let key = SigningKey::fixed(Algorithm::EdDsa).clone().with_kid(&*format!("stranger-{round}"));
        let own = mint().subject(&*self.site().bob.id).issuer(issuer).audience(issuer).sign(&key);
        let request = Request::new("GET", "/api/tasks").bearer(if round.is_multiple_of(2) { foreign } else { &own });
        // Whether its key is one of the issuer's by now only a look at the key set tells.
        self.ask("stranger's token", request, REFUSED_TOKEN, Needs::FRESH_KEYS);
    }

    fn read_others_path(&self, round: u64) {
        let (ada, bob) = self.users();
        let method = ["GET", "POST", "PUT", "DELETE"][usize::try_from(round % 4).unwrap_or(0)];
        let request = Request::new(method, format!("/api/{}/tasks/1", bob.id)).bearer(&ada.token);
        self.ask("another's path by token", request, Want::Refused(403, "not_owner"), Needs::NOTHING);
    }

    fn read_others_path_by_cookie(&self, _: u64) {
        let (ada, bob) = self.users();
        let request = Request::new("GET", format!("/api/{}/tasks", bob.id)).field("Cookie", &*ada.cookie);
        self.ask("another's path by cookie", request, Want::Refused(403, "not_owner"), self.session());
    }

    /// A task of bob's that is there all the time, and stays as it is.
    fn touch_others_task(&self, round: u64) {
        let ((ada, bob), needs) = (self.users(), Needs::TASKS);
        let Some(path) = self.task.get() else {
            let request = Request::new("POST", "/api/tasks").bearer(&bob.token).json(json!({"title": title(bob, 0)}));
            let made = self.ask("another's task", request, Want::Served(201), needs);
            made.map(|made| self.task.set(format!("/api/tasks/{}", made.json()["id"])));
            return;
        };
        let (own, request) = match round % 4 {
            0 => (false, Request::new("GET", &**path)),
            1 => (false, Request::new("PUT", &**path).json(json!({"title": "taken over"}))),
            2 => (false, Request::new("DELETE", &**path)),
            _ => (true, Request::new("GET", &**path)),
        };
        if own {
            let check = |body: &Value| is(&body["title"], &title(bob, 0));
            self.ask_for("another's task", request.bearer(&bob.token), Want::Served(200), needs, check);
        } else {
            self.ask("another's task", request.bearer(&ada.token), Want::Refused(404, "not_found"), needs);
        }
    }

    fn use_old_cookie(&self, _: u64) {
        let request = Request::new("GET", "/api/tasks").field("Cookie", &*self.site().ada.old_cookie);
        self.ask("old cookie", request, REFUSED_SESSION, self.session());
    }

    /// Another token under the old signature, and a request without anything.
    fn forge_cookies(&self, round: u64) {
        let forged = self.site().ada.cookie.replacen("session_token=", "session_token=x", 1);
        let request = Request::new("GET", "/api/tasks");
        match round % 2 {
            0 => self.ask("forged cookie", request.field("Cookie", forged), REFUSED_SESSION, Needs::NOTHING),
            _ => self.ask("no credential", request, Want::Refused(401, "missing_credentials"), Needs::NOTHING),
        };
    }

    /// Served or put off by the limit, whether it is counted in Redis or in process.
    fn ask_for_more_than_the_limit(&self, _: u64) {
        let request = Request::new("GET", "/api/data").bearer(&self.site().bob.token);
        let answer = self.ask("limited", request, Want::ServedOrPutOff, Needs::NOTHING);
        let served = answer.is_some_and(|answer| answer.status == 200);
        self.run.let_through.fetch_add(u64::from(served), Ordering::Relaxed);
    }

    /// Signs in, is served, signs out, and is refused at once.
    fn leave(&self, _: u64) {
        std::thread::sleep(PAUSE * 8); // hashing passwords takes the auth server long
        let authority = self.run.issuer.trim_start_matches("http://");
        let mut browser = Browser::new(authority, &self.run.issuer);
        if browser.sign_in(&self.site().ada.email).is_err() {
            return; // it is out
        }
        let (cookie, needs) = (browser.cookie(), self.session_and_tasks());
        let request = || Request::new("GET", "/api/tasks").field("Cookie", &*cookie);
        self.ask("fresh cookie", request(), Want::Served(200), needs);
        // Of a sign-out that failed nobody can tell what became.
        if browser.sign_out().is_ok() {
            let refused = [(); 2].map(|()| self.ask("left session", request(), REFUSED_SESSION, self.session()));
            self.run.left.fetch_add(u64::from(refused[0].is_some()), Ordering::Relaxed);
        }
    }

    fn session(&self) -> Needs {
        Needs::session(self.site().needs)
    }

    fn session_and_tasks(&self) -> Needs {
        self.session().and_tasks()
    }
}

fn title(user: &User, round: u64) -> String {
    format!("{} {round}", user.id)
}

fn is(found: &Value, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found} instead of {expected}")) }
}

fn is_of(task: &Value, user: &User) -> Result<(), String> {
    let marked = task["title"].as_str().is_some_and(|title| title.starts_with(&user.id));
    if marked { is(&task["user_id"], &user.id) } else { Err(format!("a title of somebody else's: {}", task["title"])) }
}

fn are_of(list: &Value, user: &User) -> Result<(), String> {
    is(&list["user_id"], &user.id)?;
    list["tasks"].as_array().ok_or("no list")?.iter().try_for_each(|task| is_of(task, user))
}

fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The token's claims, of another user.
fn payload_of(token: &str, user: &str) -> String {
    let person = tasks_conformance::Person::of_token(token).expect("a token");
    let mut claims = person.claims;
    (claims["sub"], claims["id"]) = (user.into(), user.into());
    b64(claims.to_string())
}

/// A signature of the same length, whose first byte is another.
fn swapped(signature: &str) -> String {
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{first}{}", &signature[1..])
}

pub(crate) const REFUSED_TOKEN: Want = Want::Refused(401, "token_invalid");

const REFUSED_SESSION: Want = Want::Refused(401, "session_invalid");

/// Which the servers let change something by cookie.
const ORIGIN: &str = tasks_conformance::DEFAULT_ORIGIN;
