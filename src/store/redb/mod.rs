//! A store in a single file, for a single process.

mod activity;
mod fault;
mod open;
mod ops;
mod read;
pub mod record;
mod watch;
mod write;

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use redb::backends::FileBackend;
use redb::{DatabaseError, StorageBackend};

use crate::domain::{
    Message, MessageId, NewMessage, Session, SessionId, Stats, Status, StoredFile, Timestamp,
};
use crate::keyed_locks::{KeyedLocks, LockRefused};
use crate::store::{
    BegunTurn, ConfigPatch, FinishedTurn, NewTurn, Office, Store, StoreCounters, StoreError,
    Transcript, TurnGuard, TurnLockError,
};
use activity::SessionActivity;
use fault::{OpFailure, RedbFault};
pub use open::OpenError;
use open::{create_file, damaged, open_database};
use ops::Batch;
use read::Snapshot;
use watch::FileWatch;
use write::{Handle, Writer, closed};

/// How long the writer may take to respond before it counts as stuck.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// Reads of up to this many messages run on the calling thread.
const SMALL_PAGE: usize = 128;

/// How much a read may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// A few records, read in microseconds from the cache: a round trip to another thread would
    /// cost several times as much.
    Small,
    /// Up to everything a session holds: never on a thread that other tasks wait for.
    Any,
}

/// How the store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Size of the page cache, in bytes.
    pub cache_bytes: usize,
    /// How long after its last activity a session expires.
    pub session_timeout: Duration,
    /// The current time. Later activity in the file is treated as happening now.
    pub now: Timestamp,
}

/// A [`Store`] in a redb file.
///
/// A single thread writes: it commits what concurrent callers ask for as one durable transaction.
/// Dropping the store ends the thread and waits for its current commit; [`Store::close`] does the
/// same without blocking the executor.
pub struct RedbStore {
    handle: Arc<Handle>,
    activity: Arc<SessionActivity>,
    turns: KeyedLocks<SessionId>,
    writer: Option<Writer>,
    thread: Mutex<Option<JoinHandle<()>>>,
    closed: AtomicBool,
}

impl RedbStore {
    /// Opens the file at `path`, creating it if it is missing; its folder must exist. Blocks: after
    /// a crash the file is checked first, which takes time in proportion to its size.
    ///
    /// # Errors
    /// See [`OpenError`]; the file's contents are left as they were.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let name = path.display().to_string();
        let path = path.to_owned();
        if !path.exists() {
            create_file(&path)
                .map_err(|source| OpenError::Unwritable { file: name.clone(), source })?;
        }
        // Not made again when it is opened again: an empty file in place of a lost one would pass
        // for a store without sessions.
        let watch = Arc::new(FileWatch::new(path.clone()));
        let opened = Arc::clone(&watch);
        let backend = move || {
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            opened.opened(&file)?;
            FileBackend::new(file)
        };
        Self::open_backend(name, backend, Some(watch), options)
    }

    /// Opens the storage that `backend` returns; it is called again to reopen the storage after a
    /// failure. For tests of such failures.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_with_backend<B: StorageBackend>(
        backend: impl Fn() -> io::Result<B> + Send + Sync + 'static,
        options: Options,
    ) -> Result<Self, OpenError> {
        Self::open_backend("the store".to_owned(), move || Ok(backend()?), None, options)
    }

    fn open_backend<B: StorageBackend>(
        file: String,
        backend: impl Fn() -> Result<B, DatabaseError> + Send + Sync + 'static,
        watch: Option<Arc<FileWatch>>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let name = file.clone();
        let open = move |fresh| open_database(&name, &backend, options.cache_bytes, fresh);
        let handle = Arc::new(Handle::new(open(true)?, Box::new(move || open(false))));
        let activity = Arc::new(SessionActivity::new(options.session_timeout));
        let rows = handle.read(|snapshot| snapshot.activity());
        let rows = rows.map_err(|stop| damaged(&file, StoreError::from(stop)))?;
        activity.load(rows, Some(options.now));
        let (writer, thread) = Writer::start(handle.clone(), activity.clone(), watch)
            .map_err(|source| OpenError::Unwritable { file, source })?;
        Ok(Self {
            handle,
            activity,
            turns: KeyedLocks::default(),
            writer: Some(writer),
            thread: Mutex::new(Some(thread)),
            closed: AtomicBool::new(false),
        })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.writer.as_ref().ok_or_else(closed)
    }

    /// Runs `work` in a transaction on the writer thread.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, OpFailure> + Send + 'static,
    {
        self.writer()?.run(work).await
    }

    /// Runs `work` on a snapshot, and once more if the storage failed and may have been reopened.
    async fn read<T, F>(&self, size: Size, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Snapshot<'_>) -> Result<T, OpFailure> + Clone + Send + 'static,
    {
        match self.read_once(size, work.clone()).await {
            Err(OpFailure::Fault(fault)) if fault.is_passing() => {
                // The writer reopens the database if it is closed, whatever the job.
                let _ = self.write(|_| Ok(())).await;
                Ok(self.read_once(size, work).await?)
            }
            result => Ok(result?),
        }
    }

    async fn read_once<T, F>(&self, size: Size, work: F) -> Result<T, OpFailure>
    where
        T: Send + 'static,
        F: FnOnce(&Snapshot<'_>) -> Result<T, OpFailure> + Send + 'static,
    {
        if size == Size::Small {
            return self.handle.read(work);
        }
        let handle = self.handle.clone();
        tokio::task::spawn_blocking(move || handle.read(work))
            .await
            // The runtime is shutting down.
            .unwrap_or(Err(OpFailure::Fault(RedbFault::NotOpen)))
    }

    /// Number of sessions with a turn that is running or being waited for.
    pub fn locked_turns(&self) -> usize {
        self.turns.keys_in_use()
    }

    /// Records a call as activity of a live session.
    fn touch(&self, id: SessionId, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.writer()?;
        self.activity.touch(id, now)
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.write(move |batch| batch.create_session(&session)).await
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Session, StoreError> {
        let now = self.touch(id, now)?;
        self.read(Size::Small, move |snapshot| snapshot.session(id, now)).await
    }

    async fn transcript(&self, id: SessionId, now: Timestamp) -> Result<Transcript, StoreError> {
        let now = self.touch(id, now)?;
        self.read(Size::Any, move |snapshot| {
            Ok(Transcript {
                session: snapshot.session(id, now)?,
                messages: snapshot.messages(id, u64::MAX, usize::MAX)?,
                file: snapshot.file(id)?,
            })
        })
        .await
    }

    async fn merge_config(
        &self,
        id: SessionId,
        patch: ConfigPatch,
        now: Timestamp,
    ) -> Result<Session, StoreError> {
        let now = self.touch(id, now)?;
        let (header, config) = self.write(move |batch| batch.merge_config(id, patch)).await?;
        Ok(header.session(id, now, config.decode()?))
    }

    async fn lock_turn(
        &self,
        id: SessionId,
        patience: Duration,
        queue: usize,
    ) -> Result<TurnGuard, TurnLockError> {
        let held = self.turns.lock(id, patience, queue).await.map_err(|refused| match refused {
            LockRefused::Timeout => TurnLockError::Timeout,
            LockRefused::QueueFull => TurnLockError::QueueFull,
        })?;
        Ok(TurnGuard::new(held))
    }

    async fn begin_turn(&self, id: SessionId, turn: NewTurn) -> Result<BegunTurn, StoreError> {
        let NewTurn { question, patch, key, history } = turn;
        let now = self.touch(id, question.timestamp)?;
        let (question, answered) =
            self.write(move |batch| batch.begin_turn(id, patch, &question, key)).await?;
        let history = if answered.is_some() { 0 } else { history };
        let size = if history <= SMALL_PAGE { Size::Small } else { Size::Any };
        // Read here and not on the writer thread, which all writers wait for.
        self.read(size, move |snapshot| {
            Ok(BegunTurn {
                session: snapshot.session(id, now)?,
                question,
                earlier: snapshot.messages(id, question.0, history)?,
                file: if answered.is_none() { snapshot.file(id)? } else { None },
                answered: answered.clone(),
            })
        })
        .await
    }

    async fn finish_turn(
        &self,
        id: SessionId,
        question: MessageId,
        status: Status,
        answer: Option<NewMessage>,
        now: Timestamp,
    ) -> Result<FinishedTurn, StoreError> {
        self.touch(id, now)?;
        let answer = answer.map(|answer| NewMessage { answers: Some(question), ..answer });
        self.write(move |batch| batch.finish_turn(id, question, status, answer.as_ref())).await
    }

    async fn clear_history(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError> {
        self.touch(id, now)?;
        self.write(move |batch| batch.clear_history(id)).await
    }

    async fn put_file(
        &self,
        id: SessionId,
        file: StoredFile,
        text: Bytes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(id, now)?;
        let record = record::encode_file(&file).map_err(|e| StoreError::Unavailable(e.into()))?;
        self.write(move |batch| batch.put_file(id, &record, &text)).await
    }

    async fn file(&self, id: SessionId, now: Timestamp) -> Result<Option<StoredFile>, StoreError> {
        self.touch(id, now)?;
        self.read(Size::Small, move |snapshot| snapshot.file(id)).await
    }

    async fn file_text(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<(StoredFile, Bytes)>, StoreError> {
        self.touch(id, now)?;
        let file = self.read(Size::Any, move |snapshot| snapshot.file_text(id)).await?;
        Ok(file.map(|(file, text)| (file, text.into())))
    }

    async fn delete_file(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        self.touch(id, now)?;
        self.write(move |batch| batch.delete_file(id)).await
    }

    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let mut deleted = Vec::new();
        loop {
            let rest = limit - deleted.len();
            let (slice, more) = self.write(move |batch| batch.expire(now, rest)).await?;
            deleted.extend(slice);
            if !more || deleted.len() == limit {
                return Ok(deleted);
            }
        }
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, StoreError> {
        self.writer()?;
        Ok(self.activity.stats(now))
    }

    /// Persists activity that is only in memory.
    async fn tick(&self) -> Result<(), StoreError> {
        self.write(|batch| Ok(batch.write_activity()?)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let answer = self.write(|_| Ok(()));
        tokio::time::timeout(READY_LIMIT, answer)
            .await
            .unwrap_or_else(|late| Err(StoreError::Unavailable(late.into())))
    }

    async fn close(&self) -> Result<(), StoreError> {
        let writer = self.writer()?;
        self.closed.store(true, Ordering::Release);
        let written = writer.stop().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(|| thread.join()).await;
            tracing::debug!(thread.panicked = !matches!(joined, Ok(Ok(()))), "store closed");
        }
        written
    }
}

#[async_trait]
impl Office for RedbStore {
    async fn history(
        &self,
        id: SessionId,
        before: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        self.writer()?;
        self.activity.check(id, now)?;
        let before = before.map_or(u64::MAX, |message| message.0);
        let size = if limit <= SMALL_PAGE { Size::Small } else { Size::Any };
        self.read(size, move |snapshot| snapshot.messages(id, before, limit)).await
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.writer()?;
        let name = name.to_owned();
        self.read(Size::Small, move |snapshot| snapshot.setting(&name)).await
    }

    async fn setting_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let name = name.to_owned();
        self.write(move |batch| batch.setting_or_insert(&name, value)).await
    }

    fn counters(&self) -> StoreCounters {
        self.writer.as_ref().map(Writer::counters).unwrap_or_default()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // The thread ends when the last sender is gone.
        self.writer = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}
