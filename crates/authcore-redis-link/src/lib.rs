#![doc = include_str!("../README.md")]

mod link;
mod tls;
mod url;

pub use link::{LONGEST_PAUSE, Link, told};
pub use tls::connector;
pub use url::RedisUrl;
