//! Answers as they are written: reading along, coming back, stopping.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::files::upload;
use crate::support::Server;
use crate::support::model::{Model, Script, claude_calls, claude_says, claude_start, claude_words};

/// One event: its id, its name, its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// Reads a stream event by event.
pub struct Reader {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Reader {
    pub async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self::of(response)
    }

    /// Reads a response that may have come through a proxy.
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with("text/event-stream"));
        assert_eq!(header("cache-control"), "no-store");
        assert!(response.headers().contains_key("x-request-id"));
        Self { body: Box::pin(response.bytes_stream()), text: String::new() }
    }

    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.starts_with(':') {
                    continue;
                }
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_else(|| panic!("no {name} in {event}")).trim().to_owned()
                };
                let data = serde_json::from_str(&field("data:")).unwrap();
                return Some(Event { id: field("id:"), name: field("event:"), data });
            }
            let next = tokio::time::timeout(Duration::from_secs(30), self.body.next());
            let bytes = next.await.expect("the stream goes on")?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn ask(server: &Server, id: &str, message: &str) -> reqwest::RequestBuilder {
    server
        .request(Method::POST, "/api/chat/stream")
        .json(&json!({"sessionId": id, "message": message}))
}

fn attach(server: &Server, id: &str, last: Option<&str>) -> reqwest::RequestBuilder {
    let request = server.request(Method::GET, &format!("/api/chat/stream/{id}"));
    match last {
        Some(last) => request.header("last-event-id", last),
        None => request,
    }
}

pub fn text(events: &[Event]) -> String {
    let deltas = events.iter().filter(|event| event.name == "delta");
    deltas.map(|event| event.data["text"].as_str().unwrap()).collect()
}

pub fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

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
