//! Request bodies being received or processed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{QuotaError, QuotaLimits};
use crate::domain::ClientKey;

/// Bodies up to this size are not counted: the limit on connections bounds them too.
const SMALL: usize = 64 * 1024;

#[derive(Default)]
struct BodyBytes {
    total: usize,
    clients: HashMap<ClientKey, usize>,
}

struct BodiesInner {
    counts: Mutex<BodyBytes>,
    /// Signals that room has become free.
    freed: Notify,
    limit: usize,
    client_limit: usize,
    patience: Duration,
}

#[derive(Clone)]
pub(super) struct Bodies(Arc<BodiesInner>);

/// The room that a body takes; released on drop.
pub struct BodyLease {
    bodies: Bodies,
    client: ClientKey,
    bytes: usize,
    /// What is left of the time that it may wait for room, over all its parts.
    patience: Duration,
}

impl Bodies {
    pub fn new(limits: &QuotaLimits) -> Self {
        Self(Arc::new(BodiesInner {
            counts: Mutex::default(),
            freed: Notify::new(),
            limit: limits.body_bytes,
            client_limit: limits.client_body_bytes,
            patience: limits.body_patience,
        }))
    }

    pub fn lease(&self, client: ClientKey) -> BodyLease {
        BodyLease { bodies: self.clone(), client, bytes: 0, patience: self.0.patience }
    }

    /// Bytes in use, and the number of clients that use them.
    pub fn in_use(&self) -> (usize, usize) {
        let counts = self.counts();
        (counts.total, counts.clients.len())
    }

    fn counts(&self) -> MutexGuard<'_, BodyBytes> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, client: ClientKey, bytes: usize) -> Result<(), QuotaError> {
        let mut counts = self.counts();
        let own = counts.clients.get(&client).copied().unwrap_or(0);
        if own + bytes > self.0.client_limit {
            return Err(QuotaError::OwnShare);
        }
        if counts.total + bytes > self.0.limit {
            return Err(QuotaError::Busy);
        }
        counts.total += bytes;
        counts.clients.insert(client, own + bytes);
        Ok(())
    }

    fn give_back(&self, client: ClientKey, bytes: usize) {
        let mut counts = self.counts();
        counts.total -= bytes;
        if let Some(own) = counts.clients.get_mut(&client) {
            *own -= bytes;
            if *own == 0 {
                counts.clients.remove(&client);
            }
        }
        drop(counts);
        self.0.freed.notify_waiters();
    }
}

impl BodyLease {
    /// Takes room for a body of `bytes` in total, waiting for a while if there is none.
    ///
    /// # Errors
    /// [`QuotaError::OwnShare`] or [`QuotaError::Busy`]; nothing is taken then.
    pub(super) async fn grow_to(&mut self, bytes: usize) -> Result<(), QuotaError> {
        let more = match bytes.checked_sub(self.bytes.max(SMALL)) {
            None | Some(0) => return Ok(()),
            // Includes the part that has not been counted so far.
            Some(_) => bytes - self.bytes,
        };
        let begun = tokio::time::Instant::now();
        let deadline = begun + self.patience;
        loop {
            // Created before the attempt, so that room freed right after it is noticed.
            let freed = self.bodies.0.freed.notified();
            let refused = match self.bodies.take(self.client, more) {
                Ok(()) => {
                    self.bytes = bytes;
                    self.patience = self.patience.saturating_sub(begun.elapsed());
                    return Ok(());
                }
                Err(refused) => refused,
            };
            if tokio::time::timeout_at(deadline, freed).await.is_err() {
                return Err(refused);
            }
        }
    }
}

impl Drop for BodyLease {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.bodies.give_back(self.client, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: ClientKey = ClientKey::V4(1);
    const B: ClientKey = ClientKey::V4(2);
    const C: ClientKey = ClientKey::V4(3);

    fn bodies(limit: usize, client_limit: usize) -> Bodies {
        Bodies::new(&QuotaLimits {
            body_bytes: limit,
            client_body_bytes: client_limit,
            body_patience: Duration::from_secs(5),
            ..QuotaLimits::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_a_share_and_the_process_a_limit() {
        let bodies = bodies(3 << 20, 2 << 20);
        let mut first = bodies.lease(A);
        first.grow_to(2 << 20).await.unwrap();
        let mut second = bodies.lease(A);
        assert_eq!(second.grow_to(SMALL).await, Ok(()), "small bodies are not counted");
        assert_eq!(second.grow_to(SMALL + 1).await, Err(QuotaError::OwnShare));
        let mut other = bodies.lease(B);
        other.grow_to(1 << 20).await.unwrap();
        let mut third = bodies.lease(C);
        assert_eq!(third.grow_to(SMALL + 1).await, Err(QuotaError::Busy));
        drop((first, second));
        third.grow_to(2 << 20).await.unwrap();
        drop((other, third));
        assert_eq!(bodies.in_use(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_body_takes_room_that_becomes_free() {
        let bodies = bodies(1 << 20, 1 << 20);
        let mut first = bodies.lease(A);
        first.grow_to(1 << 20).await.unwrap();
        let waiting = tokio::spawn({
            let mut second = bodies.lease(B);
            async move { second.grow_to(1 << 20).await }
        });
        tokio::time::sleep(Duration::from_secs(4)).await;
        drop(first);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }

    /// Bodies that wait for each other grew in small steps, each after a wait of its own, and held
    /// on to their room for minutes.
    #[tokio::test(start_paused = true)]
    async fn the_waits_of_a_body_count_together() {
        let bodies = bodies(1 << 20, 1 << 20);
        let mut room: Vec<_> = std::iter::repeat_with(|| bodies.lease(A)).take(8).collect();
        for lease in &mut room {
            lease.grow_to(1 << 17).await.unwrap();
        }
        let begun = tokio::time::Instant::now();
        let waiting = tokio::spawn({
            let mut lease = bodies.lease(B);
            async move {
                let mut steps = 0;
                while lease.grow_to((steps + 1) << 17).await.is_ok() {
                    steps += 1;
                }
                (steps, begun.elapsed())
            }
        });
        for lease in room {
            tokio::time::sleep(Duration::from_secs(2)).await;
            drop(lease);
        }
        assert_eq!(waiting.await.unwrap(), (2, Duration::from_secs(5)));
    }

    proptest! {
        #[test]
        fn counts_never_exceed_their_limits_and_end_at_zero(
            steps in prop::collection::vec((0u32..4, 0usize..600_000, any::<bool>()), 1..80),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let bodies = bodies(1 << 20, 1 << 19);
                let mut leases = Vec::new();
                for (client, bytes, is_last) in steps {
                    let mut lease = bodies.lease(ClientKey::V4(client));
                    let _ = lease.grow_to(bytes).await;
                    let _ = lease.grow_to(bytes + 10_000).await;
                    leases.push(lease);
                    let (total, _) = bodies.in_use();
                    assert!(total <= 1 << 20, "{total}");
                    if is_last {
                        leases.clear();
                        assert_eq!(bodies.in_use(), (0, 0));
                    }
                }
            });
        }
    }
}
