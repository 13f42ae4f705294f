//! Where sessions live. The trait speaks in whole use cases, each of them one transaction.

pub mod redb;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::domain::{
    IdempotencyKey, Message, NewMessage, Session, SessionId, Stats, Status, StoredFile, Timestamp,
};

/// What a store can answer instead. The driver's own error is only the source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such session, or it has expired.
    #[error("no such session")]
    NotFound,
    /// Somebody else has changed it meanwhile; the caller may try again.
    #[error("changed by somebody else at the same time")]
    Conflict,
    /// The disk is full. Reads go on; writes come back by themselves once there is room.
    #[error("no space left for the store")]
    Full(#[source] BoxError),
    /// The store cannot be reached, is damaged, or is closing.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] BoxError),
}

/// Any error, as the source of a [`StoreError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A question that has been stored, and the session as it was at that moment.
#[derive(Clone, Debug)]
pub struct BegunTurn {
    /// The session, with the question counted and the new settings merged.
    pub session: Session,
    /// The question's place.
    pub question: u64,
    /// The answer that the question's key has got before; then nothing has been changed.
    pub answered: Option<NewMessage>,
}

/// The store. A session whose last activity is the configured timeout or longer ago does not exist
/// for any call, swept or not. Every call that names a session counts as activity at `now`, except
/// where it says otherwise; a time before the last activity that is known changes nothing. Writes
/// are durable when they return.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a new session. Its id is new: made from 122 random bits.
    async fn create_session(&self, session: Session) -> Result<(), StoreError>;

    /// A session as it stands, with `last_activity` = `now`.
    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Session, StoreError>;

    /// A session and all its messages, oldest first, as of one moment.
    async fn transcript(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<(Session, Vec<Message>), StoreError>;

    /// Replaces the top-level keys that `patch` names in the session's settings, keeps the others.
    async fn merge_config(
        &self,
        id: SessionId,
        patch: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Session, StoreError>;

    /// Merges `patch` and appends the question.
    ///
    /// A question with a key that was stored before is not stored twice: if that one has been
    /// answered, its answer comes back and nothing else happens; if it has none, or one that broke
    /// off, the new one takes its place at the end. The answer to a question is the message after
    /// it, since a session has one turn at a time.
    async fn begin_turn(
        &self,
        id: SessionId,
        patch: Map<String, Value>,
        question: NewMessage,
        key: Option<IdempotencyKey>,
    ) -> Result<BegunTurn, StoreError>;

    /// Marks the question at `question` with `status` and appends the answer, if there is one.
    /// Answers how many messages the session then holds. A question that has been cleared away
    /// meanwhile is no error, and then the answer is not stored either: `NotFound` only when the
    /// session is gone. `now` counts as activity.
    async fn finish_turn(
        &self,
        id: SessionId,
        question: u64,
        status: Status,
        answer: Option<NewMessage>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Up to `limit` messages from before `before` (from the end if absent), oldest first.
    /// Does not count as activity.
    async fn history(
        &self,
        id: SessionId,
        before: Option<u64>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError>;

    /// Deletes all messages and the keys of questions, and answers how many there were. Places are not given out again.
    async fn clear_history(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError>;

    /// Puts a file in the place of the session's earlier one, if there is one.
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

    /// Deletes the session's file, and answers whether there was one.
    async fn delete_file(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes sessions that have expired at `now` with all that belongs to them, at most `limit`
    /// of them, and answers how many. Also writes down activity that is still only in memory.
    async fn expire(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError>;

    /// Counts sessions without reading them, to the second.
    async fn stats(&self, now: Timestamp) -> Result<Stats, StoreError>;

    /// A value kept for the program itself, such as the key that signs cookies.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps `value` under `name` unless there is one already, and answers what is kept.
    async fn setting_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// Whether the store answers and takes writes.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Writes what is still in memory and closes the store; later calls get `Unavailable`.
    async fn close(&self) -> Result<(), StoreError>;
}
