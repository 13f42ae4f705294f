//! Nothing that has been deleted remains in the file.

use std::collections::BTreeMap;

use ::redb::{Database, ReadableDatabase, ReadableTableMetadata, TableHandle};
use chatbot_widget::domain::{IdempotencyKey, SessionId, Status};
use chatbot_widget::store::redb::RedbStore;
use chatbot_widget::store::{Office, Store};
use serde_json::json;

use crate::redb::InFolder;
use crate::support::{
    Backend, T0, TIMEOUT, answer, at, begin, created, file, new_session, object, question, set,
};

/// Tables that belong to sessions; the others describe the file itself.
const TABLES: [&str; 7] =
    ["activity", "configs", "file_chunks", "files", "idempotency", "messages", "sessions"];

/// A session with something in every table: settings, two turns with keys, a file of several
/// chunks.
async fn filled(store: &impl Store) -> SessionId {
    let session = new_session(json!({"botName": "B"}), T0);
    let id = session.id;
    store.create_session(session).await.unwrap();
    store.merge_config(id, set(object(json!({"own": [1, 2]}))), at(1)).await.unwrap();
    for name in ["first", "second"] {
        let key = IdempotencyKey::new(name);
        let patch = object(json!({"last": name}));
        let begun = begin(store, id, patch, question(name, at(2)), key).await.unwrap();
        let reply = Some(answer("re", at(3)));
        store.finish_turn(id, begun.question, Status::Complete, reply, at(3)).await.unwrap();
    }
    let (stored, text) = file(1, &"a;b\n1;2\n".repeat(400_000));
    store.put_file(id, stored, text, at(4)).await.unwrap();
    id
}

/// Closes the store and counts the rows of its tables.
async fn rows(store: RedbStore, folder: &InFolder) -> BTreeMap<String, u64> {
    store.close().await.unwrap();
    drop(store);
    let database = Database::open(folder.path()).unwrap();
    let transaction = database.begin_read().unwrap();
    let tables = transaction.list_tables().unwrap();
    let count = |table: ::redb::UntypedTableHandle| {
        let name = table.name().to_owned();
        let rows = transaction.open_untyped_table(table).unwrap().len().unwrap();
        (name, rows)
    };
    let mut rows: BTreeMap<_, _> = tables.map(count).collect();
    assert!(rows.remove("meta").is_some_and(|rows| rows > 0));
    assert_eq!(rows.remove("settings"), Some(1));
    // A new table belongs to one group or the other.
    assert!(rows.keys().eq(TABLES), "{rows:?}");
    rows
}

/// The rows of a store in which `work` was done with a filled session.
async fn rows_after(work: impl AsyncFnOnce(&RedbStore, SessionId)) -> BTreeMap<String, u64> {
    let folder = InFolder::default();
    let store = folder.open(T0).await;
    store.setting_or_insert("key", vec![1]).await.unwrap();
    let id = filled(&store).await;
    work(&store, id).await;
    rows(store, &folder).await
}

#[tokio::test]
async fn a_filled_session_has_rows_in_every_table() {
    let found = rows_after(async |_, _| {}).await;
    let rows = [1, 1, 4, 1, 2, 4, 1];
    assert!(found.into_values().eq(rows), "the cases below would prove nothing");
}

#[tokio::test]
async fn expiry_leaves_no_rows_of_a_session() {
    let found = rows_after(async |store, id| {
        let now = at(4).after(TIMEOUT);
        assert_eq!(store.expire(now, 10).await.unwrap(), [id]);
    })
    .await;
    assert!(found.values().all(|rows| *rows == 0), "{found:?}");
}

#[tokio::test]
async fn expiry_keeps_the_rows_of_other_sessions() {
    let found = rows_after(async |store, id| {
        let other = filled(store).await;
        created(store, at(5)).await;
        let now = at(4).after(TIMEOUT);
        store.session(other, at(5)).await.unwrap();
        assert_eq!(store.expire(now, 10).await.unwrap(), [id]);
    })
    .await;
    assert!(found.into_values().eq([2, 2, 4, 1, 2, 4, 2]));
}

#[tokio::test]
async fn clearing_leaves_no_messages_and_no_idempotency_keys() {
    let found = rows_after(async |store, id| {
        assert_eq!(store.clear_history(id, at(5)).await.unwrap(), 4);
    })
    .await;
    assert!(found.clone().into_values().eq([1, 1, 4, 1, 0, 0, 1]), "{found:?}");
}

#[tokio::test]
async fn deleting_a_file_leaves_no_chunk_of_it() {
    let found = rows_after(async |store, id| {
        assert!(store.delete_file(id, at(5)).await.unwrap());
    })
    .await;
    assert!(found.clone().into_values().eq([1, 1, 0, 0, 2, 4, 1]), "{found:?}");
}

#[tokio::test]
async fn a_shorter_file_leaves_no_chunk_of_the_earlier_one() {
    let found = rows_after(async |store, id| {
        let (stored, text) = file(2, "a;b\n");
        store.put_file(id, stored, text, at(5)).await.unwrap();
    })
    .await;
    assert_eq!((found["files"], found["file_chunks"]), (1, 1));
}
