//! One connection: its TLS handshake, its protocol, its timers.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::Scheme;
use http_body_util::combinators::BoxBody;
use hyper::Version;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::activity::{ConnectionActivity, Phase, TrackedBody, Verdict};
use super::handler::Handler;
use super::io::watched;
use super::limits::ServerLimits;

/// Buffer for an HTTP/1 request's head, and for what its client has not yet accepted of a response.
/// It is larger than the head that we accept, so that most heads that are too large get our JSON
/// error instead of hyper's bare status.
const HTTP1_BUFFER: usize = 128 * 1024;

/// How an HTTP/2 connection begins (RFC 9113, 3.4), with TLS and without.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Concurrent requests of one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 100;

/// What the headers of an HTTP/2 request may have together, in bytes as RFC 9113, 6.5.2, counts.
const HTTP2_HEADERS: u32 = 64 * 1024;

/// Streams that a client has reset before they were looked at (CVE-2023-44487), and those that we
/// reset because of a client's mistakes (CVE-2025-8671), until the connection ends.
const HTTP2_RESETS: usize = 20;
const HTTP2_OUR_RESETS: usize = 200;

/// How much of one HTTP/2 response is buffered for a client that reads more slowly than we write.
const HTTP2_SEND_BUFFER: usize = 128 * 1024;

/// What an HTTP/2 client may send before we read it: of one body, and of all of a connection's.
const HTTP2_STREAM_WINDOW: u32 = 128 * 1024;
const HTTP2_CONNECTION_WINDOW: u32 = 256 * 1024;

/// How often an HTTP/2 client is pinged, and how long it may take to reply.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_PATIENCE: Duration = Duration::from_secs(20);

/// poem's body.
type ResponseBody = BoxBody<Bytes, io::Error>;

/// Serves the connections of one listener.
pub struct Connections {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    handler: Arc<dyn Handler>,
    limits: ServerLimits,
    phase: watch::Receiver<Phase>,
}

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
}

/// Why a connection ended before its client closed it.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A limit was passed, or the server stops.
    #[error("closed: {0}")]
    Closed(&'static str),
    /// The client disconnected before it had sent anything.
    #[error("{0}")]
    Silent(io::Error),
    /// The TLS handshake failed.
    #[error("TLS handshake: {0}")]
    Handshake(io::Error),
    /// The client disconnected or broke the protocol, or a write made no progress.
    #[error("{0}")]
    Broken(#[from] hyper::Error),
}

impl Connections {
    /// Connections whose requests go to `handler`: over TLS, if there is a configuration for it.
    pub fn new(
        handler: Arc<dyn Handler>,
        limits: ServerLimits,
        tls: Option<TlsAcceptor>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self { http1: http1(), http2: http2(), tls, handler, limits, phase }
    }

    /// Serves one connection to its end.
    pub async fn serve<S>(&self, stream: S, ends: Ends) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let activity = ConnectionActivity::new();
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, ends, activity, Scheme::HTTP).await;
        };
        // Boxed: it is large, and gone before the first request.
        let mut handshake = Box::pin(tls.accept(stream));
        let stream =
            self.watch(handshake.as_mut(), |_| {}, &activity).await?.map_err(Ended::Handshake)?;
        drop(handshake);
        // Boxed: a connection without TLS keeps no room for it.
        Box::pin(self.serve_http(stream, ends, activity, Scheme::HTTPS)).await
    }

    async fn serve_http<S>(
        &self,
        stream: S,
        ends: Ends,
        activity: ConnectionActivity,
        scheme: Scheme,
    ) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let handler = Arc::clone(&self.handler);
        let mut stream = watched(stream, self.limits.write, activity.clone(), handler);
        let is_http2 = {
            let begins = std::pin::pin!(stream.begins_with(HTTP2_PREFACE));
            self.watch(begins, |_| {}, &activity).await?.map_err(Ended::Silent)?
        };
        let io = TokioIo::new(stream);
        let requests = Requests { activity: activity.clone(), phase: self.phase.clone() };
        let service = service(Arc::clone(&self.handler), requests, ends, scheme);
        // Boxed: they differ much in size, and most connections of a server behind a proxy are
        // HTTP/1.
        if is_http2 {
            let mut connection = Box::pin(self.http2.serve_connection(io, service));
            self.watch(connection.as_mut(), |it| it.graceful_shutdown(), &activity).await??;
        } else {
            let mut connection = Box::pin(self.http1.serve_connection(io, service));
            self.watch(connection.as_mut(), |it| it.graceful_shutdown(), &activity).await??;
        }
        Ok(())
    }

    /// Drives `work` until it is done or has lasted too long; `retire` asks it to finish.
    async fn watch<F: Future>(
        &self,
        mut work: Pin<&mut F>,
        retire: fn(Pin<&mut F>),
        activity: &ConnectionActivity,
    ) -> Result<F::Output, Ended> {
        let mut phase = self.phase.clone();
        loop {
            let now = *phase.borrow_and_update();
            let deadline = match activity.verdict(now, &self.limits) {
                Verdict::WaitUntil(deadline) => deadline,
                Verdict::Retire => {
                    activity.retired();
                    retire(work.as_mut());
                    continue;
                }
                Verdict::Close(reason) => return Err(Ended::Closed(reason)),
            };
            tokio::select! {
                biased;
                output = work.as_mut() => return Ok(output),
                changed = phase.changed() => if changed.is_err() {
                    return Err(Ended::Closed("the server has ended"));
                },
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }
}

/// Shared by all requests of one connection.
struct Requests {
    activity: ConnectionActivity,
    phase: watch::Receiver<Phase>,
}

/// `handler` as hyper calls it. Each request is in progress until its response has been handed
/// over.
fn service(
    handler: Arc<dyn Handler>,
    requests: Requests,
    ends: Ends,
    scheme: Scheme,
) -> impl Service<
    hyper::Request<Incoming>,
    Response = hyper::Response<TrackedBody<ResponseBody>>,
    Error = Infallible,
    Future = impl Future<Output = Result<hyper::Response<TrackedBody<ResponseBody>>, Infallible>> + Send,
> {
    let Requests { activity, phase } = requests;
    service_fn(move |request: hyper::Request<Incoming>| {
        let in_progress = activity.begin(request.version());
        let is_http1 = request.version() < Version::HTTP_2;
        let response = handler.respond(poem_request(request, ends, scheme.clone()));
        let phase = phase.clone();
        async move {
            let mut response = hyper::Response::from(response.await);
            if is_http1 && !matches!(*phase.borrow(), Phase::Serving) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok(response.map(|body| TrackedBody::new(body, in_progress)))
        }
    })
}

/// hyper's HTTP/1, with the limits that it leaves open by default. It needs no timer: ours begins
/// at accept.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HTTP1_BUFFER);
    builder
}

/// hyper's HTTP/2, the same.
fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HTTP2_HEADERS)
        .max_pending_accept_reset_streams(HTTP2_RESETS)
        .max_local_error_reset_streams(HTTP2_OUR_RESETS)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_PATIENCE);
    builder
}

fn poem_request(mut request: hyper::Request<Incoming>, ends: Ends, scheme: Scheme) -> Request {
    // HTTP/2 names the host in the address; all that follows looks for Host. One that differs is
    // put beside it, so that the request is refused (RFC 9113, 8.3.1).
    if request.version() == Version::HTTP_2
        && let Some(authority) = request.uri().authority().map(|authority| authority.as_str())
        && let Ok(host) = HeaderValue::try_from(authority)
    {
        let headers = request.headers_mut();
        if headers.get(header::HOST).is_none_or(|given| given != host) {
            headers.append(header::HOST, host);
        }
    }
    let (local, remote) = (Addr::SocketAddr(ends.local), Addr::SocketAddr(ends.remote));
    Request::from((request, LocalAddr(local), RemoteAddr(remote), scheme))
}

#[cfg(test)]
mod tests;
