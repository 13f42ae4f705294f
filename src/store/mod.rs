//! Where sessions live. The traits speak in whole use cases, each of them one transaction.
//!
//! [`Store`] serves visitors, [`Office`] the site's operators and the program itself. Every
//! backend implements both and passes one contract suite (`tests/store`).

pub mod redb;

use std::any::Any;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::domain::{
    IdempotencyKey, Message, MessageId, NewMessage, Session, SessionId, Stats, Status, StoredFile,
    Timestamp,
};

/// How a store fails. The driver's own error is only the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such session, or it has expired.
    #[error("no such session")]
    NotFound,
    /// Another process changed the same thing at the same time; the caller may try again.
    #[error("changed by another process at the same time")]
    Conflict,
    /// A session's settings would grow beyond the limit.
    #[error("the session's settings would be larger than {0} bytes")]
    ConfigTooLarge(usize),
    /// The disk is full. Reads still work; writes resume by themselves once there is room.
    #[error("no space left for the store")]
    Full(#[source] BoxError),
    /// The store cannot be reached, is damaged, or is closing.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
}

/// Any error, as the source of a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Keys to set in a session's settings.
#[derive(Clone, Debug)]
pub struct ConfigPatch {
    /// Top-level keys; each replaces the existing key of that name.
    pub keys: Map<String, Value>,
    /// Maximum size of the resulting settings, in bytes of JSON. Settings that already exceed it
    /// are kept, but cannot be changed.
    pub max_bytes: usize,
}

/// A question to store.
#[derive(Clone, Debug)]
pub struct NewTurn {
    /// The question; its timestamp counts as activity.
    pub question: NewMessage,
    /// Settings to merge into the session's before the question is stored.
    pub patch: ConfigPatch,
    /// The client's idempotency key for the question.
    pub key: Option<IdempotencyKey>,
    /// Maximum number of earlier messages to return.
    pub history: usize,
}

/// A stored question, and a consistent snapshot of its session read right after the write. Only a
/// cleared history or an expired session can come between the two: the answer is then not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct BegunTurn {
    /// The session, with the question counted and the new settings merged.
    pub session: Session,
    /// The question.
    pub question: MessageId,
    /// Messages before the question, oldest first; the latest ones if there are more than were
    /// requested.
    pub earlier: Vec<Message>,
    /// The session's file.
    pub file: Option<StoredFile>,
    /// The answer already stored under the question's key. If present, nothing was changed, and
    /// `earlier` and `file` are empty.
    pub answered: Option<Message>,
}

/// A turn whose outcome has been stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedTurn {
    /// How many messages the session now holds.
    pub message_count: u64,
    /// The answer's id, if one was stored.
    pub answer: Option<MessageId>,
}

/// A session with its messages and its file, read from one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The session.
    pub session: Session,
    /// All messages, oldest first.
    pub messages: Vec<Message>,
    /// The session's file.
    pub file: Option<StoredFile>,
}

/// What a store has done since it was opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounters {
    /// Transactions that were committed.
    pub commits: u64,
    /// Operations in them: divided by `commits`, how many share one on average.
    pub operations: u64,
    /// Transactions that failed, and with them all of their operations.
    pub failed_commits: u64,
    /// Operations that wait for the writer now.
    pub queued: usize,
}

/// A session's turn, which ends when this is dropped.
pub struct TurnGuard(Box<dyn Any + Send + Sync>);

impl TurnGuard {
    /// A guard that lives as long as `held`.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Box::new(held))
    }
}

impl std::fmt::Debug for TurnGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TurnGuard").field(&(*self.0).type_id()).finish()
    }
}

/// Why a session's turn could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum TurnLockError {
    /// The previous turn did not end in time.
    #[error("the session's turn did not become free in time")]
    Timeout,
    /// The maximum number of questions is already waiting.
    #[error("too many questions of the session are waiting")]
    QueueFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What visitors need.
///
/// A session that has been idle for the configured timeout or longer does not exist for any call,
/// whether it has been deleted yet or not. Every call that names a session counts as activity at
/// `now` unless documented otherwise; a time before the last known activity changes nothing.
/// Writes are durable when they return.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a new session. Its id is unique: it has 122 random bits.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// The session in its current state, with `last_activity` = `now`.
    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Session, StoreError>;

    /// The session with everything it holds.
    async fn transcript(&self, id: SessionId, now: Timestamp) -> Result<Transcript, StoreError>;

    /// Replaces the top-level keys that `patch` names in the session's settings and keeps the rest.
    async fn merge_config(
        &self,
        id: SessionId,
        patch: ConfigPatch,
        now: Timestamp,
    ) -> Result<Session, StoreError>;

    /// Waits until no other turn of the session is running, in this process or another, for at
    /// most `patience`; at most `queue` callers wait at a time, first come first served. Does not
    /// count as activity, and does not check whether the session exists.
    async fn lock_turn(
        &self,
        id: SessionId,
        patience: Duration,
        queue: usize,
    ) -> Result<TurnGuard, TurnLockError>;

    /// Merges the patch and appends the question. The caller holds the session's turn.
    ///
    /// A question whose key is already stored is not stored twice: if the stored one has been
    /// answered, that answer is returned and nothing else happens; if it has no answer, or an
    /// interrupted one, the new question replaces it, at the end of the conversation.
    async fn begin_turn(&self, id: SessionId, turn: NewTurn) -> Result<BegunTurn, StoreError>;

    /// Marks the question with `status` and appends its answer, if there is one, as a message that
    /// [`answers`](NewMessage::answers) it. A question that has been cleared in the meantime is not
    /// an error, and its answer is not stored either: `NotFound` means that the session is gone.
    /// `now` counts as activity.
    async fn finish_turn(
        &self,
        id: SessionId,
        question: MessageId,
        status: Status,
        answer: Option<NewMessage>,
        now: Timestamp,
    ) -> Result<FinishedTurn, StoreError>;

    /// Deletes all messages and idempotency keys, and returns the number of deleted messages. Their
    /// ids are not reused.
    async fn clear_history(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError>;

    /// Stores a file, replacing the session's previous one if there is one.
    async fn put_file(
        &self,
        id: SessionId,
        file: StoredFile,
        text: Bytes,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The session's file without its text.
    async fn file(&self, id: SessionId, now: Timestamp) -> Result<Option<StoredFile>, StoreError>;

    /// The session's file with its text, read from one snapshot.
    async fn file_text(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<(StoredFile, Bytes)>, StoreError>;

    /// Deletes the session's file and returns whether there was one.
    async fn delete_file(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes at most `limit` sessions that have expired at `now`, with everything they hold, and
    /// returns their ids.
    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError>;

    /// Counts the live sessions exactly, without reading them.
    async fn stats(&self, now: Timestamp) -> Result<Stats, StoreError>;

    /// Runs the backend's own housekeeping; to be called about every 30 seconds.
    async fn tick(&self) -> Result<(), StoreError>;

    /// Succeeds if the store responds and accepts writes.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Flushes what is still in memory and closes the store; later calls return `Unavailable`.
    async fn close(&self) -> Result<(), StoreError>;
}

/// A whole backend.
pub trait Backend: Store + Office {}

impl<T: Store + Office> Backend for T {}

/// What operators and the program itself need: lists, counters, settings.
#[async_trait]
pub trait Office: Send + Sync {
    /// The last `limit` messages before `before` (or the end, if absent), oldest first. Does not
    /// count as activity, since it is not the visitor who reads.
    async fn history(
        &self,
        id: SessionId,
        before: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError>;

    /// A value that the program keeps for itself, such as the key that signs cookies.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores `value` under `name` unless a value exists already, and returns the stored value.
    async fn setting_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// What the store has done so far. Zeros from a backend that does not count.
    fn counters(&self) -> StoreCounters {
        StoreCounters::default()
    }
}
