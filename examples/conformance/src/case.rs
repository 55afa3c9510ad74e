//! One check at work: it sends requests and notes what differs from the contract.

use std::cell::RefCell;

use serde_json::Value;

use crate::Target;
use crate::people::Person;
use crate::signer::Signer;
use crate::{Answer, Request};

/// A check's view of the server. Requests go through here, so that what holds for every answer is looked at every time.
#[derive(Debug)]
pub struct Case<'t> {
    target: &'t Target,
    exchanges: Vec<Exchange>,
    differences: RefCell<Vec<String>>,
}

/// A request and what came back, kept for comparing two servers.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The answer; status 0 where none came.
    pub answer: Answer,
    /// The HTTP server itself may have refused it: such answers are its own affair.
    pub at_server: bool,
}

impl<'t> Case<'t> {
    pub(crate) fn new(target: &'t Target) -> Self {
        Self { target, exchanges: Vec::new(), differences: RefCell::default() }
    }

    pub(crate) fn into_parts(self) -> (Vec<String>, Vec<Exchange>) {
        (self.differences.into_inner(), self.exchanges)
    }

    /// The server under test.
    #[must_use]
    pub fn target(&self) -> &'t Target {
        self.target
    }

    /// A plain user.
    #[must_use]
    pub fn alice(&self) -> &'t Person {
        &self.target.people.alice
    }

    /// Another plain user.
    #[must_use]
    pub fn bob(&self) -> &'t Person {
        &self.target.people.bob
    }

    /// A user with the role `admin`.
    #[must_use]
    pub fn root(&self) -> &'t Person {
        &self.target.people.root
    }

    /// A user whose role lets her see nobody's tasks but her own.
    #[must_use]
    pub fn pia(&self) -> &'t Person {
        &self.target.people.pia
    }

    /// Signs with the server's secret.
    ///
    /// # Panics
    ///
    /// In a check that does not [need](crate::Check::needing) the secret.
    #[must_use]
    pub fn signer(&self) -> &'t Signer {
        self.target.signer.as_ref().expect("a check that needs the secret runs only where it is known")
    }

    /// Sends a request that carries no credential, or one that is not to be believed.
    pub fn send(&mut self, request: Request) -> Answer {
        let answer = self.exchange(request, false);
        self.note_what_every_answer_has(&answer);
        answer
    }

    /// Sends a request with a user's token. The answer must be one that no cache keeps.
    pub fn send_as(&mut self, person: &Person, request: Request) -> Answer {
        let under_api = request.target().starts_with("/api/");
        let answer = self.send(request.bearer(&person.token));
        // 400 may be said of a path before anybody looked at the credential.
        if under_api && !matches!(answer.status, 0 | 400 | 401) {
            self.expect(&answer).field("cache-control", "no-store").vary("authorization").vary("cookie");
        }
        answer
    }

    /// Sends what the HTTP server may refuse by itself. If it does, nothing but the status is looked at.
    pub fn send_hostile(&mut self, request: Request) -> Answer {
        let answer = self.exchange(request, true);
        if is_problem(&answer) || answer.status < 400 {
            self.note_what_every_answer_has(&answer);
        }
        answer
    }

    /// Starts a list of expectations of this answer, the last one sent for.
    pub fn expect<'c>(&'c self, answer: &'c Answer) -> Expectation<'c> {
        let about = self.exchanges.last().map(|exchange| exchange.request.to_string()).unwrap_or_default();
        Expectation { about, answer, differences: &self.differences }
    }

    /// Notes a difference of one's own.
    pub fn note(&self, difference: impl Into<String>) {
        self.differences.borrow_mut().push(difference.into());
    }

    /// Creates a task of this user, and gives its id.
    pub fn task_of(&mut self, person: &Person, title: &str) -> i64 {
        let body = serde_json::json!({ "title": title });
        let answer = self.send_as(person, Request::new("POST", "/api/tasks").json(body));
        self.expect(&answer).status(201);
        answer.json()["id"].as_i64().unwrap_or_default()
    }

    /// Removes every task of this user.
    pub fn clear(&mut self, person: &Person) {
        // Bounded, should the server never admit that it is done.
        for _ in 0..50 {
            let list = self.send_as(person, Request::new("GET", "/api/tasks?limit=100"));
            let tasks = list.json()["tasks"].as_array().cloned().unwrap_or_default();
            if tasks.is_empty() {
                break;
            }
            for id in tasks.iter().filter_map(|task| task["id"].as_i64()) {
                self.send_as(person, Request::new("DELETE", format!("/api/tasks/{id}")));
            }
        }
        // How much was left over from earlier runs is no part of the check.
        self.exchanges.clear();
    }

    fn exchange(&mut self, request: Request, at_server: bool) -> Answer {
        let answer = request.send_to(&self.target.authority).unwrap_or_else(|error| {
            self.note(format!("{request}: no answer: {error}"));
            Answer::default()
        });
        self.exchanges.push(Exchange { request, answer: answer.clone(), at_server });
        answer
    }

    fn note_what_every_answer_has(&self, answer: &Answer) {
        if answer.status == 0 {
            return;
        }
        let request = self.exchanges.last().map(|exchange| &exchange.request);
        let is_head = request.is_some_and(|request| request.method() == "HEAD");
        let told = request.is_some_and(|request| {
            let text = format!("{}{:?}", answer.text(), answer.fields_without(&[]));
            request.secrets().any(|secret| text.contains(&secret))
        });
        let expectation = self.expect(answer).field("x-content-type-options", "nosniff").request_id();
        let expectation = if answer.status >= 400 { expectation.problem(is_head) } else { expectation };
        expectation.must(!told, || "the answer repeats the credential".to_owned());
    }
}

/// Whether the body is a problem document (RFC 9457): our code spoke, not the HTTP server.
pub(crate) fn is_problem(answer: &Answer) -> bool {
    answer.field("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"))
}

/// What is expected of one answer. Each method notes a difference, if there is one, and goes on.
#[derive(Debug)]
pub struct Expectation<'c> {
    about: String,
    answer: &'c Answer,
    differences: &'c RefCell<Vec<String>>,
}

impl Expectation<'_> {
    /// This status.
    pub fn status(self, status: u16) -> Self {
        self.status_in(&[status])
    }

    /// One of these statuses.
    pub fn status_in(self, allowed: &[u16]) -> Self {
        let status = self.answer.status;
        let wanted = allowed.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
        // Status 0 has been noted already, with the reason.
        let good = status == 0 || allowed.contains(&status);
        let body: String = self.answer.text().chars().take(200).collect();
        self.must(good, || format!("status {status} instead of {wanted}: {body}"))
    }

    /// A refusal: this status and this code.
    pub fn refused(self, status: u16, code: &str) -> Self {
        self.status(status).json("/code", code)
    }

    /// `401` with the challenge that names no error: there was no credential to find fault with.
    pub fn refused_bare(self) -> Self {
        self.refused(401, "missing_credentials").field("www-authenticate", r#"Bearer realm="tasks""#)
    }

    /// `401` for a token that is not believed, with the same body whatever is wrong with it.
    pub fn refused_token(self) -> Self {
        self.refused(401, "token_invalid").challenge("invalid_token").json("/detail", "Token is not valid")
    }

    /// `400` for an `Authorization` that is not one well-formed token.
    pub fn refused_malformed(self) -> Self {
        self.refused(400, "malformed_credentials").challenge("invalid_request")
    }

    /// A challenge with this `error`, and a description beside it (RFC 6750 §3).
    pub fn challenge(self, error: &str) -> Self {
        let start = format!(r#"Bearer realm="tasks", error="{error}", error_description=""#);
        self.field_like("www-authenticate", &format!("{start}…\""), |value| {
            value.strip_prefix(&start).and_then(|rest| rest.strip_suffix('"')).is_some_and(|text| !text.is_empty())
        })
    }

    /// `422` that finds fault with exactly these fields.
    pub fn invalid(self, fields: &[&str]) -> Self {
        let errors = self.answer.json()["errors"].as_array().cloned().unwrap_or_default();
        let mut named: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        let have_words = errors.iter().all(|error| error["message"].as_str().is_some_and(|text| !text.is_empty()));
        named.sort_unstable();
        let message = format!("errors name {named:?} instead of {fields:?}");
        self.refused(422, "validation_failed")
            .must(named == fields, || message)
            .must(have_words, || "an error without a message".to_owned())
    }

    /// This field with exactly this value.
    pub fn field(self, name: &str, value: &str) -> Self {
        self.field_like(name, value, |found| found == value)
    }

    /// This field with a value that this test likes.
    pub fn field_like(self, name: &str, wanted: &str, test: impl FnOnce(&str) -> bool) -> Self {
        let found = self.answer.field(name);
        let good = self.answer.status == 0 || found.as_deref().is_some_and(test);
        self.must(good, || format!("{name} is {} instead of `{wanted}`", shown(found.as_deref())))
    }

    /// No such field.
    pub fn no_field(self, name: &str) -> Self {
        let found = self.answer.field(name);
        self.must(found.is_none(), || format!("{name} is {}, and should not be there", shown(found.as_deref())))
    }

    /// `Vary` names this field.
    pub fn vary(self, name: &str) -> Self {
        self.field_like("vary", name, |value| names(value).iter().any(|known| known == name))
    }

    /// A field that lists exactly these words, in any order and any case.
    pub fn words(self, field: &str, wanted: &[&str]) -> Self {
        let mut sorted: Vec<_> = wanted.iter().map(|word| word.to_ascii_lowercase()).collect();
        sorted.sort_unstable();
        self.field_like(field, &wanted.join(", "), |value| names(value) == sorted)
    }

    /// The body is JSON of this media type.
    pub fn is_json(self) -> Self {
        self.field_like("content-type", "application/json", |kind| {
            let kind = kind.to_ascii_lowercase();
            kind == "application/json" || kind.replace(' ', "") == "application/json;charset=utf-8"
        })
    }

    /// This value at this JSON pointer (RFC 6901).
    pub fn json(self, pointer: &str, value: impl Into<Value>) -> Self {
        let wanted = value.into();
        let found = self.answer.json().pointer(pointer).cloned();
        let good = self.answer.status == 0 || found.as_ref() == Some(&wanted);
        self.must(good, || {
            let found = found.map_or_else(|| "absent".to_owned(), |value| value.to_string());
            format!("{pointer} is {found} instead of {wanted}")
        })
    }

    /// The body is an object of exactly these members.
    pub fn members(self, wanted: &[&str]) -> Self {
        let body = self.answer.json();
        let mut found: Vec<_> =
            body.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
        found.sort_unstable();
        let mut sorted = wanted.to_vec();
        sorted.sort_unstable();
        let message = format!("the body has {found:?} instead of {sorted:?}");
        let good = self.answer.status == 0 || found == sorted;
        self.must(good, || message)
    }

    /// No body at all.
    pub fn empty(self) -> Self {
        let length = self.answer.body.len();
        self.must(length == 0, || format!("a body of {length} bytes where there may be none"))
    }

    /// One task of this owner, every member of its type.
    pub fn task(self, owner: &str) -> Self {
        let body = self.answer.json();
        self.is_json().members(TASK).must(is_task(&body, owner), || format!("no task of {owner}: {body}"))
    }

    /// Whatever else.
    pub fn must(self, good: bool, difference: impl FnOnce() -> String) -> Self {
        if !good {
            let difference = difference();
            self.differences.borrow_mut().push(format!("{}: {difference}", self.about));
        }
        self
    }

    fn request_id(self) -> Self {
        self.field_like("x-request-id", "1 to 128 visible ASCII characters", |id| {
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
    }

    fn problem(self, is_head: bool) -> Self {
        let (body, status) = (self.answer.json(), self.answer.status);
        let says = |member: &str| body[member].as_str().is_some_and(|text| !text.is_empty());
        let whole = ["type", "title", "code", "detail"].into_iter().all(says) && body["status"] == status;
        let kept = self
            .field("content-type", "application/problem+json")
            .must(is_head || whole, || format!("no whole problem document: {body}"));
        match status {
            401 => kept.field_like("www-authenticate", r#"Bearer realm="tasks""#, |value| {
                value.starts_with(r#"Bearer realm="tasks""#)
            }),
            405 => kept.field_like("allow", "the methods served", |value| !value.is_empty()),
            503 => kept.field_like("retry-after", "whole seconds, at least 1", |value| {
                value.parse::<u32>().is_ok_and(|seconds| seconds > 0)
            }),
            _ => kept,
        }
    }
}

/// The members of a task.
pub(crate) const TASK: &[&str] = &["id", "user_id", "title", "description", "completed", "created_at", "updated_at"];

/// Whether this is a task of this owner, every member of its type.
pub(crate) fn is_task(task: &Value, owner: &str) -> bool {
    let is_time = |member: &str| task[member].as_str().is_some_and(is_utc_time);
    task.as_object().is_some_and(|map| map.len() == TASK.len())
        && task["id"].as_i64().is_some_and(|id| id > 0)
        && task["user_id"] == owner
        && task["title"].is_string()
        && (task["description"].is_null() || task["description"].is_string())
        && task["completed"].is_boolean()
        && is_time("created_at")
        && is_time("updated_at")
}

/// RFC 3339 in UTC, such as `2026-11-20T21:36:52.080Z`.
fn is_utc_time(text: &str) -> bool {
    let Some(local) = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")) else { return false };
    let shape: String = local.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    rest.is_empty()
        || rest.strip_prefix('.').is_some_and(|digits| digits.starts_with('0') && digits.trim_matches('0').is_empty())
}

/// The words of a comma list, lower case and sorted, each once.
pub(crate) fn names(value: &str) -> Vec<String> {
    let mut names: Vec<_> = value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| format!("`{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_times_are_told_from_others() {
        for good in ["2026-11-20T21:36:52Z", "2026-11-20T21:36:52.080Z", "2026-11-20T21:36:52.080123+00:00"] {
            assert!(is_utc_time(good), "{good}");
        }
        for bad in ["2026-11-20 21:36:52Z", "2026-11-20T21:36:52", "2026-11-20T21:36:52+01:00", "2026-11-20T21:36:52.Z"]
        {
            assert!(!is_utc_time(bad), "{bad}");
        }
    }
}
