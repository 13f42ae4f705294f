//! A file that is deleted, moved, replaced or cut while the store has it open.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use chatbot_widget::domain::SessionId;
use chatbot_widget::store::redb::RedbStore;
use chatbot_widget::store::{Store, StoreError};
use serde_json::{Map, json};

use crate::redb::InFolder;
use crate::support::{
    Backend, T0, TIMEOUT, at, begin, created, new_session, question, texts, turn,
};

/// A store with one session in it, which has asked one question.
async fn opened(folder: &InFolder) -> (RedbStore, SessionId) {
    let store = folder.open(T0).await;
    let id = created(&store, T0).await;
    turn(&store, id, "kept", T0).await;
    (store, id)
}

/// That the store says it cannot work, and that nothing is acknowledged.
async fn assert_refuses_writes(store: &RedbStore, id: SessionId) {
    let unavailable = |error| assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    unavailable(store.ready().await.unwrap_err());
    unavailable(store.tick().await.unwrap_err());
    unavailable(store.create_session(new_session(json!({}), at(1))).await.unwrap_err());
    let asked = begin(store, id, Map::new(), question("lost?", at(1)), None);
    unavailable(asked.await.unwrap_err());
    unavailable(store.clear_history(id, at(1)).await.unwrap_err());
    unavailable(store.expire(T0.after(TIMEOUT), 10).await.unwrap_err());
    assert_eq!(store.stats(at(1)).await.unwrap().total, 1);
}

async fn assert_works(store: &RedbStore, id: SessionId) {
    store.ready().await.unwrap();
    assert_eq!(texts(store, id, at(2)).await, ["kept", "re: kept"]);
    turn(store, id, "next", at(2)).await;
}

#[tokio::test]
async fn a_deleted_file_takes_no_more_writes_but_is_still_read() {
    let folder = InFolder::default();
    let (store, id) = opened(&folder).await;
    fs::remove_file(folder.path()).unwrap();
    assert_refuses_writes(&store, id).await;
    assert_eq!(texts(&store, id, at(1)).await, ["kept", "re: kept"]);
    assert!(matches!(store.close().await, Err(StoreError::Unavailable(_))), "activity is lost");
    assert!(!folder.path().exists(), "no empty file takes its place");
}

#[tokio::test]
async fn a_file_whose_folder_is_moved_works_again_when_it_is_back() {
    let outer = tempfile::tempdir().unwrap();
    let (data, moved) = (outer.path().join("data"), outer.path().join("moved"));
    fs::create_dir(&data).unwrap();
    let store = crate::redb::open(&data.join("chatbot.redb"), T0).unwrap();
    let id = created(&store, T0).await;
    turn(&store, id, "kept", T0).await;
    fs::rename(&data, &moved).unwrap();
    assert_refuses_writes(&store, id).await;
    fs::create_dir(&data).unwrap();
    assert_refuses_writes(&store, id).await;
    fs::remove_dir(&data).unwrap();
    fs::rename(&moved, &data).unwrap();
    assert_works(&store, id).await;
}

#[tokio::test]
async fn another_file_under_the_same_name_is_not_taken_for_the_stores() {
    let folder = InFolder::default();
    let (store, id) = opened(&folder).await;
    let aside = PathBuf::from(format!("{}.aside", folder.path().display()));
    // A sound database of this program, such as a backup that was put in its place.
    fs::copy(folder.path(), &aside).unwrap();
    let backup = fs::read(&aside).unwrap();
    let original = aside.with_extension("original");
    fs::rename(folder.path(), &original).unwrap();
    fs::rename(&aside, folder.path()).unwrap();
    assert_refuses_writes(&store, id).await;
    assert!(fs::read(folder.path()).unwrap() == backup, "the other file is left as it is");
    fs::rename(&original, folder.path()).unwrap();
    assert_works(&store, id).await;
}

#[tokio::test]
async fn a_file_that_was_cut_takes_no_more_writes() {
    let folder = InFolder::default();
    let (store, id) = opened(&folder).await;
    let length = fs::metadata(folder.path()).unwrap().len();
    let file = fs::File::options().write(true).open(folder.path()).unwrap();
    for cut in [length - 1, 4096, 0] {
        file.set_len(cut).unwrap();
        assert_refuses_writes(&store, id).await;
        assert_eq!(file.metadata().unwrap().len(), cut, "nothing was written");
    }
}

#[tokio::test]
async fn a_file_that_shrinks_by_itself_is_not_taken_for_cut() {
    let folder = InFolder::default();
    let (store, id) = opened(&folder).await;
    let length = || fs::metadata(folder.path()).unwrap().len();
    let (stored, text) = crate::support::file(1, &"x".repeat(8 << 20));
    store.put_file(id, stored, text, at(1)).await.unwrap();
    let grown = length();
    store.delete_file(id, at(1)).await.unwrap();
    for n in 0..20 {
        turn(&store, id, &n.to_string(), at(1)).await;
    }
    store.ready().await.unwrap();
    assert!(length() <= grown);
}
