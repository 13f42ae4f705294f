//! Settings: read once from flags, environment and `.env`, and lowered into a checked [`Config`].
//! Nobody else reads the environment.

mod allow;
mod cli;
mod dotenv;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ipnet::IpNet;
pub use secrecy::ExposeSecret;
use url::Url;

pub use allow::{AllowedHosts, AllowedOrigins, split_host};
pub use cli::Command;

use crate::domain::ProviderKind;
use cli::Settings;
use values::DatabaseUrl;

/// A text that `Debug` does not show, wiped from memory when dropped.
pub type Secret = secrecy::SecretString;

/// The fewest bytes of a `SECRET_KEY` in production.
const MIN_SECRET_KEY: usize = 32;

/// Where OpenAI's own API is.
const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The IP address to listen on (`HOST`).
    pub host: String,
    /// The port to listen on; 0 takes a free one (`PORT`).
    pub port: u16,
    /// The folder for everything that is kept (`DATA_DIR`).
    pub data_dir: PathBuf,
    /// What sessions are kept in (`DATABASE_URL`).
    pub database: Database,
    /// The preset that was applied (`APP_ENV`).
    pub app_env: AppEnv,
    /// Whether errors carry details (`DEBUG`).
    pub debug: bool,
    /// Signs admin cookies; made and kept in the store when absent (`SECRET_KEY`).
    pub secret_key: Option<Secret>,
    /// Hosts that requests may name (`ALLOWED_HOSTS`).
    pub allowed_hosts: AllowedHosts,
    /// Origins of the pages that may use the chat (`ALLOWED_ORIGINS`).
    pub allowed_origins: AllowedOrigins,
    /// Anthropic's API, if it is configured.
    pub anthropic: Option<ProviderSettings>,
    /// OpenAI's API or one like it, if it is configured.
    pub openai: Option<ProviderSettings>,
    /// The provider that the operator prefers, configured or not (`AI_PROVIDER`).
    pub ai_provider: ProviderKind,
    /// The provider to try when the first one fails (`AI_FALLBACK`).
    pub ai_fallback: Option<ProviderKind>,
    /// How the bot looks and speaks (`BOT_*`).
    pub bot: BotConfig,
    /// The highest `maxTokens` that callers may ask for (`MAX_TOKENS_LIMIT`).
    pub max_tokens_limit: u32,
    /// The models that callers may name; empty means any (`ALLOWED_MODELS`).
    pub allowed_models: Vec<String>,
    /// Time without activity until a session expires, at least 1 s (`CHAT_SESSION_TIMEOUT`).
    pub session_timeout: Duration,
    /// How long an expired session's transcript is kept (`CHAT_RETENTION`).
    pub retention: Duration,
    /// The largest upload in bytes (`MAX_UPLOAD_BYTES`).
    pub max_upload_bytes: usize,
    /// The longest message in characters (`MAX_MESSAGE_CHARS`).
    pub max_message_chars: usize,
    /// The largest JSON body in bytes (`MAX_BODY_BYTES`).
    pub max_body_bytes: usize,
    /// Budget of one model call in tokens, at least 1,000 (`CONTEXT_TOKENS`).
    pub context_tokens: usize,
    /// Messages, uploads and new sessions a minute and client address, each; 0 is off
    /// (`RATE_LIMIT`).
    pub rate_limit: u32,
    /// Networks whose forwarded headers count (`TRUSTED_PROXIES`).
    pub trusted_proxies: Vec<IpNet>,
    /// What to serve HTTPS with (`TLS_CERT`, `TLS_KEY`).
    pub tls: Option<Tls>,
    /// The account to create at start if there is none (`ADMIN_USERNAME`, `ADMIN_PASSWORD`).
    pub admin: Option<Admin>,
    /// Where Prometheus may ask (`METRICS_ADDR`).
    pub metrics_addr: Option<SocketAddr>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// What is allowed but hardly meant, to be logged once at start.
    pub warnings: Vec<String>,
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// A redb file.
    Redb(PathBuf),
    /// A PostgreSQL server: its URL, password included.
    Postgres(Secret),
}

/// A preset for the settings that are not given. Testing: details in errors, warnings only in the
/// log, no rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// Details in errors, readable logs.
    Development,
    /// No details in errors, JSON logs, a strong `SECRET_KEY`.
    Production,
    /// For tests of what uses this server.
    Testing,
}

/// A provider's API.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its address: http(s), without credentials, query and fragment.
    pub base_url: Url,
    /// Its key, printable ASCII; Anthropic always has one.
    pub key: Option<Secret>,
    /// The model that is asked when a session names none.
    pub model: String,
    /// The name that its answers carry.
    pub bot_name: String,
}

/// How the bot looks and speaks unless a session says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotConfig {
    /// Its name.
    pub name: String,
    /// Who it is powered by.
    pub powered_by: String,
    /// The main colour, CSS.
    pub color: String,
    /// The colour behind its messages, CSS.
    pub msg_bg_color: String,
    /// Its picture's address.
    pub icon: Option<String>,
    /// Its first words to a visitor.
    pub welcome: Option<String>,
    /// Questions to offer.
    pub suggestions: Vec<String>,
    /// The operator's system text.
    pub instructions: Option<String>,
}

/// PEM files to serve HTTPS with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The port of the plain listener that only redirects to HTTPS (`TLS_REDIRECT_PORT`).
    pub redirect_port: Option<u16>,
}

/// An admin account.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines are written (`LOG_FORMAT`).
    pub format: LogFormat,
    /// What is written: a valid filter of tracing-subscriber (`RUST_LOG`).
    pub filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors, one object a line.
    Json,
}

/// A reason to end before anything has begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// What was asked for, `--help` or `--version`: for stdout.
    #[error("{0}")]
    Info(String),
    /// Wrong usage or configuration: one line for stderr, `error: PORT: must be …`.
    #[error("error: {0}")]
    Usage(String),
}

impl Exit {
    /// Wrong usage. What is not printable in `text` is left out, so that it stays one line.
    fn error(text: &str) -> Self {
        Self::Usage(text.chars().filter(|c| !c.is_control()).collect())
    }

    /// A setting, by its variable, that is wrong.
    fn setting(variable: &str, reason: &str) -> Self {
        Self::error(&format!("{variable}: {reason}"))
    }

    /// The program's exit code: 0 or 2.
    pub fn code(&self) -> u8 {
        match self {
            Self::Info(_) => 0,
            Self::Usage(_) => 2,
        }
    }

    /// Writes it to where it belongs and gives the exit code. A closed pipe is no reason to fail.
    pub fn finish(&self) -> ExitCode {
        let _ = match self {
            Self::Info(text) => writeln!(io::stdout(), "{}", text.trim_end()),
            Self::Usage(_) => writeln!(io::stderr(), "{self}"),
        };
        ExitCode::from(self.code())
    }
}

/// Reads the settings of this process: its arguments, its environment, and `.env` in the working
/// folder.
pub fn load() -> Result<(Command, Config), Exit> {
    parse(std::env::args_os(), &|name| std::env::var_os(name), Some(Path::new(".env")))
}

/// Reads the settings from `args` (the program's name first), from variables that `env` looks up,
/// and from the file `dotenv`, which need not exist. An earlier source wins over a later one, an
/// empty value counts as none.
pub fn parse<I>(
    args: I,
    env: &dyn Fn(&str) -> Option<OsString>,
    dotenv: Option<&Path>,
) -> Result<(Command, Config), Exit>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let (command, settings) = cli::read(args.into_iter().map(Into::into), env, dotenv)?;
    Ok((command, Config::lower(settings)?))
}

impl Config {
    /// Settings from a command line alone, the program's name first, whatever the environment and
    /// `.env` say. For tests.
    pub fn parse_from<I>(args: I) -> Result<Self, Exit>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        parse(args, &|_| None, None).map(|(_, config)| config)
    }

    /// Whether a provider is configured. The demo always is.
    pub fn is_configured(&self, kind: ProviderKind) -> bool {
        match kind {
            ProviderKind::Claude => self.anthropic.is_some(),
            ProviderKind::OpenAi => self.openai.is_some(),
            ProviderKind::Demo => true,
        }
    }

    fn lower(settings: Settings) -> Result<Self, Exit> {
        let Settings { server, storage, access, models, bot, bounds, reports } = settings;
        let production = server.app_env == AppEnv::Production;
        let testing = server.app_env == AppEnv::Testing;

        if let Some(key) = access.secret_key.as_ref().filter(|_| production)
            && key.expose_secret().len() < MIN_SECRET_KEY
        {
            let reason = format!("must be at least {MIN_SECRET_KEY} bytes long in production");
            return Err(Exit::setting("SECRET_KEY", &reason));
        }
        let tls = both(("TLS_CERT", server.tls_cert), ("TLS_KEY", server.tls_key))?;
        if tls.is_none() && server.tls_redirect_port.is_some() {
            return Err(Exit::setting(
                "TLS_REDIRECT_PORT",
                "is of use only with TLS_CERT and TLS_KEY",
            ));
        }
        let admin = both(
            ("ADMIN_USERNAME", access.admin_username),
            ("ADMIN_PASSWORD", access.admin_password),
        )?;
        let log_format = if production { LogFormat::Json } else { LogFormat::Text };
        let log_filter = if testing { "warn" } else { "info" };
        let ai_provider = models.ai_provider;

        let mut config = Self {
            host: server.host.to_string(),
            port: server.port,
            database: database(storage.database_url, &storage.data_dir),
            data_dir: storage.data_dir,
            app_env: server.app_env,
            debug: server.debug.unwrap_or(!production),
            secret_key: access.secret_key,
            allowed_hosts: access.allowed_hosts,
            allowed_origins: access.allowed_origins,
            anthropic: models.anthropic_api_key.map(|key| ProviderSettings {
                base_url: models.anthropic_base_url,
                key: Some(key),
                model: models.claude_model,
                bot_name: models.claude_bot_name,
            }),
            openai: openai_base_url(models.openai_base_url, models.openai_api_key.is_some())?.map(
                |base_url| ProviderSettings {
                    base_url,
                    key: models.openai_api_key,
                    model: models.openai_model,
                    bot_name: models.openai_bot_name,
                },
            ),
            ai_provider: ai_provider.unwrap_or(ProviderKind::Claude),
            ai_fallback: models.ai_fallback,
            bot: BotConfig {
                name: bot.bot_name,
                powered_by: bot.bot_powered_by,
                color: bot.bot_color,
                msg_bg_color: bot.bot_msg_bg_color,
                icon: bot.bot_icon,
                welcome: bot.bot_welcome,
                suggestions: bot.bot_suggestions.unwrap_or_default(),
                instructions: bot.bot_instructions,
            },
            max_tokens_limit: models.max_tokens_limit,
            allowed_models: models.allowed_models.unwrap_or_default(),
            session_timeout: bounds.chat_session_timeout,
            retention: bounds.chat_retention,
            max_upload_bytes: bounds.max_upload_bytes,
            max_message_chars: bounds.max_message_chars,
            max_body_bytes: bounds.max_body_bytes,
            context_tokens: models.context_tokens,
            rate_limit: bounds.rate_limit.unwrap_or(if testing { 0 } else { 30 }),
            trusted_proxies: access.trusted_proxies.unwrap_or_default(),
            tls: tls.map(|(cert, key)| Tls { cert, key, redirect_port: server.tls_redirect_port }),
            admin: admin.map(|(username, password)| Admin { username, password }),
            metrics_addr: reports.metrics_addr,
            log: LogConfig {
                format: reports.log_format.unwrap_or(log_format),
                filter: reports.rust_log.unwrap_or_else(|| log_filter.to_owned()),
            },
            warnings: Vec::new(),
        };
        config.warnings = config.doubts(ai_provider);
        Ok(config)
    }

    /// What is allowed but hardly meant. `ai_provider` is what was asked for explicitly.
    fn doubts(&self, ai_provider: Option<ProviderKind>) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.app_env == AppEnv::Production && self.allowed_hosts.is_any() {
            doubts.push("ALLOWED_HOSTS: is * in production; name the hosts that are served".into());
        }
        for (variable, kind) in [("AI_PROVIDER", ai_provider), ("AI_FALLBACK", self.ai_fallback)] {
            if let Some(kind) = kind.filter(|kind| !self.is_configured(*kind)) {
                doubts.push(format!("{variable}: {kind} is not configured and will not be used"));
            }
        }
        doubts
    }
}

/// Two settings that go together: both or neither.
fn both<A, B>(first: (&str, Option<A>), second: (&str, Option<B>)) -> Result<Option<(A, B)>, Exit> {
    let missing = |variable: &str, other: &str| {
        Err(Exit::setting(variable, &format!("is needed beside {other}")))
    };
    match (first.1, second.1) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        (Some(_), None) => missing(second.0, first.0),
        (None, Some(_)) => missing(first.0, second.0),
    }
}

/// The database, a file of the data folder unless another is named.
fn database(url: Option<DatabaseUrl>, data_dir: &Path) -> Database {
    match url {
        None => Database::Redb(data_dir.join("chatbot.redb")),
        Some(DatabaseUrl::Postgres(url)) => Database::Postgres(url),
        Some(DatabaseUrl::Redb(file)) => Database::Redb(match file.strip_prefix("{DATA_DIR}/") {
            Some(rest) => data_dir.join(rest),
            None => file.into(),
        }),
    }
}

/// Where OpenAI's API is: configured by an address of its own or by a key.
fn openai_base_url(given: Option<Url>, has_key: bool) -> Result<Option<Url>, Exit> {
    match given {
        None if has_key => values::base_url(OPENAI_BASE_URL)
            .map(Some)
            .map_err(|reason| Exit::setting("OPENAI_BASE_URL", &reason)),
        given => Ok(given),
    }
}
