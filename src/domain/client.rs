//! Clients, identified by their addresses.

use std::net::IpAddr;

/// The client whose share of a limit a request counts against: an IPv4 address, or an IPv6 /64,
/// since a single customer is usually assigned all of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// An IPv4 address.
    V4(u32),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl ClientKey {
    /// The wider network that the client belongs to: an IPv4 /16, an IPv6 /40.
    pub fn wider(self) -> Self {
        match self {
            Self::V4(address) => Self::V4(address & 0xffff_0000),
            Self::V6(network) => Self::V6(network & !0xff_ffff),
        }
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ClientKey {
        ClientKey::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_mapped_addresses_count_as_ipv4() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
        assert_eq!(key("192.0.2.7").wider(), key("192.0.255.8").wider());
        assert_eq!(key("2001:db8:1::1").wider(), key("2001:db8:2::1").wider());
        assert_ne!(key("2001:db8::").wider(), key("2001:db9::").wider());
    }
}
