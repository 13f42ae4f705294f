//! What wraps every request and response: limits, Host, CORS, security headers, request ids, errors
//! as JSON, the access log.

mod client;
mod cors;
mod headers;
mod host;
mod limits;
pub mod methods;
mod request_ids;
mod route;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use poem::endpoint::BoxEndpoint;
use poem::error::MethodNotAllowedError;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};

use super::docs::Docs;
use super::setup;
use super::wire::error::render;
use super::wire::refusal::Refusal;
use crate::app::App;
use crate::error::AppError;
use client::Clients;
use cors::{allowed_origin, preflight};
use headers::{Policies, finish};
use host::check_host;
use limits::{check_size, drain, take_body};
use methods::AllowedMethods;
use request_ids::RequestIds;
use route::Route;

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
    clients: Clients,
}

impl Gate {
    pub(super) fn new(
        app: Arc<App>,
        api: BoxEndpoint<'static, Response>,
        methods: Vec<AllowedMethods>,
    ) -> Self {
        let origins = &app.config.access.allowed_origins;
        let policies = Policies::new(origins, app.config.bot.icon.as_deref());
        let clients = Clients::new(app.config.access.trusted_proxies.clone());
        let (docs, ids) = (Docs::new((&app.config.limits).into()), RequestIds::new());
        Self { app, api, methods, docs, policies, ids, clients }
    }

    /// The response with `status` to a request that the HTTP library could not parse.
    pub fn refuse(&self, status: StatusCode) -> Response {
        let id = self.ids.next();
        let refusal = match status {
            StatusCode::URI_TOO_LONG => Refusal::AddressTooLong,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Refusal::HeadersTooLarge,
            _ => Refusal::Malformed,
        };
        tracing::info!(request.id = id, http.status = status.as_u16(), "malformed request");
        finish(render(refusal.into(), &id, false), None, false, &id)
    }

    /// Responds, leaving the body in `request` if it was not read.
    async fn respond(&self, request: &mut Request, route: &Route<'_>) -> poem::Result<Response> {
        check_size(request)?;
        check_host(request, &self.app.config.access.allowed_hosts)?;
        if request.method() == Method::OPTIONS {
            return self.options(request, route);
        }
        match route {
            Route::Asset(asset) => {
                only_reads(request)?;
                Ok(self.policies.apply(*asset, asset.respond(request)))
            }
            Route::Document => {
                only_reads(request)?;
                Ok(self.docs.respond(request))
            }
            Route::Setup => {
                only_reads(request)?;
                Ok(setup::respond(&self.app.config, request))
            }
            Route::Api(known) => self.call_api(request, route, known).await,
            Route::Unknown => Err(Refusal::NotFound.into()),
        }
    }

    async fn call_api(
        &self,
        request: &mut Request,
        route: &Route<'_>,
        known: &AllowedMethods,
    ) -> poem::Result<Response> {
        let client = self.clients.client(request);
        if let Some(bucket) = route.bucket(request.method()) {
            self.app.quota.count(bucket, client).map_err(AppError::from)?;
        }
        if request.method() == Method::HEAD {
            // GET has no side effects that matter, and the HTTP library omits the body.
            request.set_method(Method::GET);
        }
        // Held until the response is complete: the body may live as long.
        let mut room = self.app.quota.body(client);
        let body = take_body(request, self.body_limit(route), &self.app.quota, &mut room).await?;
        request.set_body(body);
        request.extensions_mut().insert(client);
        self.api.call(std::mem::take(request)).await.map_err(|error| {
            if error.is::<MethodNotAllowedError>() {
                Refusal::MethodNotAllowed(known.allow.clone()).into()
            } else {
                error
            }
        })
    }

    /// Maximum length of a request's body; for an upload, of the file and the form around it.
    fn body_limit(&self, route: &Route<'_>) -> usize {
        let limits = &self.app.config.limits;
        if route.is_upload() {
            limits.max_upload_bytes.saturating_add(FORM_BYTES)
        } else {
            limits.max_body_bytes
        }
    }

    fn options(&self, request: &Request, route: &Route<'_>) -> poem::Result<Response> {
        let allow = match route {
            Route::Api(entry) => entry.allow.as_str(),
            Route::Asset(_) | Route::Document | Route::Setup => READ_METHODS,
            Route::Unknown => return Err(Refusal::NotFound.into()),
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
        let route = Route::find(request.uri().path(), &self.methods);
        let session = route.session(request.uri().path());
        let origins = &self.app.config.access.allowed_origins;
        let origin = allowed_origin(request.headers(), origins);
        let answer = AssertUnwindSafe(self.respond(&mut request, &route)).catch_unwind();
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
        let (status, elapsed) = (response.status().as_u16(), started.elapsed());
        self.app.metrics.request(route.pattern(), method.as_str(), status, elapsed);
        span.in_scope(|| {
            tracing::info!(
                http.method = %method,
                http.route = route.pattern(),
                session.id = session.as_deref(),
                http.status = status,
                elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
                "request"
            );
        });
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
