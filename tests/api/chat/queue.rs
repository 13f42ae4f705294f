//! Questions that wait for the session's earlier one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use crate::store_double::StoreDouble;
use crate::support::Server;
use crate::support::model::{Model, Script, claude_says, gpt_says};

fn held(text: &str) -> Script {
    Script::Held(Box::new(claude_says(text)))
}

#[tokio::test]
async fn four_questions_may_wait_and_a_fifth_is_refused() {
    let model = Model::start([held("First."), claude_says("Later.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let mut asked: FuturesUnordered<_> = (0..6).map(|_| server.say(&id, "Hm?")).collect();
    let refused = asked.next().await.unwrap();
    refused.expect_error(429, "too_many_questions");
    assert!(refused.header("retry-after").is_some());
    model.release();
    while let Some(answer) = asked.next().await {
        answer.expect(200);
    }
    assert_eq!(server.history(&id).await.len(), 10, "the refused question was not stored");
    assert_eq!(model.calls().len(), 5);
}

#[tokio::test]
async fn a_question_that_has_waited_too_long_is_refused() {
    let model = Model::start([held("First."), claude_says("Third.")]).await;
    let impatient = |real| StoreDouble::new(real).with_turn_patience(Duration::from_millis(50));
    let (server, store) = Server::over(&model.flags(), impatient).await;
    let server = Arc::new(server);
    let id = server.session(json!({})).await;
    let first = tokio::spawn({
        let (server, id) = (Arc::clone(&server), id.clone());
        async move { server.say(&id, "First?").await.expect(200) }
    });
    model.next_call().await;
    server.say(&id, "Second?").await.expect_error(409, "turn_in_progress");
    model.release();
    assert_eq!(first.await.unwrap()["response"], "First.");
    assert_eq!(server.say(&id, "Third?").await.expect(200)["messageCount"], 4);
    let turns = store.turns.lock().unwrap();
    assert!(turns.iter().all(|turn| *turn == (Duration::from_secs(30), 4)), "{turns:?}");
}

/// The question was sent to the provider of the earlier settings with the model of the new ones.
#[tokio::test]
async fn settings_that_change_while_a_question_waits_apply_to_it_as_a_whole() {
    let held = Script::Held(Box::new(gpt_says("First.")));
    let gpt = Model::start([held, gpt_says("By the wrong provider.")]).await;
    let claude = Model::start([claude_says("Second.")]).await;
    let gpt_url = format!("{}/v1", gpt.base);
    let mut flags = claude.flags().to_vec();
    flags.extend(["--openai-api-key", "k", "--openai-base-url", &gpt_url]);
    let (server, store) = Server::over(&flags, StoreDouble::new).await;
    let server = Arc::new(server);
    let id = server.session(json!({"aiProvider": "openai", "model": "gpt-9"})).await;
    let ask = |text: &'static str| {
        let (server, id) = (Arc::clone(&server), id.clone());
        tokio::spawn(async move { server.say(&id, text).await.expect(200) })
    };
    let first = ask("First?");
    gpt.next_call().await;
    let second = ask("Second?");
    store.turns_asked(2).await;
    let config = json!({"config": {"aiProvider": "claude", "model": "claude-opus-9"}});
    server.put(&format!("/api/sessions/{id}/config"), config).await.expect(200);
    gpt.release();
    assert_eq!(first.await.unwrap()["response"], "First.");
    let second = second.await.unwrap();
    assert_eq!((&second["response"], &second["provider"]), (&json!("Second."), &json!("claude")));
    assert_eq!(gpt.calls().len(), 1);
    assert_eq!(gpt.calls()[0].body["model"], "gpt-9");
    assert_eq!(claude.calls()[0].body["model"], "claude-opus-9");
}
