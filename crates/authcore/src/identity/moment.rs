//! A time that may be missing, in the room of one that is not.

use crate::clock::Timestamp;

/// A moment, or none: the earliest there is stands for none, and is told as the one after it.
#[derive(Clone, Copy)]
pub(super) struct Moment(Timestamp);

const NONE: Timestamp = Timestamp::from_micros(i64::MIN);
const EARLIEST: Timestamp = Timestamp::from_micros(i64::MIN + 1);

impl From<Option<Timestamp>> for Moment {
    fn from(at: Option<Timestamp>) -> Self {
        Self(at.map_or(NONE, |at| at.max(EARLIEST)))
    }
}

impl From<Moment> for Option<Timestamp> {
    fn from(Moment(at): Moment) -> Self {
        (at != NONE).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_never_taken_for_none() {
        let told = |at: Option<i64>| Option::<Timestamp>::from(Moment::from(at.map(Timestamp::from_micros)));
        assert_eq!(told(None), None);
        assert_eq!(told(Some(i64::MIN)), Some(EARLIEST), "long expired, not without an end");
        for at in [i64::MIN + 1, -1, 0, i64::MAX] {
            assert_eq!(told(Some(at)), Some(Timestamp::from_micros(at)));
        }
    }
}
