//! Tasks: every route in every spelling.

use serde_json::json;

use super::{SPELLINGS, base, delete, get, patch, post, put};
use crate::case::{Case, is_task};
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for spelling in SPELLINGS {
        let mut check = |name: &str, body: fn(&mut Case<'_>, &str)| {
            checks.push(Check::new(format!("tasks.{name}.{spelling}"), move |case| body(case, spelling)));
        };
        check("create", create);
        check("location", location);
        check("get", get_one);
        check("put", put_changes_what_it_names);
        check("complete", complete_toggles);
        check("delete", delete_one);
        check("list", list);
        check("i129-missing", i129_missing);
    }
    checks.push(Check::new("tasks.spellings-are-one-store", spellings_are_one_store));
    checks
}

fn create(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let plain = case.send_as(alice, post(base(spelling, alice)).json(json!({"title": "Milk"})));
    case.expect(&plain)
        .status(201)
        .task(&alice.id)
        .json("/title", "Milk")
        .json("/description", json!(null))
        .json("/completed", false);
    let body = json!({"title": "  Bread ", "description": "Rye, ½ loaf", "unknown": {"deep": [1]}});
    let whole = case.send_as(alice, post(base(spelling, alice)).json(body));
    case.expect(&whole)
        .status(201)
        .task(&alice.id)
        .json("/title", "Bread")
        .json("/description", "Rye, ½ loaf")
        .json("/completed", false);
    let ids = [&plain, &whole].map(|answer| answer.json()["id"].clone());
    case.expect(&whole).must(ids[0] != ids[1], || "two tasks share an id".to_owned());
}

/// `Location` leads to what was made.
fn location(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let made = case.send_as(alice, post(base(spelling, alice)).json(json!({"title": "Found again"})));
    let location = made.field("location").unwrap_or_default();
    case.expect(&made).field_like("location", "the new task's path", |value| value.contains("/api/"));
    let path = location.strip_prefix("http://").and_then(|rest| rest.find('/').map(|slash| rest[slash..].to_owned()));
    let answer = case.send_as(alice, get(path.unwrap_or(location)));
    case.expect(&answer).status(200).json("", made.json());
}

fn get_one(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let made = case.send_as(alice, post("/api/tasks").json(json!({"title": "Read me"})));
    let answer = case.send_as(alice, get(format!("{}/{}", base(spelling, alice), made.json()["id"])));
    case.expect(&answer).status(200).task(&alice.id).json("", made.json());
}

fn put_changes_what_it_names(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let id = case.task_of(alice, "First");
    let path = format!("{}/{id}", base(spelling, alice));
    let steps = [
        (json!({"title": " Second "}), json!(["Second", null, false])),
        (json!({"description": "words"}), json!(["Second", "words", false])),
        (json!({"completed": true}), json!(["Second", "words", true])),
        (json!({"title": "Third", "description": null, "completed": false}), json!(["Third", null, false])),
        (json!({"completed": true, "id": 1, "created_at": "never"}), json!(["Third", null, true])),
    ];
    for (body, expected) in steps {
        let answer = case.send_as(alice, put(&path).json(body));
        case.expect(&answer)
            .status(200)
            .task(&alice.id)
            .json("/id", id)
            .json("/title", expected[0].clone())
            .json("/description", expected[1].clone())
            .json("/completed", expected[2].clone());
        let stored = case.send_as(alice, get(&path));
        case.expect(&stored).json("", answer.json());
    }
}

fn complete_toggles(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let id = case.task_of(alice, "To and fro");
    let path = format!("{}/{id}/complete", base(spelling, alice));
    for expected in [true, false, true] {
        let answer = case.send_as(alice, patch(&path));
        case.expect(&answer).status(200).task(&alice.id).json("/id", id).json("/completed", expected);
    }
}

fn delete_one(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let id = case.task_of(alice, "Soon gone");
    let path = format!("{}/{id}", base(spelling, alice));
    let answer = case.send_as(alice, delete(&path));
    case.expect(&answer).status(204).empty();
    for request in [delete(&path), get(&path), put(&path).json(json!({})), patch(format!("{path}/complete"))] {
        let answer = case.send_as(alice, request);
        case.expect(&answer).refused(404, "not_found");
    }
}

fn list(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    case.clear(alice);
    let empty = case.send_as(alice, get(base(spelling, alice)));
    let expected = json!({"tasks": [], "user_id": alice.id, "count": 0, "next": null});
    case.expect(&empty).status(200).is_json().json("", expected);

    let ids = [case.task_of(alice, "one"), case.task_of(alice, "two")];
    let answer = case.send_as(alice, get(base(spelling, alice)));
    let body = answer.json();
    let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
    let whole = tasks.iter().all(|task| is_task(task, &alice.id));
    let mut found: Vec<_> = tasks.iter().filter_map(|task| task["id"].as_i64()).collect();
    found.sort_unstable();
    case.expect(&answer)
        .status(200)
        .is_json()
        .members(&["tasks", "user_id", "count", "next"])
        .json("/user_id", alice.id.as_str())
        .json("/count", 2)
        .json("/next", json!(null))
        .must(whole && found == ids, || format!("not the two tasks: {body}"));
}

/// A number that names nothing, and what is no number in range, are all the same 404.
fn i129_missing(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let base = base(spelling, alice);
    let id = case.task_of(alice, "not missing");
    let there = case.send_as(alice, get(format!("{base}/{id}")));
    case.expect(&there).status(200);
    let none = case.send_as(alice, get(format!("{base}/9007199254740991")));
    case.expect(&none).refused(404, "not_found");
    let wrong = [
        "0",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x1",
        "abc",
        "null",
        "%EF%BC%91",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999999999",
        "1%20",
    ];
    for id in wrong {
        for request in
            [get(format!("{base}/{id}")), patch(format!("{base}/{id}/complete")), delete(format!("{base}/{id}"))]
        {
            let answer = case.send_as(alice, request);
            case.expect(&answer).refused(404, "not_found").json("", none.json());
        }
    }
}

fn spellings_are_one_store(case: &mut Case<'_>) {
    let alice = case.alice();
    let id = case.task_of(alice, "One of three");
    let answers = SPELLINGS.map(|spelling| case.send_as(alice, get(format!("{}/{id}", base(spelling, alice)))));
    for answer in &answers {
        case.expect(answer).status(200).json("", answers[0].json());
    }
}
