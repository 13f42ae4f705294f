//! Cross-origin requests.

use poem::Response;
use poem::http::StatusCode;
use poem::http::header::{self, HeaderMap, HeaderValue};

use crate::config::AllowedOrigins;

/// The value of `Access-Control-Allow-Origin`, if the origin in `headers` may read responses: `*`
/// if every origin may, else that origin.
pub fn allowed_origin(headers: &HeaderMap, allowed: &AllowedOrigins) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    if allowed.is_any() {
        return Some(HeaderValue::from_static("*"));
    }
    allowed.allows(origin.to_str().ok()?).then(|| origin.clone())
}

/// The response to OPTIONS for an address that accepts the methods `allow`, whether or not
/// `headers` are those of a CORS preflight; `granted` says whether their origin is allowed.
pub fn preflight(allow: &str, headers: &HeaderMap, granted: bool) -> Response {
    let mut response =
        Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, allow).finish();
    if granted && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        let headers = response.headers_mut();
        if let Ok(allow) = allow.parse() {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        }
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "content-type, idempotency-key, last-event-id, x-requested-with",
            ),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    }
    response
}
