//! Rows, callers and rules drawn at random: the same question to the isolation, to a predicate, and to a policy.

use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, Object, UserId};
use authcore_sqlx::{GrantTable, Grants, OwnedTable};
use proptest::prelude::*;

/// What is in the database, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) plans: Vec<Plan>,
    /// Kind, object, user, whether in full.
    grants: Vec<(&'static str, i64, &'static str, bool)>,
    rules: Vec<(u8, usize, bool)>,
    roles: &'static str,
    /// Member, organization, role there.
    memberships: Vec<(&'static str, &'static str, &'static str)>,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) id: i64,
    user: Option<&'static str>,
    organization: Option<&'static str>,
}

impl Plan {
    pub(crate) fn is_judged<'o>(&self, id: &'o str) -> Object<'o> {
        let mut object = Object::new("plan", id);
        if let Some(user) = self.user {
            object = object.of_user(user);
        }
        if let Some(organization) = self.organization {
            object = object.of_organization(organization);
        }
        object
    }
}

const USERS: [&str; 4] = ["ann", "Ann", "bob", "o'x\\\"`"];
/// Ids that would end a quotation, an array or an escape of JSON, if anything did.
const ORGANIZATIONS: [&str; 6] = ["acme", "Acme", "b\",\"acme", "c'; --", "d\\\"{}`$1", "\u{1f980},e"];
const ROLES: [&str; 3] = ["admin", "editor", "reader"];

prop_compose! {
    pub(crate) fn any_world()(
        plans in prop::collection::vec((prop::option::of(0..4_usize), prop::option::of(0..6_usize)), 0..10),
        grants in prop::collection::btree_map((0..2_usize, 0..10_i64, 0..4_usize), any::<bool>(), 0..8),
        rules in prop::collection::vec((0..5_u8, 0..3_usize, any::<bool>()), 0..5),
        roles in prop::sample::select(vec!["", "admin", "editor", "reader", "editor,reader"]),
        memberships in prop::collection::vec((0..4_usize, 0..6_usize, 0..3_usize), 0..5),
        writes in any::<bool>(),
    ) -> World {
        let plan = |(id, (user, organization)): (i64, (Option<usize>, Option<usize>))| Plan {
            id,
            user: user.map(|user| USERS[user]),
            organization: organization.map(|organization| ORGANIZATIONS[organization]),
        };
        World {
            plans: (0..).zip(plans).map(plan).collect(),
            grants: grants.into_iter().map(|((kind, id, user), full)| (["plan", "Plan"][kind], id, USERS[user], full)).collect(),
            rules,
            roles,
            memberships: memberships.into_iter().map(|(user, place, role)| (USERS[user], ORGANIZATIONS[place], ROLES[role])).collect(),
            action: if writes { Action::Write } else { Action::Read },
        }
    }
}

impl World {
    pub(crate) fn isolation(&self) -> Isolation {
        self.rules.iter().fold(Isolation::default(), |isolation, &(kind, role, reads)| {
            let (role, access) = (ROLES[role], if reads { Access::Read } else { Access::Full });
            match (kind, reads) {
                (0, false) => isolation.allow_role(role),
                (0, true) => isolation.allow_role_to_read(role),
                (1, _) => isolation.allow_members(access),
                (2, _) => isolation.allow_member_role(role, access),
                _ => isolation.allow_shared(),
            }
        })
    }

    pub(crate) fn identity(&self) -> Identity {
        let ann = UserId::new("ann").expect("an id");
        Identity::assertion(ann, Method::Other("test")).roles(self.roles).into_identity()
    }

    pub(crate) fn memberships(&self) -> Vec<Membership> {
        let member = |&(user, organization, role): &(&str, &'static str, &str)| {
            Membership::assertion(organization, UserId::new(user).expect("an id"), [role])
        };
        self.memberships.iter().map(member).collect()
    }

    /// The statements that put it into a database, whose literals take `\` as it is or not.
    pub(crate) fn insertions(&self, escapes: bool) -> String {
        let literal = |text: &str| {
            let text = if escapes { text.replace('\\', "\\\\") } else { text.to_owned() };
            format!("'{}'", text.replace('\'', "''"))
        };
        let maybe = |text: Option<&str>| text.map_or("NULL".to_owned(), literal);
        let mut sql = "DELETE FROM plans; DELETE FROM grants;".to_owned();
        for Plan { id, user, organization } in &self.plans {
            sql +=
                &format!("INSERT INTO plans VALUES ({id}, {}, {}, 'as it was');", maybe(*user), maybe(*organization));
        }
        for (kind, id, user, is_full) in &self.grants {
            let access = if *is_full { "full" } else { "read" };
            sql += &format!("INSERT INTO grants VALUES ('{kind}', '{id}', {}, '{access}');", literal(user));
        }
        sql
    }

    /// The plans that the isolation lets the caller touch, asked one by one.
    pub(crate) async fn judged<DB: authcore_sqlx::Engine>(&self, grants: &Grants<DB>) -> Vec<i64> {
        let (isolation, identity, memberships) = (self.isolation(), self.identity(), self.memberships());
        let mut judged = Vec::new();
        for plan in &self.plans {
            let id = plan.id.to_string();
            let (caller, object) = (Caller::new(&identity, &memberships), plan.is_judged(&id));
            match isolation.judge_shared(caller, self.action, &object, grants).await {
                Ok(_) => judged.push(plan.id),
                Err(refusal) => assert_eq!(refusal.status(), 403, "{refusal:?}"),
            }
        }
        judged
    }

    pub(crate) fn rows(&self) -> authcore::Rows {
        self.isolation().rows(Caller::new(&self.identity(), &self.memberships()), self.action)
    }
}

pub(crate) fn grants() -> GrantTable {
    GrantTable::new("grants").expect("a good name")
}

pub(crate) fn plans() -> OwnedTable {
    let plans = OwnedTable::new("plans", "user_id").and_then(|plans| plans.organization("organization_id"));
    plans.and_then(|plans| plans.grants(&grants(), "plan", "id")).expect("good names")
}

/// So many worlds, the same ones each time.
pub(crate) fn worlds(count: usize) -> impl Iterator<Item = World> {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..count).map(move |_| any_world().new_tree(&mut runner).expect("a world").current())
}
