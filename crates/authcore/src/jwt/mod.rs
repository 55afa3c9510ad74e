//! JSON Web Tokens: a compact JWS in, an [`Identity`](crate::Identity) out.
//!
//! Order of judgement: length, segments, header, key, signature, claims. Nothing of the payload is believed before its
//! signature has verified; of several issuers, it only says which one is to judge. Refused at the first doubt: a second spelling of the same bytes, a member named twice, a
//! claim of a wrong type, a header parameter that changes the rules.

mod algorithm;
mod builder;
mod cache;
mod claims;
pub(crate) mod compact;
mod expectations;
mod header;
mod jws;
mod known_headers;
pub(crate) mod signature;
mod trust;
mod verifier;

pub use algorithm::Algorithm;
pub use builder::JwtVerifierBuilder;
pub use cache::{TokenCache, TokenCacheStatus};
pub use jws::Jws;
pub use verifier::{BearerToken, JwtVerifier};
