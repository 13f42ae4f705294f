//! From the text of one setting to its checked value. Each error completes the sentence that the
//! setting's name begins, and repeats nothing of the value.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{AppEnv, LogFormat, Secret};
use crate::domain::ProviderKind;
use crate::domain::check::{MAX_NAME, is_name};
use crate::domain::look::{is_colour, is_icon};

/// A `Vec` by another name: clap takes a field of type `Vec` for a flag that may be repeated,
/// while these hold one value with several parts.
pub type List<T> = Vec<T>;

/// What went wrong, without the setting's name: `must be …`.
pub type Checked<T> = Result<T, String>;

/// `DATABASE_URL` before the data folder is known.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file; may begin with `{DATA_DIR}/`.
    Redb(String),
    /// A whole URL, with its password.
    Postgres(Secret),
}

fn refuse<T>(text: &str) -> Checked<T> {
    Err(text.to_owned())
}

/// A whole number from `min` to `max`.
pub fn whole<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Checked<T> + Clone + Send + Sync + 'static {
    move |text| {
        in_range(text, min..=max)
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("must be a number from {min} to {max}"))
    }
}

/// A duration in whole seconds, at least `min` and at most about 136 years.
pub fn seconds(min: u64) -> impl Fn(&str) -> Checked<Duration> + Clone + Send + Sync + 'static {
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

/// `true`, `false` and what else is commonly written for them.
pub fn boolean(text: &str) -> Checked<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => refuse("must be true or false"),
    }
}

/// A preset's name.
pub fn app_env(text: &str) -> Checked<AppEnv> {
    match text.trim() {
        "development" => Ok(AppEnv::Development),
        "production" => Ok(AppEnv::Production),
        "testing" => Ok(AppEnv::Testing),
        _ => refuse("must be development, production or testing"),
    }
}

/// A log format's name.
pub fn log_format(text: &str) -> Checked<LogFormat> {
    match text.trim() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => refuse("must be text or json"),
    }
}

/// A filter of tracing.
pub fn log_filter(text: &str) -> Checked<String> {
    let text = text.trim();
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => refuse("must be a log filter such as info or warn,chatbot_widget=debug"),
    }
}

/// A provider's name.
pub fn provider(text: &str) -> Checked<ProviderKind> {
    text.trim().parse()
}

/// An IP address, or `localhost` for 127.0.0.1. Other names are refused: a static executable asks
/// no resolver of the system, and a server listens on addresses of its own machine.
pub fn host(text: &str) -> Checked<IpAddr> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().or_else(|_| refuse("must be an IP address such as 127.0.0.1 or ::, or localhost"))
}

/// `ip:port`, `[ip]:port` or `localhost:port`.
pub fn socket(text: &str) -> Checked<SocketAddr> {
    let text = text.trim();
    let parsed = match text.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| (Ipv4Addr::LOCALHOST, port).into()).ok(),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| "must be an address and port such as 127.0.0.1:9100".to_owned())
}

/// Networks as `10.0.0.0/8`, or single addresses, separated by commas.
pub fn networks(text: &str) -> Checked<List<IpNet>> {
    items(text)
        .map(|item| item.parse::<IpNet>().ok().or_else(|| item.parse().map(IpAddr::into).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| "must be networks such as 10.0.0.0/8, separated by commas".to_owned())
}

/// The parts of a list with commas, without the empty ones.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Any text that is to be kept from others' eyes, exactly as it is given.
pub fn secret(text: &str) -> Checked<Secret> {
    if text.contains('\0') { refuse("must not contain NUL") } else { Ok(text.into()) }
}

/// A key that goes into a header: printable ASCII. White space around it, such as the line end of
/// the file that it was read from, is dropped.
pub fn api_key(text: &str) -> Checked<Secret> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        refuse("must be printable ASCII without spaces")
    }
}

/// The address of an API.
pub fn base_url(text: &str) -> Checked<Url> {
    const WANTED: &str = "must be an http:// or https:// address, without password, ? or #";
    let text = text.trim();
    let url = Url::parse(text).map_err(|_| WANTED.to_owned())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain {
        Ok(url)
    } else {
        refuse(WANTED)
    }
}

/// `redb://FILE` or `postgresql://…` (`postgres://` is the same).
pub fn database_url(text: &str) -> Checked<DatabaseUrl> {
    const WANTED: &str = "must be redb://FILE or postgresql://USER:PASS@HOST/DB";
    let text = text.trim();
    if let Some(file) = text.strip_prefix("redb://") {
        let is_file = !file.is_empty() && !file.ends_with('/') && !file.contains('\0');
        return if is_file { Ok(DatabaseUrl::Redb(file.to_owned())) } else { refuse(WANTED) };
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgresql" | "postgres") && url.has_authority() => {
            Ok(DatabaseUrl::Postgres(text.into()))
        }
        _ => refuse(WANTED),
    }
}

/// The name of a bot or a model.
pub fn name(text: &str) -> Checked<String> {
    let text = text.trim();
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be at most {MAX_NAME} characters, without control characters"))
    }
}

/// Names separated by commas.
pub fn names(text: &str) -> Checked<List<String>> {
    items(text).map(name).collect()
}

/// The name of an account.
pub fn username(text: &str) -> Checked<String> {
    let text = text.trim();
    if text.chars().count() <= 150 && !text.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        Ok(text.to_owned())
    } else {
        refuse("must be at most 150 characters, without spaces and control characters")
    }
}

/// Text of any length.
pub fn text(text: &str) -> Checked<String> {
    if text.contains('\0') { refuse("must not contain NUL") } else { Ok(text.trim().to_owned()) }
}

/// A CSS colour.
pub fn colour(text: &str) -> Checked<String> {
    let text = text.trim();
    if is_colour(text) {
        Ok(text.to_owned())
    } else {
        refuse("must be a CSS colour such as #667eea")
    }
}

/// A picture's address.
pub fn icon(text: &str) -> Checked<String> {
    let text = text.trim();
    if is_icon(text) {
        Ok(text.to_owned())
    } else {
        refuse("must be an http(s) address, a relative path or a data:image address")
    }
}

/// A JSON array of texts, none of them blank.
pub fn suggestions(text: &str) -> Checked<List<String>> {
    serde_json::from_str::<Vec<String>>(text)
        .ok()
        .filter(|all| all.iter().all(|one| !one.trim().is_empty() && is_name(one)))
        .ok_or_else(|| {
            format!("must be a JSON array of texts of at most {MAX_NAME} characters each")
        })
}
