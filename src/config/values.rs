//! Parsers that several settings share. Each error completes the sentence that begins with the
//! setting's name, and never repeats the value.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use super::Secret;
use super::exit::Exit;
use crate::domain::check::{MAX_NAME, is_name};

/// A `Vec` under another name: clap takes a field of type `Vec` for a flag that may be repeated,
/// while these hold one value with several parts.
pub type List<T> = Vec<T>;

/// What is wrong, without the setting's name: `must be …`.
pub type Parsed<T> = Result<T, String>;

/// Parses a whole number from `min` to `max`.
pub fn whole<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Parsed<T> + Clone + Send + Sync + 'static {
    move |text| {
        in_range(text, min..=max)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("must be a number from {min} to {max}"))
    }
}

/// Parses a duration in whole seconds, from `min` to about 136 years.
pub fn seconds(min: u64) -> impl Fn(&str) -> Parsed<Duration> + Clone + Send + Sync + 'static {
    let max = u64::from(u32::MAX);
    move |text| {
        in_range(text, min..=max)
            .map(Duration::from_secs)
            .ok_or_else(|| format!("must be a whole number of seconds from {min} to {max}"))
    }
}

fn in_range(text: &str, range: RangeInclusive<u64>) -> Option<u64> {
    text.trim().parse().ok().filter(|number| range.contains(number))
}

/// Parses `true`, `false` and their usual spellings.
pub fn boolean(text: &str) -> Parsed<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

/// Parses networks such as `10.0.0.0/8`, or single addresses, separated by commas.
pub fn networks(text: &str) -> Parsed<List<IpNet>> {
    items(text)
        .map(|item| item.parse::<IpNet>().ok().or_else(|| item.parse().map(IpAddr::into).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| "must be networks such as 10.0.0.0/8, separated by commas".to_owned())
}

/// The non-empty parts of a comma-separated list.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Takes a secret exactly as it is given.
pub fn secret(text: &str) -> Parsed<Secret> {
    without_nul(text).map(Secret::from)
}

/// Takes text of any length, without surrounding white space.
pub fn text(text: &str) -> Parsed<String> {
    without_nul(text).map(|text| text.trim().to_owned())
}

fn without_nul(text: &str) -> Parsed<&str> {
    if text.contains('\0') { Err("must not contain NUL".to_owned()) } else { Ok(text) }
}

/// Parses the name of a bot or a model.
pub fn name(text: &str) -> Parsed<String> {
    let text = text.trim();
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be at most {MAX_NAME} characters, without control characters"))
    }
}

/// Parses names separated by commas.
pub fn names(text: &str) -> Parsed<List<String>> {
    items(text).map(name).collect()
}

/// Parses the name of an account.
pub fn username(text: &str) -> Parsed<String> {
    let text = text.trim();
    if text.chars().count() <= 150 && !text.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        Ok(text.to_owned())
    } else {
        Err("must be at most 150 characters, without spaces and control characters".to_owned())
    }
}

/// Two settings, each with its variable, that only work together: both or neither.
pub fn both<A, B>(
    first: (&str, Option<A>),
    second: (&str, Option<B>),
) -> Result<Option<(A, B)>, Exit> {
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
