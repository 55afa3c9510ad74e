//! Private readers of foreign bytes, for the fuzz targets alone: built with `--cfg fuzzing`, and no part of the API.

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

use super::Metadata;
use super::{fetch, metadata};

/// Where the metadata of an issuer stand; or what is wrong with its name.
pub fn metadata_url(kind: Metadata, issuer: &str) -> Result<String, String> {
    kind.url(issuer).map(String::from)
}

/// Where its metadata say that its keys are; or what is wrong with them.
pub fn jwks_uri(document: &[u8], issuer: &str) -> Result<String, String> {
    metadata::jwks_uri(document, issuer).map(String::from)
}

/// How long an answer says that it is fresh, by these lines of `Cache-Control` and of `Age`. What no line can hold is left
/// out.
pub fn freshness(cache_control: &[&[u8]], age: &[&[u8]]) -> Option<Duration> {
    let mut fields = HeaderMap::new();
    let mut add = |name: HeaderName, lines: &[&[u8]]| {
        let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
        values.for_each(|value| _ = fields.append(name.clone(), value));
    };
    add(CACHE_CONTROL, cache_control);
    add(AGE, age);
    fetch::fresh_for(&fields)
}
