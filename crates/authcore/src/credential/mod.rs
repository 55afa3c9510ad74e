//! From header bytes to one borrowed credential. Whatever can be read in two ways is refused.

pub mod bearer;
pub mod cookie;
mod origins;
mod source;

pub use origins::TrustedOrigins;
pub(crate) use source::Sources;
pub use source::TokenSource;

/// Without white space as HTTP knows it (RFC 9110 §5.6.3) at either end: space and tab, no line ends, not what Unicode adds.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// `tchar` of RFC 9110 §5.6.2.
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
