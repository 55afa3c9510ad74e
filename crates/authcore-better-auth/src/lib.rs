#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod builder;
mod env;
mod jwt;
mod keys;
mod session;
mod store;
mod token;

pub use builder::BetterAuth;
pub use jwt::BetterAuthJwt;
pub use session::{Session, SessionRecord, User};
pub use store::SessionStore;
pub use token::SessionToken;
