#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cases;
mod encode;
mod head;
mod issuer;
mod key;
mod mint;
mod polled;
mod private_jwk;
mod spoilt;
pub mod suites;

pub use cases::{Case, WireAnswer, cases, cases_answer, cases_guard, wire_cases};
pub use encode::{b64, unb64};
pub use head::{HeadSpec, TestHead};
pub use issuer::{Answer, FakeIssuer};
pub use key::{SigningKey, jwks};
pub use mint::{Mint, mint};
pub use polled::polled;
pub use spoilt::mirrored_es256;

/// The issuer that [`mint`] names.
pub const ISSUER: &str = "https://id.example.com";

/// The audience that [`mint`] names.
pub const AUDIENCE: &str = "tasks-api";
