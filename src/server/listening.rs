//! A listener and the connections that came from it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::accept::{Accepted, Acceptor};
use super::activity::Phase;
use super::admission::Admission;
use super::connection::{Connections, Ends};
use super::handler::Handler;
use super::limits::ServerLimits;

/// How long connections that are cut may take to end.
const CUT_PATIENCE: Duration = Duration::from_secs(1);

/// A listener, what serves its connections, and those that are open.
pub struct Listening {
    acceptor: Acceptor,
    connections: Arc<Connections>,
    local: SocketAddr,
    phase: watch::Sender<Phase>,
    open: TaskTracker,
}

impl Listening {
    /// Serves connections to `listener` with `handler`, over TLS if an acceptor is given.
    pub fn new(
        listener: TcpListener,
        handler: Arc<dyn Handler>,
        limits: ServerLimits,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (phase, phases) = watch::channel(Phase::Serving);
        let acceptor = Acceptor::new(listener, Admission::new(&limits));
        let connections = Arc::new(Connections::new(handler, limits, tls, phases));
        Ok(Self { acceptor, connections, local, phase, open: TaskTracker::new() })
    }

    /// Serves new connections until `end` resolves.
    pub async fn accept_until(&self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return,
                accepted = self.acceptor.next() => self.spawn(accepted),
            }
        }
    }

    fn spawn(&self, accepted: Accepted) {
        let Accepted { stream, remote, place } = accepted;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "TCP_NODELAY could not be set");
        }
        let connections = Arc::clone(&self.connections);
        let ends = Ends { local: self.local, remote };
        self.open.spawn(async move {
            // A client that hangs up or breaks the protocol is not worth more than a debug line.
            if let Err(error) = connections.serve(stream, ends).await {
                tracing::debug!(error = %error, "connection ended early");
            }
            drop(place);
        });
    }

    /// Tells the connections to finish what they are doing. Idle ones close.
    pub fn begin_stop(&self) {
        self.phase.send_replace(Phase::Stopping(Instant::now()));
    }

    /// Takes no further connections, and returns when the open ones have ended.
    pub async fn finish(self, patience: Duration) {
        let Self { acceptor, phase, open, .. } = self;
        drop(acceptor);
        open.close();
        if tokio::time::timeout(patience, open.wait()).await.is_err() {
            tracing::warn!(connections.open = open.len(), "cutting connections");
            phase.send_replace(Phase::Closing);
            // A task that does not let go now must not hold up the exit.
            let _ = tokio::time::timeout(CUT_PATIENCE, open.wait()).await;
        }
    }

    /// Closes everything at once.
    pub async fn close(self) {
        self.phase.send_replace(Phase::Closing);
        self.finish(CUT_PATIENCE).await;
    }
}
