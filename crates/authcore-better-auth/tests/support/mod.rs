//! What tests of several stores share.

pub(crate) mod engines;
