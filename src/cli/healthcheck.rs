//! `healthcheck`: asks a running server whether it is ready, for containers without curl.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server at `host` and `port`. `Err` says in a line why it is not ready.
pub fn run(host: &str, port: u16) -> Result<(), String> {
    let status = status(reachable(host), port)
        .map_err(|error| format!("no answer from {host} port {port}: {error}"))?;
    if status == "200" { Ok(()) } else { Err(format!("not ready: HTTP status {status}")) }
}

/// A server that listens on all addresses is asked on the loopback one.
fn reachable(host: &str) -> &str {
    match host.parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => "127.0.0.1",
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => "::1",
        _ => host,
    }
}

fn status(host: &str, port: u16) -> io::Result<String> {
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::other("the host has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0 without a Host: ALLOWED_HOSTS is about browsers, not about this.
    stream.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    match line.split(' ').nth(1) {
        Some(status) => Ok(status.to_owned()),
        None => Err(io::Error::other("it does not speak HTTP")),
    }
}
