//! The owner of every bounded resource: CPU-bound work, bodies in flight, request rates.
//!
//! Each has a limit per session or client and one for the process, a bounded queue behind it, and
//! an error when the queue is full: [`QuotaError::OwnShare`] if the caller's own use is the reason,
//! [`QuotaError::Busy`] if the total is.

mod bodies;
mod rates;
mod work;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{ClientKey, SessionId};
use crate::metrics::Metrics;
use bodies::Bodies;
pub use bodies::BodyLease;
pub use rates::RateBucket;
use rates::Rates;
use work::Work;
pub use work::WorkPlace;

/// The limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Maximum number of jobs that run at the same time.
    pub work_places: usize,
    /// Maximum number of jobs that wait for a place.
    pub work_queue: usize,
    /// Maximum number of jobs of one session that wait for its previous job.
    pub session_queue: usize,
    /// Maximum number of jobs of one client that wait for its previous jobs. A client has at most
    /// all places but one, and at least one.
    pub client_queue: usize,
    /// How long a job waits.
    pub work_patience: Duration,
    /// Maximum size of all request bodies being received or processed, in bytes.
    pub body_bytes: usize,
    /// The same per client.
    pub client_body_bytes: usize,
    /// How long a body waits for room.
    pub body_patience: Duration,
    /// Requests per minute and client in each [`RateBucket`]; 0 for no limit.
    pub rate: u32,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        // More jobs would only compete for the cores.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            work_places: cores.max(2),
            work_queue: 64,
            session_queue: 4,
            client_queue: 16,
            work_patience: Duration::from_secs(5),
            body_bytes: 256 << 20,
            client_body_bytes: 64 << 20,
            body_patience: Duration::from_secs(5),
            rate: 0,
        }
    }
}

/// Who a job is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The session that the job belongs to.
    pub session: SessionId,
    /// The client that requested it.
    pub client: ClientKey,
}

/// Why work is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The caller has used up its own share.
    #[error("too many concurrent requests from one caller")]
    OwnShare,
    /// The whole resource is in use.
    #[error("the server is busy")]
    Busy,
    /// The caller has sent too many requests of one kind.
    #[error("too many requests from one client")]
    RateLimited {
        /// Time until the next one is allowed.
        retry_after: Duration,
    },
    /// The job panicked, or the server is shutting down.
    #[error("the job was not finished")]
    Lost,
}

impl QuotaError {
    /// Its label in metrics.
    fn reason(self) -> &'static str {
        match self {
            Self::OwnShare => "own_share",
            Self::Busy => "busy",
            Self::RateLimited { .. } => "rate_limited",
            Self::Lost => "lost",
        }
    }
}

/// Current use; all zero when the server is idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaUse {
    /// Running jobs.
    pub working: usize,
    /// Jobs that wait for a place.
    pub queued: usize,
    /// Size of request bodies, in bytes.
    pub body_bytes: usize,
    /// Clients with request bodies.
    pub body_clients: usize,
}

/// The bounded resources of this process. Cheap to clone.
#[derive(Clone)]
pub struct Quota(Arc<QuotaInner>);

struct QuotaInner {
    work: Work,
    bodies: Bodies,
    rates: Rates,
    metrics: Arc<Metrics>,
}

impl Quota {
    /// Resources within `limits`; refusals are counted in `metrics`.
    pub fn new(limits: QuotaLimits, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(QuotaInner {
            work: Work::new(&limits),
            bodies: Bodies::new(&limits),
            rates: Rates::new(limits.rate),
            metrics,
        }))
    }

    /// Waits for the caller's earlier jobs and for a free place.
    ///
    /// # Errors
    /// See [`QuotaError`].
    pub async fn place(&self, caller: Caller) -> Result<WorkPlace, QuotaError> {
        self.0.work.place(caller).await.inspect_err(|error| self.counted("work", *error))
    }

    /// A lease for a body that `client` is about to send; it takes no room before the body arrives.
    pub fn body(&self, client: ClientKey) -> BodyLease {
        self.0.bodies.lease(client)
    }

    /// Takes room for a body of `bytes` in total, waiting for a while if there is none.
    ///
    /// # Errors
    /// [`QuotaError::OwnShare`] or [`QuotaError::Busy`]; nothing is taken then.
    pub async fn grow(&self, lease: &mut BodyLease, bytes: usize) -> Result<(), QuotaError> {
        lease.grow_to(bytes).await.inspect_err(|error| self.counted("bodies", *error))
    }

    fn counted(&self, resource: &'static str, error: QuotaError) {
        self.0.metrics.refusal(resource, error.reason());
    }

    /// Counts a request from `client` in `bucket`.
    ///
    /// # Errors
    /// [`QuotaError::RateLimited`] if it exceeds the limit.
    pub fn count(&self, bucket: RateBucket, client: ClientKey) -> Result<(), QuotaError> {
        let counted = self.0.rates.count(bucket, client);
        counted.inspect_err(|error| self.counted(bucket.as_str(), *error))
    }

    /// Current use.
    pub fn in_use(&self) -> QuotaUse {
        let (working, queued) = self.0.work.in_use();
        let (body_bytes, body_clients) = self.0.bodies.in_use();
        QuotaUse { working, queued, body_bytes, body_clients }
    }

    /// Drops counts that no longer limit any client; to be called now and then.
    pub fn tidy(&self) {
        self.0.rates.tidy();
    }
}
