//! The public API, in front of axum, hyper and tonic.

mod cases;
#[cfg(feature = "connect-info")]
mod connect_info;
mod grpc;
mod head;
mod hyper;
mod layer;
mod pending;

use authcore::{Algorithm, Guard, GuardBuilder, JwtVerifier, KeySet};
use authcore_testkit::SigningKey;
use http_body_util::BodyExt as _;

/// The body of an answer, as text.
async fn text<B>(response: http::Response<B>) -> String
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn guard() -> GuardBuilder {
    let verifier = JwtVerifier::builder(KeySet::new([key().key()])).build().expect("sane settings");
    Guard::builder().authenticator(verifier)
}
