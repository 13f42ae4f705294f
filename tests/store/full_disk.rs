//! A disk that fills up and is freed again, and one that fails in other ways.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ::redb::StorageBackend;
use ::redb::backends::FileBackend;
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
    /// Every operation but locking fails.
    broken: AtomicBool,
    opened: AtomicU64,
}

impl State {
    fn fits(&self, end: u64) -> io::Result<()> {
        let full = end > self.room.load(Ordering::SeqCst);
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
        broken: AtomicBool::new(false),
        opened: AtomicU64::new(0),
    });
    let (file, shared) = (path.to_owned(), state.clone());
    let backend = move || {
        shared.opened.fetch_add(1, Ordering::SeqCst);
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
