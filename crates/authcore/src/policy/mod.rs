//! Who may touch what: whose a path, an object or a row is, and what a credential must carry.

mod audit;
mod body_owner;
pub(crate) mod isolation;
mod judge;
mod membership;
mod object;
pub(crate) mod path;
mod permission;
mod permissions;
mod requirement;
mod rows;
pub(crate) mod template;

pub use audit::{Audit, Decision};
pub use body_owner::BodyOwner;
pub use isolation::Isolation;
pub use judge::{Caller, Permit, Sharing};
pub use membership::Membership;
pub use object::{Action, Object};
pub use permissions::{MemberPermissions, Permissions};
pub use requirement::Requirement;
pub use rows::Rows;
