//! How many connections each client may hold.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::ServerLimits;
use crate::domain::ClientKey;

/// Counts the open connections of one listener, in all and per client.
pub struct Admission {
    free: Arc<Semaphore>,
    per_client: usize,
    proxies: Vec<IpNet>,
    open: Arc<Open>,
}

/// Open connections by client; clients without any are not in it.
type Open = Mutex<HashMap<ClientKey, usize>>;

/// Permission to hold one connection, for as long as it lives.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _client: Option<Counted>,
}

/// One connection in the count of its client.
struct Counted {
    client: ClientKey,
    open: Arc<Open>,
}

impl Admission {
    /// Counts against `limits`.
    pub fn new(limits: &ServerLimits) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            per_client: limits.connections_per_client,
            proxies: limits.proxies.clone(),
            open: Arc::default(),
        }
    }

    /// Whether the maximum number of connections is open.
    pub fn is_full(&self) -> bool {
        self.free.available_permits() == 0
    }

    /// Waits until one more connection may be opened.
    pub async fn room(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => permit,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// The place of a connection from `peer`; `None` if this client already holds its maximum.
    pub fn admit(&self, permit: OwnedSemaphorePermit, peer: IpAddr) -> Option<Place> {
        if peer.is_loopback() || self.proxies.iter().any(|network| network.contains(&peer)) {
            return Some(Place { _permit: permit, _client: None });
        }
        let client = ClientKey::from(peer);
        let mut open = lock(&self.open);
        let count = open.entry(client).or_insert(0);
        if *count >= self.per_client {
            return None;
        }
        *count += 1;
        drop(open);
        let counted = Counted { client, open: Arc::clone(&self.open) };
        Some(Place { _permit: permit, _client: Some(counted) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = lock(&self.open).entry(self.client) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

fn lock(open: &Open) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
    // Counting is a single step and cannot be left half done.
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    fn admission(connections: usize, per_client: usize) -> Admission {
        Admission::new(&ServerLimits {
            connections,
            connections_per_client: per_client,
            proxies: vec!["10.1.0.0/16".parse().unwrap()],
            ..ServerLimits::default()
        })
    }

    fn admit(admission: &Admission, peer: &str) -> Option<Place> {
        admission.admit(admission.room().now_or_never()?, peer.parse().unwrap())
    }

    #[test]
    fn a_client_has_its_share_and_no_more() {
        let admission = admission(100, 3);
        for same in [
            ["192.0.2.1"; 4],
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3", "2001:db8::1"],
        ] {
            let mut places: Vec<_> =
                same[..3].iter().map(|peer| admit(&admission, peer).unwrap()).collect();
            assert!(admit(&admission, same[3]).is_none());
            places.pop();
            assert!(admit(&admission, same[3]).is_some());
        }
        assert!(admit(&admission, "2001:db8:0:1::1").is_some(), "another /64");
        assert!(admit(&admission, "192.0.2.2").is_some());
        assert!(lock(&admission.open).is_empty(), "nothing is kept of clients that have left");
        assert_eq!(admission.free.available_permits(), 100);
    }

    #[test]
    fn proxies_and_loopback_share_only_the_total() {
        let admission = admission(6, 1);
        let peers = ["127.0.0.1", "::1", "10.1.2.3", "10.1.2.3", "127.0.0.1"];
        let _places: Vec<_> = peers.map(|peer| admit(&admission, peer).unwrap()).into();
        let _last = admit(&admission, "10.2.0.1").unwrap();
        assert!(admission.is_full());
        assert!(admit(&admission, "127.0.0.1").is_none());
    }

    proptest! {
        /// Connections open and close in any order: neither bound is exceeded, no place is lost.
        #[test]
        fn counts_hold_over_time(steps in prop::collection::vec((0_u8..6, any::<bool>()), 0..300)) {
            let admission = admission(8, 3);
            let mut places: Vec<(u8, Place)> = Vec::new();
            for (peer, opens) in steps {
                let mine = places.iter().filter(|(other, _)| *other == peer).count();
                if opens {
                    let place = admit(&admission, &format!("192.0.2.{peer}"));
                    prop_assert_eq!(place.is_some(), mine < 3 && places.len() < 8);
                    places.extend(place.map(|place| (peer, place)));
                } else if let Some(n) = places.iter().position(|(other, _)| *other == peer) {
                    places.swap_remove(n);
                }
            }
            drop(places);
            prop_assert!(lock(&admission.open).is_empty());
            prop_assert_eq!(admission.free.available_permits(), 8);
        }
    }
}
