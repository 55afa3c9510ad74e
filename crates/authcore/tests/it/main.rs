//! Tests of the public API, one binary. Names begin with the id of the case in docs/security/cases.md.

mod algorithms;
mod claims;
mod credentials;
mod isolation;
mod key_sets;
mod permissions;
mod properties;
mod remote_keys;
mod support;
mod tokens;
