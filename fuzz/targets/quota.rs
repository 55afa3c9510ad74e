//! Quotas as they are written, and what follows from one: on the first line the quota, then a burst, a cost and a debt.
#![no_main]

use std::time::Duration;

use authcore::rate::{Counted, Decision, InProcess, Quota, RateKey, RateStore as _};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut number = || lines.next().and_then(|line| line.parse::<u64>().ok());
    let (burst, cost, debt) = (number(), number().unwrap_or(1), number().unwrap_or(0));
    let Ok(mut quota) = first.parse::<Quota>() else { return };
    assert_eq!(first.parse::<Quota>().ok(), Some(quota));
    if let Some(burst) = burst.and_then(|burst| u32::try_from(burst).ok()) {
        let Ok(changed) = quota.burst(burst) else { return };
        assert_eq!((changed.interval(), changed.burst_size()), (quota.interval(), burst));
        quota = changed;
    }
    let window = quota.window();
    assert!(quota.burst_size() > 0 && !quota.interval().is_zero() && window <= Quota::MAX_WINDOW);
    assert_eq!(window.as_micros(), quota.interval().as_micros() * u128::from(quota.burst_size()));

    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let debt = debt.min(u64::try_from(window.as_micros()).expect("a year"));
    let allowed = u128::from(debt) + u128::from(cost) * quota.interval().as_micros() <= window.as_micros();
    let decision = Decision::new(quota, allowed, cost, debt);
    assert!(decision.remaining() <= quota.burst_size() && decision.reset_after() == Duration::from_micros(debt));
    assert!(decision.grows_after() <= quota.interval());
    match decision.retry_after() {
        Some(wait) => {
            assert!(!allowed && cost <= quota.burst_size());
            let then = u128::from(debt).saturating_sub(wait.as_micros());
            assert!(then + u128::from(cost) * quota.interval().as_micros() <= window.as_micros());
        }
        None => assert!(allowed || decision.is_never()),
    }

    // Whole, it lets through exactly what the burst holds.
    let counter = InProcess::new().max_keys(8).expect("eight").counter("fuzz", quota);
    let Counted::Now(decision) = counter.count(&RateKey::custom(first), cost) else { panic!("at once") };
    assert_eq!(decision.is_allowed(), cost <= quota.burst_size());
});
