//! The listener that Prometheus reads, apart from the public one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header;
use poem::http::{Method, StatusCode};
use poem::{Request, Response};
use tokio::net::TcpListener;

use super::handler::Handler;
use super::limits::ServerLimits;
use super::listening::Listening;

/// Maximum number of connections to the metrics.
const MAX_CONNECTIONS: usize = 16;

/// The OpenMetrics text format, which Prometheus reads.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Takes the address of `METRICS_ADDR`.
///
/// # Errors
/// One line that names the setting, if the address cannot be taken.
pub async fn bind_metrics(address: SocketAddr) -> Result<TcpListener, String> {
    if !address.ip().to_canonical().is_loopback() {
        tracing::warn!(
            "METRICS_ADDR: {address} is not a loopback address; anyone who reaches it can read the \
             metrics"
        );
    }
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("METRICS_ADDR: cannot listen on {address}: {error}"))
}

/// Serves what `render` returns, in the OpenMetrics text format, at `GET /metrics` until `shutdown`
/// resolves.
///
/// # Errors
/// If the listener has no address.
pub async fn serve_metrics(
    listener: TcpListener,
    render: impl Fn() -> BoxFuture<'static, String> + Send + Sync + 'static,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let limits = ServerLimits { connections: MAX_CONNECTIONS, ..ServerLimits::default() };
    let listening = Listening::new(listener, Arc::new(MetricsPage(render)), limits, None)?;
    listening.accept_until(shutdown).await;
    listening.close().await;
    Ok(())
}

/// Renders the metrics.
struct MetricsPage<F>(F);

impl<F> Handler for MetricsPage<F>
where
    F: Fn() -> BoxFuture<'static, String> + Send + Sync + 'static,
{
    fn respond(&self, request: Request) -> BoxFuture<'static, Response> {
        match refusal(&request) {
            Some(refusal) => std::future::ready(refusal).boxed(),
            None => (self.0)().map(page).boxed(),
        }
    }
}

fn refusal(request: &Request) -> Option<Response> {
    let response = Response::builder();
    if request.uri().path() != "/metrics" {
        return Some(response.status(StatusCode::NOT_FOUND).finish());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let response = response.status(StatusCode::METHOD_NOT_ALLOWED);
        return Some(response.header(header::ALLOW, "GET, HEAD").finish());
    }
    None
}

fn page(metrics: String) -> Response {
    Response::builder().header(header::CONTENT_TYPE, CONTENT_TYPE).body(metrics)
}

#[cfg(test)]
mod tests;
