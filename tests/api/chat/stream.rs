//! Reading an answer as it is written, and coming back to it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::reader::{Reader, ask, attach, names, text};
use crate::files::upload;
use crate::support::Server;
use crate::support::model::{Model, Script, claude_calls, claude_says, claude_start, claude_words};

#[tokio::test]
async fn words_come_as_they_are_written() {
    let model = Model::start([claude_says("Hello, 世界 and 😀.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let events = Reader::open(ask(&server, &id, "Hi")).await.rest().await;
    assert_eq!(names(&events), ["start", "delta", "delta", "delta", "delta", "done"]);
    assert_eq!(events[0].data["provider"], "claude");
    assert_eq!(events[0].data["model"], "claude-served");
    assert!(events[0].data["turnId"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert_eq!(text(&events), "Hello, 世界 and 😀.");
    let done = &events[5].data;
    assert_eq!(done["response"], "Hello, 世界 and 😀.");
    assert_eq!((&done["sessionId"], &done["messageCount"]), (&json!(id), &json!(2)));
    assert_eq!(done["usage"]["totalTokens"], 40);
    let ids: std::collections::HashSet<&str> = events.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids.len(), events.len());
    assert_eq!(server.history(&id).await[1]["content"], done["response"]);
}

#[tokio::test]
async fn the_demo_streams_like_the_others() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let events = Reader::open(ask(&server, &id, "Hello")).await.rest().await;
    assert!(events.len() > 10);
    assert_eq!(text(&events), events.last().unwrap().data["response"].as_str().unwrap());
}

#[tokio::test]
async fn faults_before_the_first_word_keep_their_status() {
    let model = Model::start([Script::Status(401, &[], "{}".to_owned())]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    server.send(ask(&server, &id, "Hi")).await.expect_error(502, "provider_misconfigured");
    server.send(ask(&server, &id, " ")).await.expect_error(400, "empty_message");
    let unknown = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";
    server.send(ask(&server, unknown, "Hi")).await.expect_error(404, "session_not_found");
    server.send(attach(&server, unknown, None)).await.expect_error(404, "session_not_found");
    let stop = server.request(Method::POST, &format!("/api/chat/stop/{unknown}"));
    server.send(stop).await.expect_error(404, "session_not_found");
}

#[tokio::test]
async fn a_fault_after_the_first_word_is_an_event() {
    let events = [claude_start(), claude_words("The answer is")].concat();
    let model = Model::start([Script::Anthropic(events)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let events = Reader::open(ask(&server, &id, "Hi")).await.rest().await;
    assert_eq!(names(&events), ["start", "delta", "delta", "delta", "error"]);
    let error = &events[4].data;
    assert_eq!((&error["code"], &error["retryable"]), (&json!("answer_interrupted"), &json!(true)));
    assert!(error["error"].as_str().unwrap().ends_with('.'));
    let stored = &server.history(&id).await[1];
    assert_eq!(
        (&stored["content"], &stored["status"]),
        (&json!("The answer is"), &json!("incomplete"))
    );
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_reads_nothing_twice() {
    let events = [claude_start(), claude_words("one two three four")].concat();
    let model = Model::start([Script::Stalled(events)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let mut first = Reader::open(ask(&server, &id, "Count")).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(first.next().await.unwrap());
    }
    // The page is reloaded: its connection goes, the turn does not.
    drop(first);
    let last = seen.last().unwrap().id.clone();
    let mut back = Reader::open(attach(&server, &id, Some(&last))).await;
    let mut all = Reader::open(attach(&server, &id, None)).await;
    let mut other = Reader::open(attach(&server, &id, Some("another-turn-7"))).await;
    for _ in 0..2 {
        seen.push(back.next().await.unwrap());
    }
    assert_eq!(text(&seen), "one two three four");
    for event in &seen {
        assert_eq!(all.next().await.as_ref(), Some(event), "several readers see the same");
        assert_eq!(other.next().await.as_ref(), Some(event));
    }
    let stop = server.request(Method::POST, &format!("/api/chat/stop/{id}"));
    server.send(stop).await.expect(200);
    let [a, b, c] = [back.rest().await, all.rest().await, other.rest().await];
    assert_eq!(names(&a), ["done"]);
    assert!(a == b && b == c);
    let nothing = server.send(attach(&server, &id, Some(&last))).await;
    assert_eq!((nothing.status.as_u16(), nothing.body.len()), (204, 0));
}

#[tokio::test]
async fn tools_are_seen_while_they_run() {
    let sql = "SELECT count(*) AS n FROM data";
    let call = json!({ "sql": sql });
    let model = Model::start([claude_calls("", &[("t", call)]), claude_says("Two.")]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a\n1\n2\n").await.expect(200);
    let events = Reader::open(ask(&server, &id, "How many?")).await.rest().await;
    assert_eq!(names(&events), ["start", "tool", "tool", "delta", "done"]);
    assert_eq!(events[1].data, json!({"name": "query_data", "sql": sql, "status": "running"}));
    assert_eq!(
        (&events[2].data["status"], &events[2].data["rowCount"]),
        (&json!("done"), &json!(1))
    );
    assert_eq!(events[2].data["tableRows"], 2);
    assert_eq!(events[4].data["tools"].as_array().unwrap().len(), 1);
}

/// Readers that come and go leave nothing behind.
#[tokio::test]
async fn nothing_is_left_of_turns_whose_readers_went_away() {
    let server = Arc::new(Server::start().await);
    let id = server.session(json!({})).await;
    for n in 0..40 {
        let mut reader = Reader::open(ask(&server, &id, &format!("Question {n}"))).await;
        reader.next().await.unwrap();
    }
    // The last turn may still be being stored; the next one waits for it.
    server.say(&id, "The last").await.expect(200);
    assert!(
        server
            .app
            .chat
            .follow(chatbot_widget::domain::SessionId(id.parse().unwrap()), None)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(server.history(&id).await.len(), 82, "every answer was stored all the same");
}
