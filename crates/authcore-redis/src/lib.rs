#![doc = include_str!("../README.md")]

mod builder;
mod denied;
mod link;
mod rates;
mod script;
mod servers;
mod tls;
mod url;

pub use builder::RedisRatesBuilder;
pub use rates::RedisRates;
