//! Helpers shared by the store tests.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatbot_widget::domain::IdempotencyKey;
use chatbot_widget::domain::dataset::{Column, ColumnStats, ColumnType, Layout, Reading};
use chatbot_widget::domain::{
    Author, BotId, Dataset, FileKind, Message, MessageId, NewMessage, ProviderKind, Session,
    SessionConfig, SessionId, SessionState, Status, StoredFile, Timestamp, Usage,
};
use chatbot_widget::store::{BegunTurn, ConfigPatch, NewTurn, Office, Store, StoreError};
use serde_json::{Map, Value, json};

/// Storage in which a store can be opened repeatedly.
#[async_trait]
pub trait Backend: Default {
    /// The store under test.
    type Store: Store + Office + 'static;
    /// Opens the store at `now`, with [`TIMEOUT`]. The previous one has been closed or dropped.
    async fn open(&self, now: Timestamp) -> Self::Store;
}

/// How long a session lives without activity.
pub const TIMEOUT: Duration = Duration::from_secs(1800);
/// When the cases begin.
pub const T0: Timestamp = Timestamp(1_769_860_800_123);

pub fn at(seconds: u64) -> Timestamp {
    T0.after(Duration::from_secs(seconds))
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is not an object"),
    }
}

pub fn new_session(config: Value, now: Timestamp) -> Session {
    Session {
        id: SessionId::random(),
        bot: BotId::default(),
        state: SessionState::Bot,
        created: now,
        last_activity: now,
        message_count: 0,
        config: SessionConfig::new(object(config)),
    }
}

pub async fn created(store: &impl Store, now: Timestamp) -> SessionId {
    let session = new_session(json!({}), now);
    store.create_session(session.clone()).await.unwrap();
    session.id
}

pub fn question(text: &str, now: Timestamp) -> NewMessage {
    NewMessage::question(text.to_owned(), now)
}

pub fn answer(text: &str, now: Timestamp) -> NewMessage {
    NewMessage {
        author: Author::Bot,
        answers: None,
        content: text.to_owned(),
        html: Some("<p>html</p>".to_owned()),
        timestamp: now,
        status: Status::Complete,
        provider: Some(ProviderKind::Claude),
        model: Some("claude-haiku-4-5".to_owned()),
        usage: Some(Usage { input_tokens: 812, output_tokens: 94, ..Usage::default() }),
        tools: Vec::new(),
        chart: None,
    }
}

/// A file of two rows, as the use case passes it, and its text.
pub fn file(version: u64, text: &str) -> (StoredFile, Bytes) {
    let column = |name: &str, kind| Column {
        name: name.to_owned(),
        key: None,
        path: Vec::new(),
        kind,
        reading: Reading::default(),
        stats: ColumnStats { distinct: 2, mean: Some(1.5), ..ColumnStats::default() },
    };
    let dataset = Dataset {
        file_name: "Grüße.csv".to_owned(),
        kind: FileKind::Csv,
        size: text.len() as u64,
        uploaded: T0,
        layout: Layout::Csv { delimiter: b';', line_rows: true },
        columns: vec![column("a", ColumnType::Number), column("b", ColumnType::Date)],
        rows: 2,
        sample: vec![vec![Some("1".to_owned()), None]],
        notes: Vec::new(),
    };
    (StoredFile { version, text_bytes: text.len() as u64, dataset }, text.to_owned().into())
}

/// Maximum size of a session's settings in most cases, in bytes.
pub const CONFIG_BYTES: usize = 1 << 20;

pub fn set(keys: Map<String, Value>) -> ConfigPatch {
    ConfigPatch { keys, max_bytes: CONFIG_BYTES }
}

/// Begins a turn that requests all earlier messages.
pub async fn begin(
    store: &impl Store,
    id: SessionId,
    keys: Map<String, Value>,
    question: NewMessage,
    key: Option<IdempotencyKey>,
) -> Result<BegunTurn, StoreError> {
    let turn = NewTurn { question, patch: set(keys), key, history: usize::MAX };
    store.begin_turn(id, turn).await
}

/// `reply` as the answer to `question`.
pub fn to(question: MessageId, reply: NewMessage) -> NewMessage {
    NewMessage { answers: Some(question), ..reply }
}

/// Stores a question and its answer, and returns the question's id.
pub async fn turn(store: &impl Store, id: SessionId, text: &str, now: Timestamp) -> MessageId {
    let begun = begin(store, id, Map::new(), question(text, now), None).await.unwrap();
    let reply = Some(answer(&format!("re: {text}"), now));
    store.finish_turn(id, begun.question, Status::Complete, reply, now).await.unwrap();
    begun.question
}

pub async fn messages(store: &impl Store, id: SessionId, now: Timestamp) -> Vec<Message> {
    store.transcript(id, now).await.unwrap().messages
}

pub async fn texts(store: &impl Store, id: SessionId, now: Timestamp) -> Vec<String> {
    messages(store, id, now).await.into_iter().map(|message| message.body.content).collect()
}

#[track_caller]
pub fn not_found<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::NotFound) => {}
        other => panic!("{other:?}"),
    }
}
