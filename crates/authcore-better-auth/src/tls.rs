//! TLS for the auth server: rustls with a provider named in code, so that no process-wide default is read or set.

use std::sync::Arc;

use authcore::ConfigError;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Trusts the platform's certificates.
pub(crate) fn platform() -> Result<ClientConfig, ConfigError> {
    Ok(builder()?.with_platform_verifier().map_err(failed)?.with_no_client_auth())
}

/// Trusts nobody: for a client that wants a configuration although it never speaks TLS.
pub(crate) fn unused() -> Result<ClientConfig, ConfigError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ConfigError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)
}

fn failed(error: rustls::Error) -> ConfigError {
    ConfigError::new(format!("TLS: {error}"))
}
