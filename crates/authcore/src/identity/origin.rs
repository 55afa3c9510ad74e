//! Whose word an identity rests on: the same for many of them.

use std::sync::Arc;

use super::Method;

/// Who vouched for a user, and how. Held once for the tokens of one issuer under one key.
pub(crate) struct Origin {
    pub(crate) issuer: Option<Arc<str>>,
    /// The first name of an issuer that goes by several, where `issuer` is another one.
    pub(crate) first_name: Option<Arc<str>>,
    pub(crate) method: Method,
}
