//! Files written by earlier releases are still readable.
//!
//! `tests/fixtures/store/v1.redb` is such a file. To write one for a new schema, add its number
//! below and run `WRITE_STORE_FIXTURE=1 cargo test --test store fixture`; never write an old one
//! again.

use std::path::{Path, PathBuf};

use chatbot_widget::domain::{
    Author, BotId, Chart, ChartKind, IdempotencyKey, Message, MessageId, NewMessage, ProviderKind,
    Session, SessionConfig, SessionId, SessionState, Status, Timestamp, ToolOutcome, ToolRun,
    Usage,
};
use chatbot_widget::store::{Office, Store, Transcript};
use serde_json::{Map, json};

use crate::redb::open;
use crate::support::{begin, object, to};

/// The schema that this release writes.
const CURRENT: u32 = 4;
const CREATED: Timestamp = Timestamp(1_769_860_800_123);
const LAST: Timestamp = Timestamp(1_769_861_000_456);

fn file(schema: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/store/v{schema}.redb"))
}

fn session() -> Session {
    let config = json!({"botName": "Grüße", "own": {"list": [1, 2.5, null]}, "maxTokens": 500});
    Session {
        id: SessionId("4d5f0f0e-3d6b-4c7e-9a44-0123456789ab".parse().unwrap()),
        bot: BotId::default(),
        state: SessionState::Bot,
        created: CREATED,
        last_activity: CREATED,
        message_count: 0,
        config: SessionConfig::new(object(config)),
    }
}

fn run(schema: u32) -> ToolRun {
    ToolRun {
        name: "query_data".to_owned(),
        input: object(json!({"sql": "SELECT 1"})),
        outcome: ToolOutcome::Rows { row_count: 1, table_rows: (schema > 2).then_some(2) },
        elapsed_ms: 0.25,
    }
}

fn chart() -> Chart {
    Chart {
        kind: ChartKind::Line,
        title: "Title".to_owned(),
        svg: "<svg/>".to_owned(),
        alt: "Alt".to_owned(),
    }
}

/// A question for each way to end, and an answer from each provider. Schema 2 added tools and
/// charts; schema 3 cached tokens, the row count of a tool's table and idempotency keys.
fn turns(schema: u32) -> Vec<(NewMessage, Option<NewMessage>)> {
    let endings = [
        (Status::Complete, Some(ProviderKind::Claude)),
        (Status::Incomplete, Some(ProviderKind::OpenAi)),
        (Status::Stopped, Some(ProviderKind::Demo)),
        (Status::Truncated, Some(ProviderKind::Claude)),
        (Status::Refused, Some(ProviderKind::OpenAi)),
        (Status::Unanswered, None),
    ];
    let turn = |(n, (status, provider)): (usize, (Status, Option<ProviderKind>))| {
        let asked = NewMessage {
            status: if provider.is_some() { Status::Complete } else { Status::Unanswered },
            ..NewMessage::question(format!("question {n} \u{1f600}"), CREATED)
        };
        let answered = provider.map(|provider| NewMessage {
            author: Author::Bot,
            answers: None,
            content: format!("**answer** {n}"),
            html: (schema > 1).then(|| format!("<p><strong>answer</strong> {n}</p>")),
            timestamp: LAST,
            status,
            provider: Some(provider),
            model: (n != 2).then(|| format!("model-{n}")),
            usage: (n != 2).then_some(Usage {
                input_tokens: 70_000,
                output_tokens: n as u32,
                cached_input_tokens: if schema > 2 && n == 1 { 65_536 } else { 0 },
                ..Usage::default()
            }),
            tools: if n == 0 && schema > 1 { vec![run(schema)] } else { vec![] },
            chart: (n == 0 && schema > 1).then(chart),
        });
        (asked, answered)
    };
    endings.into_iter().enumerate().map(turn).collect()
}

async fn write(path: &Path) {
    let store = open(path, CREATED).unwrap();
    let id = session().id;
    store.create_session(session()).await.unwrap();
    let question = NewMessage::question("x".to_owned(), CREATED);
    let begun = begin(&store, id, Map::new(), question, None);
    begun.await.unwrap();
    store.clear_history(id, CREATED).await.unwrap();
    for (n, (asked, answered)) in turns(CURRENT).into_iter().enumerate() {
        let question = NewMessage { status: Status::Unanswered, ..asked.clone() };
        let key = IdempotencyKey::new(&format!("key {n}"));
        let begun = begin(&store, id, Map::new(), question, key).await.unwrap();
        let ended = store.finish_turn(id, begun.question, asked.status, answered, LAST);
        ended.await.unwrap();
    }
    let (stored, text) = crate::support::file(9, "a;b\n1;\n2;\n");
    store.put_file(id, stored, text, LAST).await.unwrap();
    store.setting_or_insert("secret_key", vec![0, 1, 254, 255]).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn files_of_every_earlier_release_are_read_completely() {
    if std::env::var_os("WRITE_STORE_FIXTURE").is_some() && !file(CURRENT).exists() {
        write(&file(CURRENT)).await;
        let mut database = ::redb::Database::open(file(CURRENT)).unwrap();
        while database.compact().unwrap() {}
    }
    for schema in 1..=CURRENT {
        // A copy: opening a file writes to it.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.redb");
        std::fs::copy(file(schema), &copy).unwrap();
        let store = open(&copy, LAST).unwrap();
        assert_eq!(store.stats(LAST).await.unwrap().total, 1);
        let Transcript { session: read, messages, file } =
            store.transcript(session().id, LAST).await.unwrap();
        assert_eq!(read, Session { last_activity: LAST, message_count: 11, ..session() });
        let mut expected = Vec::new();
        for (asked, answered) in turns(schema) {
            let question = MessageId(2 + expected.len() as u64);
            expected.push(Message { id: question, body: asked });
            expected.extend(answered.map(|answered| Message {
                id: MessageId(question.0 + 1),
                body: to(question, answered),
            }));
        }
        assert_eq!(messages, expected, "schema {schema}");
        let stored = store.file_text(session().id, LAST).await.unwrap();
        let expected = (schema > 1).then(|| crate::support::file(9, "a;b\n1;\n2;\n"));
        assert_eq!(stored, expected, "schema 2 added files");
        assert_eq!(file, expected.map(|(file, _)| file));
        let again = NewMessage::question("again".to_owned(), LAST);
        let key = IdempotencyKey::new("key 0");
        let begun = begin(&store, session().id, Map::new(), again, key).await.unwrap();
        let answered = turns(schema).swap_remove(0).1.filter(|_| schema > 2);
        let answered =
            answered.map(|body| Message { id: MessageId(3), body: to(MessageId(2), body) });
        assert_eq!(begun.answered, answered, "schema 3 added keys");
        let key = store.setting("secret_key").await.unwrap();
        assert_eq!(key.as_deref(), Some([0, 1, 254, 255].as_slice()));
    }
}
