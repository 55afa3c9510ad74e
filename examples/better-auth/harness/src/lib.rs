#![doc = include_str!("../README.md")]

mod browser;
mod http;
mod process;
mod server;

pub use browser::{Browser, PASSWORD};
pub use http::{Answer, Request, connect};
pub use process::{NotStarted, Server};
pub use server::{BetterAuthServer, Member, Release};
