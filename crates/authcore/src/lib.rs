#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod authenticator;
mod base64url;
mod clock;
pub mod credential;
mod digest;
mod error;
mod guard;
mod head;
mod identity;
pub mod json;
mod jwks;
mod jwt;
mod metadata;
mod policy;
pub mod rate;
mod refusal;
mod revocation;
mod secret;

pub use authenticator::{Authenticator, Glance};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use credential::{TokenSource, TrustedOrigins};
pub use error::{ApiKeyFault, AuthError, BoxError, ConfigError, Part, SessionFault, Unavailable};
pub use guard::{Admission, Attempt, Guard, GuardBuilder, Pending};
pub use head::{Repeated, RequestHead, origin_path};
pub use identity::{Access, Assertion, Identity, InvalidUserId, Method, UserId, UserScope};
// Set for every crate of a build that cargo-fuzz makes, users' own included.
#[cfg(all(fuzzing, feature = "remote-jwks"))]
#[doc(hidden)]
pub use jwks::fuzzing;
#[cfg(feature = "remote-jwks")]
pub use jwks::{Fetch, Fetched, HttpFetch, Metadata, RemoteKeys, RemoteKeysBuilder, RemoteStatus};
pub use jwks::{Fetching, IgnoredKey, Key, KeyRefused, KeyResolver, KeySet, KeySetRefused, KeySnapshot, Miss};
pub use jwt::{Algorithm, BearerToken, Jws, JwtVerifier, JwtVerifierBuilder, TokenCache, TokenCacheStatus};
pub use metadata::{ResourceMetadata, ResourceMetadataBuilder};
pub use policy::{
    Action, Audit, BodyOwner, Caller, Decision, Isolation, MemberPermissions, Membership, Object, Permissions, Permit,
    Requirement, Rows, Sharing,
};
pub use refusal::{AnswerField, AnswerFields, FieldError, Refusal};
pub use revocation::{Checked, Revocation, Revoked, RevokedTokens};
pub use secret::Secret;
