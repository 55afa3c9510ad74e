//! Keys, and where they come from: given at start, read from a JWK Set document, or fetched from a URL.
//!
//! A key is usable with one algorithm only. Entries of a set that cannot be used are set aside one by one and told
//! about; they never spoil the others.

mod facts;
#[cfg(feature = "remote-jwks")]
mod fetch;
#[cfg(all(fuzzing, feature = "remote-jwks"))]
pub mod fuzzing;
mod jwk;
mod key;
#[cfg(feature = "remote-jwks")]
mod location;
#[cfg(feature = "remote-jwks")]
mod metadata;
mod pem;
#[cfg(feature = "remote-jwks")]
mod remote;
mod resolver;
mod set;
#[cfg(feature = "remote-jwks")]
mod settings;

#[cfg(feature = "remote-jwks")]
pub use fetch::{Fetch, Fetched, HttpFetch};
pub use key::{Key, KeyRefused};
#[cfg(feature = "remote-jwks")]
pub use metadata::Metadata;
#[cfg(feature = "remote-jwks")]
pub use remote::{RemoteKeys, RemoteStatus};
pub use resolver::{Fetching, KeyResolver, KeySnapshot, Miss};
pub(crate) use set::SetFingerprint;
pub use set::{IgnoredKey, KeySet, KeySetRefused};
#[cfg(feature = "remote-jwks")]
pub use settings::RemoteKeysBuilder;
