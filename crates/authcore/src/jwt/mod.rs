//! JSON Web Tokens: a compact JWS in, an [`Identity`](crate::Identity) out.
//!
//! Order of judgement: length, segments, header, key, signature, claims. Nothing of the payload is decoded before its
//! signature has verified. Refused at the first doubt: a second spelling of the same bytes, a member named twice, a
//! claim of a wrong type, a header parameter that changes the rules.

mod algorithm;
mod claims;
pub(crate) mod compact;
mod expectations;
mod header;
mod known_headers;
pub(crate) mod signature;
mod verifier;

pub use algorithm::Algorithm;
pub use verifier::{BearerToken, JwtVerifier, JwtVerifierBuilder};
