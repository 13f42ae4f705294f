//! `LOG_FORMAT` and `RUST_LOG`.

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::values::Parsed;

/// What is logged, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Logs and metrics")]
pub struct LogConfig {
    /// Format of log lines: text or json
    #[arg(long = "log-format", value_name = "NAME", default_value = "text", value_parser = LogFormat::parse)]
    pub format: LogFormat,
    /// What is logged, such as info,chatbot_widget=debug
    #[arg(long = "rust-log", value_name = "FILTER", default_value = "info", value_parser = filter)]
    pub filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For log collectors: one object per line.
    Json,
}

impl LogFormat {
    fn parse(text: &str) -> Parsed<Self> {
        match text.trim() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json".to_owned()),
        }
    }
}

/// Checks a filter of tracing-subscriber.
fn filter(text: &str) -> Parsed<String> {
    let text = text.trim();
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be a log filter such as info or warn,chatbot_widget=debug".to_owned()),
    }
}
