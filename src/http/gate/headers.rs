//! The headers of every response, and those of pages.

use poem::Response;
use poem::http::header::{self, HeaderName, HeaderValue};
use url::Url;

use crate::config::AllowedOrigins;
use crate::http::assets::Served;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Content security policies, which name the origins that may frame the widget.
pub struct Policies {
    framed: HeaderValue,
    page: HeaderValue,
}

impl Policies {
    /// Policies for pages that `origins` may frame, with the bot's `icon`. The chat window may load
    /// pictures over HTTPS, since the site that frames it may choose an icon; other pages may load
    /// only this server's.
    pub fn new(origins: &AllowedOrigins, icon: Option<&str>) -> Self {
        let policy = |pictures: &str| {
            format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' \
                 data:{pictures}; connect-src 'self'; frame-src 'self'; font-src 'self'; \
                 base-uri 'none'; form-action 'none'"
            )
        };
        let icon = icon.and_then(|icon| Url::parse(icon).ok()).filter(|url| url.scheme() == "http");
        let icon = icon.map(|url| format!(" {}", url.origin().ascii_serialization()));
        let mut framed = policy(&format!(" https:{}", icon.unwrap_or_default()));
        // Without a list there is no `frame-ancestors`: even `*` would exclude pages opened from a
        // file, which is how people try the widget.
        if let Some(origins) = origins.list() {
            framed.push_str(&format!("; frame-ancestors 'self' {}", origins.join(" ")));
        }
        let value = |text: String| {
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self {
            framed: value(framed),
            page: value(format!("{}; frame-ancestors 'none'", policy(""))),
        }
    }

    /// Adds the headers that an asset needs in addition to those of every response.
    pub fn apply(&self, asset: Served, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if asset.is_page() {
            let policy = if asset.is_framed() { &self.framed } else { &self.page };
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        // Pages with a cross-origin embedder policy load only what allows it, and frame only pages
        // with such a policy. This one still lets the chat window show icons from other origins.
        if asset.is_framed() {
            headers.insert(
                HeaderName::from_static("cross-origin-embedder-policy"),
                HeaderValue::from_static("credentialless"),
            );
        }
        if asset.is_framed() || !asset.is_page() {
            headers.insert(
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            );
        }
        response
    }
}

/// Adds the headers of every response. `origin` is the value of `Access-Control-Allow-Origin`, if
/// any; `varies` says whether it depends on the request.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chat_window_loads_pictures_from_other_origins() {
        let pictures = |icon: Option<&str>| {
            let policies = Policies::new(&AllowedOrigins::parse("*").unwrap(), icon);
            [policies.framed, policies.page].map(|policy| {
                let policy = policy.to_str().unwrap().to_owned();
                policy
                    .split("; ")
                    .find_map(|part| part.strip_prefix("img-src "))
                    .unwrap()
                    .to_owned()
            })
        };
        let own = "'self' data:";
        for icon in
            [None, Some("icon.png"), Some("data:image/gif;base64,AA"), Some("https://a.test/i")]
        {
            assert_eq!(pictures(icon), ["'self' data: https:", own], "{icon:?}");
        }
        assert_eq!(
            pictures(Some("http://a.test:81/icon.png?x; script-src *")),
            ["'self' data: https: http://a.test:81", own]
        );
    }
}
