//! What a decision on who may touch what costs in process: no log listens, no audit.
//!
//! `cargo bench -p authcore-benches --bench isolation`

use std::hint::black_box;

use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, Object, UserId};
use authcore_benches::report;
use criterion::{Criterion, criterion_group};

/// An id as Better Auth makes them.
const ANN: &str = "S3NBY4swX9ZsphkeenGjZ2GzaftUItGb";
const BOB: &str = "9QfX1bYtRk2LmWcZ7uVhJd0sAeGiPnTo";

fn user(roles: &str) -> Identity {
    Identity::assertion(UserId::new(ANN).expect("an id"), Method::Other("bench")).roles(roles).into_identity()
}

fn decide(criterion: &mut Criterion) {
    let isolation = Isolation::default()
        .allow_role("admin")
        .allow_role_to_read("auditor")
        .allow_members(Access::Read)
        .allow_member_role("editor", Access::Full);
    let memberships = [Membership::assertion("acme", UserId::new(ANN).expect("an id"), ["member", "editor"])];
    let (plain, admin) = (user("user"), user("user,admin"));
    let own = Object::new("document", "17").of_user(ANN);
    let others = Object::new("document", "18").of_user(BOB).of_organization("acme");

    let mut group = criterion.benchmark_group("isolation");
    let mut case = |name, caller: Caller<'_>, object: &Object<'_>, is_allowed: bool| {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let decision = isolation.judge(black_box(caller), Action::Write, black_box(object));
                assert_eq!(decision.is_ok(), is_allowed);
                decision
            });
        });
    };
    case("its owner", (&plain).into(), &own, true);
    case("by role", (&admin).into(), &others, true);
    case("by membership", Caller::new(&plain, &memberships), &others, true);
    case("refused", (&plain).into(), &others, false);
    group.bench_function("which rows", |bench| {
        bench.iter(|| isolation.rows(black_box(Caller::new(&plain, &memberships)), Action::Read));
    });
    group.finish();
}

criterion_group!(benches, decide);

fn main() {
    report::run(benches, "A decision on who may touch what", "isolation", "isolation/");
}
