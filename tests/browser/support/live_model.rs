//! A model that the test plays itself, word by word.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use poem::listener::TcpAcceptor;
use poem::{Body, EndpointExt, Request, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use super::server::model::{anthropic_sse, claude_end, claude_start, claude_words};

/// Waits for calls; speaks as Anthropic does.
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

/// A call that waits for its answer. Dropped before its end, its line breaks.
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

    /// What tells a server to ask this model.
    pub fn flags(&self) -> [&str; 4] {
        ["--anthropic-api-key", "k", "--anthropic-base-url", &self.base]
    }

    /// Waits for the next call, and begins to answer it.
    pub async fn turn(&self) -> Turn {
        let mut calls = self.calls.lock().await;
        let turn = tokio::time::timeout(Duration::from_secs(20), calls.recv());
        let turn = turn.await.expect("the model is asked").unwrap();
        turn.send(&claude_start());
        turn
    }

    /// How often it was asked beside the turns that were taken.
    pub async fn waiting(&self) -> usize {
        self.calls.lock().await.len()
    }
}

impl Turn {
    fn send(&self, events: &[Value]) {
        // A server that has stopped listening is the test's business.
        let _ = self.answer.send(Ok(anthropic_sse(events).into()));
    }

    pub fn says(&self, words: &str) {
        self.send(&claude_words(words));
    }

    pub fn ends(self) {
        self.send(&claude_end("end_turn"));
    }

    /// Says it all and ends.
    pub fn answers(self, words: &str) {
        self.says(words);
        self.ends();
    }

    /// The line breaks in the middle.
    pub fn breaks(self) {
        let _ = self.answer.send(Err(io::Error::other("broken")));
    }
}
