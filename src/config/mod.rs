//! Settings: read once from flags, environment and `.env`, and checked. No other module reads the
//! environment.
//!
//! There is one file per topic. Its clap group is the part of [`Config`] that the rest of the
//! program uses; only groups named `…Flags` are converted first.

mod access;
mod admin;
mod allow;
mod bot;
mod command;
mod dotenv;
mod exit;
mod findings;
mod limits;
mod listen;
mod log;
mod metrics;
mod misspelt;
mod mode;
mod providers;
mod storage;
mod tls;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
pub use secrecy::ExposeSecret;

pub use access::AccessConfig;
pub use admin::{AdminAccount, AdminConfig};
pub use allow::{AllowedHosts, AllowedOrigins, split_host};
pub use bot::BotConfig;
pub use command::Command;
pub use exit::Exit;
pub use findings::{Finding, Severity};
pub use limits::LimitsConfig;
pub use listen::ListenConfig;
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use misspelt::misspelt_settings;
pub use mode::AppEnv;
pub use providers::{ProviderSettings, ProvidersConfig};
pub use storage::{Database, StorageConfig};
pub use tls::Tls;

/// Text that `Debug` does not show and that is wiped from memory when dropped.
pub type Secret = secrecy::SecretString;

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The preset that was applied (`APP_ENV`).
    pub app_env: AppEnv,
    /// Whether errors carry details (`DEBUG`).
    pub debug: bool,
    /// Where the server listens.
    pub listen: ListenConfig,
    /// The files to serve HTTPS with, if any.
    pub tls: Option<Tls>,
    /// What is kept, and where.
    pub storage: StorageConfig,
    /// Who may use the server.
    pub access: AccessConfig,
    /// Settings of the admin panel.
    pub admin: AdminConfig,
    /// The providers, and which of them to ask.
    pub providers: ProvidersConfig,
    /// How the bot looks and speaks unless a session says otherwise.
    pub bot: BotConfig,
    /// How long sessions live and how much callers may ask for.
    pub limits: LimitsConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// The listener for Prometheus.
    pub metrics: MetricsConfig,
}

/// Every setting as its flag gives it. A flag's name in capitals is its variable.
#[derive(Args)]
struct Flags {
    #[command(flatten)]
    listen: ListenConfig,
    #[command(flatten)]
    mode: mode::ModeFlags,
    #[command(flatten)]
    tls: tls::TlsFlags,
    #[command(flatten)]
    storage: StorageConfig,
    #[command(flatten)]
    access: AccessConfig,
    #[command(flatten)]
    admin: admin::AdminFlags,
    #[command(flatten)]
    providers: providers::ProviderFlags,
    #[command(flatten)]
    bot: BotConfig,
    #[command(flatten)]
    limits: LimitsConfig,
    #[command(flatten)]
    log: LogConfig,
    #[command(flatten)]
    metrics: MetricsConfig,
}

/// Reads the settings of this process: its arguments, its environment, and `.env` in the working
/// folder.
///
/// # Errors
/// Help or the version if asked for, else the first thing that is wrong.
pub fn load() -> Result<(Command, Config), Exit> {
    parse(std::env::args_os(), &|name| std::env::var_os(name), Some(Path::new(".env")))
}

/// Reads the settings from `args` (the program's name first), from variables that `env` looks up,
/// and from the file `dotenv`, which need not exist. An earlier source wins over a later one; an
/// empty value counts as unset.
///
/// # Errors
/// See [`load`].
pub fn parse<I>(
    args: I,
    env: &dyn Fn(&str) -> Option<OsString>,
    dotenv: Option<&Path>,
) -> Result<(Command, Config), Exit>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let (command, flags) = command::read(args.into_iter().map(Into::into), env, dotenv)?;
    Ok((command, Config::from_flags(flags)?))
}

impl Config {
    /// Settings from a command line alone, the program's name first, regardless of environment and
    /// `.env`. For tests.
    ///
    /// # Errors
    /// See [`load`].
    pub fn parse_from<I>(args: I) -> Result<Self, Exit>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        parse(args, &|_| None, None).map(|(_, config)| config)
    }

    fn from_flags(flags: Flags) -> Result<Self, Exit> {
        let providers = flags.providers.complete()?;
        Ok(Self {
            app_env: flags.mode.app_env,
            debug: flags.mode.debug,
            listen: flags.listen,
            tls: flags.tls.complete()?,
            storage: flags.storage.complete(),
            access: flags.access,
            admin: flags.admin.complete(flags.mode.app_env)?,
            bot: flags.bot.complete(providers.chosen()),
            providers,
            limits: flags.limits,
            log: flags.log,
            metrics: flags.metrics,
        })
    }
}
