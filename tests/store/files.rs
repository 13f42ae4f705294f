//! Contract cases for files, and for answers that were based on them.

use chatbot_widget::domain::{Chart, ChartKind, NewMessage, Status, ToolOutcome, ToolRun};
use chatbot_widget::store::Store;
use serde_json::{Map, json};

use crate::support::{
    Backend, T0, TIMEOUT, answer, at, begin, created, file, messages, not_found, object, question,
    to,
};

pub async fn a_file_is_read_back_as_stored(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    assert_eq!(store.file(id, T0).await.unwrap(), None);
    assert_eq!(store.file_text(id, T0).await.unwrap(), None);
    assert!(!store.delete_file(id, T0).await.unwrap());
    // Longer than several chunks, and not a multiple of their size.
    let (stored, text) = file(1, &"a;b\n1;2\n".repeat(400_000));
    store.put_file(id, stored.clone(), text.clone(), T0).await.unwrap();
    drop(store);

    let store = backend.open(T0).await;
    assert_eq!(store.file(id, T0).await.unwrap(), Some(stored.clone()));
    assert!(store.file_text(id, T0).await.unwrap() == Some((stored, text)));
    let other = created(&store, T0).await;
    assert_eq!(store.file(other, T0).await.unwrap(), None, "another session has no file");
    assert!(store.delete_file(id, T0).await.unwrap());
    assert_eq!(store.file_text(id, T0).await.unwrap(), None);
}

pub async fn a_new_file_replaces_the_previous_one(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let (long, long_text) = file(1, &"x".repeat(3_000_000));
    store.put_file(id, long, long_text, T0).await.unwrap();
    let (short, text) = file(2, "a;b\n");
    store.put_file(id, short.clone(), text.clone(), T0).await.unwrap();
    assert_eq!(store.file_text(id, T0).await.unwrap(), Some((short, text)), "no chunk is left");
}

pub async fn a_file_expires_with_its_session(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let (stored, text) = file(1, "a;b\n");
    store.put_file(id, stored.clone(), text.clone(), T0).await.unwrap();
    let expired = T0.after(TIMEOUT);
    not_found(store.file(id, expired).await);
    not_found(store.file_text(id, expired).await);
    not_found(store.put_file(id, stored, text, expired).await);
    not_found(store.delete_file(id, expired).await);
    assert_eq!(store.expire(expired, 10).await.unwrap(), [id]);
    not_found(store.file(id, T0).await);
}

pub async fn an_answer_keeps_its_tools_and_chart(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("how many?", T0), None).await.unwrap();
    let run = ToolRun {
        name: "query_data".to_owned(),
        input: object(json!({"sql": "SELECT count(*) FROM data", "chart": "bar"})),
        outcome: ToolOutcome::Rows { row_count: 1, table_rows: Some(2) },
        elapsed_ms: 0.5,
    };
    let outcome = ToolOutcome::Failed("no such column".to_owned());
    let failed = ToolRun { outcome, ..run.clone() };
    let chart = Chart {
        kind: ChartKind::Bar,
        title: "Count".to_owned(),
        svg: "<svg/>".to_owned(),
        alt: "One bar".to_owned(),
    };
    let made = NewMessage { tools: vec![failed, run], chart: Some(chart), ..answer("2", at(1)) };
    let ended =
        store.finish_turn(id, begun.question, Status::Complete, Some(made.clone()), at(1)).await;
    assert_eq!(ended.unwrap().message_count, 2);
    assert_eq!(messages(&store, id, at(1)).await[1].body, to(begun.question, made));
}
