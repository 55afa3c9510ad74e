//! User isolation: I-117 to I-124 of docs/security/cases.md. The rows about stores are shown by the example servers.

use authcore::{Access, Admission, BodyOwner, Guard, Isolation, Refusal};
use authcore_testkit::TestHead;

use crate::support::{ed25519, good, verifier};

fn guard_with(isolation: Isolation) -> Guard {
    Guard::builder().authenticator(verifier()).isolate(isolation).build().expect("good settings")
}

fn guard() -> Guard {
    let isolation = Isolation::path("/api/{user_id}/tasks/**").and_path("/api/users/{user_id}").own("/api/user/**");
    guard_with(isolation.allow_role("admin").allow_role_to_read("auditor"))
}

fn ask(guard: &Guard, method: &str, path: &str, user: &str, role: &str) -> Result<Admission, Refusal> {
    let token = good().subject(user).claim("role", role).sign(ed25519());
    match guard.begin(&TestHead::new(method, path).bearer(&token)) {
        authcore::Attempt::Ready(decision) => decision,
        authcore::Attempt::Pending(_) => panic!("known keys are judged at once"),
    }
}

/// Owner and access of an admitted request, or status and reason of a refused one.
fn outcome(method: &str, path: &str, user: &str, role: &str) -> Result<(String, Access), (u16, &'static str)> {
    match ask(&guard(), method, path, user, role) {
        Ok(admission) => {
            let scope = admission.scope().expect("a caller has a scope");
            assert_eq!(scope.actor().as_str(), user);
            Ok((scope.owner().to_string(), scope.access()))
        }
        Err(refusal) => Err((refusal.status(), refusal.reason())),
    }
}

fn own(user: &str) -> Result<(String, Access), (u16, &'static str)> {
    Ok((user.to_owned(), Access::Full))
}

#[test]
fn i117_another_users_path_is_forbidden() {
    assert_eq!(outcome("GET", "/api/alice/tasks", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/bob/tasks", "alice", "user"), Err((403, "not_owner")));
    assert_eq!(outcome("DELETE", "/api/bob/tasks/7", "alice", "user"), Err((403, "not_owner")));
    assert_eq!(outcome("GET", "/api/users/bob", "alice", "user"), Err((403, "not_owner")));
}

#[test]
fn i117_hidden_means_that_nothing_is_there() {
    let hiding = guard_with(Isolation::path("/api/{user_id}/**").hide());
    let refusal = ask(&hiding, "GET", "/api/bob/tasks", "alice", "user").expect_err("another's");
    assert_eq!((refusal.status(), refusal.code(), refusal.reason()), (404, "not_found", "not_owner"));
    assert_eq!(refusal.body(), Refusal::not_found().body());
}

#[test]
fn i119_the_own_id_may_be_encoded_once() {
    assert_eq!(outcome("GET", "/api/user%2D1/tasks", "user-1", "user"), own("user-1"));
    assert_eq!(outcome("GET", "/api/%61lice/tasks", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/user%252D1/tasks", "user-1", "user"), Err((403, "not_owner")));
    assert_eq!(outcome("GET", "/api/user%252D1/tasks", "user%2D1", "user"), own("user%2D1"));
}

#[test]
fn i120_i121_ambiguous_paths_are_refused_whoever_asks() {
    let paths = [
        "/api/alice%2Ftasks",
        "/api/alice%5Ctasks",
        "/api/alice%00/tasks",
        "/api/alice%0d%0a/tasks",
        "/api/%ff/tasks",
        "/api/%c0%af/tasks",
        "/api/%zz/tasks",
        "/api/bob/../alice/tasks",
        "/api/%2e%2e/alice/tasks",
        "/api/.%2e/tasks",
        "//api/alice/tasks",
        "/api//alice/tasks",
        "/api/alice;x=y/tasks",
        "/api\\alice\\tasks",
        "http://host/api/alice/tasks",
        "*",
    ];
    for path in paths {
        for role in ["user", "admin"] {
            assert_eq!(outcome("GET", path, "alice", role), Err((400, "ambiguous_path")), "{path}");
        }
    }
}

#[test]
fn i122_look_alikes_are_other_users() {
    for (path_id, user) in [
        ("ALICE", "alice"),
        ("cafe%CC%81", "café"),
        ("caf%C3%A9", "cafe\u{301}"),
        ("%D0%B0lice", "alice"),
        ("%E2%84%AA", "K"),
        ("%C5%BF", "s"),
        ("%EF%BD%81lice", "alice"),
        ("alice%E2%80%8B", "alice"),
    ] {
        assert_eq!(
            outcome("GET", &format!("/api/{path_id}/tasks"), user, "user"),
            Err((403, "not_owner")),
            "{path_id} {user}"
        );
    }
}

#[test]
fn i123_a_body_names_the_owner_or_nobody() {
    let admission = ask(&guard(), "POST", "/api/alice/tasks", "alice", "user").expect("her own");
    let scope = admission.scope().expect("a scope");
    let check = |json: &str| serde_json::from_str::<BodyOwner>(json).expect("an object").check(scope);
    for fine in [
        r#"{"title":"x"}"#,
        r#"{"user_id":"alice"}"#,
        r#"{"userId":"alice","user_id":"alice"}"#,
        r#"{"user_id":null}"#,
        r#"{"USER_ID":"bob"}"#,
    ] {
        assert!(check(fine).is_ok(), "{fine}");
    }
    let wrong = [
        r#"{"user_id":"bob"}"#,
        r#"{"userId":"bob"}"#,
        r#"{"user_id":"alice","userId":"bob"}"#,
        r#"{"user_id":"alice","user_id":"bob"}"#,
        r#"{"user_id":"bob","user_id":"alice"}"#,
        r#"{"user_id":7}"#,
        r#"{"user_id":["alice"]}"#,
        r#"{"user_id":""}"#,
        r#"{"user\u005fid":"bob"}"#,
        // Names by which serde_json hands over values to itself.
        r#"{"user_id":{"$serde_json::private::RawValue":"\"alice\""}}"#,
        r#"{"user_id":{"$serde_json::private::RawValue":"null"}}"#,
    ];
    for body in wrong {
        let refusal = check(body).expect_err(body);
        assert_eq!((refusal.status(), refusal.code(), refusal.reason()), (403, "not_owner", "not_owner_in_body"));
    }
    let no_object = serde_json::from_str::<BodyOwner>(r#"["alice"]"#).expect_err("a list");
    assert!(no_object.to_string().contains("expected an object"), "{no_object}");
}

#[test]
fn i123_for_an_admin_the_owner_is_the_paths_user() {
    let admission = ask(&guard(), "POST", "/api/bob/tasks", "root", "admin").expect("an admin");
    let scope = admission.scope().expect("a scope");
    let named = |json: &str| serde_json::from_str::<BodyOwner>(json).expect("an object").check(scope).is_ok();
    assert!(named(r#"{"user_id":"bob"}"#) && !named(r#"{"user_id":"root"}"#));
}

#[test]
fn i124_the_method_is_the_one_on_the_request_line() {
    let token = good().subject("eve").claim("role", "auditor").sign(ed25519());
    let head = TestHead::new("POST", "/api/bob/tasks").bearer(&token).header("x-http-method-override", b"GET");
    let authcore::Attempt::Ready(decision) = guard().begin(&head) else { panic!("known keys are judged at once") };
    assert_eq!(decision.expect_err("a write").reason(), "insufficient_role");
}

#[test]
fn roles_let_in_to_read_or_to_write() {
    assert_eq!(outcome("DELETE", "/api/bob/tasks/7", "root", "admin"), own("bob"));
    assert_eq!(outcome("GET", "/api/bob/tasks", "eve", "auditor"), Ok(("bob".into(), Access::Read)));
    assert_eq!(outcome("HEAD", "/api/bob/tasks", "eve", "user,auditor"), Ok(("bob".into(), Access::Read)));
    assert_eq!(outcome("POST", "/api/bob/tasks", "eve", "auditor"), Err((403, "insufficient_role")));
    assert_eq!(outcome("POST", "/api/bob/tasks", "eve", "auditor,admin"), own("bob"));
    assert_eq!(outcome("POST", "/api/eve/tasks", "eve", "auditor"), own("eve"));
    assert_eq!(outcome("GET", "/api/bob/tasks", "eve", "Admin"), Err((403, "not_owner")));
}

#[test]
fn a_static_segment_is_a_word_and_not_a_user() {
    assert_eq!(outcome("GET", "/api/user/tasks", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/tasks", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/bob", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/bob/tasks/", "alice", "user"), Err((403, "not_owner")));
}

#[test]
fn i120_a_path_that_names_another_owner_when_read_otherwise_is_refused() {
    // axum takes `/api/%75ser/tasks` for the tasks of somebody called `user`, actix-web for the route of the word.
    for path in ["/api/%75ser/tasks", "/api/us%65r/tasks/7", "/api/%75sers/tasks"] {
        for role in ["user", "admin"] {
            assert_eq!(outcome("GET", path, "alice", role), Err((400, "ambiguous_path")), "{path}");
        }
    }
    // Or takes the word for something of bob's.
    let guard = guard_with(Isolation::path("/api/{user_id}/**").own("/api/*/avatar"));
    let reason = |path| ask(&guard, "GET", path, "alice", "user").map_err(|refusal| refusal.reason()).err();
    assert_eq!(reason("/api/bob/avatar"), None);
    assert_eq!(reason("/api/bob/%61vatar"), Some("ambiguous_path"));
    assert_eq!(reason("/api/bob/avatar/"), Some("ambiguous_path"));
    // Here both find the same.
    assert_eq!(outcome("GET", "/api/alice/%74asks", "alice", "user"), own("alice"));
    assert_eq!(outcome("GET", "/api/bob/%74asks", "alice", "user"), Err((403, "not_owner")));
    assert_eq!(outcome("GET", "/api/%75ser", "alice", "user"), own("alice"));
    let guard = guard_with(Isolation::path("/api/{user_id}/avatar").and_path("/api/{user_id}/**"));
    let reason = |user| ask(&guard, "GET", "/api/bob/%61vatar", user, "user").map_err(|refusal| refusal.reason()).err();
    assert_eq!((reason("bob"), reason("alice")), (None, Some("not_owner")));
}

#[test]
fn a_scope_that_reads_refuses_to_write() {
    let admission = ask(&guard(), "GET", "/api/bob/tasks", "eve", "auditor").expect("may read");
    assert_eq!(admission.scope().expect("a scope").require_write().expect_err("read only").code(), "insufficient_role");
}

#[test]
fn templates_that_cannot_be_served_stop_the_build() {
    for isolation in [
        Isolation::path("/api/tasks"),
        Isolation::path("api/{id}"),
        Isolation::path("/a/{b}/{c}"),
        Isolation::path("/{a}").own("/x/{y}"),
    ] {
        assert!(Guard::builder().authenticator(verifier()).isolate(isolation).build().is_err());
    }
}

#[test]
fn a_handler_that_no_guard_stands_before_is_our_fault_and_not_an_anonymous_caller() {
    let refusal = Admission::left_by_guard(None).expect_err("nobody asked a guard");
    assert_eq!((refusal.status(), refusal.code(), refusal.reason()), (500, "internal", "unguarded_route"));
    assert_eq!(refusal.challenge(), None);
}
