#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod head;
mod reject;
mod require;
mod service;
mod transform;

pub use extract::{CurrentUser, OptionalUser, Scope};
pub use head::Head;
pub use reject::Reject;
pub use require::{Require, RequireFuture, RequireService, require_permission, require_role, require_scope};
pub use service::{AuthFuture, AuthService};
pub use transform::AuthMiddleware;
