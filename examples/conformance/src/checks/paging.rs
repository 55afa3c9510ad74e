//! Lists in pages: `limit`, `after`, `completed`.

use serde_json::{Value, json};

use super::{SPELLINGS, base, get, patch, post, segment};
use crate::case::Case;
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("paging.default-limit-is-50", default_limit),
        Check::new("paging.completed", completed),
        Check::new("paging.other-parameters-are-ignored", others_are_ignored),
    ];
    for spelling in SPELLINGS {
        let check = move |case: &mut Case<'_>| pages_show_each_task_once(case, spelling);
        checks.push(Check::new(format!("paging.each-task-once.{spelling}"), check));
        let check = move |case: &mut Case<'_>| i129_out_of_range_is_422(case, spelling);
        checks.push(Check::new(format!("paging.i129-out-of-range.{spelling}"), check));
    }
    checks
}

fn pages_show_each_task_once(case: &mut Case<'_>, spelling: &str) {
    let pia = case.pia();
    case.clear(pia);
    let mut made: Vec<_> = (1..=5).map(|number| case.task_of(pia, &format!("page {number}"))).collect();
    let mut seen = Vec::new();
    let mut after = String::new();
    for expected in [2, 2, 1] {
        let page = case.send_as(pia, get(format!("{}?limit=2{after}", base(spelling, pia))));
        let body = page.json();
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        let is_last = expected == 1;
        let message = format!("a page of {} tasks, next {}", tasks.len(), body["next"]);
        case.expect(&page)
            .status(200)
            .json("/user_id", pia.id.as_str())
            .must(tasks.len() == expected && body["next"].is_null() == is_last, || message);
        seen.extend(tasks.iter().filter_map(|task| task["id"].as_i64()));
        after = format!("&after={}", cursor(&body["next"]));
    }
    seen.sort_unstable();
    made.sort_unstable();
    if seen != made {
        case.note(format!("the pages show {seen:?}, the tasks are {made:?}"));
    }
    // A page that is exactly full is the last one too.
    let whole = case.send_as(pia, get(format!("{}?limit=5", base(spelling, pia))));
    case.expect(&whole).status(200).json("/next", json!(null)).json("/count", 5);
}

fn cursor(next: &Value) -> String {
    segment(&next.as_str().map_or_else(|| next.to_string(), str::to_owned))
}

fn default_limit(case: &mut Case<'_>) {
    let pia = case.pia();
    case.clear(pia);
    for number in 0..51 {
        let answer = case.send_as(pia, post("/api/tasks").json(json!({"title": number.to_string()})));
        case.expect(&answer).status(201);
    }
    for (query, expected, ends) in [("", 50, false), ("?limit=100", 51, true), ("?limit=1", 1, false)] {
        let page = case.send_as(pia, get(format!("/api/tasks{query}")));
        let body = page.json();
        let found = body["tasks"].as_array().map_or(0, Vec::len);
        let good = found == expected && body["next"].is_null() == ends;
        case.expect(&page).status(200).must(good, || format!("{found} tasks, next {}", body["next"]));
    }
    case.clear(pia);
}

fn completed(case: &mut Case<'_>) {
    let pia = case.pia();
    case.clear(pia);
    let (open, done) = (case.task_of(pia, "open"), case.task_of(pia, "done"));
    let answer = case.send_as(pia, patch(format!("/api/tasks/{done}/complete")));
    case.expect(&answer).status(200);
    for (query, expected) in [("completed=true", done), ("completed=false", open), ("completed=true&limit=1", done)] {
        let list = case.send_as(pia, get(format!("/api/tasks?{query}")));
        case.expect(&list).status(200).json("/count", 1).json("/tasks/0/id", expected).json("/next", json!(null));
    }
}

/// What is well-formed but no such value breaks a rule, and the parameter is named.
fn i129_out_of_range_is_422(case: &mut Case<'_>, spelling: &str) {
    let pia = case.pia();
    let base = base(spelling, pia);
    for limit in ["0", "101", "1000000", "-1", "1.5", "ten", "99999999999999999999", "%EF%BC%91"] {
        let answer = case.send_as(pia, get(format!("{base}?limit={limit}")));
        case.expect(&answer).invalid(&["limit"]);
    }
    let answer = case.send_as(pia, get(format!("{base}?completed=maybe")));
    case.expect(&answer).invalid(&["completed"]);
    for after in ["%22no%20cursor%22", "-1", "1.5", "%D9%A7", "9223372036854775808"] {
        let answer = case.send_as(pia, get(format!("{base}?after={after}")));
        case.expect(&answer).invalid(&["after"]);
    }
}

fn others_are_ignored(case: &mut Case<'_>) {
    let pia = case.pia();
    case.clear(pia);
    let id = case.task_of(pia, "still here");
    let answer = case.send_as(pia, get("/api/tasks?sort=title&page=9&x=%F0%9F%98%80&&=&y"));
    case.expect(&answer).status(200).json("/count", 1).json("/tasks/0/id", id);
}
