//! `HOST` and `PORT`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;

use super::values::{self, Parsed};

/// Where the server listens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ListenConfig {
    /// IP address to listen on, or localhost
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", value_parser = host)]
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value = "8000", value_parser = values::whole::<u16>(0, 65535))]
    pub port: u16,
}

impl ListenConfig {
    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        (self.host, self.port).into()
    }
}

/// Parses an IP address, or `localhost` as 127.0.0.1. Other names are refused: a static executable
/// has no system resolver, and a server listens on addresses of its own machine.
fn host(text: &str) -> Parsed<IpAddr> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse()
        .map_err(|_| "must be an IP address such as 127.0.0.1 or ::, or localhost".to_owned())
}
