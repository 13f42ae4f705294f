//! A reader of an answer's stream.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Server;

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

pub fn ask(server: &Server, id: &str, message: &str) -> reqwest::RequestBuilder {
    server
        .request(Method::POST, "/api/chat/stream")
        .json(&json!({"sessionId": id, "message": message}))
}

pub fn attach(server: &Server, id: &str, last: Option<&str>) -> reqwest::RequestBuilder {
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
