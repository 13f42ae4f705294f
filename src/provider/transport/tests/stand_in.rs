//! A model server on this machine that answers as its test wants.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::provider::Fault;

/// A step of the reply to a request. The connection stays open after the last one.
#[derive(Clone)]
pub enum Step {
    /// Writes these bytes, as a separate piece if the network allows it.
    Send(Vec<u8>),
    /// Writes these bytes again and again until the connection is closed.
    Repeat(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
}

/// A model server that follows a script.
pub struct StandIn {
    pub url: String,
    seen: Seen,
}

/// The requests of each connection.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

/// The replies to the first request, the second … and the last one for all that follow.
type Scripts = Arc<(Vec<Vec<Step>>, AtomicUsize)>;

impl StandIn {
    /// A server that answers every request with `steps`.
    pub async fn start(steps: Vec<Step>) -> Self {
        Self::start_scripts(vec![steps]).await
    }

    /// A server that answers the first request with the first script and so on, and all further ones
    /// with the last.
    pub async fn start_scripts(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        let log = Arc::clone(&seen);
        let scripts = Arc::new((scripts, AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(Vec::new());
                    log.len() - 1
                };
                tokio::spawn(answer(connection, Arc::clone(&scripts), Arc::clone(&log), number));
            }
        });
        Self { url, seen }
    }

    /// The requests so far, per connection.
    pub fn seen(&self) -> Vec<Vec<String>> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(mut connection: TcpStream, scripts: Scripts, log: Seen, number: usize) {
    connection.set_nodelay(true).unwrap();
    while let Some(request) = read_request(&mut connection).await {
        log.lock().unwrap()[number].push(request);
        let (scripts, served) = &*scripts;
        let script = served.fetch_add(1, Ordering::Relaxed).min(scripts.len() - 1);
        for step in &scripts[script] {
            match step {
                Step::Send(bytes) => {
                    if connection.write_all(bytes).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
                Step::Repeat(bytes) => {
                    while connection.write_all(bytes).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    return;
                }
                Step::Close => return,
                Step::Reset => {
                    connection.set_zero_linger().unwrap();
                    return;
                }
            }
        }
    }
}

/// Reads a request with its body; `None` if the client has disconnected.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Exactly these bytes.
pub fn send(text: impl AsRef<[u8]>) -> Step {
    Step::Send(text.as_ref().to_vec())
}

/// The head of a streamed answer, without a length.
pub fn head(status: &str, headers: &str) -> Step {
    send(format!("HTTP/1.1 {status}\r\ntransfer-encoding: chunked\r\n{headers}\r\n"))
}

/// The head of a streamed answer that succeeds.
pub fn ok() -> Step {
    head("200 OK", "content-type: text/event-stream; charset=utf-8\r\nrequest-id: req_7\r\n")
}

/// A piece of a body.
pub fn chunk(bytes: impl AsRef<[u8]>) -> Step {
    Step::Send(framed(bytes.as_ref()))
}

/// The same piece, endlessly.
pub fn forever(bytes: &str) -> Step {
    Step::Repeat(framed(bytes.as_bytes()))
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The end of a body.
pub fn end() -> Step {
    send("0\r\n\r\n")
}

/// A response without success.
pub fn status(status: &str, headers: &str, body: &str) -> Vec<Step> {
    vec![head(status, headers), chunk(body.as_bytes()), end()]
}

/// The rows of the table of provider faults that are the same for every API: replies before the first
/// word, the number of attempts that they lead to, and the fault.
pub fn fault_rows() -> Vec<(&'static str, Vec<Step>, usize, Fault)> {
    let soon = "retry-after-ms: 2\r\n";
    let never = "x-should-retry: false\r\n";
    let page = "<!doctype html><title>Sign in</title>";
    vec![
        ("429", status("429 Busy", soon, "{}"), 3, Fault::Busy),
        ("429 for long", status("429 Busy", "retry-after: 11\r\n", "{}"), 1, Fault::Busy),
        ("402", status("402 Pay", soon, "{}"), 1, Fault::Exhausted),
        ("529", status("529 Overloaded", soon, "{}"), 3, Fault::Overloaded),
        ("503", status("503 Later", "", "{}"), 3, Fault::Overloaded),
        ("500 never", status("500 Oh", never, "{}"), 1, Fault::Overloaded),
        ("502", status("502 Bad", "", page), 3, Fault::Unreachable),
        ("408", status("408 Slow", "", "{}"), 3, Fault::Unreachable),
        ("409", status("409 Conflict", "", "{}"), 3, Fault::Unreachable),
        ("504", status("504 Slow", "", "{}"), 2, Fault::Timeout),
        ("401", status("401 Who", "", "{}"), 1, Fault::Misconfigured),
        ("404", status("404 Where", "", "{}"), 1, Fault::Misconfigured),
        ("307", status("307 There", "location: /\r\n", ""), 1, Fault::Misconfigured),
        ("400", status("400 What", "", "{}"), 1, Fault::Rejected),
        ("413", status("413 Much", "", "{}"), 1, Fault::TooLong),
        ("HTML", whole("200 OK", "text/html", page), 2, Fault::Malformed),
        ("broken JSON", whole("200 OK", "application/json", "{\"a\": ["), 2, Fault::Malformed),
        ("nothing", vec![ok(), end()], 2, Fault::Malformed),
        ("reset", vec![Step::Reset], 3, Fault::Unreachable),
        ("reset after headers", vec![ok(), Step::Reset], 3, Fault::Unreachable),
    ]
}

/// An answer with a content length.
pub fn whole(status: &str, kind: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![send(format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    ))]
}
