//! What wraps every request and response: limits, Host, CORS, security headers, request ids, errors
//! as JSON, the access log.

mod cors;
mod headers;
mod host;
mod limits;
mod log;
pub mod methods;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use poem::endpoint::BoxEndpoint;
use poem::error::MethodNotAllowedError;
use poem::http::Method;
use poem::{Endpoint, Request, Response};

use super::assets;
use super::docs::Docs;
use super::wire::error::render;
use super::wire::refusal::Refusal;
use crate::app::App;
use cors::{allowed_origin, preflight};
use headers::{Policies, finish};
use host::check_host;
use limits::{check_size, drain, take_body};
use log::{RequestIds, loggable};
use methods::AllowedMethods;

/// Allowance for the rest of an upload form: boundaries, headers, the session's id.
const FORM_BYTES: usize = 16 * 1024;

/// The methods of read-only addresses.
const READ_METHODS: &str = "GET, HEAD, OPTIONS";

/// The outermost endpoint.
pub struct Gate {
    app: Arc<App>,
    api: BoxEndpoint<'static, Response>,
    methods: Vec<AllowedMethods>,
    docs: Docs,
    policies: Policies,
    ids: RequestIds,
}

impl Gate {
    pub(super) fn new(
        app: Arc<App>,
        api: BoxEndpoint<'static, Response>,
        methods: Vec<AllowedMethods>,
    ) -> Self {
        let origins = &app.config.access.allowed_origins;
        let policies = Policies::new(origins, app.config.bot.icon.as_deref());
        Self { app, api, methods, docs: Docs::new(), policies, ids: RequestIds::new() }
    }

    /// Responds, leaving the body in `request` if it was not read.
    async fn respond(&self, request: &mut Request) -> poem::Result<Response> {
        check_size(request)?;
        check_host(request, &self.app.config.access.allowed_hosts)?;
        if request.method() == Method::OPTIONS {
            return self.options(request);
        }
        if let Some(asset) = assets::find(request.uri().path()) {
            only_reads(request)?;
            return Ok(self.policies.apply(asset, asset.respond(request)));
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
            // GET has no side effects that matter, and hyper omits the body.
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

    /// Maximum size of a body sent to `path`, in bytes; an upload may have a file of the maximum
    /// size and the form around it.
    fn body_limit(&self, path: &str) -> usize {
        let limits = &self.app.config.limits;
        if path == "/api/files/upload" {
            limits.max_upload_bytes.saturating_add(FORM_BYTES)
        } else {
            limits.max_body_bytes
        }
    }

    fn options(&self, request: &Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let allow = match self.methods.iter().find(|entry| entry.matches(path)) {
            Some(entry) => entry.allow.as_str(),
            None if assets::find(path).is_some() || Docs::has(path) => READ_METHODS,
            None => return Err(Refusal::NotFound.into()),
        };
        let headers = request.headers();
        let granted = allowed_origin(headers, &self.app.config.access.allowed_origins).is_some();
        Ok(preflight(allow, headers, granted))
    }
}

impl Endpoint for Gate {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = self.ids.next();
        let method = request.method().clone();
        let path = tracing::enabled!(tracing::Level::INFO).then(|| loggable(request.uri().path()));
        let origins = &self.app.config.access.allowed_origins;
        let origin = allowed_origin(request.headers(), origins);
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
        Ok(finish(response, origin, !origins.is_any(), &id))
    }
}

fn only_reads(request: &Request) -> Result<(), Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Refusal::MethodNotAllowed(READ_METHODS.to_owned()))
    }
}
