//! Headers that every response carries, and those of pages.

use poem::Response;
use poem::http::header::{self, HeaderName, HeaderValue};

use crate::config::AllowedOrigins;
use crate::http::assets::Served;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Content security policies, which name the origins that may frame the widget.
pub struct Policies {
    framed: HeaderValue,
    page: HeaderValue,
}

impl Policies {
    /// Policies for pages that `origins` may frame.
    pub fn new(origins: &AllowedOrigins) -> Self {
        let page = "default-src 'none'; script-src 'self'; style-src 'self'; \
                    img-src 'self' https: data:; connect-src 'self'; frame-src 'self'; \
                    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ";
        let framed = match origins.list() {
            // `*` would leave out pages opened from a file, with which people try the widget.
            None => page.trim_end_matches("; frame-ancestors ").to_owned(),
            Some(origins) => format!("{page}'self' {}", origins.join(" ")),
        };
        let value = |text: String| {
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self { framed: value(framed), page: value(format!("{page}'none'")) }
    }

    /// Adds what an asset needs beside the headers of every response.
    pub fn apply(&self, asset: Served, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if asset.is_page() {
            let policy = if asset.is_framed() { &self.framed } else { &self.page };
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        } else {
            // Pages that demand it of everything they load may load the widget as well.
            headers.insert(
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            );
        }
        response
    }
}

/// Adds the headers of every response. `origin` is the value of `Access-Control-Allow-Origin`, if
/// there is to be one; `varies` says whether it depends on the request.
pub fn finish(
    mut response: Response,
    origin: Option<HeaderValue>,
    varies: bool,
    id: &str,
) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = id.parse() {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
    }
    if varies {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, retry-after"),
        );
    }
    response
}
