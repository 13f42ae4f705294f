//! Work that computes: SQL, uploads, prompts, charts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{Caller, QuotaError, QuotaLimits};
use crate::domain::{ClientKey, SessionId};
use crate::keyed_locks::{KeyedLocks, LockRefused};

/// Whether nobody waits for a job's result any more, so that it may as well end.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Whether it is so.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets a [`Cancelled`] when the caller's future is dropped.
struct CancelOnDrop(Cancelled);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Work {
    /// One piece at a time per session.
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

/// A place in the queue, left when dropped.
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

    pub async fn run<T: Send + 'static>(
        &self,
        caller: Caller,
        job: impl FnOnce(&Cancelled) -> T + Send + 'static,
    ) -> Result<T, QuotaError> {
        let deadline = Instant::now() + self.patience;
        let own_share = |_: LockRefused| QuotaError::OwnShare;
        // Before a place: callers that wait for themselves must not hold places.
        let session = self.sessions.lock(caller.session, self.patience, self.session_queue).await;
        let session = session.map_err(own_share)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let client = self.clients.lock(caller.client, left, self.client_queue).await;
        let client = client.map_err(own_share)?;
        let place = {
            let _queued = self.enter_queue()?;
            let place = Arc::clone(&self.places).acquire_owned();
            let place = tokio::time::timeout_at(deadline.into(), place).await;
            place.map_err(|_| QuotaError::Busy)?.map_err(|_| QuotaError::Lost)?
        };
        let cancelled = Cancelled::default();
        let seen = cancelled.clone();
        let job = move || {
            // All are the job's: it goes on when its caller leaves. The place is freed first, so
            // that the caller's next job finds it.
            let _held = (place, client, session);
            job(&seen)
        };
        let _cancel = CancelOnDrop(cancelled);
        tokio::task::spawn_blocking(job).await.map_err(|_| QuotaError::Lost)
    }

    /// Jobs that compute, and jobs that wait for a place.
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
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn work(places: usize, queue: usize, patience: Duration) -> Arc<Work> {
        let limits = QuotaLimits {
            work_places: places,
            work_queue: queue,
            session_queue: 2,
            client_queue: 3,
            work_patience: patience,
            ..QuotaLimits::default()
        };
        Arc::new(Work::new(&limits))
    }

    /// A caller of whom nothing is known.
    fn anyone() -> Caller {
        let session = SessionId::random();
        let client = ClientKey::V6(session.0.as_u64_pair().1);
        Caller { session, client }
    }

    /// A job that has begun; it ends when the sender is used or dropped.
    async fn held(
        work: &Arc<Work>,
        caller: Caller,
    ) -> (tokio::task::JoinHandle<Result<bool, QuotaError>>, mpsc::Sender<()>) {
        let (release, wait) = mpsc::channel::<()>();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let work = Arc::clone(work);
        let task = tokio::spawn(async move {
            work.run(caller, move |cancelled| {
                let _ = began.send(());
                let _ = wait.recv();
                cancelled.is_set()
            })
            .await
        });
        has_begun.await.unwrap();
        (task, release)
    }

    #[tokio::test]
    async fn work_keeps_its_place_when_its_caller_leaves() {
        let work = work(2, 4, Duration::from_millis(1));
        let mut releases = Vec::new();
        for _ in 0..2 {
            let (caller, release) = held(&work, anyone()).await;
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
            releases.push(release);
        }
        assert_eq!(work.in_use(), (2, 0), "the jobs go on");
        let late = work.run(anyone(), |_| ()).await;
        assert_eq!(late, Err(QuotaError::Busy));
    }

    #[tokio::test]
    async fn a_caller_that_leaves_cancels_its_job() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = anyone();
        let (seen, was_set) = tokio::sync::oneshot::channel();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn({
            let work = Arc::clone(&work);
            async move {
                work.run(session, move |cancelled| {
                    let _ = began.send(());
                    while !cancelled.is_set() {
                        std::thread::yield_now();
                    }
                    let _ = seen.send(());
                })
                .await
            }
        });
        has_begun.await.unwrap();
        caller.abort();
        was_set.await.expect("the job must see it");
        work.run(session, |_| ()).await.expect("its place and its session are free again");
        assert_eq!(work.in_use(), (0, 0));
    }

    #[tokio::test]
    async fn a_session_works_one_piece_at_a_time_and_holds_one_place() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = anyone();
        let (first, release) = held(&work, session).await;
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let work = Arc::clone(&work);
            waiting.push(tokio::spawn(async move { work.run(session, |_| ()).await }));
            tokio::task::yield_now().await;
        }
        let third = work.run(session, |_| ()).await;
        assert_eq!(third, Err(QuotaError::OwnShare), "two may wait");
        work.run(anyone(), |_| ()).await.expect("others find a place");
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(false));
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        assert_eq!(work.in_use(), (0, 0));
    }

    /// Two sessions of one client took both places, and everybody else waited.
    #[tokio::test]
    async fn a_client_never_has_all_places() {
        let work = work(2, 4, Duration::from_secs(60));
        let client = ClientKey::V4(7);
        let of_client = || Caller { session: SessionId::random(), client };
        let (first, release) = held(&work, of_client()).await;
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let (work, caller) = (Arc::clone(&work), of_client());
            waiting.push(tokio::spawn(async move { work.run(caller, |_| ()).await }));
            tokio::task::yield_now().await;
        }
        assert_eq!(
            work.run(of_client(), |_| ()).await,
            Err(QuotaError::OwnShare),
            "three may wait"
        );
        work.run(anyone(), |_| ()).await.expect("others find a place");
        drop(release);
        assert_eq!(first.await.unwrap(), Ok(false));
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        assert_eq!(work.in_use(), (0, 0));
    }

    #[tokio::test]
    async fn the_queue_for_places_is_bounded() {
        let work = work(2, 1, Duration::from_secs(60));
        let (_first, release_first) = held(&work, anyone()).await;
        let (_second, release_second) = held(&work, anyone()).await;
        let queued = tokio::spawn({
            let work = Arc::clone(&work);
            async move { work.run(anyone(), |_| ()).await }
        });
        while work.in_use().1 == 0 {
            tokio::task::yield_now().await;
        }
        let full = work.run(anyone(), |_| ()).await;
        assert_eq!(full, Err(QuotaError::Busy));
        drop((release_first, release_second));
        queued.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_job_that_panics_frees_its_place() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = anyone();
        let lost = work.run(session, |_| panic!("on purpose")).await;
        assert_eq!(lost, Err(QuotaError::Lost));
        work.run(session, |_| ()).await.unwrap();
        assert_eq!(work.in_use(), (0, 0));
    }
}
