//! Serves the files that browsers load from the executable itself: the widget and the demo pages.

use std::borrow::Cow;

use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Body, Request, Response};
use rust_embed::RustEmbed;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file of `assets/`, as listed by the build script.
#[derive(Debug)]
pub struct Asset {
    /// Its path below `assets/`.
    path: &'static str,
    /// A digest of its content.
    hash: &'static str,
    content_type: &'static str,
    /// The compressed content, if that is smaller.
    gzip: Option<&'static [u8]>,
}

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/assets"]
struct Embedded;

/// Addresses that are served from a file of another name.
const ALIASES: &[(&str, &str)] = &[
    ("/", "index.html"),
    ("/demo/inline", "demo/inline.html"),
    ("/readme", "readme.html"),
    ("/guide", "guide.html"),
    // Browsers request this if a page names no icon, as with Swagger UI.
    ("/favicon.ico", "favicon.svg"),
];

/// The page that other sites frame. The earlier widget had it below `static/`.
const WINDOW: &str = "widget/chatbot.html";

/// An asset under one of its addresses.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    asset: &'static Asset,
    /// Whether the address contains the current version, so that its content never changes.
    is_fixed: bool,
}

/// The asset at `path`, if there is one.
pub fn find(path: &str) -> Option<Served> {
    let file = match ALIASES.iter().find(|(address, _)| *address == path) {
        Some((_, file)) => file,
        None => path.strip_prefix('/')?,
    };
    // Pages have one address each.
    let is_window = file == WINDOW || file.strip_prefix("static/") == Some(WINDOW);
    if !is_window && file.ends_with(".html") && path.ends_with(".html") {
        return None;
    }
    let (file, version) = without_version(file);
    let place = ASSETS.binary_search_by(|asset| asset.path.cmp(&file)).ok()?;
    Some(Served { asset: &ASSETS[place], is_fixed: version == Some(VERSION) })
}

/// The text of the page `file`, to be completed before it is served; empty if there is none.
pub fn page(file: &str) -> String {
    let page = Embedded::get(file).map(|page| page.data.into_owned());
    page.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Splits `static/{version}/…` into `static/…` and the version. Pages that were open during an
/// upgrade name an earlier version; they get the current files.
fn without_version(file: &str) -> (Cow<'_, str>, Option<&str>) {
    let versioned = file.strip_prefix("static/").and_then(|rest| rest.split_once('/'));
    match versioned {
        Some((version, rest)) if is_version(version) => {
            (format!("static/{rest}").into(), Some(version))
        }
        _ => (file.into(), None),
    }
}

fn is_version(part: &str) -> bool {
    part.len() == VERSION.len() && part.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Served {
    /// The address of the file, without its version.
    pub fn path(&self) -> &'static str {
        self.asset.path
    }

    /// Whether it is a page, which other sites may or may not frame.
    pub fn is_page(&self) -> bool {
        self.asset.content_type.starts_with("text/html")
    }

    /// Whether it is the page that other sites embed in a frame.
    pub fn is_framed(&self) -> bool {
        self.asset.path.ends_with(WINDOW)
    }

    /// Responds to GET and HEAD. Addresses with the version are cached forever; the others are
    /// revalidated each time, with 304 if nothing has changed.
    pub fn respond(&self, request: &Request) -> Response {
        let asset = self.asset;
        let gzip = asset.gzip.filter(|_| accepts_gzip(request.headers()));
        let etag = match gzip {
            Some(_) => format!("\"{}-gzip\"", asset.hash),
            None => format!("\"{}\"", asset.hash),
        };
        let caching = if self.is_fixed {
            "public, max-age=31536000, immutable"
        } else {
            "public, max-age=0, must-revalidate"
        };
        let mut response =
            Response::builder().header(header::ETAG, &etag).header(header::CACHE_CONTROL, caching);
        if asset.gzip.is_some() {
            response = response.header(header::VARY, "Accept-Encoding");
        }
        if not_modified(request.headers(), &etag) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response = response.content_type(asset.content_type);
        if gzip.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let (length, body) = match gzip {
            Some(bytes) => (bytes.len(), Body::from(bytes)),
            None => match Embedded::get(asset.path).map(|file| file.data) {
                Some(Cow::Borrowed(bytes)) => (bytes.len(), Body::from(bytes)),
                Some(Cow::Owned(bytes)) => (bytes.len(), Body::from(bytes)),
                None => (0, Body::empty()),
            },
        };
        if request.method() == Method::HEAD {
            return response.header(header::CONTENT_LENGTH, length).finish();
        }
        response.body(body)
    }
}

/// Whether the client already has what would be sent with `etag`. The same content in another
/// encoding has another tag and is sent again: a 304 must name what the client has stored
/// (RFC 9111, 4.3.4).
pub fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(
        |value| {
            value.split(',').any(|tag| {
                let tag = tag.trim();
                tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
            })
        },
    )
}

/// Whether the client accepts gzip (RFC 9110, 12.5.3).
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for coding in value.to_str().unwrap_or("").split(',') {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or("");
            let refused = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
            if name.eq_ignore_ascii_case("gzip") {
                return !refused;
            }
            any |= name == "*" && !refused;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn gzip_is_sent_to_clients_that_accept_it() {
        for (value, expected) in [
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("br", false),
            ("*;q=0", false),
        ] {
            assert_eq!(accepts_gzip(&headers(header::ACCEPT_ENCODING, value)), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_known_tag_in_any_form_means_not_modified() {
        let known = |value| not_modified(&headers(header::IF_NONE_MATCH, value), "\"abc\"");
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(known(value), "{value}");
        }
        for value in ["\"abd\"", "\"abc-gzip\"", "abc"] {
            assert!(!known(value), "{value}");
        }
    }

    #[test]
    fn every_listed_asset_is_embedded() {
        for asset in ASSETS {
            assert!(Embedded::get(asset.path).is_some(), "{}", asset.path);
        }
        assert!(find("/").is_some() && find("/index.html").is_none());
        assert!(find("/../Cargo.toml").is_none() && find("//").is_none());
        assert!(find("/static//widget/chatbot.js").is_none());
    }
}
