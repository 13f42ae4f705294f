//! A model controlled by the test, word by word.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use poem::listener::TcpAcceptor;
use poem::{Body, EndpointExt, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use super::server::model::{anthropic_sse, claude_end, claude_start, claude_words};

/// Waits for calls, with Anthropic's API.
pub struct LiveModel {
    base: String,
    calls: Mutex<mpsc::UnboundedReceiver<Turn>>,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Drop for LiveModel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A call waiting for its answer. Dropping it early breaks the connection.
pub struct Turn {
    pub body: Value,
    answer: mpsc::UnboundedSender<io::Result<Bytes>>,
}

impl LiveModel {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, calls) = mpsc::unbounded_channel();
        let take = poem::endpoint::make(move |mut request: Request| {
            let sender = sender.clone();
            async move {
                let body = request.take_body().into_json().await.unwrap_or(Value::Null);
                let (answer, pieces) = mpsc::unbounded_channel();
                let pieces = futures_util::stream::unfold(pieces, async |mut pieces| {
                    pieces.recv().await.map(|piece| (piece, pieces))
                });
                let _ = sender.send(Turn { body, answer });
                Response::builder()
                    .content_type("text/event-stream")
                    .body(Body::from_bytes_stream(pieces))
            }
        })
        .map_to_response();
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let task = tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(take));
        Self { base, calls: Mutex::new(calls), task }
    }

    /// Flags that make a server use this model.
    pub fn flags(&self) -> [&str; 4] {
        ["--anthropic-api-key", "k", "--anthropic-base-url", &self.base]
    }

    /// Waits for the next call and starts its answer.
    pub async fn turn(&self) -> Turn {
        let mut calls = self.calls.lock().await;
        let turn = tokio::time::timeout(Duration::from_secs(20), calls.recv());
        let turn = turn.await.expect("the model is asked").unwrap();
        turn.send(&claude_start());
        turn
    }

    /// Number of calls besides those returned by `turn`.
    pub async fn waiting(&self) -> usize {
        self.calls.lock().await.len()
    }
}

impl Turn {
    fn send(&self, events: &[Value]) {
        // If the server has stopped listening, the test will notice.
        let _ = self.answer.send(Ok(anthropic_sse(events).into()));
    }

    pub fn says(&self, words: &str) {
        self.send(&claude_words(words));
    }

    pub fn ends(self) {
        self.send(&claude_end("end_turn"));
    }

    /// Sends the whole answer and ends it.
    pub fn answers(self, words: &str) {
        self.says(words);
        self.ends();
    }

    /// Calls `query_data` with these arguments, instead of an answer.
    pub fn queries(self, arguments: &Value) {
        let call = json!({"type": "tool_use", "id": "call", "name": "query_data", "input": {}});
        let delta = json!({"type": "input_json_delta", "partial_json": arguments.to_string()});
        let [end_of_block, rest @ ..] = &claude_end("tool_use")[..] else { unreachable!() };
        self.send(&[
            end_of_block.clone(),
            json!({"type": "content_block_start", "index": 1, "content_block": call}),
            json!({"type": "content_block_delta", "index": 1, "delta": delta}),
            json!({"type": "content_block_stop", "index": 1}),
        ]);
        self.send(rest);
    }

    /// Breaks the connection in the middle of the answer.
    pub fn breaks(self) {
        let _ = self.answer.send(Err(io::Error::other("broken")));
    }
}
