//! `METRICS_ADDR`.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use super::values::Parsed;

/// The listener for Prometheus.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs and metrics")]
pub struct MetricsConfig {
    /// Address of a separate listener for Prometheus
    #[arg(long = "metrics-addr", value_name = "IP:PORT", value_parser = socket)]
    pub addr: Option<SocketAddr>,
}

/// Parses `ip:port`, `[ip]:port` or `localhost:port`.
fn socket(text: &str) -> Parsed<SocketAddr> {
    let text = text.trim();
    let parsed = match text.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| (Ipv4Addr::LOCALHOST, port).into()).ok(),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| "must be an address and port such as 127.0.0.1:9100".to_owned())
}
