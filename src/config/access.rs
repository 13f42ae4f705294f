//! `ALLOWED_HOSTS`, `ALLOWED_ORIGINS` and `TRUSTED_PROXIES`.

use clap::Args;
use ipnet::IpNet;

use super::allow::{AllowedHosts, AllowedOrigins};
use super::values::{self, List};

/// Who may use the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Access")]
pub struct AccessConfig {
    /// Host names served, comma-separated; .example.com includes subdomains
    #[arg(long, value_name = "HOSTS", default_value = "*", value_parser = AllowedHosts::parse)]
    pub allowed_hosts: AllowedHosts,
    /// Origins of the pages that may use the chat, comma-separated
    #[arg(long, value_name = "ORIGINS", default_value = "*", value_parser = AllowedOrigins::parse)]
    pub allowed_origins: AllowedOrigins,
    /// Networks whose X-Forwarded-For header is trusted, comma-separated
    #[arg(long, value_name = "CIDRS", default_value = "127.0.0.0/8,::1", value_parser = values::networks)]
    pub trusted_proxies: List<IpNet>,
}
