//! SHA-256, for names that must not show what they are made of.

use aws_lc_rs::digest;

pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
    bytes
}
