//! The real store, with the behaviour that a test needs in a few places.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatbot_widget::domain::{
    Message, MessageId, NewMessage, Session, SessionId, Stats, Status, StoredFile, Timestamp,
};
use chatbot_widget::store::redb::RedbStore;
use chatbot_widget::store::{
    BegunTurn, ConfigPatch, FinishedTurn, NewTurn, Office, Store, StoreCounters, StoreError,
    Transcript, TurnGuard, TurnLockError,
};

pub struct StoreDouble {
    real: RedbStore,
    /// `stats` panics.
    pub panics: AtomicBool,
    /// A turn is waited for no longer than this.
    turn_patience: Duration,
    /// The patience and the queue with which turns were asked for.
    pub turns: Mutex<Vec<(Duration, usize)>>,
    /// The limits with which `expire` was called.
    pub slices: Mutex<Vec<usize>>,
}

impl StoreDouble {
    pub fn new(real: RedbStore) -> Self {
        Self {
            real,
            panics: AtomicBool::new(false),
            turn_patience: Duration::MAX,
            turns: Mutex::default(),
            slices: Mutex::default(),
        }
    }

    pub fn with_turn_patience(self, turn_patience: Duration) -> Self {
        Self { turn_patience, ..self }
    }

    /// Waits until `count` turns were asked for.
    pub async fn turns_asked(&self, count: usize) {
        let asked = async {
            while self.turns.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.expect("a turn is asked for");
    }
}

#[async_trait]
impl Store for StoreDouble {
    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.real.create_session(session).await
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Session, StoreError> {
        self.real.session(id, now).await
    }

    async fn transcript(&self, id: SessionId, now: Timestamp) -> Result<Transcript, StoreError> {
        self.real.transcript(id, now).await
    }

    async fn merge_config(
        &self,
        id: SessionId,
        patch: ConfigPatch,
        now: Timestamp,
    ) -> Result<Session, StoreError> {
        self.real.merge_config(id, patch, now).await
    }

    async fn lock_turn(
        &self,
        id: SessionId,
        patience: Duration,
        queue: usize,
    ) -> Result<TurnGuard, TurnLockError> {
        self.turns.lock().unwrap().push((patience, queue));
        self.real.lock_turn(id, patience.min(self.turn_patience), queue).await
    }

    async fn begin_turn(&self, id: SessionId, turn: NewTurn) -> Result<BegunTurn, StoreError> {
        self.real.begin_turn(id, turn).await
    }

    async fn finish_turn(
        &self,
        id: SessionId,
        question: MessageId,
        status: Status,
        answer: Option<NewMessage>,
        now: Timestamp,
    ) -> Result<FinishedTurn, StoreError> {
        self.real.finish_turn(id, question, status, answer, now).await
    }

    async fn clear_history(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError> {
        self.real.clear_history(id, now).await
    }

    async fn put_file(
        &self,
        id: SessionId,
        file: StoredFile,
        text: Bytes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.real.put_file(id, file, text, now).await
    }

    async fn file(&self, id: SessionId, now: Timestamp) -> Result<Option<StoredFile>, StoreError> {
        self.real.file(id, now).await
    }

    async fn file_text(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<(StoredFile, Bytes)>, StoreError> {
        self.real.file_text(id, now).await
    }

    async fn delete_file(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        self.real.delete_file(id, now).await
    }

    async fn expire(&self, now: Timestamp, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        self.slices.lock().unwrap().push(limit);
        self.real.expire(now, limit).await
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, StoreError> {
        assert!(!self.panics.load(Ordering::Relaxed), "on purpose");
        self.real.stats(now).await
    }

    async fn tick(&self) -> Result<(), StoreError> {
        self.real.tick().await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.real.ready().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.real.close().await
    }
}

#[async_trait]
impl Office for StoreDouble {
    async fn history(
        &self,
        id: SessionId,
        before: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        self.real.history(id, before, limit, now).await
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.real.setting(name).await
    }

    async fn setting_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.real.setting_or_insert(name, value).await
    }

    fn counters(&self) -> StoreCounters {
        self.real.counters()
    }
}
