//! Cost of durable storage: the store's use cases on a real disk, commits included.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to measure")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatbot_widget::domain::{
    Author, BotId, NewMessage, ProviderKind, Session, SessionConfig, SessionId, SessionState,
    Status, StoredFile, Timestamp, Usage,
};
use chatbot_widget::store::redb::{Options, RedbStore};
use chatbot_widget::store::{ConfigPatch, NewTurn, Store};
use chatbot_widget::tables::ingest::{IngestLimits, Ingested, ingest};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Map;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Concurrent callers.
const CALLERS: usize = 16;
const NOW: Timestamp = Timestamp(1_769_860_800_000);

/// A store in its own folder, which is deleted on drop.
struct Bench {
    store: Arc<RedbStore>,
    runtime: Runtime,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 64 << 20,
            session_timeout: Duration::from_secs(1_800),
            now: NOW,
        };
        let store = RedbStore::open(&folder.path().join("bench.redb"), options).unwrap();
        Self { store: Arc::new(store), runtime: Runtime::new().unwrap(), _folder: folder }
    }

    /// A new session with `turns` finished turns.
    fn session(&self, turns: usize) -> SessionId {
        self.runtime.block_on(async {
            let id = create(&self.store).await;
            for _ in 0..turns {
                turn(&self.store, id).await;
            }
            id
        })
    }
}

async fn create(store: &RedbStore) -> SessionId {
    let session = Session {
        id: SessionId::random(),
        bot: BotId::default(),
        state: SessionState::Bot,
        created: NOW,
        last_activity: NOW,
        message_count: 0,
        config: SessionConfig::default(),
    };
    let id = session.id;
    store.create_session(session).await.unwrap();
    id
}

/// A question and its answer: two durable writes in sequence.
async fn turn(store: &RedbStore, id: SessionId) {
    let question = NewMessage::question("What is on this page? ".repeat(4), NOW);
    let answer = NewMessage {
        author: Author::Bot,
        answers: None,
        content: "An answer of a usual length, in a few sentences. ".repeat(8),
        status: Status::Complete,
        provider: Some(ProviderKind::Claude),
        model: Some("claude-haiku-4-5".to_owned()),
        usage: Some(Usage { input_tokens: 812, output_tokens: 94, ..Usage::default() }),
        ..question.clone()
    };
    let patch = ConfigPatch { keys: Map::new(), max_bytes: 1 << 20 };
    let turn = NewTurn { question, patch, key: None, history: 0 };
    let begun = store.begin_turn(id, turn).await.unwrap();
    store.finish_turn(id, begun.question, Status::Complete, Some(answer), NOW).await.unwrap();
}

fn writing(c: &mut Criterion) {
    let bench = Bench::new();
    let mut group = c.benchmark_group("store");
    for callers in [1, CALLERS] {
        group.throughput(Throughput::Elements(callers as u64));
        group.bench_function(format!("create_session, {callers} callers"), |b| {
            b.iter(|| {
                bench.runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for _ in 0..callers {
                        let store = Arc::clone(&bench.store);
                        tasks.spawn(async move { create(&store).await });
                    }
                    tasks.join_all().await
                })
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("begin_turn and finish_turn", |b| {
        let id = bench.session(0);
        b.iter(|| bench.runtime.block_on(turn(&bench.store, id)));
    });
    group.finish();
}

fn reading(c: &mut Criterion) {
    let bench = Bench::new();
    let id = bench.session(30);
    let mut group = c.benchmark_group("store");
    group.bench_function("session", |b| {
        b.iter(|| bench.runtime.block_on(bench.store.session(id, NOW)).unwrap());
    });
    group.bench_function("transcript of 60 messages", |b| {
        b.iter(|| bench.runtime.block_on(bench.store.transcript(id, NOW)).unwrap());
    });
    group.finish();
}

fn files(c: &mut Criterion) {
    let bench = Bench::new();
    let id = bench.session(0);
    let bytes = Bytes::from(support::orders());
    let limits = IngestLimits::default();
    let Ingested { dataset, text } = ingest("orders.csv", &bytes, NOW, &limits).unwrap();
    let stored = StoredFile { version: 1, text_bytes: text.len() as u64, dataset };
    let mut group = c.benchmark_group("store");
    group.throughput(Throughput::Bytes(text.len() as u64));
    // Each replaces the previous one, as a repeated upload does.
    group.bench_function("put_file", |b| {
        let put = |file| bench.runtime.block_on(bench.store.put_file(id, file, text.clone(), NOW));
        b.iter_batched(|| stored.clone(), |file| put(file).unwrap(), BatchSize::PerIteration);
    });
    group.bench_function("file_text", |b| {
        b.iter(|| bench.runtime.block_on(bench.store.file_text(id, NOW)).unwrap());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    targets = writing, reading, files
}
criterion_main!(benches);
