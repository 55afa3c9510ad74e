//! Callers whose subject or role is odd: each is a user of their own, and no administrator. Their tokens are signed here.

use authcore_testkit::Mint;
use serde_json::{Value, json};

use super::{get, segment};
use crate::case::Case;
use crate::check::{Check, Needs};
use crate::people::Person;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, role) in odd_roles() {
        let check = Check::new(format!("isolation.no-admin.l82-{name}"), move |case| {
            let person = signed(case, &case.signer().mint("conformance-odd-role").claim("role", role.clone()));
            let answer = case.send_as(&person, get(format!("/api/{}/tasks", case.alice().id)));
            case.expect(&answer).refused(403, "not_owner");
        });
        checks.push(check.needing(Needs::Secret));
    }
    let with_secret = [
        Check::new("isolation.l80-l81-subjects-are-byte-exact", subjects_are_byte_exact),
        Check::new("isolation.l81-subjects-that-fit-no-path", subjects_that_fit_no_path),
        Check::new("isolation.subjects-named-like-routes", subjects_named_like_routes),
        Check::new("isolation.token-without-role", token_without_role),
    ];
    checks.extend(with_secret.map(|check| check.needing(Needs::Secret)));
    checks
}

fn odd_roles() -> Vec<(&'static str, Value)> {
    vec![
        ("role-number", json!(1)),
        ("role-true", json!(true)),
        ("role-null", json!(null)),
        ("role-object", json!({"admin": true})),
        ("role-nested-array", json!([["admin"]])),
        ("role-in-another-case", json!("ADMIN")),
        ("role-longer", json!("administrator")),
        ("role-empty", json!("")),
        ("role-in-a-sentence", json!("not admin")),
    ]
}

fn signed(case: &Case<'_>, mint: &Mint) -> Person {
    Person::of_token(&case.signer().sign(mint)).expect("a minted token has a subject")
}

fn token_without_role(case: &mut Case<'_>) {
    let person = signed(case, &case.signer().mint("conformance-no-role"));
    let answer = case.send_as(&person, get("/api/user/profile"));
    case.expect(&answer).status(200).json("/user_id", person.id.as_str());
    let answer = case.send_as(&person, get(format!("/api/{}/tasks", case.alice().id)));
    case.expect(&answer).refused(403, "not_owner");
}

/// Pairs that some comparison takes for the same user: each is a user of their own, who sees what is theirs.
fn subjects_are_byte_exact(case: &mut Case<'_>) {
    let stem = format!("{}-exact", case.alice().id);
    let subjects = [
        format!("{stem}-stra\u{df}e"),
        format!("{stem}-strasse"),
        format!("{stem}-STRASSE"),
        format!("{stem}-caf\u{e9}"),
        format!("{stem}-cafe\u{301}"),
        format!("{stem}-k"),
        format!("{stem}-\u{212a}"),
        format!("{stem}-i"),
        format!("{stem}-\u{130}"),
        format!("{stem}-\u{ff49}"),
        format!("{stem}-a\u{200b}b"),
        format!("{stem}-ab"),
        format!("{stem}-user-1"),
        format!("{stem}-user%2D1"),
        format!("{stem}-a:b"),
        format!("{stem}-a+b"),
        format!("{stem}-a b"),
        format!("{stem}-*"),
        format!("{stem}' OR 1=1 --"),
        format!("{stem}-%"),
    ];
    let people = subjects.map(|subject| signed(case, &case.signer().mint(&subject)));
    for person in &people {
        case.task_of(person, &person.id);
    }
    for person in &people {
        let lists = ["/api/tasks".to_owned(), format!("/api/{}/tasks", segment(&person.id))];
        for path in lists {
            let list = case.send_as(person, get(path));
            case.expect(&list)
                .status(200)
                .json("/user_id", person.id.as_str())
                .json("/count", 1)
                .json("/tasks/0/user_id", person.id.as_str())
                .json("/tasks/0/title", person.id.as_str());
        }
    }
    for person in &people {
        case.clear(person);
    }
}

/// Only their own routes serve them: no path names them without doubt.
fn subjects_that_fit_no_path(case: &mut Case<'_>) {
    let stem = case.alice().id.clone();
    for subject in [format!("{stem}/../x"), format!("../{stem}"), format!("{stem}\\.."), "..".to_owned()] {
        let person = signed(case, &case.signer().mint(&subject));
        let own = case.send_as(&person, get("/api/tasks"));
        case.expect(&own).status(200).json("/user_id", subject.as_str()).json("/count", 0);
        let by_path = case.send_as(&person, get(format!("/api/{}/tasks", segment(&subject))));
        case.expect(&by_path).refused(400, "bad_request");
    }
}

/// A user may be called like a route. What a static segment takes away is reached without a user in the path.
fn subjects_named_like_routes(case: &mut Case<'_>) {
    let rows =
        [("data", 200), ("messages", 200), ("protected-data", 200), ("user", 200), ("tasks", 404), ("users", 403)];
    for (subject, status) in rows {
        let person = signed(case, &case.signer().mint(subject));
        let answer = case.send_as(&person, get(format!("/api/{subject}/tasks")));
        case.expect(&answer).status(status);
        let own = case.send_as(&person, get("/api/tasks"));
        case.expect(&own).status(200).json("/user_id", subject);
        if status == 200 {
            case.expect(&answer).json("", own.json());
        }
    }
}
