mod findings;
mod help;
mod meaning;
mod misspelt;
mod refusals;
mod sources;

use ipnet::IpNet;

use crate::domain::Timestamp;

use super::*;

/// 2026-11-25, the day of the built-in table of models.
const TODAY: Timestamp = Timestamp(1_795_564_800_000);

/// The variables of the configuration table.
const VARIABLES: &str = "HOST PORT DATA_DIR DATABASE_URL APP_ENV DEBUG SECRET_KEY ALLOWED_HOSTS
    ALLOWED_ORIGINS ANTHROPIC_API_KEY OPENAI_API_KEY ANTHROPIC_BASE_URL OPENAI_BASE_URL
    OPENAI_API CLAUDE_MODEL OPENAI_MODEL AI_PROVIDER AI_FALLBACK BOT_NAME BOT_POWERED_BY BOT_COLOR
    BOT_MSG_BG_COLOR BOT_ICON CLAUDE_BOT_NAME OPENAI_BOT_NAME BOT_WELCOME BOT_SUGGESTIONS
    BOT_INSTRUCTIONS CHAT_SESSION_TIMEOUT CHAT_RETENTION MAX_UPLOAD_BYTES MAX_MESSAGE_CHARS
    MAX_BODY_BYTES CONTEXT_TOKENS RATE_LIMIT TRUSTED_PROXIES TLS_CERT TLS_KEY TLS_REDIRECT_PORT
    ADMIN_USERNAME ADMIN_PASSWORD METRICS_ADDR LOG_FORMAT RUST_LOG MAX_TOKENS_LIMIT ALLOWED_MODELS
    PRICES";

fn flag(variable: &str) -> String {
    format!("--{}", variable.to_lowercase().replace('_', "-"))
}

/// Reads a command line (without the program's name) and variables, and `.env` if there is a text.
fn read(
    args: &[&str],
    env: &[(&str, &str)],
    dotenv: Option<&str>,
) -> Result<(Command, Config), Exit> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    if let Some(text) = dotenv {
        std::fs::write(&path, text).unwrap();
    }
    let look_up = |name: &str| {
        env.iter().find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    };
    parse(["chatbot-widget"].iter().chain(args).copied(), &look_up, Some(&path))
}

fn from_env(env: &[(&str, &str)]) -> Config {
    read(&[], env, None).unwrap().1
}

fn refusal(env: &[(&str, &str)]) -> String {
    let exit = read(&[], env, None).unwrap_err();
    assert_eq!(exit.code(), 2, "{env:?}");
    exit.to_string()
}

fn shown(networks: &[IpNet]) -> Vec<String> {
    networks.iter().map(ToString::to_string).collect()
}
