//! Where sessions live. The traits speak in whole use cases, each of them one transaction.
//!
//! [`Store`] is what visitors need, [`Office`] what the site's own people and the program itself
//! need beside it. Every backend implements both and passes one contract suite (`tests/store`).

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
    /// Another process has changed the same thing at the same time; the caller may try again.
    #[error("changed by another process at the same time")]
    Conflict,
    /// A session's settings would grow beyond the limit.
    #[error("the session's settings would be larger than {0} bytes")]
    ConfigTooLarge(usize),
    /// The disk is full. Reads go on; writes work again by themselves once there is room.
    #[error("no space left for the store")]
    Full(#[source] BoxError),
    /// The store cannot be reached, is damaged, or is closing.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] BoxError),
}

/// Any error, as the source of a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Keys to set in a session's settings.
#[derive(Clone, Debug)]
pub struct ConfigPatch {
    /// Top-level keys, each of which replaces the one of its name.
    pub keys: Map<String, Value>,
    /// Limit of the resulting settings, in bytes of JSON. Settings that were larger before may
    /// stay so, but not change.
    pub max_bytes: usize,
}

/// A question to store.
#[derive(Clone, Debug)]
pub struct NewTurn {
    /// The question; its timestamp counts as activity.
    pub question: NewMessage,
    /// Settings to merge into the session's first.
    pub patch: ConfigPatch,
    /// What the client calls the question.
    pub key: Option<IdempotencyKey>,
    /// How many messages before the question to return.
    pub history: usize,
}

/// A question that has been stored, and its session as of one moment after that.
#[derive(Clone, Debug, PartialEq)]
pub struct BegunTurn {
    /// The session, with the question counted and the new settings merged.
    pub session: Session,
    /// The question.
    pub question: MessageId,
    /// Messages before the question, oldest first; the last ones if there are more than were asked
    /// for.
    pub earlier: Vec<Message>,
    /// The session's file.
    pub file: Option<StoredFile>,
    /// The answer that the question's key was given before; then nothing has been changed, and
    /// `earlier` and `file` are empty.
    pub answered: Option<Message>,
}

/// A turn whose end has been stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedTurn {
    /// How many messages the session now holds.
    pub message_count: u64,
    /// The answer's id, if one was stored.
    pub answer: Option<MessageId>,
}

/// A session with its messages and its file, as of one moment.
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
    /// A turn that lasts as long as `held`.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Box::new(held))
    }
}

impl std::fmt::Debug for TurnGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TurnGuard").field(&(*self.0).type_id()).finish()
    }
}

/// Why a session's turn could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TurnLockError {
    /// The turn before did not end in time.
    #[error("the session's turn did not become free in time")]
    Timeout,
    /// As many questions as may are waiting already.
    #[error("too many questions of the session are waiting")]
    QueueFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What visitors need.
///
/// A session whose last activity is the configured timeout or longer ago does not exist for any
/// call, whether it has been deleted or not. Every call that names a session counts as activity at
/// `now`, except where it says otherwise; a time before the last activity that is known changes
/// nothing. Writes are durable when they return.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a new session. Its id is new: made from 122 random bits.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// A session as it stands, with `last_activity` = `now`.
    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Session, StoreError>;

    /// A session with all that it holds.
    async fn transcript(&self, id: SessionId, now: Timestamp) -> Result<Transcript, StoreError>;

    /// Replaces the top-level keys that `patch` names in the session's settings, keeps the others.
    async fn merge_config(
        &self,
        id: SessionId,
        patch: ConfigPatch,
        now: Timestamp,
    ) -> Result<Session, StoreError>;

    /// Waits until no other turn of the session is running, in this process or another, for at
    /// most `patience`; at most `queue` callers wait at a time, in the order in which they came.
    /// Does not count as activity, and does not look whether the session exists.
    async fn lock_turn(
        &self,
        id: SessionId,
        patience: Duration,
        queue: usize,
    ) -> Result<TurnGuard, TurnLockError>;

    /// Merges the patch and appends the question. The caller holds the session's turn.
    ///
    /// A question with a key that was stored before is not stored twice: if that one has been
    /// answered, its answer is returned and nothing else happens; if it has no answer, or one that
    /// was interrupted, the new one takes its place at the end.
    async fn begin_turn(&self, id: SessionId, turn: NewTurn) -> Result<BegunTurn, StoreError>;

    /// Marks the question with `status` and appends its answer, if there is one, as a message that
    /// [`answers`](NewMessage::answers) it. A question that
    /// was cleared meanwhile is no error, and then the answer is not stored either: `NotFound` only
    /// when the session is gone. `now` counts as activity.
    async fn finish_turn(
        &self,
        id: SessionId,
        question: MessageId,
        status: Status,
        answer: Option<NewMessage>,
        now: Timestamp,
    ) -> Result<FinishedTurn, StoreError>;

    /// Deletes all messages and the keys of questions, and returns how many messages there were.
    /// Their ids are not reused.
    async fn clear_history(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError>;

    /// Stores a file in the place of the session's earlier one, if there is one.
    async fn put_file(
        &self,
        id: SessionId,
        file: StoredFile,
        text: Bytes,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// What is known of the session's file.
    async fn file(&self, id: SessionId, now: Timestamp) -> Result<Option<StoredFile>, StoreError>;

    /// The session's file with its text, as of one moment.
    async fn file_text(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<(StoredFile, Bytes)>, StoreError>;

    /// Deletes the session's file, and returns whether there was one.
    async fn delete_file(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes sessions that have expired at `now` with all that belongs to them, at most `limit`,
    /// and returns which.
    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError>;

    /// Counts sessions without reading them, to the second.
    async fn stats(&self, now: Timestamp) -> Result<Stats, StoreError>;

    /// The backend's own housekeeping, to be called every half minute or so.
    async fn tick(&self) -> Result<(), StoreError>;

    /// Whether the store answers and takes writes.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Writes what is still in memory and closes the store; later calls get `Unavailable`.
    async fn close(&self) -> Result<(), StoreError>;
}

/// What the site's people and the program itself need: lists, counters, settings.
#[async_trait]
pub trait Office: Send + Sync {
    /// Up to `limit` messages from before `before` (from the end if absent), oldest first. Does not
    /// count as activity: it is not the visitor who reads.
    async fn history(
        &self,
        id: SessionId,
        before: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError>;

    /// A value kept for the program itself, such as the key that signs cookies.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps `value` under `name` unless there is one already, and returns what is kept.
    async fn setting_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// What the store has done so far. Zeros from a backend that does not count.
    fn counters(&self) -> StoreCounters {
        StoreCounters::default()
    }
}
