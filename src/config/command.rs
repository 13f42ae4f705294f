//! The command line: commands and flags, and where the value of each setting comes from.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand};

use super::exit::Exit;
use super::{AppEnv, Flags, dotenv, mode};

const NAME: &str = "chatbot-widget";

/// What the program should do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the chat; the default command
    Serve,
    /// Print the OpenAPI document
    Openapi,
    /// Check whether the server that runs with these settings is ready: exit code 0 or 1
    Healthcheck,
}

/// Reads the command line and completes it: a flag wins over the variable in `env`, that over the
/// one in the file `dotenv` (which need not exist), that over the default. An empty value counts as
/// unset.
pub fn read(
    args: impl IntoIterator<Item = OsString>,
    env: &dyn Fn(&str) -> Option<OsString>,
    dotenv: Option<&Path>,
) -> Result<(Command, Flags), Exit> {
    let given = command_line().try_get_matches_from(args).map_err(|error| describe(&error))?;
    let command = match given.subcommand_name() {
        Some(_) => Command::from_arg_matches(&given).map_err(|error| describe(&error))?,
        None => Command::Serve,
    };
    let file = dotenv.map(dotenv::read).transpose()?.unwrap_or_default();

    // Once the source of each value is settled, clap reads them all as if they were flags, so that
    // each goes through the same check and a wrong value that is overridden does no harm.
    let definition = Flags::augment_args(clap::Command::new(NAME));
    let sources = |arg: &Arg, variable: &str| {
        [from_flag(&given, arg), env(variable), file.get(variable).map(OsString::from)]
    };
    let flags = settle(&definition, &sources)?;
    let flags = definition.try_get_matches_from(flags).map_err(|error| describe(&error))?;
    Ok((command, Flags::from_arg_matches(&flags).map_err(|error| describe(&error))?))
}

/// The command line that gives each flag of `definition` its first non-blank value among `sources`,
/// else its preset, if it has one.
fn settle(
    definition: &clap::Command,
    sources: &dyn Fn(&Arg, &str) -> [Option<OsString>; 3],
) -> Result<Vec<String>, Exit> {
    let mut values = Vec::new();
    for arg in definition.get_arguments() {
        let variable = variable_of(arg);
        let given = sources(arg, &variable).into_iter().flatten().find(|value| !is_blank(value));
        let value = given
            .map(|value| value.into_string().map_err(|_| Exit::setting(&variable, "must be UTF-8")))
            .transpose()?;
        values.push((arg.get_long().unwrap_or_default(), variable, value));
    }
    // clap reports a wrong APP_ENV later, in its turn.
    let app_env = values
        .iter()
        .find(|(_, variable, _)| variable == "APP_ENV")
        .and_then(|(_, _, value)| AppEnv::parse(value.as_deref()?).ok());
    let mut command_line = vec![NAME.to_owned()];
    for (flag, variable, value) in values {
        let preset = || app_env?.preset(&variable).map(str::to_owned);
        if let Some(value) = value.or_else(preset) {
            command_line.push(format!("--{flag}={value}"));
        }
    }
    Ok(command_line)
}

/// What users see: commands and flags, with flags allowed before and after the command. Values are
/// not parsed yet.
fn command_line() -> clap::Command {
    let command = clap::Command::new(NAME)
        .version(env!("BUILD_VERSION"))
        .after_help(
            "A flag wins over its environment variable, that over a line of .env in the working \
             folder, that over the default. An empty value counts as unset. Pass secrets through \
             the environment: other users of the machine can read flags.",
        )
        .args_override_self(true)
        .disable_help_subcommand(true)
        .max_term_width(100);
    let command = Flags::augment_args(command).mut_args(|arg| {
        let help = describe_arg(&arg);
        let default = arg.get_default_values().first();
        let has_own_text =
            default.is_some_and(|text| text.is_empty()) || preset_text(&arg).is_some();
        arg.help(help)
            .hide_default_value(has_own_text)
            .global(true)
            .value_parser(ValueParser::os_string())
    });
    // The commands bring their own `about`, that of the enum.
    Command::augment_subcommands(command).about(env!("CARGO_PKG_DESCRIPTION"))
}

/// A flag's help with its variable, and its default where that is not a fixed value: the end of the
/// help if it depends on other settings, the presets if it depends on `APP_ENV`.
fn describe_arg(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let (help, default) = help.split_at(help.find(" [default: ").unwrap_or(help.len()));
    let preset = preset_text(arg).map(|text| format!(" [default: {text}]")).unwrap_or_default();
    format!("{help} [env: {}]{default}{preset}", variable_of(arg))
}

fn preset_text(arg: &Arg) -> Option<String> {
    let usual = arg.get_default_values().first()?.to_str()?;
    mode::describe_presets(&variable_of(arg), usual)
}

fn from_flag(given: &ArgMatches, arg: &Arg) -> Option<OsString> {
    let id = arg.get_id().as_str();
    match given.value_source(id) {
        Some(ValueSource::CommandLine) => given.get_one::<OsString>(id).cloned(),
        _ => None,
    }
}

/// The variable of a setting.
pub(super) fn variable_of(arg: &Arg) -> String {
    variable(arg.get_long().unwrap_or_default())
}

/// The variable that belongs to a flag: `data-dir` → `DATA_DIR`.
fn variable(flag: &str) -> String {
    flag.to_ascii_uppercase().replace('-', "_")
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// Turns a clap error into one line.
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
        ErrorKind::InvalidUtf8 => Exit::usage("an argument is not UTF-8"),
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Exit::usage(&format!("{line}{} (see --help)", suggestion(error)))
        }
    }
}

/// clap's guess at what was meant: `; did you mean '--port'?`.
fn suggestion(error: &clap::Error) -> String {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let guess = kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(guess) => Some(guess),
        ContextValue::Strings(guesses) => guesses.first(),
        _ => None,
    });
    guess.map(|guess| format!("; did you mean '{guess}'?")).unwrap_or_default()
}
