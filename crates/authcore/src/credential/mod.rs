//! From header bytes to one owned secret. Whatever can be read in two ways is refused.

pub mod bearer;
pub mod cookie;
