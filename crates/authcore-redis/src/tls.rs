//! TLS: rustls with a provider named in code, so that no process-wide default is read or set.

use std::sync::Arc;

use authcore::ConfigError;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

/// Trusts the platform's certificates, and those in this PEM text besides.
pub(crate) fn trusting(pem: &[u8]) -> Result<TlsConnector, ConfigError> {
    let unreadable = |_| ConfigError::new("Redis certificates: the PEM text cannot be read");
    let roots: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    if roots.is_empty() && !pem.is_empty() {
        return Err(ConfigError::new("Redis certificates: none in the PEM text"));
    }
    let failed = |error: rustls::Error| ConfigError::new(format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let verifier = Arc::new(Verifier::new_with_extra_roots(roots, provider).map_err(failed)?);
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
