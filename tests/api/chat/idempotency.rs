//! `Idempotency-Key`: asking again without asking twice.

use reqwest::Method;
use serde_json::{Value, json};

use super::reader::{Reader, names, text};
use crate::support::model::{Model, Script, claude_says};
use crate::support::{Answer, Server};

fn ask(server: &Server, path: &str, id: &str, key: &str, body: Value) -> reqwest::RequestBuilder {
    let mut body = body;
    body["sessionId"] = json!(id);
    server
        .request(Method::POST, &format!("/api/chat/{path}"))
        .header("Idempotency-Key", key)
        .json(&body)
}

async fn say(server: &Server, id: &str, key: &str, body: Value) -> Answer {
    server.send(ask(server, "message", id, key, body)).await
}

#[tokio::test]
async fn the_same_key_gives_the_first_answer_and_calls_no_provider() {
    let model = Model::start([claude_says("**First.**"), claude_says("Second.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let first = say(&server, &id, "k 1", json!({"message": "Hi"})).await.expect(200);
    assert_eq!(first["response"], "**First.**");

    let changed = json!({"message": "Hi", "config": {"botName": "Other"}});
    let again = say(&server, &id, "k 1", changed).await.expect(200);
    assert_eq!(again, first, "the whole answer, with its time and usage");
    let streamed = Reader::open(ask(&server, "stream", &id, "k 1", json!({"message": "Hi"}))).await;
    let events = streamed.rest().await;
    assert_eq!(names(&events), ["start", "delta", "done"]);
    assert_eq!(
        (events[0].data["model"].as_str(), text(&events).as_str()),
        (Some("claude-served"), "**First.**")
    );
    assert_eq!(events[2].data, first);
    assert_eq!(model.calls().len(), 1);
    let session = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_ne!(session["config"]["botName"], "Other", "nothing has changed");
    assert_eq!(session["messages"].as_array().unwrap().len(), 2);

    let other = say(&server, &id, "k 2", json!({"message": "Hi"})).await.expect(200);
    assert_eq!((&other["response"], &other["messageCount"]), (&json!("Second."), &json!(4)));
}

#[tokio::test]
async fn a_failed_question_is_asked_again_in_its_own_place() {
    let refused = || Script::Status(400, &[], "{}".to_owned());
    let model = Model::start([refused(), claude_says("Now.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let body = json!({"message": "Hi"});
    say(&server, &id, "k", body.clone()).await.expect_error(502, "provider_rejected");
    assert_eq!(server.history(&id).await[0]["status"], "unanswered");
    let answer = say(&server, &id, "k", body).await.expect(200);
    assert_eq!((&answer["response"], &answer["messageCount"]), (&json!("Now."), &json!(2)));
    let contents: Vec<Value> =
        server.history(&id).await.into_iter().map(|mut m| m["content"].take()).collect();
    assert_eq!(contents, ["Hi", "Now."], "the question stands there once");
}

#[tokio::test]
async fn the_same_key_joins_the_answer_that_is_being_written() {
    let held = Script::Held(Box::new(claude_says("One answer for all.")));
    let model = Model::start([held]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let body = json!({"message": "Hi"});
    let streamed = Reader::open(ask(&server, "stream", &id, "k", body.clone()));
    let whole = say(&server, &id, "k", body);
    let (mut streamed, whole, ()) = tokio::join!(streamed, whole, async {
        model.next_call().await;
        // Both are asked before there is an answer, in whatever order.
        let other = ask(&server, "stream", &id, "k", json!({"message": "Hi"}));
        let late = tokio::spawn(Reader::open(other));
        model.release();
        let events = late.await.unwrap().rest().await;
        assert_eq!(text(&events), "One answer for all.");
    });
    let mut last = streamed.next().await.unwrap();
    while let Some(event) = streamed.next().await {
        last = event;
    }
    assert_eq!(whole.expect(200)["response"], "One answer for all.");
    assert_eq!(last.data["response"], "One answer for all.");
    assert_eq!((model.calls().len(), server.history(&id).await.len()), (1, 2));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    for key in ["", " ", &"k".repeat(256)] {
        let error = say(&server, &id, key, json!({"message": "Hi"})).await;
        let sentence = error.expect_error(400, "invalid_request");
        assert!(sentence.contains("Idempotency-Key"), "{sentence}");
    }
    assert!(server.history(&id).await.is_empty());
}
