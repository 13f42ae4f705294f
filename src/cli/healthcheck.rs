//! `healthcheck`: asks a running server whether it is ready, for containers without curl.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Timeout of each step: connecting, sending, receiving.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the server that listens on `address`.
///
/// # Errors
/// One line with the reason why the server is not ready.
pub fn run(address: SocketAddr) -> Result<(), String> {
    let address = reachable(address);
    let status = status(address).map_err(|error| {
        format!("no answer from {} port {}: {error}", address.ip(), address.port())
    })?;
    if status == "200" { Ok(()) } else { Err(format!("not ready: HTTP status {status}")) }
}

/// A server that listens on all addresses is asked through loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn status(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // HTTP/1.0 without a Host header, which ALLOWED_HOSTS might refuse.
    stream.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    match line.split(' ').nth(1) {
        Some(status) => Ok(status.to_owned()),
        None => Err(io::Error::other("it does not speak HTTP")),
    }
}
