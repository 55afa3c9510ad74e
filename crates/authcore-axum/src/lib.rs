#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod future;
mod head;
mod layer;
mod reject;
mod require;
mod service;

pub use extract::{CurrentUser, OptionalUser, Scope};
pub use future::AuthFuture;
pub use head::{Head, Peer};
pub use layer::AuthLayer;
pub use reject::Reject;
pub use require::{RequireFuture, RequireLayer, RequireService, require_permission, require_role, require_scope};
pub use service::AuthService;
