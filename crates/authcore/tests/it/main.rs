//! Tests of the public API, one binary. Names begin with the id of the case in docs/security/cases.md.

mod access_tokens;
mod algorithms;
mod claims;
mod client_addr;
mod client_addr_properties;
mod credentials;
mod discovery;
mod isolation;
mod issuers;
mod judgement;
mod key_faults;
mod key_flights;
mod key_sets;
mod key_times;
mod known_headers;
mod limits;
mod permissions;
mod properties;
mod rate_in_process;
mod remote_keys;
mod revocation;
mod script;
mod support;
mod token_cache;
mod token_sources;
mod tokens;
