//! The contract, one file per part of it. To add a check, add it to its file's list.

mod accounts;
mod bodies;
mod callers;
mod claims;
mod cors;
mod credentials;
mod edge;
mod isolation;
mod order;
mod paging;
mod paths;
mod routes;
mod spellings;
mod tasks;
mod tokens;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Request;
use crate::check::Check;
use crate::people::Person;

/// Every check, in the order they are run.
#[must_use]
pub fn all_checks() -> Vec<Check> {
    let groups = [
        routes::checks(),
        tasks::checks(),
        paging::checks(),
        bodies::checks(),
        accounts::checks(),
        credentials::checks(),
        tokens::checks(),
        spellings::checks(),
        claims::checks(),
        isolation::checks(),
        callers::checks(),
        paths::checks(),
        order::checks(),
        cors::checks(),
        edge::checks(),
    ];
    groups.into_iter().flatten().collect()
}

/// The three ways to spell the routes of a user's tasks.
const SPELLINGS: [&str; 3] = ["by-path", "own", "older"];

/// The path of a user's task list in this spelling.
fn base(spelling: &str, person: &Person) -> String {
    match spelling {
        "by-path" => format!("/api/{}/tasks", person.id),
        "own" => "/api/tasks".to_owned(),
        _ => "/api/user/tasks".to_owned(),
    }
}

/// A path segment that means exactly this text: everything but letters and digits is escaped.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn get(target: impl Into<String>) -> Request {
    Request::new("GET", target)
}

fn post(target: impl Into<String>) -> Request {
    Request::new("POST", target)
}

fn put(target: impl Into<String>) -> Request {
    Request::new("PUT", target)
}

fn patch(target: impl Into<String>) -> Request {
    Request::new("PATCH", target)
}

fn delete(target: impl Into<String>) -> Request {
    Request::new("DELETE", target)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own() {
        let checks = all_checks();
        let names: HashSet<_> = checks.iter().map(Check::id).collect();
        assert_eq!(names.len(), checks.len());
    }
}
