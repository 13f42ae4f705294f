//! Accepts connections and serves them until told to stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use poem::Addr;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use crate::app::App;
use crate::http::Gate;

/// At most so many connections at a time; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;

/// How long a connection may take for a request's headers, or lie idle between two requests.
const HEADER_PATIENCE: Duration = Duration::from_secs(15);

/// How long a client may take none of what is sent to it. One that stops reading an answer loses
/// its connection; the answer is written on, and can be picked up.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// hyper's own limits lie above ours, so that most of what is too large gets our JSON error.
const MAX_HEADER_BYTES: usize = 128 * 1024;

/// How long running answers may take to finish after the signal to stop.
pub const DRAIN_PATIENCE: Duration = Duration::from_secs(15);

/// How long connections may take to close once all answers are done.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Serves `app` on `listener` until `shutdown` resolves, lets running answers finish, and closes
/// the store.
pub async fn run(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let gate = Arc::new(crate::http::endpoint(Arc::clone(&app)));
    let http = http1();
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let sweeper = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.keep_house().await }
    });

    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = accept(&listener, &places);
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            (stream, remote, place) = next => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(error = %error, "TCP_NODELAY could not be set");
                }
                let gate = Arc::clone(&gate);
                let service = service_fn(move |request| {
                    // Boxed: hyper keeps room for this as long as the connection lives, but it is
                    // done when a stream begins, and it is large.
                    let answer = Box::pin(answer(Arc::clone(&gate), request, local, remote));
                    async move { Ok::<_, Infallible>(hyper::Response::from(answer.await)) }
                });
                let connection = http.serve_connection(patient(stream), service);
                let connection = connections.watch(connection);
                tokio::spawn(async move {
                    // A client that breaks the connection off or the rules is no event of ours.
                    if let Err(error) = connection.await {
                        tracing::debug!(error = %error, "connection ended early");
                    }
                    drop(place);
                });
            }
        }
    }

    drop(listener);
    sweeper.abort();
    tracing::info!("stopping: running answers get {} s to finish", DRAIN_PATIENCE.as_secs());
    app.begin_shutdown();
    let closing = connections.shutdown();
    let mut closing = std::pin::pin!(closing);
    // Both at once: an answer ends when its turn does, and its connection after it.
    let drained = tokio::join!(
        app.chat.drain(DRAIN_PATIENCE),
        tokio::time::timeout(DRAIN_PATIENCE, &mut closing)
    );
    if drained.1.is_err() {
        let _ = tokio::time::timeout(CLOSE_PATIENCE, closing).await;
    }
    app.close().await.map_err(io::Error::other)
}

/// The next connection. An error to accept one is no reason to stop, nor to spin: when the process
/// is out of descriptors, it stays so until some connection ends.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let mut pause = Duration::from_millis(10);
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // Nobody closes the semaphore.
            std::future::pending().await
        };
        match listener.accept().await {
            Ok((stream, remote)) => return (stream, remote, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(error = %error, "cannot accept connections, trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Whether only the connection that was to be accepted has failed.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// hyper's connections, with the limits that it leaves open by default.
fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_header_size(MAX_HEADER_BYTES);
    builder
}

/// A connection that fails when nothing of what is written to it is taken for [`WRITE_PATIENCE`].
fn patient<S: AsyncRead + AsyncWrite>(stream: S) -> TokioIo<Pin<Box<TimeoutStream<S>>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_PATIENCE));
    TokioIo::new(Box::pin(stream))
}

async fn answer(
    gate: Arc<Gate>,
    request: hyper::Request<Incoming>,
    local: SocketAddr,
    remote: SocketAddr,
) -> Response {
    let request = Request::from((
        request,
        LocalAddr(Addr::SocketAddr(local)),
        RemoteAddr(Addr::SocketAddr(remote)),
        Scheme::HTTP,
    ));
    gate.call(request).await.unwrap_or_else(|error| error.into_response())
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server's side of a connection on which an answer without end is written.
    async fn endless(stream: tokio::io::DuplexStream) -> Result<(), hyper::Error> {
        let service = service_fn(|_: hyper::Request<Incoming>| async {
            let words = stream::repeat("word ").map(Ok::<_, io::Error>);
            let body = poem::Body::from_bytes_stream(words);
            Ok::<_, Infallible>(hyper::Response::from(Response::builder().body(body)))
        });
        http1().serve_connection(patient(stream), service).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_reading_loses_its_connection() {
        let (mut client, server) = tokio::io::duplex(1024);
        let begun = tokio::time::Instant::now();
        let served = tokio::spawn(endless(server));
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        // As long as something is taken from time to time, it goes on.
        for _ in 0..4 {
            tokio::time::sleep(WRITE_PATIENCE - Duration::from_secs(1)).await;
            client.read_exact(&mut [0; 512]).await.unwrap();
            assert!(!served.is_finished());
        }
        let error = served.await.unwrap().unwrap_err();
        assert!(begun.elapsed() >= WRITE_PATIENCE * 4);
        let cause = std::error::Error::source(&error).and_then(|e| e.downcast_ref::<io::Error>());
        assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::TimedOut), "{error:?}");
    }
}
