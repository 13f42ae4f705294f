//! The redb store's only writer thread, and the database it shares with readers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use super::activity::SessionActivity;
use super::fault::{OpFailure, RedbFault};
use super::open::OpenError;
use super::ops::{Batch, Effects};
use super::read::Snapshot;
use super::watch::FileWatch;
use crate::store::{StoreCounters, StoreError};

/// Capacity of the writer's queue; further callers wait for a free slot.
const QUEUE: usize = 1024;
/// Maximum number of operations per commit. Beyond a few hundred a commit only takes longer.
const MAX_OPERATIONS: usize = 256;
/// How long to wait for the callers of the previous commit: they often return at once, and then
/// share this commit instead of waiting for the next.
const GATHER: Duration = Duration::from_micros(200);
/// Whether each commit also records what opening the file after a crash must otherwise recompute.
/// That takes a second sync: in alternating runs, throughput fell to half for new sessions and to
/// two fifths for turns. Without it, opening took 70 to 150 ms for 68 MB in the page cache; with
/// it, 1 ms.
const QUICK_REPAIR: bool = false;

/// Opens the database again after a failure.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>;

/// The database, which is closed and reopened when its storage fails: after a failed write redb
/// rejects everything, since it no longer knows what the file holds.
pub(super) struct Handle {
    database: RwLock<Option<Database>>,
    open: Opener,
}

impl Handle {
    pub fn new(database: Database, open: Opener) -> Self {
        Self { database: RwLock::new(Some(database)), open }
    }

    /// Runs `work` on a snapshot. Blocks for as long as the disk does.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, OpFailure>,
    ) -> Result<T, OpFailure> {
        // The lock is not held while `work` runs: a slow reader must not delay a reopening.
        let transaction = self.begin_read()?;
        // redb can panic on a file that is damaged while it is open.
        catch_unwind(AssertUnwindSafe(|| work(&Snapshot(&transaction))))
            .unwrap_or(Err(RedbFault::Panicked.into()))
    }

    /// Does not wait while the database is opened again, which can take as long as checking the
    /// whole file: that would block the threads of the async runtime. Until then it is not open.
    fn begin_read(&self) -> Result<ReadTransaction, RedbFault> {
        let database = match self.database.try_read() {
            Ok(database) => database,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(RedbFault::NotOpen),
        };
        Ok(database.as_ref().ok_or(RedbFault::NotOpen)?.begin_read()?)
    }

    fn begin_write(&self) -> Result<WriteTransaction, RedbFault> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        Ok(database.as_ref().ok_or(RedbFault::NotOpen)?.begin_write()?)
    }

    /// Opens the database again.
    fn reopen(&self) -> Result<(), OpenError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // Closed first: an open database holds a lock on its file.
        drop(database.take());
        *database = Some((self.open)()?);
        Ok(())
    }

    fn close(&self) {
        // Nothing is lost if this fails; the next opening only takes longer.
        drop(self.database.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// An operation that waits for the writer.
trait Job: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), RedbFault>;
    /// Replies to the caller, after the commit or its failure.
    fn answer(self: Box<Self>, fault: Option<&RedbFault>);
}

struct Call<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, OpFailure> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), RedbFault> {
        let Some(work) = self.work.take() else { return Ok(()) };
        self.result = Some(match work(batch) {
            Ok(value) => Ok(value),
            Err(OpFailure::Refused(error)) => Err(error),
            Err(OpFailure::Fault(fault)) => return Err(fault),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, fault: Option<&RedbFault>) {
        let result = match (fault, self.result) {
            (None, Some(result)) => result,
            (Some(fault), _) => Err(fault.clone().into()),
            (None, None) => Err(closed()),
        };
        // A caller that has stopped waiting does not need it.
        let _ = self.reply.send(result);
    }
}

enum Order {
    Run(Box<dyn Job>),
    OpFailure(oneshot::Sender<Result<(), StoreError>>),
}

/// What the writer thread has done, for [`StoreCounters`].
#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    operations: AtomicU64,
    failed_commits: AtomicU64,
}

impl Counters {
    /// Counts a batch of `operations`, unless it had nothing to commit.
    fn count(&self, operations: usize, committed: &Result<bool, RedbFault>) {
        match committed {
            Ok(true) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.operations.fetch_add(operations as u64, Ordering::Relaxed);
            }
            Ok(false) => {}
            Err(_) => {
                self.failed_commits.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The way to the writer thread. The thread ends when this is dropped or told to stop.
#[derive(Clone)]
pub(super) struct Writer {
    orders: mpsc::Sender<Order>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Starts the thread, which writes as long as `watch` finds the file in its place.
    pub fn start(
        handle: Arc<Handle>,
        activity: Arc<SessionActivity>,
        watch: Option<Arc<FileWatch>>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, orders) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let worker = Worker {
            handle,
            activity,
            watch,
            counters: Arc::clone(&counters),
            failed: false,
            file_lost: false,
        };
        worker.note_length();
        let thread =
            thread::Builder::new().name("store-writer".to_owned()).spawn(|| worker.work(orders))?;
        Ok((Self { orders: sender, counters }, thread))
    }

    /// Runs `work` in a transaction shared with concurrent callers, and returns after the commit.
    /// `work` runs even if the caller stops waiting.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, OpFailure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Call { work: Some(work), result: None, reply };
        self.orders.send(Order::Run(Box::new(call))).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Flushes what is still in memory, closes the database and ends the thread.
    pub async fn stop(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::OpFailure(reply)).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// What has been done since the start, and what waits.
    pub fn counters(&self) -> StoreCounters {
        let Counters { commits, operations, failed_commits } = &*self.counters;
        StoreCounters {
            commits: commits.load(Ordering::Relaxed),
            operations: operations.load(Ordering::Relaxed),
            failed_commits: failed_commits.load(Ordering::Relaxed),
            queued: self.orders.max_capacity() - self.orders.capacity(),
        }
    }
}

/// The error of a closed store.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

struct Worker {
    handle: Arc<Handle>,
    activity: Arc<SessionActivity>,
    /// Of a store in a file.
    watch: Option<Arc<FileWatch>>,
    counters: Arc<Counters>,
    /// The last batch was not committed.
    failed: bool,
    /// The last look did not find the file in its place.
    file_lost: bool,
}

/// The next queued order; with `wait`, also one that arrives before `late`.
fn next_order(orders: &mut mpsc::Receiver<Order>, wait: bool, late: Instant) -> Option<Order> {
    loop {
        match orders.try_recv() {
            Ok(order) => return Some(order),
            Err(_) if wait && Instant::now() < late => thread::yield_now(),
            Err(_) => return None,
        }
    }
}

impl Worker {
    fn work(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut asked = None;
        let mut before = 0;
        while asked.is_none()
            && let Some(first) = orders.blocking_recv()
        {
            let mut jobs = Vec::new();
            let late = Instant::now() + GATHER;
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Run(job) => jobs.push(job),
                    Order::OpFailure(reply) => asked = Some(reply),
                }
                let complete = asked.is_some() || jobs.len() == MAX_OPERATIONS;
                next = if complete {
                    None
                } else {
                    next_order(&mut orders, jobs.len() < before, late)
                };
            }
            before = jobs.len();
            self.commit(jobs);
        }
        let written = self.try_commit(&mut [], |batch| batch.write_activity());
        self.handle.close();
        if let Some(reply) = asked {
            let _ = reply.send(written.map_err(StoreError::from));
        }
    }

    /// Runs `jobs` as one transaction and replies to their callers.
    fn commit(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        // After a failure a probe is written, so that the store is not reported as writable before
        // it is.
        let probe = self.failed;
        let prepare = |batch: &mut Batch<'_>| {
            if probe { batch.put_meta(b"probe", b"") } else { Ok(()) }
        };
        let fault = self.try_commit(&mut jobs, prepare).err();
        self.failed = fault.is_some();
        for job in jobs {
            job.answer(fault.as_ref());
        }
    }

    /// Runs `jobs` as one transaction, if the file is where it should be.
    fn try_commit(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        prepare: impl FnOnce(&mut Batch<'_>) -> Result<(), RedbFault>,
    ) -> Result<(), RedbFault> {
        let done = self.check_file().and_then(|()| {
            let done = self.commit_or_recover(jobs, prepare);
            self.note_length();
            done
        });
        self.counters.count(jobs.len(), &done);
        done.map(drop)
    }

    /// Returns whether there was anything to commit.
    fn commit_or_recover(
        &self,
        jobs: &mut [Box<dyn Job>],
        prepare: impl FnOnce(&mut Batch<'_>) -> Result<(), RedbFault>,
    ) -> Result<bool, RedbFault> {
        let mut effects = Effects::default();
        let done = catch_unwind(AssertUnwindSafe(|| self.transact(jobs, prepare, &mut effects)))
            .unwrap_or(Err(RedbFault::Panicked));
        match &done {
            Ok(_) => {
                for &(id, at) in &effects.created {
                    self.activity.add(id, at);
                }
            }
            Err(fault) => {
                self.activity.undo(&effects.moves, &effects.removed);
                let reopen = match fault {
                    // That has just been tried, or must not be.
                    RedbFault::NotOpen | RedbFault::LostFile(_) => false,
                    // A panic leaves pages behind that only an opening finds again.
                    RedbFault::Panicked => true,
                    RedbFault::Storage(_) => self.handle.begin_write().is_err(),
                };
                if reopen {
                    self.reopen();
                }
            }
        }
        done
    }

    fn transact(
        &self,
        jobs: &mut [Box<dyn Job>],
        prepare: impl FnOnce(&mut Batch<'_>) -> Result<(), RedbFault>,
        effects: &mut Effects,
    ) -> Result<bool, RedbFault> {
        let mut transaction = match self.handle.begin_write() {
            Err(RedbFault::NotOpen) => {
                self.reopen();
                self.handle.begin_write()?
            }
            begun => begun?,
        };
        transaction.set_quick_repair(QUICK_REPAIR);
        let mut batch = Batch::open(&transaction, &self.activity, effects)?;
        prepare(&mut batch)?;
        for job in jobs {
            job.run(&mut batch)?;
        }
        let changed = batch.finish()?;
        if changed {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(changed)
    }

    /// Logs when the file is lost and when it is found again, not every time.
    fn check_file(&mut self) -> Result<(), RedbFault> {
        let Some(watch) = &self.watch else { return Ok(()) };
        let checked = watch.check();
        match &checked {
            Err(lost) if !self.file_lost => tracing::error!(
                error = %lost,
                "the store's file is lost: writes are refused until it is back in its place"
            ),
            Ok(()) if self.file_lost => tracing::warn!("the store's file is back"),
            _ => {}
        }
        self.file_lost = checked.is_err();
        Ok(checked?)
    }

    fn note_length(&self) {
        if let Some(watch) = &self.watch {
            watch.written();
        }
    }

    /// Reopens the database and reloads from it what was committed.
    fn reopen(&self) {
        if let Err(error) = self.handle.reopen() {
            tracing::error!(error = %error, "the store could not be reopened");
            return;
        }
        match self.handle.read(|snapshot| snapshot.activity()) {
            Ok(rows) => {
                self.activity.load(rows, None);
                tracing::warn!("the store was reopened after a failure");
            }
            Err(stop) => tracing::error!(error = ?stop, "the store failed again"),
        }
    }
}
