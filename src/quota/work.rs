//! CPU-bound work: SQL, uploads, prompts, charts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{QuotaError, QuotaLimits};
use crate::domain::SessionId;
use crate::keyed_locks::{KeyedLocks, LockRefused};

/// Tells a job that its caller has stopped waiting, so it may as well end.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Whether the caller has stopped waiting.
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
    /// One job at a time per session.
    sessions: KeyedLocks<SessionId>,
    places: Arc<Semaphore>,
    capacity: usize,
    queued: Arc<AtomicUsize>,
    queue: usize,
    session_queue: usize,
    patience: Duration,
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
            places: Arc::new(Semaphore::new(limits.work_places)),
            capacity: limits.work_places,
            queued: Arc::default(),
            queue: limits.work_queue,
            session_queue: limits.session_queue,
            patience: limits.work_patience,
        }
    }

    pub async fn run<T: Send + 'static>(
        &self,
        session: SessionId,
        job: impl FnOnce(&Cancelled) -> T + Send + 'static,
    ) -> Result<T, QuotaError> {
        let deadline = Instant::now() + self.patience;
        // Before a place: callers of one session that wait for each other must not occupy places.
        let turn = self.sessions.lock(session, self.patience, self.session_queue).await;
        let turn = turn.map_err(|refused| match refused {
            LockRefused::QueueFull | LockRefused::Timeout => QuotaError::OwnShare,
        })?;
        let place = {
            let _queued = self.enter_queue()?;
            let place = Arc::clone(&self.places).acquire_owned();
            let place = tokio::time::timeout_at(deadline.into(), place).await;
            place.map_err(|_| QuotaError::Busy)?.map_err(|_| QuotaError::Lost)?
        };
        let cancelled = Cancelled::default();
        let seen = cancelled.clone();
        let job = move || {
            // The job owns both: it continues when its caller leaves.
            let _held = (turn, place);
            job(&seen)
        };
        let _cancel = CancelOnDrop(cancelled);
        tokio::task::spawn_blocking(job).await.map_err(|_| QuotaError::Lost)
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
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn work(places: usize, queue: usize, patience: Duration) -> Arc<Work> {
        let limits = QuotaLimits {
            work_places: places,
            work_queue: queue,
            session_queue: 2,
            work_patience: patience,
            ..QuotaLimits::default()
        };
        Arc::new(Work::new(&limits))
    }

    /// Starts a job that ends when the sender is used or dropped.
    async fn held(
        work: &Arc<Work>,
        session: SessionId,
    ) -> (tokio::task::JoinHandle<Result<bool, QuotaError>>, mpsc::Sender<()>) {
        let (release, wait) = mpsc::channel::<()>();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let work = Arc::clone(work);
        let caller = tokio::spawn(async move {
            work.run(session, move |cancelled| {
                let _ = began.send(());
                let _ = wait.recv();
                cancelled.is_set()
            })
            .await
        });
        has_begun.await.unwrap();
        (caller, release)
    }

    #[tokio::test]
    async fn a_job_keeps_its_place_when_its_caller_leaves() {
        let work = work(2, 4, Duration::from_millis(1));
        let mut releases = Vec::new();
        for _ in 0..2 {
            let (caller, release) = held(&work, SessionId::random()).await;
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
            releases.push(release);
        }
        assert_eq!(work.in_use(), (2, 0), "the jobs continue");
        let late = work.run(SessionId::random(), |_| ()).await;
        assert_eq!(late, Err(QuotaError::Busy));
    }

    #[tokio::test]
    async fn a_caller_that_leaves_cancels_its_job() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = SessionId::random();
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
        was_set.await.expect("the job must see the cancellation");
        work.run(session, |_| ()).await.expect("the place and the session are free again");
        assert_eq!(work.in_use(), (0, 0));
    }

    #[tokio::test]
    async fn a_session_runs_one_job_at_a_time_in_one_place() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = SessionId::random();
        let (first, release) = held(&work, session).await;
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let work = Arc::clone(&work);
            waiting.push(tokio::spawn(async move { work.run(session, |_| ()).await }));
            tokio::task::yield_now().await;
        }
        let third = work.run(session, |_| ()).await;
        assert_eq!(third, Err(QuotaError::OwnShare), "two may wait");
        work.run(SessionId::random(), |_| ()).await.expect("another session finds a place");
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(false));
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        assert_eq!(work.in_use(), (0, 0));
    }

    #[tokio::test]
    async fn the_queue_for_places_is_bounded() {
        let work = work(2, 1, Duration::from_secs(60));
        let (_first, release_first) = held(&work, SessionId::random()).await;
        let (_second, release_second) = held(&work, SessionId::random()).await;
        let queued = tokio::spawn({
            let work = Arc::clone(&work);
            async move { work.run(SessionId::random(), |_| ()).await }
        });
        while work.in_use().1 == 0 {
            tokio::task::yield_now().await;
        }
        let full = work.run(SessionId::random(), |_| ()).await;
        assert_eq!(full, Err(QuotaError::Busy));
        drop((release_first, release_second));
        queued.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_job_that_panics_frees_its_place() {
        let work = work(2, 4, Duration::from_secs(60));
        let session = SessionId::random();
        let lost = work.run(session, |_| panic!("on purpose")).await;
        assert_eq!(lost, Err(QuotaError::Lost));
        work.run(session, |_| ()).await.unwrap();
        assert_eq!(work.in_use(), (0, 0));
    }
}
