//! How many connections the server holds, and how long each of them may take.

use std::time::Duration;

use ipnet::IpNet;

/// Maximum number of open connections, if the process may open as many descriptors.
const MAX_CONNECTIONS: usize = 10_000;

/// Limits of one listener. The defaults are those of production.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Maximum number of open connections; further ones wait in the kernel's backlog.
    pub connections: usize,
    /// Maximum number of open connections of one client: of an IPv4 address or an IPv6 /64.
    pub connections_per_client: usize,
    /// Networks to which `connections_per_client` does not apply: reverse proxies, which connect
    /// on behalf of many clients. Loopback is always exempt.
    pub proxies: Vec<IpNet>,
    /// From accept (a TLS handshake included) to the end of the first request's head, and between
    /// two requests of an HTTP/1 connection.
    pub head: Duration,
    /// Without a request in progress, an HTTP/2 connection is closed after this time.
    pub http2_idle: Duration,
    /// How long a client may accept nothing of a response that is ready to be sent. The connection
    /// is then closed; the answer itself is finished and stored, and can be fetched later.
    pub write: Duration,
    /// How long running answers may take to finish after the signal to stop.
    pub drain: Duration,
    /// After the signal to stop, new connections are still accepted for this long, so that clients
    /// in the backlog are not reset; idle connections are closed after it at the latest.
    pub stop_grace: Duration,
    /// How long a connection may take to send what is left after its last response has ended.
    pub flush: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            connections_per_client: 256,
            proxies: Vec::new(),
            head: Duration::from_secs(15),
            http2_idle: Duration::from_secs(60),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(15),
            stop_grace: Duration::from_millis(500),
            flush: Duration::from_secs(2),
        }
    }
}

impl ServerLimits {
    /// The defaults, after raising the process's limit of open files as far as it goes. Where that
    /// is not far enough, fewer connections are held: the store, calls to providers and the log
    /// need descriptors too.
    pub fn for_process(proxies: Vec<IpNet>) -> Self {
        let files = match rlimit::increase_nofile_limit(u64::MAX) {
            Ok(files) => usize::try_from(files).unwrap_or(usize::MAX),
            Err(error) => {
                tracing::warn!(error = %error, "the limit of open files could not be raised");
                1024
            }
        };
        let limits = Self { connections: connections(files), proxies, ..Self::default() };
        if limits.connections < MAX_CONNECTIONS {
            tracing::warn!(
                files.max = files,
                connections.max = limits.connections,
                "few files may be open (ulimit -n): fewer connections are held"
            );
        }
        limits
    }
}

/// How many connections to hold when `files` descriptors may be open: a third of them, at most
/// 1,024, is left to everything else.
fn connections(files: usize) -> usize {
    files.saturating_sub((files / 3).min(1024)).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_the_rest() {
        for (files, expected) in [
            (0, 1),
            (60, 40),
            (1024, 683),
            (11_023, 9_999),
            (11_024, 10_000),
            (usize::MAX, MAX_CONNECTIONS),
        ] {
            assert_eq!(connections(files), expected, "{files}");
        }
    }
}
