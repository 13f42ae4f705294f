//! Allow lists: hosts that requests may name, origins that pages may come from.

use std::net::Ipv6Addr;

use url::{Host, Url};

use super::values::{Parsed, items};

/// Host names that a request may carry in its `Host` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts(Option<Vec<HostRule>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct HostRule {
    /// Lowercase ASCII; IPv6 in brackets.
    name: String,
    /// Whether subdomains of `name` are allowed too.
    subdomains: bool,
    /// The only allowed port; `None` means any.
    port: Option<u16>,
}

impl AllowedHosts {
    /// Parses `*`, or names separated by commas: `example.com`, `.example.com` (the domain and its
    /// subdomains), `127.0.0.1`, `[::1]`, each with or without a port.
    pub fn parse(text: &str) -> Parsed<Self> {
        let any = items(text).any(|item| item == "*");
        let rules = items(text).filter(|item| *item != "*").map(HostRule::parse);
        let rules = rules.collect::<Option<Vec<_>>>().filter(|rules| any || !rules.is_empty());
        match rules {
            Some(_) if any => Ok(Self(None)),
            Some(rules) => Ok(Self(Some(rules))),
            None => Err("must be * or host names separated by commas, .example.com for subdomains"
                .to_owned()),
        }
    }

    /// Whether any host is allowed.
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a request with this `Host` header is allowed.
    pub fn allows(&self, header: &str) -> bool {
        let Some(rules) = &self.0 else {
            return true;
        };
        split_host(header)
            .is_some_and(|(name, port)| rules.iter().any(|rule| rule.matches(&name, port)))
    }
}

impl HostRule {
    fn parse(text: &str) -> Option<Self> {
        let (subdomains, rest) = match text.strip_prefix('.') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, port) = if rest.is_ascii() {
            split_host(rest)?
        } else {
            // Browsers send internationalised names in their ASCII form.
            let (name, port) = match rest.split_once(':') {
                Some((name, port)) => (name, Some(port.parse().ok()?)),
                None => (rest, None),
            };
            let Ok(Host::Domain(name)) = Host::parse(name) else {
                return None;
            };
            (name, port)
        };
        let is_address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok();
        (!(subdomains && is_address)).then_some(Self { name, subdomains, port })
    }

    fn matches(&self, name: &str, port: Option<u16>) -> bool {
        let is_subdomain = || {
            self.subdomains
                && name.strip_suffix(&self.name).is_some_and(|front| front.ends_with('.'))
        };
        (name == self.name || is_subdomain()) && (self.port.is_none() || self.port == port)
    }
}

/// Splits `name[:port]`, as in a `Host` header, into the lowercase name without a trailing dot and
/// the port. `None` if it is not a host.
pub fn split_host(text: &str) -> Option<(String, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = if rest.is_empty() { None } else { port(rest.strip_prefix(':')?)? };
        return Some((format!("[{address}]"), port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, digits)) => (name, port(digits)?),
        None => (text, None),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then(|| (name.to_ascii_lowercase(), port))
}

/// Parses what follows the colon; it may be empty (RFC 3986, 3.2.3).
fn port(digits: &str) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(Some)
}

/// Origins of the pages that may use the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins(Option<Vec<String>>);

impl AllowedOrigins {
    /// Parses `*`, or origins `http(s)://host[:port]` separated by commas.
    pub fn parse(text: &str) -> Parsed<Self> {
        let any = items(text).any(|item| item == "*");
        let origins = items(text).filter(|item| *item != "*").map(origin);
        let origins = origins.collect::<Option<Vec<_>>>().filter(|list| any || !list.is_empty());
        match origins {
            Some(_) if any => Ok(Self(None)),
            Some(origins) => Ok(Self(Some(origins))),
            None => {
                Err("must be * or origins such as https://example.com, separated by commas"
                    .to_owned())
            }
        }
    }

    /// Whether any origin is allowed.
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// The origins, as browsers write them; `None` if any is allowed.
    pub fn list(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// Whether a page with this `Origin` header is allowed. Browsers write an origin in one way
    /// only, so the header is compared verbatim.
    pub fn allows(&self, header: &str) -> bool {
        self.list().is_none_or(|list| list.iter().any(|origin| origin == header))
    }
}

/// An origin as browsers write it: lowercase ASCII, without the scheme's default port.
fn origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_plain = |c: char| c.is_alphanumeric() || "-._:[]".contains(c);
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
        || !rest.chars().all(is_plain)
    {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    Some(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests;
