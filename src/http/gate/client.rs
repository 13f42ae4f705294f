//! Finds the client that a request comes from, also behind reverse proxies.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;
use poem::http::HeaderMap;
use poem::{Addr, Request};

use crate::domain::ClientKey;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Finds clients, given the networks whose forwarded addresses are trusted.
#[derive(Debug)]
pub struct Clients {
    proxies: Vec<IpNet>,
    has_warned: AtomicBool,
}

impl Clients {
    /// Clients behind the proxies in these networks.
    pub fn new(proxies: Vec<IpNet>) -> Self {
        Self { proxies, has_warned: AtomicBool::new(false) }
    }

    /// The client whose share of the limits `request` counts against.
    pub fn client(&self, request: &Request) -> ClientKey {
        match &request.remote_addr().0 {
            Addr::SocketAddr(address) => self.behind(address.ip(), request.headers()),
            // This server's listeners have no other addresses.
            _ => ClientKey::V4(0),
        }
    }

    /// The client of a request with these headers on a connection from `peer`.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> ClientKey {
        let peer = peer.to_canonical();
        if self.is_proxy(peer) {
            return forwarded(headers, |address| self.is_proxy(address)).unwrap_or(peer).into();
        }
        if is_private(peer) && headers.contains_key(FORWARDED_FOR) {
            self.warn(peer);
        }
        peer.into()
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(&address))
    }

    fn warn(&self, peer: IpAddr) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                peer = %peer,
                "X-Forwarded-For from a private address that is not in TRUSTED_PROXIES is ignored: \
                 if that is your reverse proxy, all visitors share one rate limit"
            );
        }
    }
}

/// The rightmost address in `X-Forwarded-For` that is not a proxy's: everything left of it is only
/// the client's claim. If all are proxies, the leftmost.
fn forwarded(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut client = None;
    let values: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        // Nothing left of a malformed address can be trusted.
        let Some(address) = parse_hop(hop) else { break };
        client = Some(address);
        if !is_proxy(address) {
            break;
        }
    }
    client
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(hop, |it| it.0);
    let address = bare.parse::<IpAddr>().ok();
    address
        .or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
        .map(|address| address.to_canonical())
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> ClientKey {
        let proxies = ["127.0.0.0/8", "10.0.0.0/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        Clients::new(proxies.to_vec()).behind(peer.parse().unwrap(), &headers)
    }

    fn key(text: &str) -> ClientKey {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_not_a_proxy() {
        for (peer, headers, expected) in [
            ("203.0.113.9", &[][..], "203.0.113.9"),
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.1.2.3"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
            ("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["nonsense, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &["198.51.100.1:8080"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &[""], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, headers), key(expected), "{peer} {headers:?}");
        }
    }
}
