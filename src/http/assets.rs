//! What browsers load, from the executable itself: the widget, the demo page.

use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Body, Request, Response};
use rust_embed::RustEmbed;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file of `assets/`, as the build script lists them.
#[derive(Debug)]
pub struct Asset {
    /// Its path below `assets/`.
    path: &'static str,
    /// A digest of its content.
    hash: &'static str,
    content_type: &'static str,
    /// The content compressed, where that makes it smaller.
    gzip: Option<&'static [u8]>,
}

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
struct Embedded;

/// Addresses that are served from a file of another name.
const ALIASES: &[(&str, &str)] = &[
    ("/", "index.html"),
    ("/static/widget/chatbot.html", "widget/chatbot.html"),
    // What browsers ask for where a page names no icon, as Swagger UI does not.
    ("/favicon.ico", "favicon.svg"),
];

/// The asset at `path`, if there is one.
pub fn find(path: &str) -> Option<&'static Asset> {
    let file = match ALIASES.iter().find(|(address, _)| *address == path) {
        Some((_, file)) => file,
        None => path.strip_prefix('/')?,
    };
    // Pages have one address each.
    if file == "index.html" && path != "/" {
        return None;
    }
    ASSETS.binary_search_by(|asset| asset.path.cmp(file)).ok().map(|place| &ASSETS[place])
}

impl Asset {
    /// Whether it is a page, which other sites may or may not frame.
    pub fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html")
    }

    /// Whether it is the page that stands in other sites' frames.
    pub fn is_framed(&self) -> bool {
        self.path.starts_with("widget/")
    }

    /// Answers GET and HEAD. Addresses do not change with the content, so browsers ask again each
    /// time and get 304 when nothing has changed.
    pub fn respond(&self, request: &Request) -> Response {
        let gzip = self.gzip.filter(|_| accepts_gzip(request.headers()));
        let etag = match gzip {
            Some(_) => format!("\"{}-gzip\"", self.hash),
            None => format!("\"{}\"", self.hash),
        };
        let mut response = Response::builder()
            .header(header::ETAG, &etag)
            .header(header::CACHE_CONTROL, "public, max-age=0, must-revalidate");
        if self.gzip.is_some() {
            response = response.header(header::VARY, "Accept-Encoding");
        }
        if not_modified(request.headers(), self.hash) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response = response.content_type(self.content_type);
        if gzip.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let (length, body) = match gzip {
            Some(bytes) => (bytes.len(), Body::from(bytes)),
            None => match Embedded::get(self.path).map(|file| file.data) {
                Some(std::borrow::Cow::Borrowed(bytes)) => (bytes.len(), Body::from(bytes)),
                Some(std::borrow::Cow::Owned(bytes)) => (bytes.len(), Body::from(bytes)),
                None => (0, Body::empty()),
            },
        };
        if request.method() == Method::HEAD {
            return response.header(header::CONTENT_LENGTH, length).finish();
        }
        response.body(body)
    }
}

/// Whether the client has this content already, compressed or not.
pub fn not_modified(headers: &HeaderMap, hash: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(
        |value| {
            value.split(',').any(|tag| {
                let tag = tag.trim();
                let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
                tag == "*" || tag.strip_suffix("-gzip").unwrap_or(tag) == hash
            })
        },
    )
}

/// Whether the client takes gzip (RFC 9110, 12.5.3).
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
    fn gzip_is_sent_to_those_who_take_it() {
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
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc-gzip\"", "*"] {
            assert!(not_modified(&headers(header::IF_NONE_MATCH, value), "abc"), "{value}");
        }
        assert!(!not_modified(&headers(header::IF_NONE_MATCH, "\"abd\""), "abc"));
    }

    #[test]
    fn the_list_is_what_is_embedded() {
        for asset in ASSETS {
            assert!(Embedded::get(asset.path).is_some(), "{}", asset.path);
        }
        assert!(find("/").is_some() && find("/index.html").is_none());
        assert!(find("/../Cargo.toml").is_none() && find("//").is_none());
    }
}
