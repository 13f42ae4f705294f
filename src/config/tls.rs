//! `TLS_CERT` and `TLS_KEY`.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::values;

/// PEM files to serve HTTPS with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain (`TLS_CERT`).
    pub cert: PathBuf,
    /// The private key (`TLS_KEY`).
    pub key: PathBuf,
}

/// `TLS_CERT` and `TLS_KEY`.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct TlsFlags {
    /// PEM file with the certificate chain, to serve HTTPS directly
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

impl TlsFlags {
    /// Both files or neither.
    pub fn complete(self) -> Result<Option<Tls>, Exit> {
        let pair = values::both(("TLS_CERT", self.tls_cert), ("TLS_KEY", self.tls_key))?;
        Ok(pair.map(|(cert, key)| Tls { cert, key }))
    }
}
