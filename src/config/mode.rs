//! `APP_ENV` and `DEBUG`.

use clap::{ArgAction, Args};

use super::values::{self, Parsed};

/// A preset for the settings that are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// Details in errors, readable logs.
    Development,
    /// No details in errors, JSON logs, a strong `SECRET_KEY`.
    Production,
    /// For tests of whatever uses this server: only warnings in the log, no rate limit.
    Testing,
}

/// The settings whose default depends on `APP_ENV`: environment, variable, value.
const PRESETS: [(AppEnv, &str, &str); 4] = [
    (AppEnv::Production, "DEBUG", "false"),
    (AppEnv::Production, "LOG_FORMAT", "json"),
    (AppEnv::Testing, "RUST_LOG", "warn"),
    (AppEnv::Testing, "RATE_LIMIT", "0"),
];

/// `APP_ENV` and `DEBUG`.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct ModeFlags {
    /// development, production or testing: presets for other settings
    #[arg(long, value_name = "NAME", default_value = "development", value_parser = AppEnv::parse)]
    pub app_env: AppEnv,
    /// Whether errors carry details
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "true",
        value_parser = values::boolean,
        action = ArgAction::Set
    )]
    pub debug: bool,
}

impl AppEnv {
    /// Parses a preset's name.
    pub(super) fn parse(text: &str) -> Parsed<Self> {
        match text.trim() {
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            "testing" => Ok(Self::Testing),
            _ => Err("must be development, production or testing".to_owned()),
        }
    }

    /// The name that [`AppEnv::parse`] reads.
    fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
            Self::Testing => "testing",
        }
    }

    /// The default of `variable` in this environment, if it is a special one.
    pub(super) fn preset(self, variable: &str) -> Option<&'static str> {
        PRESETS.iter().find(|(env, name, _)| (*env, *name) == (self, variable)).map(|it| it.2)
    }
}

/// The default of `variable` as help shows it, if it depends on the environment; `usual` is the
/// default elsewhere.
pub(super) fn describe_presets(variable: &str, usual: &str) -> Option<String> {
    let (env, _, value) = PRESETS.iter().find(|(_, name, _)| *name == variable)?;
    Some(format!("{value} in {}, else {usual}", env.name()))
}
