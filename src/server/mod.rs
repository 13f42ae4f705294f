//! Accepts connections and serves them until told to stop.

mod accept;
mod activity;
mod admission;
mod connection;
mod handler;
mod io;
mod limits;
mod listening;
mod metrics;
mod redirect;
mod tls;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{self, HeaderValue};
use http::uri::Scheme;
use poem::{Endpoint, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::AppEnv;
use crate::http::Gate;
use handler::Handler;
pub use limits::ServerLimits;
use listening::Listening;
pub use metrics::{bind_metrics, serve_metrics};
use redirect::Redirect;
pub use tls::{CertificateError, Certificates};

/// One year, in which browsers use HTTPS only.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// How the app is served.
#[derive(Default)]
pub struct ServerOptions {
    /// How many connections, and how slow.
    pub limits: ServerLimits,
    /// Serves HTTPS with this certificate instead of plain HTTP.
    pub certificates: Option<Arc<Certificates>>,
    /// Beside HTTPS, a plain listener that only redirects there.
    pub redirect: Option<TcpListener>,
}

/// Serves `app` on `listener` until `shutdown` resolves, lets running answers finish, and closes
/// the store.
///
/// # Errors
/// If TLS cannot be set up, a listener has no address, or the store cannot be closed.
pub async fn run(
    listener: TcpListener,
    app: Arc<App>,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let ServerOptions { limits, certificates, redirect } = options;
    let tls = match &certificates {
        Some(certificates) => Some(certificates.acceptor().map_err(std::io::Error::other)?),
        None => None,
    };
    let port = listener.local_addr()?.port();
    let listening = Listening::new(listener, Site::new(&app), limits.clone(), tls)?;
    let redirecting = match redirect {
        Some(plain) => Some(redirect_from(plain, &app, &limits, port)?),
        None => None,
    };
    let sweeping = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.sweep_regularly().await }
    });

    listening.accept_until(shutdown).await;

    sweeping.abort();
    if let Some(redirecting) = redirecting {
        redirecting.abort();
    }
    drain(listening, &app, &limits).await;
    app.close().await.map_err(std::io::Error::other)
}

/// Reports the server as not ready, lets requests in progress finish, and returns when no
/// connection is left: soon, if none is in progress.
async fn drain(listening: Listening, app: &App, limits: &ServerLimits) {
    tracing::info!("stopping: running answers get {} s to finish", limits.drain.as_secs());
    app.begin_shutdown();
    listening.begin_stop();
    let connections = async {
        listening.accept_until(tokio::time::sleep(limits.stop_grace)).await;
        listening.finish(limits.drain + limits.flush).await;
    };
    // Both at once: an answer ends when its turn does, and its connection after it.
    tokio::join!(app.chat.drain(limits.drain), connections);
}

/// The app, as a listener's handler.
struct Site {
    gate: Arc<Gate>,
    /// Whether responses over TLS tell browsers to stay with it.
    wants_hsts: bool,
}

impl Site {
    fn new(app: &Arc<App>) -> Arc<Self> {
        let gate = Arc::new(crate::http::endpoint(Arc::clone(app)));
        Arc::new(Self { gate, wants_hsts: app.config.app_env == AppEnv::Production })
    }
}

impl Handler for Site {
    fn respond(&self, request: Request) -> BoxFuture<'static, Response> {
        let gate = Arc::clone(&self.gate);
        let wants_hsts = self.wants_hsts && *request.scheme() == Scheme::HTTPS;
        // Boxed: a connection keeps room for this as long as it lives, but it is done when a
        // stream begins, and it is large.
        async move {
            let response = gate.call(request).await;
            let mut response = response.unwrap_or_else(|error| error.into_response());
            if wants_hsts {
                response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
            }
            response
        }
        .boxed()
    }

    fn refuse(&self, status: StatusCode) -> Option<Response> {
        Some(self.gate.refuse(status))
    }
}

/// Starts to redirect from the listener `plain` to HTTPS on `https_port`.
fn redirect_from(
    plain: TcpListener,
    app: &App,
    limits: &ServerLimits,
    https_port: u16,
) -> std::io::Result<JoinHandle<()>> {
    let port = plain.local_addr()?.port();
    let redirect = Redirect { allowed: app.config.access.allowed_hosts.clone(), port, https_port };
    // They last for one request only.
    let connections = (limits.connections / 10).max(1);
    let limits = ServerLimits { connections, http2_idle: limits.head, ..limits.clone() };
    let listening = Listening::new(plain, Arc::new(redirect), limits, None)?;
    Ok(tokio::spawn(async move { listening.accept_until(std::future::pending()).await }))
}
