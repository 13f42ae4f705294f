//! `CHAT_*`, `MAX_*` and other limits.

use std::time::Duration;

use clap::Args;

use super::values::{self, List};

/// How long sessions live and how much callers may ask for.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions and limits")]
pub struct LimitsConfig {
    /// Seconds without activity until a session expires
    #[arg(long = "chat-session-timeout", value_name = "SECONDS", default_value = "1800", value_parser = values::seconds(1))]
    pub session_timeout: Duration,
    /// Seconds to keep an expired session's transcript (not supported by this version)
    #[arg(long = "chat-retention", value_name = "SECONDS", default_value = "0", value_parser = values::seconds(0))]
    pub retention: Duration,
    /// Maximum size of an upload
    #[arg(long, value_name = "BYTES", default_value = "10485760", value_parser = values::whole::<usize>(1, 1 << 30))]
    pub max_upload_bytes: usize,
    /// Maximum length of a message, in characters
    #[arg(long, value_name = "N", default_value = "10000", value_parser = values::whole::<usize>(1, 10_000_000))]
    pub max_message_chars: usize,
    /// Maximum size of a JSON body
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = values::whole::<usize>(1024, 1 << 30))]
    pub max_body_bytes: usize,
    /// Messages, uploads, file queries and new sessions a minute for each client; 0 is unlimited
    #[arg(long, value_name = "N", default_value = "30", value_parser = values::whole::<u32>(0, 1_000_000))]
    pub rate_limit: u32,
    /// Models that callers may ask for, comma-separated [default: any]
    #[arg(long, value_name = "NAMES", default_value = "", value_parser = values::names)]
    pub allowed_models: List<String>,
    /// Highest maxTokens that callers may ask for
    #[arg(long = "max-tokens-limit", value_name = "N", default_value = "4096", value_parser = values::whole::<u32>(1, 1_000_000))]
    pub max_tokens: u32,
    /// Token budget of one model call
    #[arg(long, value_name = "N", default_value = "16000", value_parser = values::whole::<usize>(1000, 10_000_000))]
    pub context_tokens: usize,
}
