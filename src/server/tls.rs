//! The certificate that HTTPS is served with, and its replacement while the server runs.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Why a certificate cannot be used. `Display` is one line that names the setting.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{setting}: cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not PEM, or holds something else.
    #[error("{setting}: {path} holds no {wanted} in PEM form", path = path.display())]
    NotPem {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
    },
    /// The key is not the certificate's.
    #[error("TLS_KEY: is not the key of the certificate in TLS_CERT")]
    Mismatch,
    /// rustls rejects the certificate or the key.
    #[error("{setting}: cannot be used: {source}")]
    Unusable {
        /// The setting that is to blame.
        setting: &'static str,
        /// What rustls says.
        source: rustls::Error,
    },
}

/// The certificate in use. New connections get the latest one that could be loaded.
#[derive(Debug)]
pub struct Certificates {
    files: Tls,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// If either cannot be used, or they do not belong together.
    pub fn load(files: Tls) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let current = RwLock::new(Arc::new(read(&files, &provider)?));
        Ok(Arc::new(Self { files, provider, current }))
    }

    /// Reads the files again. The certificate in use stays if that fails.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn reload(&self) -> Result<(), CertificateError> {
        let new = Arc::new(read(&self.files, &self.provider)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// What accepts TLS connections with the certificate in use: TLS 1.2 and 1.3, HTTP/2 and
    /// HTTP/1.1.
    ///
    /// # Errors
    /// If rustls cannot be set up.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let cert = fs::read(&files.cert).map_err(|source| CertificateError::Unreadable {
        setting: "TLS_CERT",
        path: files.cert.clone(),
        source,
    })?;
    let key = fs::read(&files.key).map_err(|source| CertificateError::Unreadable {
        setting: "TLS_KEY",
        path: files.key.clone(),
        source,
    })?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&cert).collect();
    let chain =
        chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| CertificateError::NotPem {
            setting: "TLS_CERT",
            path: files.cert.clone(),
            wanted: "certificate",
        })?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| CertificateError::NotPem {
        setting: "TLS_KEY",
        path: files.key.clone(),
        wanted: "private key",
    })?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|source| CertificateError::Unusable { setting: "TLS_KEY", source })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // Unknown: the kind of key does not reveal its public half.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::Mismatch),
        Err(source) => Err(CertificateError::Unusable { setting: "TLS_CERT", source }),
    }
}
