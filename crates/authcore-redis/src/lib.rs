#![doc = include_str!("../README.md")]

mod builder;
mod client;
mod denied;
mod rates;
mod revocations;
mod script;
mod servers;

pub use builder::{RedisBuilder, RedisRatesBuilder, RedisRevocationsBuilder};
pub use rates::RedisRates;
pub use revocations::RedisRevocations;
