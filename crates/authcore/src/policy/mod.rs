//! Who may touch what: paths that name an owner, and scopes that a token must carry.

pub(crate) mod isolation;
pub(crate) mod path;
mod permission;
pub(crate) mod template;

pub use isolation::{BodyOwner, Isolation};
