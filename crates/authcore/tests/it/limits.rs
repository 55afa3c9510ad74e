//! Limits in the guard: their order, what clients are told, and what happens when nobody can count.

#![cfg(feature = "in-process-limits")]

mod api_key;
mod given_up;
mod guesses;
mod issuer;
mod logged;
mod organization;
mod outage;

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::rate::{
    ClientAddresses, Counted, Counter, Decision, Limit, Outage, Quota, RateKey, RateLimits, RateStore,
};
use authcore::{Admission, Attempt, Guard, Isolation, Refusal, Unavailable};
use authcore_testkit::TestHead;

use crate::support::{ed25519, good, verifier};

/// Counts as little as a store can, answers as it is told to, and remembers what it was asked.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    used: Vec<(String, RateKey<'static>, u32)>,
    asked: Vec<String>,
    is_remote: bool,
    is_down: bool,
}

struct ScriptedCounter {
    store: Scripted,
    limit: String,
    quota: Quota,
}

impl Scripted {
    fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().expect("no panic"));
    }

    /// The limits that were asked since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic").asked)
    }
}

impl RateStore for Scripted {
    fn counter(&self, limit: &str, quota: Quota) -> Arc<dyn Counter> {
        let limit = format!("{limit} {quota}");
        Arc::new(ScriptedCounter { store: self.clone(), limit, quota })
    }
}

impl Counter for ScriptedCounter {
    fn count(&self, key: &RateKey<'_>, cost: u32) -> Counted {
        let mut script = self.store.0.lock().expect("no panic");
        script.asked.push(self.limit.split(' ').next().unwrap_or_default().to_owned());
        if script.is_down {
            let error = Unavailable::new("stopped by the test", Duration::from_secs(3));
            return Counted::Later(Box::pin(ready(Err(error))));
        }
        let mine = |(limit, known, _): &&(String, RateKey<'static>, u32)| *limit == self.limit && known == key;
        let used: u32 = script.used.iter().filter(mine).map(|(.., cost)| cost).sum();
        let allowed = used + cost <= self.quota.burst_size();
        let owed = if allowed { used + cost } else { used };
        if allowed {
            script.used.push((self.limit.clone(), key.clone().into_owned(), cost));
        }
        let debt = u64::from(owed) * u64::try_from(self.quota.interval().as_micros()).expect("short");
        let decision = Decision::new(self.quota, allowed, cost, debt);
        if script.is_remote {
            return Counted::Later(Box::pin(async move {
                // A guard polls by itself, and a request is to wait all the same.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                Ok(decision)
            }));
        }
        Counted::Now(decision)
    }
}

fn quota(text: &str) -> Quota {
    text.parse().expect("a quota")
}

fn guard(limits: RateLimits) -> Guard {
    let guarded = Guard::builder().authenticator(verifier()).isolate(Isolation::path("/api/{user}/tasks"));
    guarded.open("/health").optional("/feed").rate_limits(limits).build().expect("good settings")
}

fn token(user: &str, role: &str) -> String {
    good().subject(user).claim("role", role).sign(ed25519())
}

fn run(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.begin(head).finish())
}

fn status(guard: &Guard, head: &TestHead) -> (u16, &'static str) {
    run(guard, head).map_or_else(|refusal| (refusal.status(), refusal.reason()), |_| (200, "admitted"))
}

fn field(answer: &Result<Admission, Refusal>, name: &str) -> Option<String> {
    match answer {
        Ok(admission) => {
            let fields = admission.answer_fields();
            fields.iter().find(|field| field.name() == name).map(|field| field.value().to_owned())
        }
        Err(refusal) => refusal.fields().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value),
    }
}

const ADMITTED: (u16, &str) = (200, "admitted");

const LIMITED: (u16, &str) = (429, "rate_limited");

#[test]
fn r148_addresses_are_counted_before_a_token_is_looked_at_and_users_after() {
    for is_remote in [false, true] {
        let store = Scripted::default();
        store.set(|script| script.is_remote = is_remote);
        let limits = RateLimits::counted_in(store.clone())
            .limit(Limit::new("mine", quota("2/minute")).per_user().on("/api/**"))
            .limit(Limit::new("general", quota("4/minute")).on("/api/**"));
        let guard = guard(limits);
        let from = |peer: &str, token: &str| TestHead::get("/api/x").peer(peer).bearer(token);
        let (ann, bob) = (token("ann", "user"), token("bob", "user"));

        // A bad token costs its sender's address, and no user.
        assert_eq!(status(&guard, &from("192.0.2.1", "junk")), (401, "not_compact"));
        assert_eq!(store.asked(), ["general"]);
        assert_eq!(status(&guard, &from("192.0.2.1", &ann)), ADMITTED);
        assert_eq!(store.asked(), ["general", "mine"]);
        // A user is not limited by others behind the same address, but by the address.
        assert_eq!(status(&guard, &from("192.0.2.1", &ann)), ADMITTED);
        assert_eq!(status(&guard, &from("192.0.2.1", &ann)), LIMITED);
        assert_eq!(status(&guard, &from("192.0.2.1", &bob)), LIMITED, "the address has used up its own");
        assert_eq!(store.asked().last().map(String::as_str), Some("general"), "and no credential was looked at");
        // The user's quota goes along to another address.
        assert_eq!(status(&guard, &from("192.0.2.2", &ann)), LIMITED);
        assert_eq!(status(&guard, &from("192.0.2.2", &bob)), ADMITTED);
    }
}

#[test]
fn isolation_comes_before_the_limits_of_users() {
    let store = Scripted::default();
    let limits = RateLimits::counted_in(store.clone()).limit(Limit::new("mine", quota("1/minute")).per_user());
    let guard = guard(limits);
    let head = |path| TestHead::get(path).bearer(token("ann", "user"));
    assert_eq!(status(&guard, &head("/api/bob/tasks")), (403, "not_owner"));
    assert_eq!(store.asked(), [""; 0]);
    assert_eq!(status(&guard, &head("/api/ann/tasks")), ADMITTED);
    assert_eq!(status(&guard, &head("/api/bob/tasks")), (403, "not_owner"));
}

#[test]
fn bad_credentials_have_a_limit_of_their_own() {
    for is_remote in [false, true] {
        let store = Scripted::default();
        store.set(|script| script.is_remote = is_remote);
        let guard = guard(RateLimits::counted_in(store.clone()).failed_authentications(quota("2/minute")));
        let from = |peer: &str, token: &str| TestHead::get("/x").peer(peer).bearer(token);
        let ann = token("ann", "user");
        // Having none, and being let in, costs nothing.
        for _ in 0..5 {
            assert_eq!(status(&guard, &TestHead::get("/x").peer("192.0.2.1")), (401, "missing"));
            assert_eq!(status(&guard, &from("192.0.2.1", &ann)), ADMITTED);
        }
        assert_eq!(status(&guard, &from("192.0.2.1", "junk")), (401, "not_compact"));
        assert_eq!(status(&guard, &from("192.0.2.1", "junk.junk.junk")).0, 401);
        let refused = run(&guard, &from("192.0.2.1", &ann));
        assert_eq!(
            refused.as_ref().expect_err("too many").status(),
            429,
            "good ones from there are not looked at either"
        );
        assert_eq!(field(&refused, "retry-after").as_deref(), Some("30"));
        assert_eq!(field(&refused, "ratelimit"), None, "nobody is shown how many are left to try");
        assert_eq!(status(&guard, &from("192.0.2.2", &ann)), ADMITTED);
    }
}

#[test]
fn r142_answers_tell_of_each_limit_in_structured_fields() {
    let limits = RateLimits::counted_in(Scripted::default())
        .limit(Limit::new("general", quota("100/15min")).on("/api/**"))
        .limit(Limit::new("data", quota("2/minute")).per_user().on("/api/data"));
    let guard = guard(limits);
    let head = TestHead::get("/api/data").peer("192.0.2.1").bearer(token("ann", "user"));
    let admitted = run(&guard, &head);
    assert_eq!(field(&admitted, "ratelimit-policy").as_deref(), Some(r#""general";q=100;w=900, "data";q=2;w=60"#));
    assert_eq!(field(&admitted, "ratelimit").as_deref(), Some(r#""general";r=99;t=9, "data";r=1;t=30"#));
    assert_eq!(field(&admitted, "cache-control").as_deref(), Some("no-store"));
    assert!(run(&guard, &head).is_ok());
    let refused = run(&guard, &head);
    assert_eq!(refused.as_ref().expect_err("used up").code(), "rate_limited");
    assert_eq!(field(&refused, "retry-after").as_deref(), Some("30"));
    assert_eq!(field(&refused, "ratelimit").as_deref(), Some(r#""general";r=97;t=9, "data";r=0;t=30"#));
}

#[test]
fn r149_nobody_is_shown_what_is_left_of_a_user_who_is_not_known_to_be_them() {
    let limits = RateLimits::counted_in(Scripted::default())
        .limit(Limit::new("data", quota("10/minute")).per_user().on("/api/**"))
        .limit(Limit::new("general", quota("100/15min")).on("/api/**"));
    let guard = guard(limits);
    for head in [TestHead::get("/api/data"), TestHead::get("/api/data").bearer("a.b.c")] {
        let refused = run(&guard, &head.peer("192.0.2.1"));
        assert_eq!(refused.as_ref().expect_err("nobody").status(), 401);
        assert_eq!(field(&refused, "ratelimit-policy").as_deref(), Some(r#""general";q=100;w=900"#));
        assert!(field(&refused, "ratelimit").is_some_and(|state| !state.contains("data")));
    }
}

#[test]
fn some_have_another_quota_than_others() {
    let data = Limit::new("data", quota("1/minute"))
        .per_user()
        .for_role("premium", quota("3/minute"))
        .for_callers(|identity| identity.user_id().as_str() == "eve", quota("2/minute"));
    let guard = guard(RateLimits::in_process().limit(data));
    let served = |user: &str, role: &str| {
        let head = TestHead::get("/x").bearer(token(user, role));
        (0..5).filter(|_| run(&guard, &head).is_ok()).count()
    };
    assert_eq!((served("ann", "user"), served("pia", "user,premium"), served("eve", "user")), (1, 3, 2));
    let head = TestHead::get("/x").bearer(token("zoe", "premium"));
    assert_eq!(field(&run(&guard, &head), "ratelimit-policy").as_deref(), Some(r#""data";q=3;w=60"#));
}

#[test]
fn keys_are_by_address_and_user_where_both_count() {
    let limit = Limit::new("action", quota("1/minute")).per_address_and_user().on("/x");
    let guard = guard(RateLimits::in_process().limit(limit));
    let head = |peer: &str, user: &str| TestHead::get("/x").peer(peer).bearer(token(user, "user"));
    assert_eq!(status(&guard, &head("192.0.2.1", "ann")), ADMITTED);
    assert_eq!(status(&guard, &head("192.0.2.1", "ann")), LIMITED);
    assert_eq!(status(&guard, &head("192.0.2.2", "ann")), ADMITTED);
    assert_eq!(status(&guard, &head("192.0.2.1", "bob")), ADMITTED);
}

#[test]
fn who_calls_without_a_credential_is_counted_by_address() {
    let guard = guard(RateLimits::in_process().limit(Limit::new("feed", quota("1/minute")).per_user().on("/feed")));
    let head = |peer: &str| TestHead::get("/feed").peer(peer);
    assert_eq!(status(&guard, &head("192.0.2.1")), ADMITTED);
    assert_eq!(status(&guard, &head("192.0.2.1")), LIMITED);
    assert_eq!(status(&guard, &head("192.0.2.2")), ADMITTED);
    assert_eq!(status(&guard, &head("192.0.2.1").bearer(token("ann", "user"))), ADMITTED);
}

#[test]
fn limits_hold_on_open_paths_too_in_any_spelling() {
    let guard = guard(RateLimits::in_process().limit(Limit::new("health", quota("3/minute")).on("/health")));
    assert_eq!(status(&guard, &TestHead::get("/health")), ADMITTED);
    for other in ["/health/", "/%68ealth"] {
        assert_eq!(
            status(&guard, &TestHead::get(other)),
            (401, "missing"),
            "{other}: not open when spelt so, but counted"
        );
    }
    assert_eq!(status(&guard, &TestHead::get("/health")), LIMITED);
}

#[test]
fn what_looks_like_a_preflight_needs_no_credential_and_is_counted() {
    let guard = guard(RateLimits::in_process().limit(Limit::new("all", quota("2/minute"))));
    let preflight = TestHead::new("OPTIONS", "/api/tasks")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST");
    assert_eq!(status(&guard, &preflight), ADMITTED);
    assert_eq!(status(&guard, &preflight.clone().bearer("a.b.c")), ADMITTED, "no credential is looked at");
    assert_eq!(status(&guard, &preflight), LIMITED, "whoever answers any method would be asked without end");
}

#[test]
fn r142_whoever_comes_back_finds_no_other_limit_used_up() {
    let limits = RateLimits::counted_in(Scripted::default())
        .limit(Limit::new("slow", quota("2/hour")).on("/x"))
        .limit(Limit::new("fast", quota("1/minute")).on("/x"));
    let guard = guard(limits);
    let head = TestHead::get("/x").bearer(token("ann", "user"));
    assert!(run(&guard, &head).is_ok());
    let refused = run(&guard, &head);
    assert_eq!(field(&refused, "ratelimit").as_deref(), Some(r#""slow";r=0;t=1800, "fast";r=0;t=60"#));
    assert_eq!(field(&refused, "retry-after").as_deref(), Some("1800"));
}

#[test]
fn r143_when_nobody_can_count_each_limit_does_what_it_says() {
    let served = |outage: Outage| {
        let store = Scripted::default();
        store.set(|script| script.is_down = true);
        let limit = Limit::new("x", quota("2/minute")).when_store_fails(outage);
        let guard = guard(RateLimits::counted_in(store.clone()).limit(limit));
        let head = TestHead::get("/x").peer("192.0.2.1").bearer(token("ann", "user"));
        let answers: Vec<_> = (0..3).map(|_| run(&guard, &head)).collect();
        for answer in &answers {
            assert_eq!(
                (field(answer, "ratelimit"), field(answer, "ratelimit-policy")),
                (None, None),
                "no invented numbers"
            );
        }
        answers
            .into_iter()
            .map(|answer| answer.map_or_else(|refusal| refusal.code(), |_| "admitted"))
            .collect::<Vec<_>>()
    };
    assert_eq!(served(Outage::Open), ["admitted"; 3]);
    assert_eq!(served(Outage::Closed), ["store_unavailable"; 3]);
    assert_eq!(served(Outage::Local), ["admitted", "admitted", "rate_limited"]);
}

#[test]
fn a_shadow_counts_and_lets_through() {
    let store = Scripted::default();
    let limit = Limit::new("x", quota("1/minute")).when_store_fails(Outage::Closed).shadow();
    let guard = guard(RateLimits::counted_in(store.clone()).limit(limit));
    let head = TestHead::get("/x").bearer(token("ann", "user"));
    for _ in 0..3 {
        let answer = run(&guard, &head);
        assert!(answer.is_ok() && field(&answer, "ratelimit").is_none());
    }
    assert_eq!(store.asked(), ["x"; 3]);
    store.set(|script| script.is_down = true);
    assert!(run(&guard, &head).is_ok());
}

#[test]
fn r141_what_costs_more_than_there_ever_is_has_no_time_to_come_back() {
    let cost = |head: &dyn authcore::RequestHead| match head.method() {
        "POST" => 11,
        "PUT" => u32::MAX,
        "HEAD" => 0,
        _ => 5,
    };
    let guard = guard(RateLimits::in_process().limit(Limit::new("x", quota("10/minute")).cost_by(cost)));
    let head = |method: &str| TestHead::new(method, "/x").bearer(token("ann", "user"));
    assert!(run(&guard, &head("GET")).is_ok());
    let never = run(&guard, &head("POST"));
    assert_eq!(never.as_ref().expect_err("too much").status(), 429);
    assert_eq!(field(&never, "retry-after"), None);
    assert_eq!(field(&run(&guard, &head("PUT")), "retry-after"), None);
    assert!(run(&guard, &head("GET")).is_ok(), "and it took nothing");
    assert!(run(&guard, &head("HEAD")).is_err(), "nothing is for nothing");
    let later = run(&guard, &head("GET"));
    assert_eq!(field(&later, "retry-after").as_deref(), Some("30"));
}

#[test]
fn limits_that_make_no_sense_stop_the_build() {
    let refusal = |limit: Limit| {
        let guard = Guard::builder().authenticator(verifier()).rate_limits(RateLimits::in_process().limit(limit));
        guard.build().expect_err("no sense").to_string()
    };
    let ten = || quota("10/minute");
    assert!(refusal(Limit::new("x", ten()).cost(11)).contains("between 1 and the burst"));
    assert!(refusal(Limit::new("x", ten()).cost(0)).contains("between 1 and the burst"));
    assert!(refusal(Limit::new("x", ten()).cost(2).per_user().for_role("a", quota("1/minute"))).contains("the burst"));
    assert!(refusal(Limit::new("x\"", ten())).contains("printable ASCII"));
    assert!(refusal(Limit::new("", ten())).contains("printable ASCII"));
    assert!(refusal(Limit::new("x", ten()).on("api")).contains("must begin with"));
    assert!(refusal(Limit::new("x", ten()).for_role("admin", ten())).contains("an address has no role"));
    let twice = RateLimits::in_process().limit(Limit::new("x", ten())).limit(Limit::new("x", ten()));
    let twice = Guard::builder().authenticator(verifier()).rate_limits(twice).build().expect_err("one name");
    assert!(twice.to_string().contains("the name is taken"));
}

#[test]
fn in_process_the_decision_is_there_at_once() {
    let limits = RateLimits::in_process().client_addresses(ClientAddresses::peer());
    let guard =
        guard(limits.limit(Limit::new("x", quota("1/minute")).per_user()).failed_authentications(quota("9/minute")));
    let head = TestHead::get("/x").bearer(token("ann", "user"));
    assert!(matches!(guard.begin(&head), Attempt::Ready(Ok(_))));
    assert!(matches!(guard.begin(&head), Attempt::Ready(Err(_))));
}
