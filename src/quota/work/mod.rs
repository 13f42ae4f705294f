//! CPU-bound work: SQL, uploads, prompts, charts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Caller, QuotaError, QuotaLimits};
use crate::domain::{ClientKey, SessionId};
use crate::keyed_locks::{HeldLock, KeyedLocks, LockRefused};

pub(super) struct Work {
    /// One job at a time per session.
    sessions: KeyedLocks<SessionId>,
    /// All places but one per client.
    clients: KeyedLocks<ClientKey>,
    places: Arc<Semaphore>,
    capacity: usize,
    queued: Arc<AtomicUsize>,
    queue: usize,
    session_queue: usize,
    client_queue: usize,
    patience: Duration,
}

/// A place for one job. On drop the permit is released before the caller's own locks, so that the
/// caller's next job finds a place.
#[derive(Debug)]
pub struct WorkPlace {
    _permit: OwnedSemaphorePermit,
    _client: HeldLock<ClientKey>,
    _session: HeldLock<SessionId>,
}

impl WorkPlace {
    /// Runs `job` off the async threads. The job keeps the place until it ends, whether or not its
    /// caller still waits.
    ///
    /// # Errors
    /// [`QuotaError::Lost`] if the job panics or the server is shutting down.
    pub async fn run<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QuotaError> {
        Ok(self.lend(job).await?.1)
    }

    /// Like [`run`](Self::run), but returns the place along with the result.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn lend<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(Self, T), QuotaError> {
        let job = move || {
            let result = job();
            (self, result)
        };
        tokio::task::spawn_blocking(job).await.map_err(|_| QuotaError::Lost)
    }
}

/// A place in the queue, released on drop.
struct Queued(Arc<AtomicUsize>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Work {
    pub fn new(limits: &QuotaLimits) -> Self {
        Self {
            sessions: KeyedLocks::default(),
            clients: KeyedLocks::with_holders((limits.work_places - 1).max(1)),
            places: Arc::new(Semaphore::new(limits.work_places)),
            capacity: limits.work_places,
            queued: Arc::default(),
            queue: limits.work_queue,
            session_queue: limits.session_queue,
            client_queue: limits.client_queue,
            patience: limits.work_patience,
        }
    }

    pub async fn place(&self, caller: Caller) -> Result<WorkPlace, QuotaError> {
        let deadline = Instant::now() + self.patience;
        let own_share = |_: LockRefused| QuotaError::OwnShare;
        // Before a place: callers that wait for their own earlier jobs must not occupy places.
        let session = self.sessions.lock(caller.session, self.patience, self.session_queue).await;
        let session = session.map_err(own_share)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let client = self.clients.lock(caller.client, left, self.client_queue).await;
        let client = client.map_err(own_share)?;
        let _queued = self.enter_queue()?;
        let permit = Arc::clone(&self.places).acquire_owned();
        let permit = tokio::time::timeout_at(deadline.into(), permit).await;
        let permit = permit.map_err(|_| QuotaError::Busy)?.map_err(|_| QuotaError::Lost)?;
        Ok(WorkPlace { _permit: permit, _client: client, _session: session })
    }

    /// Running jobs, and jobs that wait for a place.
    pub fn in_use(&self) -> (usize, usize) {
        let working = self.capacity - self.places.available_permits();
        (working, self.queued.load(Ordering::Relaxed))
    }

    fn enter_queue(&self) -> Result<Queued, QuotaError> {
        if self.queued.fetch_add(1, Ordering::Relaxed) < self.queue {
            Ok(Queued(Arc::clone(&self.queued)))
        } else {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            Err(QuotaError::Busy)
        }
    }
}

#[cfg(test)]
mod tests;
