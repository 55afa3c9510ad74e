#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod builder;
mod env;
mod jwt;
mod keys;

pub use builder::BetterAuth;
pub use jwt::BetterAuthJwt;
