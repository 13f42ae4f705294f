//! `TLS_CERT`, `TLS_KEY` and `TLS_REDIRECT_PORT`.

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
    /// The port of the plain listener that only redirects to HTTPS (`TLS_REDIRECT_PORT`).
    pub redirect_port: Option<u16>,
}

/// The flags of these settings.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct TlsFlags {
    /// PEM file with the certificate chain, to serve HTTPS directly
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Port of a plain listener that only redirects to HTTPS; 0 picks a free one
    #[arg(long, value_name = "PORT", value_parser = values::whole::<u16>(0, 65535))]
    tls_redirect_port: Option<u16>,
}

impl TlsFlags {
    /// Both files or neither; the redirect only with them.
    pub fn complete(self) -> Result<Option<Tls>, Exit> {
        let pair = values::both(("TLS_CERT", self.tls_cert), ("TLS_KEY", self.tls_key))?;
        let redirect_port = self.tls_redirect_port;
        if pair.is_none() && redirect_port.is_some() {
            let reason = "is of use only with TLS_CERT and TLS_KEY";
            return Err(Exit::setting("TLS_REDIRECT_PORT", reason));
        }
        Ok(pair.map(|(cert, key)| Tls { cert, key, redirect_port }))
    }
}
