//! A disk that fills up and is freed again, and one that fails in other ways.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ::redb::StorageBackend;
use ::redb::backends::FileBackend;
use chatbot_widget::app::App;
use chatbot_widget::config::Config;
use chatbot_widget::domain::{ManualClock, SessionId};
use chatbot_widget::error::ErrorKind;
use chatbot_widget::server;
use chatbot_widget::store::redb::RedbStore;
use chatbot_widget::store::{Office, Store, StoreError};
use serde_json::{Map, json};

use crate::redb::options;
use crate::support::{
    T0, at, begin, created, new_session, not_found, object, question, set, texts, turn,
};

/// A file on a disk with a limit.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Maximum size of the file, in bytes.
    room: AtomicU64,
    /// There is no room for anything but the file's first page, which is rewritten in its place.
    first_page_only: AtomicBool,
    /// The disk answers to nothing but locks.
    broken: AtomicBool,
    opened: AtomicU64,
    /// Opening it again waits for a message, and fails if none comes.
    slow_opening: Mutex<Option<mpsc::Receiver<()>>>,
}

impl State {
    fn fits(&self, end: u64) -> io::Result<()> {
        let first_page = self.first_page_only.load(Ordering::SeqCst);
        let room = if first_page { 4096 } else { self.room.load(Ordering::SeqCst) };
        let full = end > room;
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn answers(&self) -> io::Result<()> {
        let broken = self.broken.load(Ordering::SeqCst);
        if broken { Err(io::Error::other("the disk is broken")) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.state.answers()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.state.answers()?;
        if len > self.file.len()? {
            self.state.fits(len)?;
        }
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state.answers()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.state.answers()?;
        self.state.fits(offset + data.len() as u64)?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

struct OnDisk {
    store: RedbStore,
    state: Arc<State>,
    path: tempfile::TempPath,
}

fn on_disk(cache_bytes: usize) -> OnDisk {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let state = Arc::new(State {
        room: AtomicU64::new(u64::MAX),
        first_page_only: AtomicBool::new(false),
        broken: AtomicBool::new(false),
        opened: AtomicU64::new(0),
        slow_opening: Mutex::new(None),
    });
    let (file, shared) = (path.to_owned(), state.clone());
    let backend = move || {
        shared.opened.fetch_add(1, Ordering::SeqCst);
        if let Some(released) = shared.slow_opening.lock().unwrap().take() {
            released.recv_timeout(Duration::from_secs(20)).map_err(io::Error::other)?;
        }
        let file = std::fs::File::options().read(true).write(true).open(&file)?;
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Disk { file, state: shared.clone() })
    };
    let options = chatbot_widget::store::redb::Options { cache_bytes, ..options(T0) };
    OnDisk { store: RedbStore::open_with_backend(backend, options).unwrap(), state, path }
}

#[track_caller]
fn full<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Full(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing() {
    let OnDisk { store, state, path } = on_disk(8 << 20);
    let id = created(&store, T0).await;
    turn(&store, id, "kept", T0).await;
    state.room.store(std::fs::metadata(&path).unwrap().len(), Ordering::SeqCst);

    let mut kept = Vec::new();
    let lost = loop {
        let session = new_session(json!({"large": "x".repeat(20_000)}), T0);
        match store.create_session(session.clone()).await {
            Ok(()) => kept.push(session),
            Err(error) => {
                full(Err::<(), _>(error));
                break session;
            }
        }
        assert!(kept.len() < 1000, "the disk never fills up");
    };
    let total = kept.len() as u64 + 1;
    for _ in 0..3 {
        full(store.create_session(lost.clone()).await);
        not_found(store.session(lost.id, T0).await);
        assert_eq!(texts(&store, id, at(5)).await, ["kept", "re: kept"], "reads still work");
        assert_eq!(store.stats(T0).await.unwrap().total, total);
    }
    // A write to an existing session is refused in the same way.
    let large = object(json!({"large": "y".repeat(50_000)}));
    full(store.merge_config(id, set(large.clone()), at(6)).await);
    full(begin(&store, id, large.clone(), question("?", at(6)), None).await);
    assert!(store.session(id, at(6)).await.unwrap().config.as_map().is_empty());

    state.room.store(u64::MAX, Ordering::SeqCst);
    store.ready().await.unwrap();
    store.create_session(lost.clone()).await.unwrap();
    begin(&store, id, large, question("later", at(7)), None).await.unwrap();
    assert_eq!(texts(&store, id, at(8)).await, ["kept", "re: kept", "later"]);
    for session in kept.iter().chain([&lost]) {
        assert_eq!(&store.session(session.id, T0).await.unwrap(), session);
    }
    assert_eq!(store.stats(T0).await.unwrap().total, total + 1);

    store.close().await.unwrap();
    drop(store);
    let store = RedbStore::open(&path, options(at(9))).unwrap();
    assert_eq!(store.stats(at(9)).await.unwrap().total, total + 1);
    // Includes the activity of a session that was only read while the disk was full.
    assert_eq!(store.stats(at(1807)).await.unwrap().total, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_commit_fails_for_all_its_callers_and_leaves_nothing_behind() {
    let OnDisk { store, state, path } = on_disk(8 << 20);
    let store = Arc::new(store);
    let id = created(&*store, T0).await;
    state.room.store(std::fs::metadata(&path).unwrap().len(), Ordering::SeqCst);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let store = store.clone();
            let session = new_session(json!({"large": "x".repeat(20_000)}), T0);
            tokio::spawn(async move { (session.id, store.create_session(session).await.is_ok()) })
        })
        .collect();
    let mut kept = 1;
    for task in tasks {
        let (id, stored) = task.await.unwrap();
        assert_eq!(store.session(id, T0).await.is_ok(), stored);
        kept += u64::from(stored);
    }
    assert!(kept < 200, "the disk must have filled up");
    assert_eq!(store.stats(T0).await.unwrap().total, kept);
    assert_eq!(
        store.expire(at(1800), 1000).await.unwrap().len() as u64,
        kept,
        "a sweep makes room"
    );
    not_found(store.session(id, T0).await);
    state.room.store(u64::MAX, Ordering::SeqCst);
    turn(&*store, created(&*store, T0).await, "again", T0).await;
}

#[tokio::test]
async fn a_failed_sweep_keeps_every_session() {
    let OnDisk { store, state, path: _path } = on_disk(8 << 20);
    let (old, young) = (created(&store, T0).await, created(&store, T0).await);
    store.session(young, at(1000)).await.unwrap();
    state.broken.store(true, Ordering::SeqCst);
    assert!(matches!(store.expire(at(1800), 10).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
    state.broken.store(false, Ordering::SeqCst);
    store.ready().await.unwrap();
    assert_eq!(store.stats(at(1799)).await.unwrap().total, 2);
    assert_eq!(store.expire(at(1800), 10).await.unwrap().len(), 1);
    not_found(store.session(old, T0).await);
    store.history(young, None, 1, at(2799)).await.unwrap();
}

#[tokio::test]
async fn a_read_reopens_the_store_after_a_disk_failure() {
    // Without a cache every read goes to the disk.
    let OnDisk { store, state, path: _path } = on_disk(0);
    let id = created(&store, T0).await;
    turn(&store, id, "kept", T0).await;
    state.broken.store(true, Ordering::SeqCst);
    assert!(matches!(store.session(id, T0).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.session(id, T0).await, Err(StoreError::Unavailable(_))));
    state.broken.store(false, Ordering::SeqCst);
    assert_eq!(texts(&store, id, T0).await, ["kept", "re: kept"]);
    assert!(state.opened.load(Ordering::SeqCst) > 1);
    let begun = begin(&store, id, Map::new(), question("next", T0), None).await.unwrap();
    assert_eq!(begun.session.message_count, 3);
}

#[tokio::test]
async fn a_store_is_not_ready_again_before_a_write_has_worked() {
    let OnDisk { store, state, path: _path } = on_disk(8 << 20);
    let id = created(&store, T0).await;
    state.first_page_only.store(true, Ordering::SeqCst);
    full(turn_begins(&store, id).await);
    // The file can be opened and read, which alone must not count as ready.
    for _ in 0..3 {
        full(store.ready().await);
        store.session(id, T0).await.unwrap();
    }
    state.first_page_only.store(false, Ordering::SeqCst);
    store.ready().await.unwrap();
    turn_begins(&store, id).await.unwrap();
}

async fn turn_begins(store: &RedbStore, id: SessionId) -> Result<(), StoreError> {
    begin(store, id, Map::new(), question("?", T0), None).await.map(drop)
}

#[tokio::test]
async fn a_slow_reopening_does_not_hold_up_the_threads_of_the_runtime() {
    let OnDisk { store, state, path: _path } = on_disk(8 << 20);
    let store = Arc::new(store);
    let id = created(&*store, T0).await;
    turn(&*store, id, "kept", T0).await;
    let (release, released) = mpsc::channel();
    *state.slow_opening.lock().unwrap() = Some(released);
    let opened = state.opened.load(Ordering::SeqCst);
    state.broken.store(true, Ordering::SeqCst);
    let failing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { turn_begins(&store, id).await }
    });
    while state.opened.load(Ordering::SeqCst) == opened {
        tokio::task::yield_now().await;
    }
    state.broken.store(false, Ordering::SeqCst);
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        reads.spawn(async move {
            store.session(id, T0).await?;
            store.file(id, T0).await?;
            store.history(id, None, 10, T0).await
        });
    }
    // All of them begin to wait, on this one thread, which is free all the same.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(reads.try_join_next().is_none() && !failing.is_finished());
    release.send(()).unwrap();
    while let Some(read) = reads.join_next().await {
        assert_eq!(read.unwrap().unwrap().len(), 2);
    }
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Unavailable(_))));
    turn_begins(&store, id).await.unwrap();
}

/// An app without providers but the demo, with `store`.
fn app(store: RedbStore) -> Arc<App> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let flags = ["chatbot-widget", "--app-env", "testing", "--data-dir", &path];
    let config = Config::parse_from(flags).unwrap();
    App::assemble(config, Arc::new(store), Arc::new(ManualClock::new(T0)), vec![])
}

#[tokio::test]
async fn a_full_disk_makes_readiness_503_and_not_507() {
    let OnDisk { store, state, path: _path } = on_disk(8 << 20);
    let app = app(store);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(server::run(
        listener,
        Arc::clone(&app),
        server::ServerOptions::default(),
        std::future::pending(),
    ));
    // reqwest wants one, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let status = async || {
        let answer = reqwest::get(format!("http://{address}/health/ready")).await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status().await, 200);
    state.first_page_only.store(true, Ordering::SeqCst);
    let refused = app.sessions.create(Map::new()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Full, "storage_full"));
    assert_eq!(app.ready().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(status().await, 503);
    state.first_page_only.store(false, Ordering::SeqCst);
    assert_eq!(status().await, 200);
    server.abort();
}
