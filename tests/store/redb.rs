//! The redb store: the contract, the files it refuses, and its commits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ::redb::{Database, ReadableDatabase, TableDefinition};
use async_trait::async_trait;
use chatbot_widget::domain::Timestamp;
use chatbot_widget::store::redb::{OpenError, Options, RedbStore};
use chatbot_widget::store::{Office, Store, StoreCounters};

use crate::support::{Backend, T0, TIMEOUT, at, created, not_found, set, texts, turn};

const META: TableDefinition<&[u8], &[u8]> = TableDefinition::new("meta");

/// A file in a temporary folder, deleted on drop.
pub struct InFolder(tempfile::TempDir);

impl Default for InFolder {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl InFolder {
    pub fn path(&self) -> PathBuf {
        self.0.path().join("chatbot.redb")
    }
}

#[async_trait]
impl Backend for InFolder {
    type Store = RedbStore;

    async fn open(&self, now: Timestamp) -> RedbStore {
        open(&self.path(), now).unwrap()
    }
}

contract!(InFolder);

pub fn options(now: Timestamp) -> Options {
    Options { cache_bytes: 8 << 20, session_timeout: TIMEOUT, now }
}

pub fn open(path: &Path, now: Timestamp) -> Result<RedbStore, OpenError> {
    RedbStore::open(path, options(now))
}

/// The error of opening `path`, which is one line that names the file.
#[track_caller]
fn refused(path: &Path) -> OpenError {
    let Err(error) = open(path, T0) else { unreachable!("{} was opened", path.display()) };
    let line = error.to_string();
    assert!(line.contains(&path.display().to_string()) && !line.contains('\n'), "{line}");
    error
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused_and_left_untouched() {
    let folder = InFolder::default();
    for contents in ["hello\n".to_owned(), "SQLite format 3\0".repeat(1000)] {
        std::fs::write(folder.path(), &contents).unwrap();
        let error = refused(&folder.path());
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(folder.path()).unwrap(), contents);
    }
}

#[test]
fn another_programs_database_is_refused() {
    const OTHER: TableDefinition<u64, u64> = TableDefinition::new("other");
    const SAME_NAME: TableDefinition<u64, u64> = TableDefinition::new("meta");
    for table in [OTHER, SAME_NAME] {
        let folder = InFolder::default();
        let database = Database::create(folder.path()).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert(1, 2).unwrap();
        transaction.commit().unwrap();
        drop(database);
        assert!(matches!(refused(&folder.path()), OpenError::Foreign { .. }));
        let database = Database::open(folder.path()).unwrap();
        assert_eq!(database.begin_read().unwrap().list_tables().unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let folder = InFolder::default();
    drop(folder.open(T0).await);
    let database = Database::open(folder.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    let schema = 7_u32.to_le_bytes();
    transaction.open_table(META).unwrap().insert(b"schema".as_slice(), schema.as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refused(&folder.path()), OpenError::Newer { found: 7, .. }));
}

#[tokio::test]
async fn a_damaged_database_is_refused_or_returns_errors() {
    let folder = InFolder::default();
    let store = folder.open(T0).await;
    let id = created(&store, T0).await;
    for n in 0..20 {
        turn(&store, id, &format!("text {n}").repeat(100), T0).await;
    }
    store.close().await.unwrap();
    let sound = std::fs::read(folder.path()).unwrap();

    for length in [1, 100, 511, 4096, sound.len() / 2] {
        std::fs::write(folder.path(), &sound[..length]).unwrap();
        let error = refused(&folder.path());
        let told = matches!(error, OpenError::Damaged { .. } | OpenError::Foreign { .. });
        assert!(told, "cut to {length}: {error:?}");
    }
    // Garbage in any page: the file is refused, or reading it returns an error or the right texts.
    let expected = texts_of(&folder, &sound, id).await.unwrap();
    for page in 1..sound.len() / 4096 {
        let mut damaged = sound.clone();
        damaged[page * 4096..][..4096].fill(0xa5);
        if let Some(found) = texts_of(&folder, &damaged, id).await {
            assert_eq!(found, expected, "page {page}");
        }
    }
}

async fn texts_of(
    folder: &InFolder,
    contents: &[u8],
    id: chatbot_widget::domain::SessionId,
) -> Option<Vec<String>> {
    std::fs::write(folder.path(), contents).unwrap();
    let store = open(&folder.path(), T0).ok()?;
    let transcript = store.transcript(id, T0).await.ok()?;
    Some(transcript.messages.into_iter().map(|message| message.body.content).collect())
}

#[test]
fn a_path_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let missing = folder.path().join("missing").join("chatbot.redb");
    for path in [file.join("chatbot.redb"), missing, folder.path().to_owned()] {
        assert!(matches!(refused(&path), OpenError::Unwritable { .. }), "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_opening_is_refused_in_this_process_and_in_another() {
    let folder = InFolder::default();
    let store = folder.open(T0).await;
    let id = created(&store, T0).await;
    assert!(matches!(refused(&folder.path()), OpenError::InUse { .. }));
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "redb::helper_is_refused_by_the_lock", "--nocapture"])
        .env("TEST_LOCKED_STORE", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&other.stdout).into_owned();
    assert!(other.status.success() && said.contains("1 passed"), "{said}");
    store.session(id, at(1)).await.unwrap();
    store.close().await.unwrap();
    open(&folder.path(), T0).unwrap();
}

/// The other process of the test above; does nothing if run by itself.
#[test]
fn helper_is_refused_by_the_lock() {
    if let Some(path) = std::env::var_os("TEST_LOCKED_STORE") {
        assert!(matches!(refused(Path::new(&path)), OpenError::InUse { .. }));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_accessible_to_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = InFolder::default();
    drop(folder.open(T0).await);
    let mode = std::fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn activity_in_the_future_counts_as_now() {
    let folder = InFolder::default();
    let store = folder.open(at(1_000_000)).await;
    let id = created(&store, at(1_000_000)).await;
    drop(store);
    let store = folder.open(T0).await;
    store.history(id, None, 1, at(1799)).await.unwrap();
    not_found(store.history(id, None, 1, at(1800)).await);
    assert_eq!(store.expire(at(1800), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_writes_nothing_and_the_next_commit_includes_its_activity() {
    let folder = InFolder::default();
    let store = folder.open(T0).await;
    let (read, written) = (created(&store, T0).await, created(&store, T0).await);
    store.session(read, at(1000)).await.unwrap();
    let before = std::fs::read(folder.path()).unwrap();
    store.session(read, at(1001)).await.unwrap();
    store.merge_config(read, set(serde_json::Map::new()), at(1002)).await.unwrap();
    store.ready().await.unwrap();
    assert!(before == std::fs::read(folder.path()).unwrap(), "nothing was committed");
    turn(&store, written, "x", at(1003)).await;
    // A copy of the open file holds only what has been committed.
    let copy = InFolder::default();
    std::fs::copy(folder.path(), copy.path()).unwrap();
    let store = copy.open(at(2000)).await;
    assert_eq!(store.stats(at(2801)).await.unwrap().total, 2);
    assert_eq!(store.stats(at(2802)).await.unwrap().total, 1);
    assert_eq!(texts(&store, written, at(2000)).await, ["x", "re: x"]);
}

#[tokio::test]
async fn a_sweep_of_many_messages_continues_to_its_limit() {
    let folder = InFolder::default();
    let store = folder.open(T0).await;
    let many = created(&store, T0).await;
    let store = std::sync::Arc::new(store);
    let tasks: Vec<_> = (0..5_001)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { turn(&*store, many, "x", T0).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for _ in 0..5 {
        created(&*store, at(1)).await;
    }
    // More messages than fit into one slice: one call must run several transactions.
    assert_eq!(store.expire(at(1801), 4).await.unwrap().len(), 4);
    assert_eq!(store.expire(at(1801), 4).await.unwrap().len(), 2);
    assert_eq!(store.stats(T0.after(Duration::from_secs(1))).await.unwrap().total, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_either_touched_in_time_or_swept() {
    let folder = InFolder::default();
    let store = std::sync::Arc::new(folder.open(T0).await);
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(created(&*store, T0).await);
    }
    let sweeper = tokio::spawn({
        let store = store.clone();
        async move {
            let mut swept = 0;
            for _ in 0..30 {
                swept += store.expire(at(1800), 10).await.unwrap().len();
            }
            swept
        }
    });
    let mut touched = Vec::new();
    for id in &ids {
        touched.push(store.session(*id, at(1799)).await.is_ok());
    }
    let swept = sweeper.await.unwrap() + store.expire(at(1800), 300).await.unwrap().len();
    assert_eq!(swept, touched.iter().filter(|in_time| !**in_time).count());
    drop(store);
    let store = folder.open(at(1800)).await;
    for (id, in_time) in ids.into_iter().zip(touched) {
        assert_eq!(store.session(id, at(1800)).await.is_ok(), in_time);
    }
}

#[tokio::test]
async fn commits_are_counted_with_the_operations_that_share_them() {
    let folder = InFolder::default();
    let store = std::sync::Arc::new(folder.open(T0).await);
    assert_eq!(store.counters(), StoreCounters::default());
    store.ready().await.unwrap();
    store.session(created(&*store, T0).await, T0).await.unwrap();
    let once = StoreCounters { commits: 1, operations: 1, ..StoreCounters::default() };
    assert_eq!(store.counters(), once, "reads and probes of readiness commit nothing");
    // All are queued before the writer's next commit can end.
    let writers = (0..100).map(|_| {
        let store = store.clone();
        async move { created(&*store, T0).await }
    });
    futures_util::future::join_all(writers).await;
    let StoreCounters { commits, operations, failed_commits, queued } = store.counters();
    assert_eq!((operations, failed_commits, queued), (101, 0, 0));
    assert!((2..101).contains(&commits), "{commits}");
}
