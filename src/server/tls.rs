//! Certificate chain and private key, from PEM files to what rustls takes.

use std::path::Path;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::TlsFiles;

/// Why certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read as PEM.
    #[error("setting {setting}: cannot read {path} as PEM: {why}")]
    Pem {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// They do not go together, or are of a sort that is not taken.
    #[error("settings tls-cert and tls-key: the certificate and the key cannot be used together")]
    Pair(#[source] rustls::Error),
}

/// The chain in a PEM file.
///
/// # Errors
///
/// [`TlsError::Pem`] if there is none in it.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong =
        |why: String| TlsError::Pem { setting: "tls-cert", path: path.display().to_string(), why };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() {
        Err(wrong("there is no certificate in it".to_owned()))
    } else {
        Ok(chain)
    }
}

/// Whether certificate and key can be used.
///
/// # Errors
///
/// [`TlsError`].
pub fn check(files: &TlsFiles) -> Result<(), TlsError> {
    server_config(files).map(|_| ())
}

/// What rustls takes: TLS 1.2 and 1.3, no client certificates.
///
/// # Errors
///
/// [`TlsError`].
pub(super) fn server_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::Pem {
        setting: "tls-key",
        path: files.key.display().to_string(),
        why: error.to_string(),
    })?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Pair)
}
