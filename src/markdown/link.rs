//! Which addresses may become links, and where a text contains bare ones.

use url::Url;

/// Longest address that becomes a link, in bytes.
const MAX_LINK: usize = 4096;
/// Longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Longest host name (RFC 1035, 2.3.4). These limits also keep the search linear.
const MAX_HOST: usize = 253;

/// The address in canonical form, if it may become a link: absolute `http`, `https` or `mailto`,
/// without control characters, and without a user name, which no public address needs and which
/// makes one host look like another.
///
/// Browsers skip tabs and line ends and interpret backslashes and odd hosts in their own way, so
/// the text is parsed by the same standard (WHATWG URL) and the result is used: plain ASCII, hosts
/// of other scripts in Punycode.
pub(super) fn safe_href(target: &str) -> Option<String> {
    if target.len() > MAX_LINK || target.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(target).ok()?;
    let safe = match url.scheme() {
        "http" | "https" => url.has_host() && url.username().is_empty() && url.password().is_none(),
        "mailto" => true,
        _ => false,
    };
    safe.then(|| url.into())
}

/// A bare address in a text: its range in bytes and its target.
#[derive(Debug, PartialEq)]
pub(super) struct BareLink {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) href: String,
}

/// The first bare address at or after `from`: `http://…`, `https://…`, `www.…` or an e-mail
/// address, by the rules of GFM's autolink extension.
///
/// Differences: an address ends at a character that is neither ASCII nor a letter or digit (a
/// Chinese full stop, a closing quotation mark), and a host does not continue into Chinese,
/// Japanese or Korean text, which has no spaces.
pub(super) fn find(text: &str, from: usize) -> Option<BareLink> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr::memchr3(b':', b'.', b'@', bytes.get(at..)?)?;
        let range = match bytes[at] {
            b':' => web_address(text, from, at),
            b'.' => www_address(text, from, at),
            _ => mail_address(text, from, at),
        };
        let Some((start, end, scheme)) = range else {
            at += 1;
            continue;
        };
        if let Some(href) = safe_href(&format!("{scheme}{}", &text[start..end])) {
            return Some(BareLink { start, end, href });
        }
        at = end.max(at + 1);
    }
}

/// The address whose `://` begins at `colon`.
fn web_address(text: &str, from: usize, colon: usize) -> Option<(usize, usize, &'static str)> {
    let after = text.get(colon..)?.strip_prefix("://")?;
    let before = text.get(from..colon)?.as_bytes();
    let scheme = ["https", "http"].into_iter().find(|scheme| {
        let split = before.len().checked_sub(scheme.len());
        split.is_some_and(|split| before[split..].eq_ignore_ascii_case(scheme.as_bytes()))
    })?;
    let start = colon - scheme.len();
    let length = address_length(after, 0)?;
    starts_a_word(text, start).then_some((start, colon + 3 + length, ""))
}

/// The address whose first label, `www`, ends at `dot`.
fn www_address(text: &str, from: usize, dot: usize) -> Option<(usize, usize, &'static str)> {
    let start = dot.checked_sub(3).filter(|&start| start >= from)?;
    if !text.as_bytes()[start..dot].eq_ignore_ascii_case(b"www") || !starts_a_word(text, start) {
        return None;
    }
    let length = address_length(text.get(start..)?, 2)?;
    Some((start, start + length, "http://"))
}

fn starts_a_word(text: &str, start: usize) -> bool {
    start == 0 || !text.as_bytes()[start - 1].is_ascii_alphanumeric()
}

/// Length of the host, port and path that the text begins with, without the punctuation that
/// belongs to the sentence; `None` unless there is a host with at least `dots` dots.
fn address_length(text: &str, dots: usize) -> Option<usize> {
    let host = length_of(text, MAX_HOST + 1, is_host);
    let name = text[..host].trim_end_matches(['.', '-', '_']);
    let shaped = name.starts_with(char::is_alphanumeric) && !name.contains("..");
    if !shaped || name.len() > MAX_HOST || name.bytes().filter(|&b| b == b'.').count() < dots {
        return None;
    }
    let mut end = host;
    let port = text[end..]
        .strip_prefix(':')
        .map_or(0, |port| port.bytes().take_while(u8::is_ascii_digit).count());
    if port > 0 {
        end += 1 + port;
    }
    match text[end..].chars().next() {
        Some('/' | '?' | '#') => {
            end += length_of(&text[end..], MAX_LINK, is_path);
        }
        // A user name and a password come before the host: what was read was not the host.
        Some('@') => return None,
        Some(':') if !text[end + 1..].starts_with(char::is_whitespace) && end + 1 < text.len() => {
            return None;
        }
        _ => {}
    }
    Some(trimmed(&text[..end]).len())
}

/// Length in bytes of the leading characters of this kind, at most `max` characters.
fn length_of(text: &str, max: usize, kind: fn(char) -> bool) -> usize {
    text.chars().take(max).take_while(|&c| kind(c)).map(char::len_utf8).sum()
}

/// The address without final punctuation and without closing brackets that it does not open.
fn trimmed(address: &str) -> &str {
    let surplus = |open: u8, close: u8| {
        let count = |wanted: u8| address.bytes().filter(|&b| b == wanted).count();
        count(close).saturating_sub(count(open))
    };
    let (mut parentheses, mut brackets) = (surplus(b'(', b')'), surplus(b'[', b']'));
    let mut rest = address;
    loop {
        match rest.bytes().last() {
            Some(b'?' | b'!' | b'.' | b',' | b':' | b';' | b'*' | b'_' | b'~' | b'\'') => {}
            Some(b')') if parentheses > 0 => parentheses -= 1,
            Some(b']') if brackets > 0 => brackets -= 1,
            _ => return rest,
        }
        rest = &rest[..rest.len() - 1];
    }
}

/// The e-mail address around the `@` at `at`.
fn mail_address(text: &str, from: usize, at: usize) -> Option<(usize, usize, &'static str)> {
    let bytes = text.as_bytes();
    let local = bytes[from..at]
        .iter()
        .rev()
        .take(MAX_LOCAL_PART + 1)
        .take_while(|b| b.is_ascii_alphanumeric() || b"._-+".contains(b))
        .count();
    let start = at - local;
    let before = text[..start].chars().next_back();
    let inside_more = before.is_some_and(|c| matches!(c, '/' | '@') || is_host(c));
    if local == 0 || local > MAX_LOCAL_PART || inside_more {
        return None;
    }
    let domain = &text[at + 1..];
    let length = domain
        .bytes()
        .take(MAX_HOST)
        .take_while(|b| b.is_ascii_alphanumeric() || b"-.".contains(b))
        .count();
    let domain = domain[..length].trim_end_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    let shaped = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && top.len() > 1
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && !domain.contains("..");
    shaped.then_some((start, at + 1 + domain.len(), "mailto:"))
}

/// Only letters below U+2E80, where Chinese, Japanese and Korean text begins.
fn is_host(c: char) -> bool {
    matches!(c, '-' | '.' | '_') || (c.is_alphanumeric() && c < '\u{2e80}')
}

fn is_path(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '`' | '\\' | '|' | '^')
    } else {
        c.is_alphanumeric()
    }
}
