//! TLS for the stores: rustls with a provider named in code, so that no process-wide default is read or set.

use std::sync::Arc;

use authcore::ConfigError;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::Verifier;

/// Trusts the platform's certificates, and these besides.
pub(crate) fn trusting(roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, ConfigError> {
    let builder = builder()?;
    let provider = Arc::clone(builder.crypto_provider());
    let verifier = Verifier::new_with_extra_roots(roots, provider).map_err(failed)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// Trusts nobody: for a client that wants a configuration although it never speaks TLS.
#[cfg(feature = "http")]
pub(crate) fn unused() -> Result<ClientConfig, ConfigError> {
    Ok(builder()?.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ConfigError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)
}

fn failed(error: rustls::Error) -> ConfigError {
    ConfigError::new(format!("TLS: {error}"))
}
