//! Stopping an answer.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::reader::{Reader, ask, names};
use crate::support::Server;
use crate::support::model::{Model, Script, claude_says, claude_start, claude_words};

#[tokio::test]
async fn a_stopped_answer_keeps_what_was_written() {
    let events = [claude_start(), claude_words("As far as I got")].concat();
    let model = Model::start([Script::Stalled(events), claude_says("Next.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let stop = || server.request(Method::POST, &format!("/api/chat/stop/{id}"));
    assert_eq!(server.send(stop()).await.expect(200)["status"], "idle");
    let mut reader = Reader::open(ask(&server, &id, "Go on")).await;
    for _ in 0..6 {
        reader.next().await.unwrap();
    }
    let stopped = server.send(stop()).await.expect(200);
    assert_eq!((&stopped["status"], &stopped["sessionId"]), (&json!("stopped"), &json!(id)));
    let done = reader.rest().await;
    assert_eq!(names(&done), ["done"]);
    assert_eq!(done[0].data["status"], "stopped");
    assert_eq!(done[0].data["response"], "As far as I got");
    let stored = server.history(&id).await;
    assert_eq!(
        (&stored[1]["content"], &stored[1]["status"]),
        (&json!("As far as I got"), &json!("stopped"))
    );
    assert_eq!(stored[0].get("status"), None);
    assert_eq!(server.say(&id, "Next").await.expect(200)["response"], "Next.");
    let turns = model.calls()[1].body["messages"].as_array().unwrap().len();
    assert_eq!(turns, 3, "what the visitor has read stays in the conversation");
}

#[tokio::test]
async fn stopping_before_the_first_word_leaves_the_question_unanswered() {
    let model = Model::start([Script::Stalled(claude_start())]).await;
    let server = Arc::new(Server::asking(&model).await);
    let id = server.session(json!({})).await;
    let asking = tokio::spawn({
        let (server, id) = (Arc::clone(&server), id.clone());
        async move { server.say(&id, "Hm?").await.expect(200) }
    });
    model.next_call().await;
    let stop = server.request(Method::POST, &format!("/api/chat/stop/{id}"));
    assert_eq!(server.send(stop).await.expect(200)["status"], "stopped");
    let answer = asking.await.unwrap();
    assert_eq!((&answer["response"], &answer["status"]), (&json!(""), &json!("stopped")));
    let messages = server.history(&id).await;
    assert_eq!((messages.len(), &messages[0]["status"]), (1, &json!("unanswered")));
}
