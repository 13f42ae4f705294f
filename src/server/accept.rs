//! Takes connections from a listener, as many as it may hold.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::admission::{Admission, Place};

/// The least time between two warnings of the same kind.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Accepts connections that [`Admission`] has room for.
pub struct Acceptor {
    listener: TcpListener,
    admission: Admission,
    warned_full: Quiet,
    warned_client: Quiet,
}

/// A connection that was let in.
pub struct Accepted {
    /// The connection itself.
    pub stream: TcpStream,
    /// The client's address; an IPv4 client of a dual-stack listener has its IPv4 address.
    pub remote: SocketAddr,
    /// Its place, to be dropped with it.
    pub place: Place,
}

impl Acceptor {
    /// Accepts from `listener` what `admission` lets in.
    pub fn new(listener: TcpListener, admission: Admission) -> Self {
        let (warned_full, warned_client) = (Quiet::default(), Quiet::default());
        Self { listener, admission, warned_full, warned_client }
    }

    /// The next connection. A failed accept must neither stop the server nor make it spin: a
    /// process that is out of descriptors stays so until some connection ends.
    pub async fn next(&self) -> Accepted {
        let mut pause = Duration::from_millis(10);
        loop {
            if self.admission.is_full() && self.warned_full.is_over() {
                tracing::warn!("cannot accept connections: as many as allowed are open");
            }
            let permit = self.admission.room().await;
            match self.listener.accept().await {
                Ok((stream, remote)) => {
                    let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                    if let Some(place) = self.admission.admit(permit, remote.ip()) {
                        return Accepted { stream, remote, place };
                    }
                    self.refused(remote);
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(error = %error, "cannot accept connections, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }

    fn refused(&self, remote: SocketAddr) {
        if self.warned_client.is_over() {
            tracing::warn!(
                client.address = %remote.ip(),
                "a client has too many connections, further ones are closed; if it is a reverse \
                 proxy, name it in TRUSTED_PROXIES"
            );
        }
    }
}

/// Whether only the connection that was being accepted has failed.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Limits how often a warning is logged.
#[derive(Default)]
struct Quiet(Mutex<Option<Instant>>);

impl Quiet {
    /// Whether the warning is due. If it is, the next one is due after [`WARN_EVERY`].
    fn is_over(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= WARN_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}
