//! What is about the caller rather than about tasks: profile, data, messages, actions.

use serde_json::{Value, json};

use super::{get, post, segment};
use crate::case::Case;
use crate::check::Check;
use crate::people::Person;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("accounts.profile", profile),
        Check::new("accounts.users", users),
        Check::new("accounts.users-of-another", users_of_another),
        Check::new("accounts.users-for-admin", users_for_admin),
        Check::new("accounts.protected-data", protected_data),
        Check::new("accounts.data", data),
        Check::new("accounts.messages", messages),
        Check::new("accounts.action", action),
        Check::new("accounts.all-need-a-credential", all_need_a_credential),
    ]
}

const PROFILE: &[&str] = &["user_id", "email", "name", "role"];

fn profile(case: &mut Case<'_>) {
    for person in [case.alice(), case.bob(), case.root(), case.pia()] {
        let answer = case.send_as(person, get("/api/user/profile"));
        is_profile_of(case, person, &answer);
    }
}

fn users(case: &mut Case<'_>) {
    let profile = case.send_as(case.alice(), get("/api/user/profile"));
    let answer = case.send_as(case.alice(), get(format!("/api/users/{}", segment(&case.alice().id))));
    is_profile_of(case, case.alice(), &answer);
    case.expect(&answer).json("", profile.json());
}

fn is_profile_of(case: &mut Case<'_>, person: &Person, answer: &crate::Answer) {
    let expectation = case.expect(answer).status(200).is_json().members(PROFILE).json("/user_id", person.id.as_str());
    ["email", "name", "role"].iter().fold(expectation, |expectation, member| match &person.claims[member] {
        Value::String(text) => expectation.json(&format!("/{member}"), text.as_str()),
        _ => expectation,
    });
}

fn users_of_another(case: &mut Case<'_>) {
    let real = case.send_as(case.alice(), get(format!("/api/users/{}", segment(&case.bob().id))));
    case.expect(&real).refused(403, "not_owner");
    let made_up = case.send_as(case.alice(), get("/api/users/nobody-at-all"));
    case.expect(&made_up).refused(403, "not_owner").must(real.body == made_up.body, || "tells who exists".to_owned());
}

fn users_for_admin(case: &mut Case<'_>) {
    let answer = case.send_as(case.root(), get(format!("/api/users/{}", segment(&case.alice().id))));
    case.expect(&answer).status(200).is_json().members(PROFILE).json("/user_id", case.alice().id.as_str());
    // Nothing of the admin's own profile is passed off as hers.
    for member in ["email", "name", "role"] {
        let (found, admins) = (&answer.json()[member], &case.root().claims[member]);
        case.expect(&answer).must(found.is_null() || found != admins, || format!("{member} is the admin's"));
    }
}

fn protected_data(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), get("/api/protected-data"));
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    case.expect(&answer)
        .status(200)
        .is_json()
        .members(&["message", "user_id", "data"])
        .json("/user_id", case.alice().id.as_str())
        .must(message.starts_with("Hello "), || format!("message is `{message}`"));
}

fn data(case: &mut Case<'_>) {
    for person in [case.alice(), case.pia()] {
        let answer = case.send_as(person, get("/api/data"));
        case.expect(&answer).status(200).is_json();
    }
    let answer = case.send(get("/api/data"));
    case.expect(&answer).refused_bare();
}

fn messages(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), post("/api/messages").json(json!({"text": "Good morning"})));
    case.expect(&answer).status(201).is_json();
    for body in [json!({}), json!({"text": 7}), json!({"text": null})] {
        let answer = case.send_as(case.alice(), post("/api/messages").json(body));
        case.expect(&answer).invalid(&["text"]);
    }
    let answer = case.send_as(case.alice(), post("/api/messages").json("{"));
    case.expect(&answer).refused(400, "bad_request");
}

fn action(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), post("/api/user/action").json(json!({"action": "wave"})));
    case.expect(&answer).status(200).is_json();
    for body in [json!({}), json!({"action": false}), json!({"action": null})] {
        let answer = case.send_as(case.alice(), post("/api/user/action").json(body));
        case.expect(&answer).invalid(&["action"]);
    }
    let answer = case.send_as(case.alice(), post("/api/user/action").json("]"));
    case.expect(&answer).refused(400, "bad_request");
}

fn all_need_a_credential(case: &mut Case<'_>) {
    let users = format!("/api/users/{}", segment(&case.alice().id));
    for path in ["/api/user/profile", &users, "/api/protected-data", "/api/data"] {
        let answer = case.send(get(path));
        case.expect(&answer).refused_bare();
    }
    for path in ["/api/messages", "/api/user/action"] {
        let answer = case.send(post(path).json(json!({"text": "x", "action": "x"})));
        case.expect(&answer).refused_bare();
    }
}
