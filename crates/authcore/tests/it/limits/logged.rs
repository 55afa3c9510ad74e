//! What the log is told of limits: once for an outage and once for its end, and each refusal.

use authcore::rate::{Limit, RateLimits};
use authcore_testkit::TestHead;

use super::{ADMITTED, LIMITED, Scripted, guard, quota, status, token};
use crate::events::told;

/// The events among these lines that have this in them, by level and message.
fn events<'l>(lines: &'l [String], having: &str) -> Vec<&'l str> {
    let having = lines.iter().filter(|line| line.contains(having));
    let told = having.map(|line| line.split_once(" authcore::rate::course: "));
    told.map(|event| event.expect("an event of the limits").1.split(" limit=").next().expect("a message")).collect()
}

fn ann() -> TestHead {
    TestHead::get("/x").peer("192.0.2.1").bearer(token("ann", "user"))
}

#[test]
fn an_outage_is_told_once_and_so_is_its_end() {
    let store = Scripted::default();
    let limits = RateLimits::counted_in(store.clone()).limit(Limit::new("general", quota("100/minute")));
    let guard = guard(limits.failed_authentications(quota("9/minute")));
    let lines = told(|| {
        for (is_down, requests) in [(false, 2), (true, 3), (false, 2), (true, 2)] {
            store.set(|script| script.is_down = is_down);
            for _ in 0..requests {
                assert_eq!(status(&guard, &ann()), ADMITTED);
            }
        }
    });
    let expected = ["a limit cannot be counted", "a limit is counted again", "a limit cannot be counted"];
    for limit in ["limit=\"general\"", "limit=\"failed-authentications\""] {
        assert_eq!(events(&lines, limit), expected, "{limit} in {lines:#?}");
    }
    assert!(lines.iter().filter(|line| line.contains("cannot")).all(|line| line.contains("cause=stopped by the test")));
}

#[test]
fn who_is_over_a_limit_is_told_each_time_and_who_is_not_never() {
    let limit = |name: &str| Limit::new(name, quota("2/minute")).per_user();
    let guard = guard(RateLimits::in_process().limit(limit("tried").shadow()).limit(limit("strict")));
    let lines = told(|| {
        let answers = [(); 5].map(|()| status(&guard, &ann()));
        assert_eq!(answers, [ADMITTED, ADMITTED, LIMITED, LIMITED, LIMITED]);
    });
    for (limit, shadow) in [("tried", true), ("strict", false)] {
        let having = format!("limit=\"{limit}\" shadow={shadow}");
        assert_eq!(events(&lines, &having), ["over its limit"; 3], "{having} in {lines:#?}");
    }
}

#[test]
fn requests_from_nowhere_are_told_of_once() {
    let guard = guard(RateLimits::in_process().limit(Limit::new("general", quota("2/minute"))));
    let nowhere = TestHead::get("/x").bearer(token("ann", "user"));
    let lines = told(|| {
        assert_eq!(status(&guard, &ann()), ADMITTED);
        assert_eq!([(); 3].map(|()| status(&guard, &nowhere)), [ADMITTED, ADMITTED, LIMITED], "as if from one address");
        assert_eq!(status(&guard, &ann()), ADMITTED);
    });
    let warned = lines.iter().filter(|line| line.contains("requests come from no address"));
    assert_eq!(warned.count(), 1, "{lines:#?}");
}
