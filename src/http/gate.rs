//! The gate that every request passes on its way in and every answer on its way out: limits, Host,
//! CORS, security headers, request ids, errors as JSON, the access log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt;
use poem::endpoint::BoxEndpoint;
use poem::error::MethodNotAllowedError;
use poem::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use poem::http::{Method, StatusCode, Version};
use poem::{Endpoint, Request, Response};

use super::AllowedMethods;
use super::assets::{self, Found};
use super::docs::Docs;
use super::error::{Refusal, render};
use super::limits::{check_size, drain, take_body};
use crate::app::App;
use crate::config::{Config, split_host};

/// What a form may have beside its file: boundaries, headers, the session's id.
const FORM_BYTES: usize = 16 * 1024;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost endpoint.
pub struct Gate {
    app: Arc<App>,
    api: BoxEndpoint<'static, Response>,
    methods: Vec<AllowedMethods>,
    docs: Docs,
    policies: Policies,
    ids: RequestIds,
}

/// Content security policies, which name the origins that may frame the widget.
struct Policies {
    framed: HeaderValue,
    page: HeaderValue,
}

impl Policies {
    fn new(config: &Config) -> Self {
        let page = "default-src 'none'; script-src 'self'; style-src 'self'; \
                    img-src 'self' https: data:; connect-src 'self'; frame-src 'self'; \
                    font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ";
        let framed = match config.allowed_origins.list() {
            // `*` would leave out pages opened from a file, with which people try the widget.
            None => page.trim_end_matches("; frame-ancestors ").to_owned(),
            Some(origins) => format!("{page}'self' {}", origins.join(" ")),
        };
        let value = |text: String| {
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        };
        Self { framed: value(framed), page: value(format!("{page}'none'")) }
    }
}

/// Ids of requests: 16 hexadecimal digits, the first 8 random for each start of the server.
struct RequestIds {
    start: u32,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        Self { start: uuid::Uuid::new_v4().as_fields().0, next: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        format!("{:08x}{n:08x}", self.start)
    }
}

impl Gate {
    pub(super) fn new(
        app: Arc<App>,
        api: BoxEndpoint<'static, Response>,
        methods: Vec<AllowedMethods>,
    ) -> Self {
        let policies = Policies::new(&app.config);
        Self { app, api, methods, docs: Docs::new(), policies, ids: RequestIds::new() }
    }

    /// Answers, and leaves a body that it did not read in `request`.
    async fn respond(&self, request: &mut Request) -> poem::Result<Response> {
        check_size(request)?;
        self.check_host(request)?;
        if request.method() == Method::OPTIONS {
            return self.preflight(request);
        }
        if let Some(asset) = assets::find(request.uri().path()) {
            only_reads(request)?;
            return Ok(self.page_headers(asset, asset.respond(request)));
        }
        if let Some(response) = self.docs.respond(request) {
            only_reads(request)?;
            return Ok(response);
        }
        self.call_api(request).await
    }

    async fn call_api(&self, request: &mut Request) -> poem::Result<Response> {
        let head = request.method() == Method::HEAD;
        if head {
            // Reads have no side effect that matters, and hyper leaves the body out.
            request.set_method(Method::GET);
        }
        let path = request.uri().path().to_owned();
        let known = self.methods.iter().find(|entry| entry.matches(&path));
        if known.is_none() {
            return Err(Refusal::NotFound.into());
        }
        let body = take_body(request, self.body_limit(&path)).await?;
        request.set_body(body);
        self.api.call(std::mem::take(request)).await.map_err(|error| {
            if error.is::<MethodNotAllowedError>() {
                let allow = known.map(|entry| entry.allow.clone()).unwrap_or_default();
                Refusal::MethodNotAllowed(allow).into()
            } else {
                error
            }
        })
    }

    /// The most bytes that a body sent to `path` may have: of an upload, the file's and those of
    /// the form around it.
    fn body_limit(&self, path: &str) -> usize {
        let config = &self.app.config;
        if path == "/api/files/upload" {
            config.max_upload_bytes.saturating_add(FORM_BYTES)
        } else {
            config.max_body_bytes
        }
    }

    /// RFC 9112, 3.2: exactly one Host, and one that we answer for.
    fn check_host(&self, request: &Request) -> Result<(), Refusal> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().map_err(|_| Refusal::BadHost)?,
            (None, None) if request.version() == Version::HTTP_10 => return Ok(()),
            _ => return Err(Refusal::BadHost),
        };
        split_host(host).ok_or(Refusal::BadHost)?;
        // An absolute address in the request line has the last word.
        let host = request.uri().authority().map_or(host, |authority| authority.as_str());
        if self.app.config.allowed_hosts.allows(host) { Ok(()) } else { Err(Refusal::UnknownHost) }
    }

    /// Answers OPTIONS, with or without a CORS preflight's headers.
    fn preflight(&self, request: &Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let allow = match self.methods.iter().find(|entry| entry.matches(path)) {
            Some(entry) => entry.allow.as_str(),
            None if assets::find(path).is_some() => "GET, HEAD, OPTIONS",
            None => return Err(Refusal::NotFound.into()),
        };
        let mut response = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ALLOW, allow)
            .finish();
        let headers = request.headers();
        if headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && self.allowed_origin(headers).is_some()
        {
            let answers = response.headers_mut();
            if let Ok(allow) = allow.parse() {
                answers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            }
            answers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(
                    "content-type, idempotency-key, last-event-id, x-requested-with",
                ),
            );
            answers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        }
        Ok(response)
    }

    /// What to say of the request's origin, if it may read our answers: `*` where all may, else
    /// the origin as it stands in the list.
    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        if self.app.config.allowed_origins.list().is_none() {
            return Some(HeaderValue::from_static("*"));
        }
        let text = origin.to_str().ok()?;
        self.app.config.allowed_origins.allows(text).then(|| origin.clone())
    }

    fn page_headers(&self, asset: Found, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if asset.is_page() {
            let policy =
                if asset.is_framed() { &self.policies.framed } else { &self.policies.page };
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

    fn finish(&self, mut response: Response, origin: Option<HeaderValue>, id: &str) -> Response {
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
        if self.app.config.allowed_origins.list().is_some() {
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
}

impl Endpoint for Gate {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = self.ids.next();
        let method = request.method().clone();
        let path = tracing::enabled!(tracing::Level::INFO).then(|| loggable(request.uri().path()));
        let origin = self.allowed_origin(request.headers());
        let answer = AssertUnwindSafe(self.respond(&mut request)).catch_unwind();
        let span = tracing::info_span!("request", request.id = id);
        let response = tracing::Instrument::instrument(
            async {
                match answer.await {
                    Ok(Ok(response)) => response,
                    Ok(Err(error)) => render(error, &id, self.app.config.debug),
                    // The panic hook has logged what and where.
                    Err(_) => render(Refusal::Panicked.into(), &id, false),
                }
            },
            span.clone(),
        )
        .await;
        drain(&mut request);
        if let Some(path) = path {
            let _entered = span.enter();
            tracing::info!(
                http.method = %method,
                http.path = path,
                http.status = response.status().as_u16(),
                elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
                "request"
            );
        }
        Ok(self.finish(response, origin, &id))
    }
}

fn only_reads(request: &Request) -> Result<(), Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Refusal::MethodNotAllowed("GET, HEAD, OPTIONS".to_owned()))
    }
}

/// A path for the log: session ids are capabilities, so only their first 8 characters are shown.
fn loggable(path: &str) -> String {
    let shorten = |segment: &str| match uuid::Uuid::try_parse(segment) {
        Ok(_) => format!("{}…", segment.chars().take(8).collect::<String>()),
        Err(_) => segment.chars().take(64).collect(),
    };
    path.split('/').map(shorten).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_shortened_in_the_log() {
        assert_eq!(
            loggable("/api/chat/history/0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58"),
            "/api/chat/history/0d6f1f0e…"
        );
        assert_eq!(loggable("/health"), "/health");
    }

    #[test]
    fn request_ids_differ() {
        let ids = RequestIds::new();
        let (a, b) = (ids.next(), ids.next());
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[..8]), (16, &b[..8]));
    }
}
