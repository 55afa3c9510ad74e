//! TLS: rustls with a provider named in code, so that no process-wide default is read or set.

use std::sync::Arc;

use authcore::ConfigError;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use crate::url::RedisUrl;

/// What connects over TLS, where the URL asks for it: trusts the platform's certificates, and those in this PEM text besides.
///
/// # Errors
///
/// [`ConfigError`] when the text holds no certificate, or is given for a URL without TLS.
pub fn connector(url: &RedisUrl, pem: Option<&[u8]>) -> Result<Option<TlsConnector>, ConfigError> {
    if !url.tls {
        let useless = |_| Err(ConfigError::new("Redis URL: certificates are for rediss://"));
        return pem.map_or(Ok(None), useless);
    }
    let unreadable = |_| ConfigError::new("Redis certificates: the PEM text cannot be read");
    let pems = CertificateDer::pem_slice_iter(pem.unwrap_or_default());
    let roots: Vec<_> = pems.collect::<Result<_, _>>().map_err(unreadable)?;
    if roots.is_empty() && pem.is_some() {
        return Err(ConfigError::new("Redis certificates: none in the PEM text"));
    }
    let failed = |error: rustls::Error| ConfigError::new(format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let verifier = Arc::new(Verifier::new_with_extra_roots(roots, provider).map_err(failed)?);
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(Some(TlsConnector::from(Arc::new(config))))
}
