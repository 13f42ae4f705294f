//! The command line: commands and flags, and where the value of each setting comes from.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand};
use ipnet::IpNet;
use url::Url;

use super::allow::{AllowedHosts, AllowedOrigins};
use super::values::{self, DatabaseUrl, List};
use super::{AppEnv, Exit, LogFormat, Secret, dotenv};
use crate::domain::ProviderKind;

const NAME: &str = "chatbot-widget";

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the chat; also when no command is named
    Serve,
    /// Print the OpenAPI document
    Openapi,
    /// Ask the server that runs with these settings whether it is ready: exit code 0 or 1
    Healthcheck,
}

/// Every setting as its flag gives it. A field's name is the flag's and, in capitals, the
/// variable's.
#[derive(Args)]
pub struct Settings {
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub storage: Storage,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub models: Models,
    #[command(flatten)]
    pub bot: Bot,
    #[command(flatten)]
    pub bounds: Bounds,
    #[command(flatten)]
    pub reports: Reports,
}

#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct Server {
    /// Address to listen on, or localhost
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", value_parser = values::host)]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value = "8000", value_parser = values::whole::<u16>(0, 65535))]
    pub port: u16,
    /// development, production or testing: presets for the rest
    #[arg(long, value_name = "NAME", default_value = "development", value_parser = values::app_env)]
    pub app_env: AppEnv,
    /// Details in errors, readable logs [default: false in production, else true]
    #[arg(long, value_name = "BOOL", value_parser = values::boolean)]
    pub debug: Option<bool>,
    /// PEM file with the certificate chain, to serve HTTPS directly
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Port of a plain listener that only redirects to HTTPS; 0 takes a free one
    #[arg(long, value_name = "PORT", value_parser = values::whole::<u16>(0, 65535))]
    pub tls_redirect_port: Option<u16>,
}

#[derive(Args)]
#[command(next_help_heading = "Storage")]
pub struct Storage {
    /// Folder for everything that is kept; created if missing
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// redb://FILE or postgresql://USER:PASS@HOST/DB [default: redb://{DATA_DIR}/chatbot.redb]
    #[arg(long, value_name = "URL", value_parser = values::database_url)]
    pub database_url: Option<DatabaseUrl>,
}

#[derive(Args)]
#[command(next_help_heading = "Access")]
pub struct Access {
    /// Signs admin cookies; in production at least 32 bytes [default: made once and kept]
    #[arg(long, value_name = "SECRET", value_parser = values::secret)]
    pub secret_key: Option<Secret>,
    /// Host names served, comma-separated; .example.com includes subdomains
    #[arg(long, value_name = "HOSTS", default_value = "*", value_parser = AllowedHosts::parse)]
    pub allowed_hosts: AllowedHosts,
    /// Origins of the pages that may use the chat, comma-separated
    #[arg(long, value_name = "ORIGINS", default_value = "*", value_parser = AllowedOrigins::parse)]
    pub allowed_origins: AllowedOrigins,
    /// Networks whose X-Forwarded-For and -Proto count, comma-separated
    #[arg(long, value_name = "CIDRS", value_parser = values::networks)]
    pub trusted_proxies: Option<List<IpNet>>,
    /// Admin account to create at start if there is none
    #[arg(long, value_name = "NAME", value_parser = values::username)]
    pub admin_username: Option<String>,
    /// Its password
    #[arg(long, value_name = "SECRET", value_parser = values::secret)]
    pub admin_password: Option<Secret>,
}

#[derive(Args)]
#[command(next_help_heading = "Models")]
pub struct Models {
    /// Provider that answers: claude, openai or demo [default: claude, else the first configured]
    #[arg(long, value_name = "NAME", value_parser = values::provider)]
    pub ai_provider: Option<ProviderKind>,
    /// Provider to try when the first fails before its first word
    #[arg(long, value_name = "NAME", value_parser = values::provider)]
    pub ai_fallback: Option<ProviderKind>,
    /// Key for Anthropic's API; configures claude
    #[arg(long, value_name = "SECRET", value_parser = values::api_key)]
    pub anthropic_api_key: Option<Secret>,
    /// Where Anthropic's API is
    #[arg(long, value_name = "URL", default_value = "https://api.anthropic.com", value_parser = values::base_url)]
    pub anthropic_base_url: Url,
    /// Model of claude
    #[arg(long, value_name = "NAME", default_value = "claude-haiku-4-5", value_parser = values::name)]
    pub claude_model: String,
    /// Name that claude's answers carry
    #[arg(long, value_name = "NAME", default_value = "Claude Assistant", value_parser = values::name)]
    pub claude_bot_name: String,
    /// Key for OpenAI's API; configures openai
    #[arg(long, value_name = "SECRET", value_parser = values::api_key)]
    pub openai_api_key: Option<Secret>,
    /// Where an API like OpenAI's is; configures openai, with or without a key [default: OpenAI itself]
    #[arg(long, value_name = "URL", value_parser = values::base_url)]
    pub openai_base_url: Option<Url>,
    /// Model of openai
    #[arg(long, value_name = "NAME", default_value = "gpt-5.4-mini", value_parser = values::name)]
    pub openai_model: String,
    /// Name that openai's answers carry
    #[arg(long, value_name = "NAME", default_value = "GPT Assistant", value_parser = values::name)]
    pub openai_bot_name: String,
    /// Models that callers may name, comma-separated [default: any]
    #[arg(long, value_name = "NAMES", value_parser = values::names)]
    pub allowed_models: Option<List<String>>,
    /// Highest maxTokens that callers may ask for
    #[arg(long, value_name = "N", default_value = "4096", value_parser = values::whole::<u32>(1, 1_000_000))]
    pub max_tokens_limit: u32,
    /// Token budget of one model call
    #[arg(long, value_name = "N", default_value = "16000", value_parser = values::whole::<usize>(1000, 10_000_000))]
    pub context_tokens: usize,
}

#[derive(Args)]
#[command(next_help_heading = "Bot")]
pub struct Bot {
    /// The bot's name
    #[arg(long, value_name = "NAME", default_value = "Claude Assistant", value_parser = values::name)]
    pub bot_name: String,
    /// Who it is powered by
    #[arg(long, value_name = "NAME", default_value = "Claude", value_parser = values::name)]
    pub bot_powered_by: String,
    /// Main colour, as in CSS
    #[arg(long, value_name = "COLOUR", default_value = "#667eea", value_parser = values::colour)]
    pub bot_color: String,
    /// Colour behind the bot's messages, as in CSS
    #[arg(long, value_name = "COLOUR", default_value = "#667eea", value_parser = values::colour)]
    pub bot_msg_bg_color: String,
    /// Picture: http(s) address, relative path or data:image
    #[arg(long, value_name = "URL", value_parser = values::icon)]
    pub bot_icon: Option<String>,
    /// First words to a visitor; the widget's own, in the visitor's language, if not set
    #[arg(long, value_name = "TEXT", value_parser = values::text)]
    pub bot_welcome: Option<String>,
    /// Questions to offer, a JSON array of texts
    #[arg(long, value_name = "JSON", value_parser = values::suggestions)]
    pub bot_suggestions: Option<List<String>>,
    /// Instructions to the model: its system text
    #[arg(long, value_name = "TEXT", value_parser = values::text)]
    pub bot_instructions: Option<String>,
}

#[derive(Args)]
#[command(next_help_heading = "Sessions and limits")]
pub struct Bounds {
    /// Seconds without activity until a session expires
    #[arg(long, value_name = "SECONDS", default_value = "1800", value_parser = values::seconds(1))]
    pub chat_session_timeout: Duration,
    /// Seconds to keep an expired session's transcript for the admin panel
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = values::seconds(0))]
    pub chat_retention: Duration,
    /// Largest upload
    #[arg(long, value_name = "BYTES", default_value = "10485760", value_parser = values::whole::<usize>(1, 1 << 30))]
    pub max_upload_bytes: usize,
    /// Longest message
    #[arg(long, value_name = "N", default_value = "10000", value_parser = values::whole::<usize>(1, 10_000_000))]
    pub max_message_chars: usize,
    /// Largest JSON body
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = values::whole::<usize>(1024, 1 << 30))]
    pub max_body_bytes: usize,
    /// Messages, uploads and new sessions a minute and address, each; 0 is off [default: 30, in testing 0]
    #[arg(long, value_name = "N", value_parser = values::whole::<u32>(0, 1_000_000))]
    pub rate_limit: Option<u32>,
}

#[derive(Args)]
#[command(next_help_heading = "Logs and metrics")]
pub struct Reports {
    /// text or json [default: json in production, else text]
    #[arg(long, value_name = "NAME", value_parser = values::log_format)]
    pub log_format: Option<LogFormat>,
    /// What is logged, such as info,chatbot_widget=debug [default: info, in testing warn]
    #[arg(long, value_name = "FILTER", value_parser = values::log_filter)]
    pub rust_log: Option<String>,
    /// Address of a listener for Prometheus
    #[arg(long, value_name = "IP:PORT", value_parser = values::socket)]
    pub metrics_addr: Option<SocketAddr>,
}

/// Reads the command line and completes it: a flag wins over the variable in `env`, that over the
/// one in the file `dotenv` (which need not exist), that over the default. An empty value counts as
/// none.
pub fn read(
    args: impl IntoIterator<Item = OsString>,
    env: &dyn Fn(&str) -> Option<OsString>,
    dotenv: Option<&Path>,
) -> Result<(Command, Settings), Exit> {
    let given = command_line().try_get_matches_from(args).map_err(|error| describe(&error))?;
    let command = match given.subcommand_name() {
        Some(_) => Command::from_arg_matches(&given).map_err(|error| describe(&error))?,
        None => Command::Serve,
    };
    let file = dotenv.map(dotenv::read).transpose()?.unwrap_or_default();

    // Once the source of each value is settled, clap reads them all as if they were flags, so that
    // each goes through the same check and a wrong one that is overruled does no harm.
    let settings = Settings::augment_args(clap::Command::new(NAME));
    let mut flags = vec![OsString::from(NAME)];
    for arg in settings.get_arguments() {
        let variable = variable(arg.get_id().as_str());
        let sources =
            [from_flag(&given, arg), env(&variable), file.get(&variable).map(OsString::from)];
        let Some(value) = sources.into_iter().flatten().find(|value| !is_blank(value)) else {
            continue;
        };
        let Some(value) = value.to_str() else {
            return Err(Exit::setting(&variable, "must be UTF-8"));
        };
        flags.push(format!("--{}={value}", arg.get_long().unwrap_or_default()).into());
    }
    let settings = settings.try_get_matches_from(flags).map_err(|error| describe(&error))?;
    Ok((command, Settings::from_arg_matches(&settings).map_err(|error| describe(&error))?))
}

/// What the user sees: commands and flags, the flags on either side of the command. Values are
/// not looked into yet.
fn command_line() -> clap::Command {
    let command = clap::Command::new(NAME)
        .version(env!("BUILD_VERSION"))
        .after_help(
            "A flag wins over its environment variable, that over a line of .env in the working \
             folder, that over the default. An empty value counts as none. Give secrets by the \
             environment: other users of the machine can read flags.",
        )
        .args_override_self(true)
        .disable_help_subcommand(true)
        .max_term_width(100);
    let command = Settings::augment_args(command).mut_args(|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = variable(arg.get_id().as_str());
        // A default that depends on other settings stands in the help itself, at its end.
        let (help, default) = help.split_at(help.find(" [default: ").unwrap_or(help.len()));
        arg.help(format!("{help} [env: {variable}]{default}"))
            .global(true)
            .value_parser(ValueParser::os_string())
    });
    // The commands bring their own `about`, that of the enum.
    Command::augment_subcommands(command).about(env!("CARGO_PKG_DESCRIPTION"))
}

fn from_flag(given: &ArgMatches, arg: &Arg) -> Option<OsString> {
    let id = arg.get_id().as_str();
    match given.value_source(id) {
        Some(ValueSource::CommandLine) => given.get_one::<OsString>(id).cloned(),
        _ => None,
    }
}

/// The variable that goes with a field or flag: `data_dir`, `data-dir` → `DATA_DIR`.
fn variable(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// One line for whatever clap has to say.
fn describe(error: &clap::Error) -> Exit {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => flag.split([' ', '=']).next().unwrap_or_default(),
        _ => "",
    };
    let variable = variable(flag.trim_start_matches('-'));
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Exit::Info(error.render().to_string())
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            Exit::setting(&variable, &reason.unwrap_or_else(|| "is not valid".to_owned()))
        }
        ErrorKind::InvalidValue => Exit::setting(&variable, "needs a value"),
        ErrorKind::InvalidUtf8 => Exit::error("an argument is not UTF-8"),
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            Exit::error(&format!("{} (see --help)", line.trim_start_matches("error: ")))
        }
    }
}
