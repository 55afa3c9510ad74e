//! Whose rows are whose: the path, the body, the object, and what is not to decide.

use serde_json::{Value, json};

use super::{SPELLINGS, base, delete, get, patch, post, put, segment};
use crate::case::Case;
use crate::check::{Check, Needs};
use crate::people::Person;
use crate::{Answer, Request};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("isolation.i117-path-of-another-user", i117_path_of_another),
        Check::new("isolation.i117-refusal-tells-not-who-exists", i117_refusal_tells_not_who_exists),
        Check::new("isolation.admin-serves-anyone", admin_serves_anyone),
        Check::new("isolation.admin-has-rows-of-his-own", admin_has_rows_of_his_own),
        Check::new("isolation.premium-is-no-admin", premium_is_no_admin),
        Check::new("isolation.i123-body-of-messages-and-action", i123_body_of_messages_and_action),
        Check::new("isolation.i123-body-owner-of-the-admins-request", i123_body_owner_for_admin),
        Check::new("isolation.i123-query-and-header-name-nobody", i123_query_and_header_name_nobody),
        Check::new("isolation.i124-method-override-is-ignored", i124_method_override),
        Check::new("isolation.static-segment-beats-user-id", static_segment_beats_user_id),
        Check::new("isolation.i119-id-is-decoded-once", i119_id_is_decoded_once),
        Check::new("isolation.i122-look-alike-ids", i122_look_alikes),
        Check::new("isolation.i122-unicode-forms", i122_unicode_forms).needing(Needs::Secret),
        Check::new("isolation.lists-hold-own-tasks-only", lists_hold_own_tasks_only),
    ];
    for spelling in SPELLINGS {
        let check = move |case: &mut Case<'_>| i118_object_of_another(case, spelling);
        checks.push(Check::new(format!("isolation.i118-object-of-another-user.{spelling}"), check));
        let check = move |case: &mut Case<'_>| i123_body_owner(case, spelling);
        checks.push(Check::new(format!("isolation.i123-body-owner.{spelling}"), check));
    }
    checks
}

/// Every request that a path can name an owner in.
fn requests_at(owner: &str, id: i64) -> Vec<Request> {
    let base = format!("/api/{}/tasks", segment(owner));
    vec![
        get(&base),
        Request::new("HEAD", &base),
        post(&base).json(json!({"title": "slipped in"})),
        get(format!("{base}/{id}")),
        put(format!("{base}/{id}")).json(json!({"title": "changed"})),
        patch(format!("{base}/{id}/complete")),
        delete(format!("{base}/{id}")),
        Request::new("OPTIONS", &base),
    ]
}

fn i117_path_of_another(case: &mut Case<'_>) {
    let id = case.task_of(case.bob(), "bob's");
    let before = case.send_as(case.bob(), get(format!("/api/tasks/{id}")));
    for request in requests_at(&case.bob().id, id) {
        let is_head = request.method() == "HEAD";
        let answer = case.send_as(case.alice(), request);
        let expectation = case.expect(&answer);
        if is_head {
            expectation.status(403).empty()
        } else {
            expectation.refused(403, "not_owner")
        };
    }
    let after = case.send_as(case.bob(), get(format!("/api/tasks/{id}")));
    case.expect(&after).status(200).json("", before.json());
}

fn i117_refusal_tells_not_who_exists(case: &mut Case<'_>) {
    let real = case.send_as(case.alice(), get(format!("/api/{}/tasks", case.bob().id)));
    let made_up = case.send_as(case.alice(), get("/api/nobody-at-all/tasks"));
    case.expect(&made_up).refused(403, "not_owner");
    same_to_the_byte(case, &real, &made_up);
}

/// The object is looked for among the owner's own, so another user's is not there: to the byte.
fn i118_object_of_another(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let base = base(spelling, alice);
    let theirs = case.task_of(case.bob(), "bob's own");
    let before = case.send_as(case.bob(), get(format!("/api/tasks/{theirs}")));
    let gone = case.task_of(alice, "deleted");
    let answer = case.send_as(alice, delete(format!("/api/tasks/{gone}")));
    case.expect(&answer).status(204);

    let requests: [fn(&str, i64) -> Request; 4] = [
        |base, id| get(format!("{base}/{id}")),
        |base, id| put(format!("{base}/{id}")).json(json!({"title": "changed", "completed": true})),
        |base, id| patch(format!("{base}/{id}/complete")),
        |base, id| delete(format!("{base}/{id}")),
    ];
    for request in requests {
        let missing = case.send_as(alice, request(&base, gone));
        let hidden = case.send_as(alice, request(&base, theirs));
        case.expect(&hidden).refused(404, "not_found");
        same_to_the_byte(case, &hidden, &missing);
    }
    let after = case.send_as(case.bob(), get(format!("/api/tasks/{theirs}")));
    case.expect(&after).status(200).json("", before.json());
}

fn same_to_the_byte(case: &mut Case<'_>, one: &Answer, two: &Answer) {
    // In which order fields of different names stand says nothing (RFC 9110 §5.3), and a hash map may choose it.
    let fields = |answer: &Answer| {
        let mut fields = answer.fields_without(&["date", "x-request-id"]);
        fields.sort();
        fields
    };
    let same = one.status == two.status && one.body == two.body && fields(one) == fields(two);
    case.expect(two).must(same, || format!("differs from {} {}", one.status, one.text()));
}

fn i123_body_owner(case: &mut Case<'_>, spelling: &str) {
    let (alice, bob) = (&case.alice().id.clone(), &case.bob().id.clone());
    let base = base(spelling, case.alice());
    let id = case.task_of(case.alice(), "owned");
    let before = case.send_as(case.alice(), get(format!("{base}/{id}")));
    let refused = [
        json!({"title": "x", "user_id": bob}).to_string(),
        json!({"title": "x", "userId": bob}).to_string(),
        json!({"title": "x", "user_id": alice, "userId": bob}).to_string(),
        json!({"title": "x", "user_id": alice.to_uppercase()}).to_string(),
        json!({"title": "x", "user_id": format!("{alice} ")}).to_string(),
        json!({"title": "x", "user_id": ""}).to_string(),
        json!({"title": "x", "user_id": 7}).to_string(),
        json!({"title": "x", "user_id": [alice]}).to_string(),
        format!(r#"{{"title":"x","user\u005fid":"{bob}"}}"#),
        format!(r#"{{"title":"x","user_id":"{alice}","user_id":"{bob}"}}"#),
        format!(r#"{{"title":"x","user_id":"{bob}","user_id":"{alice}"}}"#),
    ];
    for body in refused {
        for request in [post(&base), put(format!("{base}/{id}"))] {
            let answer = case.send_as(case.alice(), request.json(&body));
            case.expect(&answer).refused(403, "not_owner");
        }
    }
    let after = case.send_as(case.alice(), get(format!("{base}/{id}")));
    case.expect(&after).status(200).json("", before.json());
    let own = [json!({"user_id": alice}), json!({"userId": alice}), json!({"user_id": null}), json!({"owner": bob})];
    for mut body in own {
        body["title"] = Value::from("own");
        let answer = case.send_as(case.alice(), post(&base).json(&body));
        case.expect(&answer).status(201).json("/user_id", alice.as_str());
        let answer = case.send_as(case.alice(), put(format!("{base}/{id}")).json(&body));
        case.expect(&answer).status(200).json("/user_id", alice.as_str());
    }
}

fn i123_body_of_messages_and_action(case: &mut Case<'_>) {
    for name in ["user_id", "userId"] {
        let body = json!({"text": "x", "action": "x", name: case.bob().id});
        for path in ["/api/messages", "/api/user/action"] {
            let answer = case.send_as(case.alice(), post(path).json(&body));
            case.expect(&answer).refused(403, "not_owner");
        }
    }
}

/// The owner is whom the path names, whoever asks.
fn i123_body_owner_for_admin(case: &mut Case<'_>) {
    let (root, alice) = (case.root(), case.alice().id.clone());
    let base = format!("/api/{alice}/tasks");
    let answer = case.send_as(root, post(&base).json(json!({"title": "for alice", "user_id": alice})));
    case.expect(&answer).status(201).task(&alice);
    let answer = case.send_as(root, post(&base).json(json!({"title": "for alice", "user_id": root.id})));
    case.expect(&answer).refused(403, "not_owner");
    // Without an owner in the path it is the caller's own rows, also the admin's.
    let answer = case.send_as(root, post("/api/tasks").json(json!({"title": "for alice", "user_id": alice})));
    case.expect(&answer).refused(403, "not_owner");
}

fn admin_serves_anyone(case: &mut Case<'_>) {
    let (root, alice) = (case.root(), case.alice());
    let base = format!("/api/{}/tasks", alice.id);
    let made = case.send_as(root, post(&base).json(json!({"title": "from root"})));
    case.expect(&made).status(201).task(&alice.id);
    let id = made.json()["id"].clone();
    let seen = case.send_as(alice, get(format!("/api/tasks/{id}")));
    case.expect(&seen).status(200).json("", made.json());
    let answer = case.send_as(root, get(format!("{base}/{id}")));
    case.expect(&answer).status(200).json("", made.json());
    let answer = case.send_as(root, put(format!("{base}/{id}")).json(json!({"title": "again"})));
    case.expect(&answer).status(200).task(&alice.id).json("/title", "again");
    let answer = case.send_as(root, patch(format!("{base}/{id}/complete")));
    case.expect(&answer).status(200).task(&alice.id).json("/completed", true);
    let answer = case.send_as(root, get(&base));
    case.expect(&answer).status(200).json("/user_id", alice.id.as_str());
    let answer = case.send_as(root, delete(format!("{base}/{id}")));
    case.expect(&answer).status(204);
    let answer = case.send_as(alice, get(format!("/api/tasks/{id}")));
    case.expect(&answer).refused(404, "not_found");
}

fn admin_has_rows_of_his_own(case: &mut Case<'_>) {
    let (root, alice) = (case.root(), case.alice());
    let alices = case.task_of(alice, "alice's");
    let own = case.task_of(root, "root's");
    for path in ["/api/tasks", "/api/user/tasks"] {
        // The role opens paths that name another user, not these.
        let answer = case.send_as(root, get(format!("{path}/{alices}")));
        case.expect(&answer).refused(404, "not_found");
    }
    let answer = case.send_as(root, get(format!("/api/{}/tasks/{own}", alice.id)));
    case.expect(&answer).refused(404, "not_found");
    let answer = case.send_as(root, get(format!("/api/{}/tasks/{own}", root.id)));
    case.expect(&answer).status(200).task(&root.id);
}

fn premium_is_no_admin(case: &mut Case<'_>) {
    let answer = case.send_as(case.pia(), get(format!("/api/{}/tasks", case.alice().id)));
    case.expect(&answer).refused(403, "not_owner");
}

fn lists_hold_own_tasks_only(case: &mut Case<'_>) {
    case.task_of(case.alice(), "alice's");
    case.task_of(case.bob(), "bob's");
    for person in [case.alice(), case.bob()] {
        for spelling in SPELLINGS {
            let list = case.send_as(person, get(format!("{}?limit=100", base(spelling, person))));
            let tasks = list.json()["tasks"].as_array().cloned().unwrap_or_default();
            let own = !tasks.is_empty() && tasks.iter().all(|task| task["user_id"] == *person.id);
            case.expect(&list).status(200).must(own, || "not only the caller's own".to_owned());
        }
    }
    case.clear(case.alice());
    case.clear(case.bob());
}

fn i123_query_and_header_name_nobody(case: &mut Case<'_>) {
    let (alice, bob) = (case.alice().id.clone(), case.bob().id.clone());
    for name in ["user_id", "userId", "owner", "sub", "sort"] {
        for path in ["/api/tasks".to_owned(), "/api/user/tasks".to_owned(), format!("/api/{alice}/tasks")] {
            let answer = case.send_as(case.alice(), get(format!("{path}?{name}={bob}")));
            case.expect(&answer).status(200).json("/user_id", alice.as_str());
        }
        let answer = case.send_as(case.alice(), get(format!("/api/{bob}/tasks?{name}={alice}")));
        case.expect(&answer).refused(403, "not_owner");
    }
    for name in ["X-User-Id", "X-Forwarded-User", "X-Authenticated-User", "Remote-User"] {
        let answer = case.send_as(case.alice(), get("/api/tasks").field(name, bob.as_str()));
        case.expect(&answer).status(200).json("/user_id", alice.as_str());
        let answer = case.send_as(case.alice(), get(format!("/api/{bob}/tasks")).field(name, bob.as_str()));
        case.expect(&answer).refused(403, "not_owner");
    }
}

fn i124_method_override(case: &mut Case<'_>) {
    let id = case.task_of(case.alice(), "survives");
    let path = format!("/api/tasks/{id}");
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let answer = case.send_as(case.alice(), post(&path).field(name, "DELETE"));
        case.expect(&answer).refused(405, "method_not_allowed");
        let answer = case.send_as(case.alice(), get(&path).field(name, "DELETE"));
        case.expect(&answer).status(200).json("/id", id);
    }
    let answer = case.send_as(case.alice(), post(format!("{path}?_method=DELETE")));
    case.expect(&answer).refused(405, "method_not_allowed");
}

fn static_segment_beats_user_id(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), get("/api/user/tasks"));
    case.expect(&answer).status(200).json("/user_id", case.alice().id.as_str());
    // The caller's own task `tasks`, which there is not; no user of that name.
    for path in ["/api/tasks/tasks", "/api/user/tasks/tasks"] {
        let answer = case.send_as(case.alice(), get(path));
        case.expect(&answer).refused(404, "not_found");
    }
    for path in ["/api/data/tasks", "/api/messages/tasks", "/api/users/tasks"] {
        let answer = case.send_as(case.alice(), get(path));
        case.expect(&answer).refused(403, "not_owner");
    }
}

fn i119_id_is_decoded_once(case: &mut Case<'_>) {
    let id = case.alice().id.clone();
    let escaped: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let lower: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for own in [escaped.as_str(), lower.as_str()] {
        let answer = case.send_as(case.alice(), get(format!("/api/{own}/tasks")));
        case.expect(&answer).status(200).json("/user_id", id.as_str());
        let answer = case.send_as(case.alice(), get(format!("/api/users/{own}")));
        case.expect(&answer).status(200).json("/user_id", id.as_str());
    }
    let hyphens = id.replace('-', "%2D");
    let answer = case.send_as(case.alice(), get(format!("/api/{hyphens}/tasks")));
    case.expect(&answer).status(200).json("/user_id", id.as_str());
    let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks", escaped.replace('%', "%25"))));
    case.expect(&answer).refused(403, "not_owner");
    let task = case.task_of(case.alice(), "escaped");
    let escaped: String = task.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = case.send_as(case.alice(), get(format!("/api/{id}/tasks/{escaped}")));
    case.expect(&answer).status(200).json("/id", task);
}

/// The id is compared byte by byte: no folding, no trimming, no normalising.
fn i122_look_alikes(case: &mut Case<'_>) {
    let id = case.alice().id.clone();
    let full_width = |c: char| char::from_u32(u32::from(c) - 0x21 + 0xFF01).unwrap_or(c);
    let swapped: String =
        id.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
    let first = id.chars().next().unwrap_or('x');
    let others = [
        swapped,
        format!("{}{}", full_width(first), &id[1..]),
        format!("{id} "),
        format!(" {id}"),
        format!("{id}\u{200b}"),
        format!("{id}\u{301}"),
        format!("\u{202e}{id}"),
        format!("{id}."),
        format!("{id},"),
        format!("{id}*"),
        "*".to_owned(),
        "me".to_owned(),
        "%".to_owned(),
        "_".to_owned(),
        id[..id.len() - 1].to_owned(),
        format!("{id}' OR '1'='1"),
    ];
    for other in others {
        let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks", segment(&other))));
        case.expect(&answer).refused(403, "not_owner");
    }
}

/// Ids that fold, compose or case-map to the same text are those of different users: each sees what is theirs.
fn i122_unicode_forms(case: &mut Case<'_>) {
    let pairs = [
        ("composed", "\u{e9}", "e\u{301}"),
        ("kelvin", "k", "\u{212a}"),
        ("long-s", "s", "\u{17f}"),
        ("full-width", "a", "\u{ff41}"),
        ("cyrillic", "a", "\u{430}"),
        ("ligature", "fi", "\u{fb01}"),
        ("sharp-s", "ss", "\u{df}"),
    ];
    let prefix = case.alice().id.clone();
    for (name, one, other) in pairs {
        let [one, other] = [one, other].map(|form| {
            let token = case.signer().sign(&case.signer().mint(&format!("{prefix}-{name}-{form}")));
            Person::of_token(&token).expect("a minted token has a subject")
        });
        let task = case.task_of(&one, name);
        for (caller, owner, status) in
            [(&one, &one, 200), (&other, &other, 200), (&one, &other, 403), (&other, &one, 403)]
        {
            let answer = case.send_as(caller, get(format!("/api/{}/tasks", segment(&owner.id))));
            case.expect(&answer).status(status);
            if status == 200 {
                case.expect(&answer).json("/user_id", owner.id.as_str()).json("/count", i32::from(caller.id == one.id));
            }
        }
        let answer = case.send_as(&other, get(format!("/api/tasks/{task}")));
        case.expect(&answer).refused(404, "not_found");
    }
}
