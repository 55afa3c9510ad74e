//! Two servers side by side: the same requests, the same answers.

use serde_json::Value;

use crate::Answer;
use crate::Target;
use crate::case::{Exchange, is_problem, names};
use crate::check::{Outcome, Verdict};

/// The header fields in which two servers may not differ. Any other may.
const FIELDS: &[&str] = &[
    "content-type",
    "location",
    "allow",
    "www-authenticate",
    "cache-control",
    "vary",
    "x-request-id",
    "x-content-type-options",
    "retry-after",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
];

/// Those among them that are sets of words.
const SETS: &[&str] =
    &["vary", "access-control-allow-methods", "access-control-allow-headers", "access-control-expose-headers"];

type Run = (Outcome, Vec<Exchange>);

/// One outcome of two runs of a check: what either server did wrong, then where they differ.
pub(crate) fn compared(one: Run, two: Run, target: &Target, other: &Target) -> Outcome {
    let ((one, sent_to_one), (two, sent_to_two)) = (one, two);
    if let Verdict::Skipped(_) = one.verdict {
        return one;
    }
    let mut differences = Vec::new();
    for (outcome, at) in [(one.verdict, target), (two.verdict, other)] {
        match outcome {
            Verdict::Failed(lines) => differences.extend(lines.iter().map(|line| format!("{}: {line}", at.authority))),
            Verdict::Skipped(why) => differences.push(format!("{}: {why}", at.authority)),
            Verdict::Passed => {}
        }
    }
    if sent_to_one.len() != sent_to_two.len() {
        differences.push(format!("{} requests to one server, {} to the other", sent_to_one.len(), sent_to_two.len()));
    }
    for (one, two) in sent_to_one.iter().zip(&sent_to_two) {
        compare(one, two, target, other, &mut differences);
    }
    let verdict = if differences.is_empty() { Verdict::Passed } else { Verdict::Failed(differences) };
    Outcome { id: one.id, verdict }
}

fn compare(one: &Exchange, two: &Exchange, target: &Target, other: &Target, differences: &mut Vec<String>) {
    let spoke_itself = |exchange: &Exchange| exchange.answer.status >= 400 && !is_problem(&exchange.answer);
    if (one.at_server || two.at_server) && (spoke_itself(one) || spoke_itself(two)) {
        return;
    }
    let mut differ = |what: &str, here: &str, there: &str| {
        if here != there {
            differences.push(format!("{}: {what} `{here}` against `{there}`", one.request));
        }
    };
    let (here, there) = (&one.answer, &two.answer);
    differ("status", &here.status.to_string(), &there.status.to_string());
    for name in FIELDS {
        differ(name, &masked_field(name, here, target), &masked_field(name, there, other));
    }
    differ("body", &masked_body(here, target), &masked_body(there, other));
}

fn masked_field(name: &str, answer: &Answer, target: &Target) -> String {
    let Some(value) = answer.field(name) else { return "-".to_owned() };
    match name {
        "x-request-id" if is_uuid(&value) => "<uuid>".to_owned(),
        "location" => {
            let value = masked_text(&value, target);
            let path = value.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{path}<id>")
        }
        _ if SETS.contains(&name) => names(&value).join(", "),
        _ => value,
    }
}

fn masked_body(answer: &Answer, target: &Target) -> String {
    let text = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut body) => {
            mask(&mut body);
            body.to_string()
        }
        Err(_) => answer.text(),
    };
    masked_text(&text, target)
}

/// Masks what two runs of the same server would give different values.
fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "id" if value.is_number() => *value = "<id>".into(),
                    "next" if !value.is_null() => *value = "<cursor>".into(),
                    // When is masked, how it is written is not.
                    "created_at" | "updated_at" if value.is_string() => {
                        *value = without_digits(value.as_str().unwrap_or_default()).into();
                    }
                    "token" if value.is_string() => *value = "<token>".into(),
                    _ => mask(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

fn without_digits(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// Masks where the server listens, and what its users are called.
fn masked_text(text: &str, target: &Target) -> String {
    let people = &target.people;
    let ids = [("alice", &people.alice), ("bob", &people.bob), ("root", &people.root), ("pia", &people.pia)];
    let masked = text.replace(&target.authority, "<host>");
    ids.iter().fold(masked, |text, (name, person)| text.replace(&person.id, &format!("<{name}>")))
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
pub(crate) fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_masked_and_nothing_else() {
        let mut body =
            serde_json::json!({"tasks": [{"id": 7, "title": "7", "created_at": "12.5Z"}], "next": 7, "count": 1});
        mask(&mut body);
        let expected = r#"{"count":1,"next":"<cursor>","tasks":[{"created_at":"00.0Z","id":"<id>","title":"7"}]}"#;
        assert_eq!(body.to_string(), expected);
    }

    #[test]
    fn uuids_are_told_from_other_ids() {
        assert!(is_uuid("67e55044-10b1-426f-9247-bb680e5fe0c8"));
        assert!(!is_uuid("67e55044-10b1-426f-9247-bb680e5fe0cg") && !is_uuid("my-id"));
    }
}
