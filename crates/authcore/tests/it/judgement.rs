//! Who may touch what beyond their own: roles, organizations, what was shared; one definition for objects and rows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{
    Access, Action, Attempt, Audit, Caller, Decision, Guard, Identity, Isolation, MemberPermissions, Membership,
    Method, Object, Permissions, Refusal, Requirement, Sharing, Unavailable, UserId,
};
use authcore_testkit::TestHead;
use proptest::prelude::*;

use crate::support::{ed25519, good, verifier};

fn id(text: &str) -> UserId {
    UserId::new(text).expect("an id")
}

fn user(name: &str, roles: &str) -> Identity {
    Identity::assertion(id(name), Method::Other("test")).roles(roles).into_identity()
}

fn member(name: &str, organization: &str, role: &str) -> Membership {
    Membership::assertion(organization, id(name), [role])
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> (u16, &'static str, &'static str) {
    let refusal = refused.expect_err("refused");
    (refusal.status(), refusal.code(), refusal.reason())
}

fn isolation() -> Isolation {
    Isolation::default()
        .allow_role("admin")
        .allow_role_to_read("auditor")
        .allow_members(Access::Read)
        .allow_member_role("editor", Access::Full)
}

const NOT_OWNER: (u16, &str, &str) = (403, "not_owner", "not_owner");
const READ_ONLY: (u16, &str, &str) = (403, "insufficient_role", "insufficient_role");

#[test]
fn what_is_nobodys_and_what_is_anothers_is_refused_unless_a_role_lets_in() {
    let isolation = isolation();
    let (ann, bobs, nobodys) = (user("ann", "user"), Object::new("plan", "1").of_user("bob"), Object::new("plan", "2"));
    for action in [Action::Read, Action::Write] {
        let own = Object::new("plan", "3").of_user("ann");
        let permit = isolation.judge(&ann, action, &own).expect("her own");
        assert_eq!((permit.object(), permit.action(), permit.caller().user_id()), (&own, action, ann.user_id()));
        assert_eq!(reason(isolation.judge(&ann, action, &bobs)), NOT_OWNER);
        assert_eq!(reason(isolation.judge(&ann, action, &nobodys)), NOT_OWNER);
        assert!(isolation.judge(&user("root", "user,admin"), action, &bobs).is_ok());
        assert!(isolation.judge(&user("root", "user,admin"), action, &nobodys).is_ok());
    }
    assert!(isolation.judge(&user("aud", "auditor"), Action::Read, &bobs).is_ok());
    assert_eq!(reason(isolation.judge(&user("aud", "auditor"), Action::Write, &bobs)), READ_ONLY);
    assert!(isolation.judge(&user("aud", "auditor,admin"), Action::Write, &bobs).is_ok(), "the most of all roles");
    let hidden = Isolation::default().hide();
    assert_eq!(reason(hidden.judge(&ann, Action::Read, &bobs)), (404, "not_found", "not_owner"));
}

#[test]
fn members_may_what_their_role_in_the_organization_that_owns_it_may() {
    let isolation = isolation();
    let (ann, plan) = (user("ann", "user"), Object::new("plan", "1").of_user("bob").of_organization("acme"));
    let judge =
        |memberships: &[Membership], action| isolation.judge(Caller::new(&ann, memberships), action, &plan).map(drop);

    let cover = |memberships: &[Membership]| isolation.rows(Caller::new(&ann, memberships), Action::Read).cover(&plan);
    assert!(cover(&[member("ann", "acme", "reader")]) && !cover(&[member("ann", "beta", "reader")]));
    assert_eq!(reason(judge(&[], Action::Read)), NOT_OWNER);
    assert_eq!(judge(&[member("ann", "acme", "member")], Action::Read).map_err(|no| no.reason()), Ok(()));
    assert_eq!(reason(judge(&[member("ann", "acme", "member")], Action::Write)), READ_ONLY);
    assert!(judge(&[member("ann", "acme", "editor")], Action::Write).is_ok());
    let both = [member("ann", "acme", "member"), member("ann", "acme", "editor")];
    assert!(judge(&both, Action::Write).is_ok(), "the most of all memberships");

    assert_eq!(reason(judge(&[member("ann", "Acme", "editor")], Action::Read)), NOT_OWNER, "another organization");
    assert_eq!(
        reason(judge(&[member("bob", "acme", "editor")], Action::Read)),
        NOT_OWNER,
        "somebody else's membership"
    );
    let role = [member("ann", "acme", "admin")];
    assert_eq!(reason(judge(&role, Action::Write)), READ_ONLY, "a role there is none of the whole service");
    let nobodys = Object::new("plan", "2").of_user("bob");
    assert_eq!(reason(isolation.judge(Caller::new(&ann, &both), Action::Read, &nobodys)), NOT_OWNER);
    assert_eq!(reason(Isolation::default().judge(Caller::new(&ann, &both), Action::Read, &plan)), NOT_OWNER);
}

/// What was shared: by object id, or an outage.
struct Given(Result<Option<Access>, &'static str>, Mutex<Vec<String>>);

impl Given {
    fn new(answer: Result<Option<Access>, &'static str>) -> Self {
        Self(answer, Mutex::default())
    }

    fn asked(&self) -> usize {
        self.1.lock().expect("not poisoned").len()
    }
}

impl Sharing for Given {
    async fn shared(&self, caller: &Caller<'_>, object: &Object<'_>) -> Result<Option<Access>, Unavailable> {
        self.1.lock().expect("not poisoned").push(format!("{} {}", caller.identity().user_id().as_str(), object.id()));
        self.0.map_err(|cause| Unavailable::new(cause, Duration::from_secs(3)))
    }
}

#[tokio::test]
async fn what_was_shared_counts_where_nothing_else_lets_in_and_outages_judge_nobody() {
    let isolation = isolation().allow_shared();
    let (ann, bobs) = (user("ann", "user"), Object::new("plan", "1").of_user("bob"));
    let judge = async |isolation: &Isolation, caller: &Identity, action, given: &Given| {
        isolation.judge_shared(caller, action, &bobs, given).await.map(drop)
    };

    let reading = Given::new(Ok(Some(Access::Read)));
    assert!(judge(&isolation, &ann, Action::Read, &reading).await.is_ok());
    assert_eq!(reason(judge(&isolation, &ann, Action::Write, &reading).await), READ_ONLY);
    assert!(judge(&isolation, &ann, Action::Write, &Given::new(Ok(Some(Access::Full)))).await.is_ok());
    assert_eq!(reason(judge(&isolation, &ann, Action::Read, &Given::new(Ok(None))).await), NOT_OWNER);
    assert!(
        judge(&isolation, &user("aud", "auditor"), Action::Write, &Given::new(Ok(Some(Access::Full)))).await.is_ok()
    );

    let down = Given::new(Err("no route"));
    let refusal = judge(&isolation, &ann, Action::Read, &down).await.expect_err("nobody can tell");
    assert_eq!((refusal.status(), refusal.code()), (503, "store_unavailable"));
    assert!(judge(&isolation, &user("root", "admin"), Action::Write, &down).await.is_ok());
    assert_eq!(down.asked(), 1, "who is let in anyway needs no grant");

    let never = self::isolation();
    assert_eq!(reason(judge(&never, &ann, Action::Read, &reading).await), NOT_OWNER, "unless sharing counts");
    assert_eq!(reading.asked(), 2);
}

#[derive(Debug, Default, Clone)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Audit for Notes {
    fn record(&self, decision: &Decision<'_>) {
        let Decision { caller, action, object, owner, organization, is_allowed, reason, .. } = decision;
        let (caller, action, id) = (caller.user_id().as_str(), action.as_str(), object.map(|object| object.id()));
        let note = format!("{caller} {action} {owner:?} {organization:?} {id:?} {is_allowed} {reason}");
        self.0.lock().expect("not poisoned").push(note);
    }
}

#[tokio::test]
async fn an_audit_hears_of_every_decision_with_its_reason() {
    let notes = Notes::default();
    let isolation = isolation().and_path("/users/{user}").allow_shared().audit(notes.clone());
    let (ann, root) = (user("ann", "user"), user("root", "admin"));
    let bobs = Object::new("plan", "1").of_user("bob").of_organization("acme");
    let hers = [member("ann", "acme", "member")];
    let _ = isolation.judge(&ann, Action::Write, &bobs);
    let _ = isolation.judge(&user("aud", "auditor"), Action::Write, &bobs);
    let _ = isolation.judge(&root, Action::Read, &bobs);
    let _ = isolation.judge(Caller::new(&ann, &hers), Action::Read, &bobs);
    let _ = isolation.judge(&user("bob", ""), Action::Write, &bobs);
    let _ = isolation.judge_shared(&ann, Action::Read, &bobs, &Given::new(Ok(Some(Access::Read)))).await;
    let _ = isolation.judge_shared(&ann, Action::Read, &bobs, &Given::new(Err("down"))).await;
    let _ = isolation.rows(&ann, Action::Read);
    let _ = isolation.rows(&root, Action::Write);
    let _ = isolation.in_organization(&ann, &hers[0]);
    let _ = isolation.in_organization(&root, &hers[0]);
    let guard = Guard::builder().authenticator(verifier()).isolate(isolation).build().expect("good settings");
    for path in ["/users/ann", "/users/bob", "/elsewhere"] {
        let token = good().subject("ann").sign(ed25519());
        let Attempt::Ready(_) = guard.begin(&TestHead::new("GET", path).bearer(&token)) else { panic!("a known key") };
    }
    assert_eq!(
        *notes.0.lock().expect("not poisoned"),
        [
            r#"ann write Some("bob") Some("acme") Some("1") false not_owner"#,
            r#"aud write Some("bob") Some("acme") Some("1") false read_only"#,
            r#"root read Some("bob") Some("acme") Some("1") true role"#,
            r#"ann read Some("bob") Some("acme") Some("1") true member"#,
            r#"bob write Some("bob") Some("acme") Some("1") true owner"#,
            r#"ann read Some("bob") Some("acme") Some("1") true shared"#,
            "ann read None None None true rows",
            "root write None None None true every_row",
            r#"ann read None Some("acme") None true member"#,
            r#"root read None Some("acme") None false not_member"#,
            r#"ann read Some("ann") None None true own"#,
            r#"ann read Some("bob") None None false not_owner"#,
            "ann read None None None true own",
        ]
    );
}

#[test]
fn on_behalf_of_an_organization_a_scope_may_what_its_members_may() {
    let (isolation, ann) = (isolation(), user("ann", "user"));
    let scope = |membership| isolation.in_organization(&ann, &membership);
    let reading = scope(member("ann", "acme", "member")).expect("a member");
    assert_eq!((reading.owner(), reading.actor(), reading.access()), (ann.user_id(), ann.user_id(), Access::Read));
    assert_eq!((reading.organization_id(), ann.scope().organization_id()), (Some("acme"), None));
    assert_eq!(reason(reading.require_write()), READ_ONLY);
    assert_eq!(scope(member("ann", "acme", "editor")).expect("an editor").access(), Access::Full);
    let refused = (403, "not_owner", "not_member");
    assert_eq!(reason(scope(member("bob", "acme", "editor"))), refused, "somebody else's");
    assert_eq!(reason(scope(member("ann", "", "editor"))), refused, "no organization");
    let closed = Isolation::default().hide();
    let hidden = closed.in_organization(&ann, &member("ann", "acme", "owner"));
    assert_eq!(reason(hidden), (404, "not_found", "not_member"), "unless members are let in");
}

#[test]
fn what_was_judged_for_reading_is_no_leave_to_write() {
    let (isolation, ann) = (isolation(), user("ann", "user"));
    let own = Object::new("plan", "3").of_user("ann");
    let permit = |action| isolation.judge(&ann, action, &own).expect("her own");
    assert!(permit(Action::Write).require_write().is_ok());
    assert_eq!(reason(permit(Action::Read).require_write()), READ_ONLY);
    assert!(!isolation.rows(&ann, Action::Read).include_shared());
    assert!(!isolation.rows(&ann, Action::Read).are_all());
    assert!(isolation.rows(&user("root", "admin"), Action::Write).are_all());
    assert!(!isolation.rows(&user("aud", "auditor"), Action::Write).are_all(), "only to read");
    let rows = self::isolation().allow_shared().rows(&ann, Action::Read);
    assert!(rows.include_shared() && !rows.without_shared().include_shared());
}

#[test]
fn an_empty_id_or_role_is_nobodys() {
    let isolation = Isolation::default().allow_members(Access::Full).allow_role("");
    let ann = user("ann", "");
    let nobodys = [member("ann", "", ""), member("ann", "acme", "")];
    let plan = Object::new("plan", "1");
    for object in [plan.of_organization(""), plan.of_user(None).of_organization(None), plan.of_user("")] {
        let judged = isolation.judge(Caller::new(&ann, &nobodys), Action::Read, &object);
        assert_eq!(reason(judged), NOT_OWNER, "{object:?}");
        assert!(!isolation.rows(Caller::new(&ann, &nobodys), Action::Read).cover(&object));
    }
    let only_role = Isolation::default().allow_member_role("", Access::Full);
    let acme = plan.of_organization("acme");
    assert_eq!(reason(only_role.judge(Caller::new(&ann, &nobodys), Action::Read, &acme)), NOT_OWNER);
    assert!(!Permissions::new().allow_role("", "plan", ["read"]).allow([""], "plan", "read"));
}

#[test]
fn permissions_of_a_role_are_what_was_said_and_no_more() {
    let permissions = Permissions::new()
        .allow_role("editor", "article", ["create"])
        .allow_role("editor", "article", ["update"])
        .allow_role("idle", "article", [""; 0]);
    assert!(permissions.allow(["reader", "editor"], "article", "create"));
    assert!(permissions.allow(["editor"], "article", "update"));
    for (roles, resource, action) in [
        (&["editor"][..], "article", "delete"),
        (&["editor"], "Article", "update"),
        (&["idle"], "article", "update"),
        (&["idle"], "article", ""),
        (&[], "article", "update"),
    ] {
        assert!(!permissions.allow(roles.iter().copied(), resource, action), "{roles:?} {resource} {action}");
    }
}

#[test]
fn permissions_in_an_organization_are_the_members_own_and_no_more_than_their_keys() {
    let permissions = MemberPermissions::new().allow_role("editor", "article", ["update", "delete"]);
    let editor = member("ann", "acme", "editor");
    let require = |caller: &Identity, action| editor.require_permission(caller, &permissions, "article", action);
    assert!(require(&user("ann", "user"), "update").is_ok());
    assert_eq!(reason(require(&user("ann", "user"), "create")), READ_ONLY);
    assert_eq!(reason(require(&user("bob", "editor"), "update")), READ_ONLY, "somebody else's membership");

    let key = Identity::assertion(id("ann"), Method::ApiKey { source: "database" });
    let key = key.claims(r#"{"permissions":{"article":["update"]}}"#).into_identity();
    assert!(require(&key, "update").is_ok());
    assert_eq!(reason(require(&key, "delete")), READ_ONLY, "her key may not");
}

#[test]
fn of_several_requirements_the_first_that_is_missing_answers() {
    let requirement = Requirement::any_role(["editor", "admin"]).and(Requirement::scope("articles:write"));
    let guard = Guard::builder().authenticator(verifier()).build().expect("good settings");
    let check = |role: &str, scope: &str| {
        let token = good().claim("role", role).claim("scope", scope).sign(ed25519());
        let Attempt::Ready(Ok(admission)) = guard.begin(&TestHead::new("GET", "/").bearer(&token)) else {
            panic!("a good token")
        };
        requirement.check(&admission)
    };
    assert!(check("admin", "articles:write").is_ok());
    assert!(check("editor", "articles:write").is_ok());
    assert_eq!(reason(check("reader", "")), READ_ONLY);
    assert_eq!(reason(check("editor", "")), (403, "insufficient_scope", "insufficient_scope"));
}

prop_compose! {
    fn any_isolation()(rules in prop::collection::vec((0..4_u8, 0..3_usize, any::<bool>()), 0..5)) -> Isolation {
        rules.into_iter().fold(Isolation::default(), |isolation, (kind, role, reads)| {
            let (role, access) = (ROLES[role], if reads { Access::Read } else { Access::Full });
            match (kind, reads) {
                (0, false) => isolation.allow_role(role),
                (0, true) => isolation.allow_role_to_read(role),
                (1, _) => isolation.allow_members(access),
                (2, _) => isolation.allow_member_role(role, access),
                _ => isolation.hide(),
            }
        })
    }
}

const ROLES: [&str; 3] = ["admin", "editor", "reader"];
const NAMES: [&str; 3] = ["ann", "bob", "cyd"];
const PLACES: [&str; 2] = ["acme", "beta"];

proptest! {
    #[test]
    fn an_object_is_judged_as_its_row_is(
        isolation in any_isolation(),
        role in 0..4_usize,
        memberships in prop::collection::vec((0..2_usize, 0..2_usize, 0..3_usize), 0..4),
        owner in prop::option::of(0..3_usize),
        place in prop::option::of(0..2_usize),
        writes in any::<bool>(),
    ) {
        let caller = user("ann", ROLES.get(role).copied().unwrap_or(""));
        let memberships: Vec<_> =
            memberships.into_iter().map(|(name, place, role)| member(NAMES[name], PLACES[place], ROLES[role])).collect();
        let mut object = Object::new("plan", "1");
        if let Some(owner) = owner {
            object = object.of_user(NAMES[owner]);
        }
        if let Some(place) = place {
            object = object.of_organization(PLACES[place]);
        }
        let action = if writes { Action::Write } else { Action::Read };
        let caller = Caller::new(&caller, &memberships);
        prop_assert_eq!(isolation.judge(caller, action, &object).is_ok(), isolation.rows(caller, action).cover(&object));
        prop_assert!(isolation.judge(caller, Action::Write, &object).is_err() || isolation.judge(caller, Action::Read, &object).is_ok());
    }
}
