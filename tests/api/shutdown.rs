//! Shutdown: running answers finish, new questions are refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Server;
use crate::support::model::{Model, Script, claude_says, claude_start, claude_words};

#[tokio::test]
async fn a_running_answer_finishes() {
    let model = Model::start([Script::Held(Box::new(claude_says("In time.")))]).await;
    let mut server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let request = server
        .request(reqwest::Method::POST, "/api/chat/message")
        .json(&json!({"sessionId": id, "message": "Quick!"}));
    let asking = tokio::spawn(request.send());
    model.next_call().await;
    server.begin_stop();
    // The port is closed at once, while the answer is still being written.
    while tokio::net::TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!asking.is_finished());
    model.release();
    let answer = asking.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["response"], "In time.");
    server.stop().await;
}

/// An answer that does not finish in time is interrupted, and what was written is kept.
#[tokio::test]
async fn an_endless_answer_is_cut_and_kept() {
    let events = [claude_start(), claude_words("The beginning of")].concat();
    let model = Model::start([Script::Stalled(events)]).await;
    let server = Arc::new(Server::asking(&model).await);
    let id = server.session(json!({})).await;
    let asking = tokio::spawn({
        let (server, id) = (Arc::clone(&server), id.clone());
        async move { server.say(&id, "Go on").await }
    });
    model.next_call().await;
    // How much has arrived cannot be seen from outside; all of it must be kept.
    let begun = Instant::now();
    server.app.chat.drain(Duration::from_millis(500)).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "the model's own time limit ended it");
    asking.await.unwrap().expect_error(502, "answer_interrupted");
    let messages = server.history(&id).await;
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[1]["status"], "incomplete");
    assert_eq!(messages[1]["content"], "The beginning of");
    server.say(&id, "More").await.expect_error(503, "stopping");
}

#[tokio::test]
async fn a_stopping_server_is_not_ready() {
    let server = Server::start().await;
    server.app.begin_shutdown();
    server.get("/health/ready").await.expect_error(503, "stopping");
    server.get("/health").await.expect(200);
}
