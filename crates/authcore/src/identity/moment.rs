//! A time that may be missing, in the room of one that is not.

use crate::clock::Timestamp;

/// A moment, or none: the earliest there is stands for none. No credential is 292,000 years old.
#[derive(Clone, Copy)]
pub(super) struct Moment(Timestamp);

const NONE: Timestamp = Timestamp::from_micros(i64::MIN);

impl From<Option<Timestamp>> for Moment {
    fn from(at: Option<Timestamp>) -> Self {
        Self(at.unwrap_or(NONE))
    }
}

impl From<Moment> for Option<Timestamp> {
    fn from(Moment(at): Moment) -> Self {
        (at != NONE).then_some(at)
    }
}
