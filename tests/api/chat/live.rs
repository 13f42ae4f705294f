//! An answer as HTML while it is written.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::reader::{self, Event, Reader, text};
use crate::support::Server;
use crate::support::model::{Model, Script, claude_end, claude_says, claude_start, claude_words};

const ANSWER: &str = "## Returns\n\nYou have **30 days**.\n\n| Product | Price |\n|---|---|\n\
    | Mug | 4.50 |\n\n```sh\necho **no**\n```\n\nSee [your orders](https://shop.example/orders).";

fn ask(server: &Server, id: &str, html: &str) -> RequestBuilder {
    let body = json!({"sessionId": id, "message": "Hi"});
    server.request(Method::POST, &format!("/api/chat/stream?html={html}")).json(&body)
}

fn attach(server: &Server, id: &str, html: &str) -> RequestBuilder {
    server.request(Method::GET, &format!("/api/chat/stream/{id}?html={html}"))
}

/// The blocks that a client has appended by the end, and the last open block.
fn appended(events: &[Event]) -> (String, String) {
    let (mut blocks, mut tail) = (String::new(), String::new());
    for event in events {
        if event.name == "replace" {
            blocks.clear();
        }
        blocks.push_str(if event.name == "done" {
            ""
        } else {
            event.data["html"].as_str().unwrap_or_default()
        });
        if let Some(open) = event.data["tail"].as_str() {
            open.clone_into(&mut tail);
        }
    }
    (blocks, tail)
}

#[tokio::test]
async fn finished_blocks_are_appended_and_no_sign_of_markdown_is_shown() {
    let model = Model::start([claude_says(ANSWER), claude_says(ANSWER)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let events = Reader::open(ask(&server, &id, "1")).await.rest().await;
    let done = &events.last().unwrap().data;
    assert_eq!((text(&events).as_str(), &done["response"]), (ANSWER, &json!(ANSWER)));
    assert_eq!(appended(&events), (done["html"].as_str().unwrap().to_owned(), String::new()));
    let first = events.iter().find(|event| event.name == "delta").unwrap();
    assert_eq!(first.data, json!({"text": "## ", "tail": ""}), "a heading, or not");
    for event in events.iter().filter(|event| event.name == "delta") {
        let shown = format!("{}{}", event.data["html"], event.data["tail"]);
        assert!(!shown.contains("##") && !shown.contains("](") && !shown.contains("| "), "{shown}");
    }

    let plain = Reader::open(reader::ask(&server, &id, "Hi")).await.rest().await;
    let deltas = plain.iter().filter(|event| event.name == "delta");
    assert!(deltas.clone().count() > 5);
    for delta in deltas {
        assert_eq!(delta.data.as_object().unwrap().keys().collect::<Vec<_>>(), ["text"]);
    }
}

#[tokio::test]
async fn who_comes_back_is_told_the_html_from_the_start() {
    let events = [claude_start(), claude_words("One.\n\nTwo.\n\nThree is **bold** and")].concat();
    let model = Model::start([Script::Stalled(events)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let mut reader = Reader::open(ask(&server, &id, "1")).await;
    let mut events = Vec::new();
    // The last words are shown although nothing follows them.
    while !appended(&events).1.contains("and") {
        events.push(reader.next().await.unwrap());
    }
    let expected = (
        "<p>One.</p><p>Two.</p>".to_owned(),
        "<p>Three is <strong>bold</strong> and</p>".to_owned(),
    );
    assert_eq!(appended(&events), expected);
    drop(reader);
    let last = events.last().unwrap().id.clone();
    let mut reader = Reader::open(attach(&server, &id, "1").header("last-event-id", last)).await;
    let mut again = Vec::new();
    while appended(&again) != expected {
        again.push(reader.next().await.unwrap());
    }
    assert_eq!(text(&again), text(&events));
    let stop = server.request(Method::POST, &format!("/api/chat/stop/{id}"));
    server.send(stop).await.expect(200);
    again.extend(reader.rest().await);
    let done = &again.last().unwrap().data;
    assert_eq!(appended(&again).0, done["html"].as_str().unwrap());
}

#[tokio::test]
async fn a_refusal_replaces_what_has_been_shown() {
    let events = [claude_start(), claude_words("I would"), claude_end("refusal")].concat();
    let model = Model::start([Script::Anthropic(events)]).await;
    let server = Server::asking(&model).await;
    let id = server.session(json!({})).await;
    let events = Reader::open(ask(&server, &id, "1")).await.rest().await;
    assert_eq!(appended(&events).0, "");
    assert_eq!(events.last().unwrap().data["html"], "<p>I'm sorry, I can't help with that.</p>");
}

#[tokio::test]
async fn another_value_than_one_is_refused_and_nothing_asked() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    for value in ["2", "yes", "-1", "true"] {
        for request in [ask(&server, &id, value), attach(&server, &id, value)] {
            server.send(request).await.expect_error(400, "invalid_request");
        }
    }
    assert!(server.history(&id).await.is_empty());
    let off = ask(&server, &id, "0");
    assert!(Reader::open(off).await.rest().await.iter().all(|event| event.data["tail"].is_null()));
}
