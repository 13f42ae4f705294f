//! Variables that look like misspelt settings. They have no effect, which nobody would notice.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::command::variable_of;
use super::{Finding, Flags, Severity, dotenv};

/// Names under which other programs have the same setting, and ours.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("ANTHROPIC_KEY", "ANTHROPIC_API_KEY"),
    ("CLAUDE_API_KEY", "ANTHROPIC_API_KEY"),
    ("CLAUDE_KEY", "ANTHROPIC_API_KEY"),
    ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    ("OPENAI_KEY", "OPENAI_API_KEY"),
];

/// Shorter names resemble those of too many other programs.
const MIN_CHARS: usize = 6;

/// Warnings about variables of this process and of `.env` in the working folder that look like
/// misspelt settings.
pub fn misspelt_settings() -> Vec<Finding> {
    let names = std::env::vars_os().map(|(name, _)| name).filter_map(|name: OsString| {
        // A setting has an ASCII name.
        name.into_string().ok()
    });
    // A file that cannot be read has been reported.
    let file = dotenv::read(Path::new(".env")).unwrap_or_default();
    misspelt(names.chain(file.into_keys()))
}

/// Warnings about those of `names` that look like misspelt settings. A setting that is also among
/// `names` is not suggested: whoever has set it knows its name.
pub(super) fn misspelt(names: impl Iterator<Item = String>) -> Vec<Finding> {
    let flags = Flags::augment_args(clap::Command::new(""));
    let settings: Vec<String> = flags.get_arguments().map(variable_of).collect();
    let names: BTreeSet<String> = names.collect();
    names
        .iter()
        .filter(|name| !settings.contains(name))
        .filter_map(|name| {
            let meant = other_name(name).or_else(|| similar(name, &settings))?;
            (!names.contains(meant)).then(|| Finding {
                setting: name.clone().into(),
                severity: Severity::Warning,
                text: format!("is not a setting and has no effect; did you mean {meant}?"),
            })
        })
        .collect()
}

fn other_name(name: &str) -> Option<&'static str> {
    OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours)
}

/// The setting whose name differs in case and underscores only, or by a slip or two of a finger.
fn similar<'a>(name: &str, settings: &'a [String]) -> Option<&'a str> {
    let letters = |text: &str| text.replace('_', "").to_ascii_uppercase();
    let (own, length) = (letters(name), name.chars().count());
    if length < MIN_CHARS {
        return None;
    }
    let slips = if length < 10 { 1 } else { 2 };
    settings
        .iter()
        .map(|setting| (strsim::damerau_levenshtein(&own, &letters(setting)), setting))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, setting)| setting.as_str())
}
