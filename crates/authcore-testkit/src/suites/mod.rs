//! What an implementation of each of `authcore`'s traits must do, as tests to call. They panic with a telling message.
//!
//! ```
//! use authcore_testkit::{TestHead, suites};
//!
//! suites::request_head(|spec| TestHead::from(spec.clone()));
//! ```

mod authenticator;
mod fetch;
mod key_resolver;
mod request_head;

pub use authenticator::authenticator;
pub use fetch::fetch;
pub use key_resolver::key_resolver;
pub use request_head::{request_head, request_head_outside_origin_form};
