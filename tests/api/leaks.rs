//! What is left of turns that nobody waits for.

use std::sync::{Arc, Weak};

use chatbot_widget::app::App;
use chatbot_widget::chat::feed::RunningTurn;
use chatbot_widget::chat::{Delivery, Question};
use chatbot_widget::config::Config;
use chatbot_widget::domain::{ClientKey, Clock, SessionId, SystemClock};
use chatbot_widget::provider::transport::Proxies;
use chatbot_widget::quota::QuotaUse;
use chatbot_widget::store::Backend;
use chatbot_widget::store::redb::{Options, RedbStore};
use serde_json::Map;

/// An app that answers as the demo, with a store in memory.
fn app() -> (Arc<App>, Arc<RedbStore>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let flags = ["chatbot-widget", "--app-env", "testing", "--data-dir", &path];
    let config = Config::parse_from(flags).unwrap();
    let clock = Arc::new(SystemClock);
    let options = Options {
        cache_bytes: 16 * 1024 * 1024,
        session_timeout: config.limits.session_timeout,
        now: clock.now(),
    };
    let memory = redb::backends::InMemoryBackend::new();
    let memory = std::sync::Mutex::new(Some(memory));
    let backend = move || memory.lock().unwrap().take().ok_or(std::io::ErrorKind::NotFound.into());
    let store = Arc::new(RedbStore::open_with_backend(backend, options).unwrap());
    let providers = chatbot_widget::app::providers(&config, &Proxies::default()).unwrap();
    (App::assemble(config, Arc::clone(&store) as Arc<dyn Backend>, clock, providers), store)
}

/// Ten thousand turns: some are stopped, some lose their reader at once, some in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_ten_thousand_turns_that_were_cut() {
    const SESSIONS: usize = 1000;
    const TURNS: usize = 10;
    let (app, store) = app();
    let mut visitors = tokio::task::JoinSet::new();
    for _ in 0..SESSIONS {
        let app = Arc::clone(&app);
        visitors.spawn(async move {
            let id = app.sessions.create(Map::new()).await.unwrap().id;
            let mut turns = Vec::with_capacity(TURNS);
            for n in 0..TURNS {
                turns.push(cut(&app, id, n).await);
            }
            turns
        });
    }
    let turns: Vec<Weak<RunningTurn>> = visitors.join_all().await.into_iter().flatten().collect();
    assert_eq!(turns.len(), SESSIONS * TURNS);
    app.chat.drain(std::time::Duration::from_secs(60)).await;
    assert_eq!(app.chat.load(), chatbot_widget::chat::ChatLoad::default());
    assert_eq!(store.locked_turns(), 0);
    assert_eq!(app.quota.in_use(), QuotaUse::default());
    assert_eq!(turns.iter().filter(|turn| turn.strong_count() > 0).count(), 0);
}

async fn cut(app: &App, id: SessionId, n: usize) -> Weak<RunningTurn> {
    let question = Question {
        message: format!("Question {n}"),
        patch: Map::new(),
        delivery: Delivery::Streamed,
        key: None,
        client: ClientKey::V4(1),
    };
    let turn = app.chat.begin(id, question).unwrap();
    match n % 4 {
        0 => {}
        1 => drop(turn.event(0).await),
        2 => {
            app.chat.stop(id).await.unwrap();
        }
        _ => {
            turn.event(1).await;
            app.chat.stop(id).await.unwrap();
        }
    }
    Arc::downgrade(&turn)
}
