//! What a client is told of the limits its request was measured by: `RateLimit-Policy` and `RateLimit` (structured fields,
//! RFC 9651, of the IETF draft on rate limit fields).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::decision::Decision;
use super::quota::Quota;

/// The limits of one request, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(Vec<(Arc<str>, Decision)>);

impl Tally {
    pub(crate) fn push(&mut self, name: &Arc<str>, decision: Decision) {
        self.0.push((Arc::clone(name), decision));
    }

    /// How long until each of these limits has something left.
    pub(crate) fn longest_wait(&self) -> Duration {
        let used_up = self.0.iter().filter(|(_, decision)| decision.remaining() == 0);
        used_up.map(|(_, decision)| decision.grows_after()).max().unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `"general";q=100;w=900`: so many in so many seconds.
    pub(crate) fn policy(&self) -> String {
        self.list(|text, decision| {
            let quota = decision.quota();
            let window = window_seconds(quota);
            let _ = write!(text, ";q={};w={window}", quota.burst_size());
        })
    }

    /// `"general";r=99;t=9`: so many left, and the seconds until there is one more.
    pub(crate) fn state(&self) -> String {
        self.list(|text, decision| {
            let _ = write!(text, ";r={}", decision.remaining());
            let grows = decision.grows_after();
            if !grows.is_zero() {
                let _ = write!(text, ";t={}", whole_seconds(grows));
            }
        })
    }

    fn list(&self, parameters: impl Fn(&mut String, &Decision)) -> String {
        let mut text = String::new();
        for (name, decision) in &self.0 {
            if !text.is_empty() {
                text.push_str(", ");
            }
            // Names were checked to need no escapes.
            let _ = write!(text, "\"{name}\"");
            parameters(&mut text, decision);
        }
        text
    }
}

/// The interval was rounded up to the microsecond, which is not to make a second more. A window is no shorter than a
/// microsecond for each of the burst, so one below a second is never taken for that.
fn window_seconds(quota: Quota) -> u64 {
    let window = quota.window();
    let is_rounding = window.subsec_micros() < quota.burst_size();
    if is_rounding { window.as_secs() } else { whole_seconds(window) }
}

/// Rounded up, at least 1: who waits that long has waited long enough.
fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_structured_lists_in_the_order_of_the_limits() {
        let mut tally = Tally::default();
        let quota = |text: &str| text.parse().expect("a quota");
        tally.push(&"general".into(), Decision::new(quota("100/15min"), true, 1, 9_000_000));
        tally.push(&"data".into(), Decision::new(quota("10/minute"), false, 1, 59_999_999));
        tally.push(&"odd".into(), Decision::new(quota("3/second"), true, 0, 0));
        assert_eq!(tally.policy(), r#""general";q=100;w=900, "data";q=10;w=60, "odd";q=3;w=1"#);
        let window = |text: &str, burst| window_seconds(quota(text).burst(burst).expect("a burst"));
        assert_eq!(window("100000/second", 1_000_000), 10);
        assert_eq!(window("1000000/second", 3_000_000), 3);
        assert_eq!((window("10/1500ms", 10), window("1/ms", 1), window("7/hour", 7)), (2, 1, 3600));
        let of = |micros, burst| window_seconds(Quota::per(burst, Duration::from_micros(micros)).expect("a quota"));
        assert_eq!((of(1_000_000, 1), of(1_000_001, 1)), (1, 2), "nothing was rounded, so it counts");
        assert_eq!(
            (of(1_000_000, 3), of(1_000_003, 3)),
            (1, 2),
            "two microseconds too many come of rounding, five do not"
        );
        assert_eq!((of(999_999, 999_999), of(10, 10)), (1, 1));
        assert_eq!(tally.state(), r#""general";r=99;t=9, "data";r=0;t=6, "odd";r=3"#);
        assert!(Tally::default().is_empty());
    }
}
