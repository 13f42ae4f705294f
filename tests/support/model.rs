//! A stand-in for a provider's server: it streams the providers' wire formats in odd pieces, and
//! records the calls that it receives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A call that the stand-in has received.
#[derive(Clone, Debug)]
pub struct Call {
    /// Request line and headers, in lower case.
    pub head: String,
    pub body: Value,
}

/// A response.
#[derive(Clone, Debug)]
pub enum Script {
    /// These events, as Anthropic streams them.
    Anthropic(Vec<Value>),
    /// These events, as OpenAI's Responses API streams them.
    Responses(Vec<Value>),
    /// These chunks, as OpenAI streams them, then `[DONE]`.
    OpenAi(Vec<Value>),
    /// These bytes after a 200 for an event stream, then the connection is closed.
    Broken(String),
    /// A status with headers and a body.
    Status(u16, &'static [(&'static str, &'static str)], String),
    /// Waits for [`Model::release`], then plays the inner script.
    Held(Box<Script>),
    /// Sends the events, then holds the connection open until [`Model::release`].
    Stalled(Vec<Value>),
}

/// The stand-in.
pub struct Model {
    pub base: String,
    calls: Arc<Mutex<Vec<Call>>>,
    gate: Arc<Semaphore>,
    arrived: Arc<Semaphore>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Model {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Model {
    /// Plays the first script for the first call, and so on; the last one is repeated forever.
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::start_checked(|_| None, scripts).await
    }

    /// The same, but a call for which `refuse` returns a script gets that one instead of its turn.
    pub async fn start_checked(
        refuse: impl Fn(&Call) -> Option<Script> + Send + Sync + 'static,
        scripts: impl IntoIterator<Item = Script>,
    ) -> Self {
        let refuse = Arc::new(refuse);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Semaphore::new(0));
        let arrived = Arc::new(Semaphore::new(0));
        let scripts = Arc::new(Mutex::new(VecDeque::from_iter(scripts)));
        let task = tokio::spawn({
            let (calls, gate, arrived) =
                (Arc::clone(&calls), Arc::clone(&gate), Arc::clone(&arrived));
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (refuse, calls, gate, arrived, scripts) = (
                        Arc::clone(&refuse),
                        Arc::clone(&calls),
                        Arc::clone(&gate),
                        Arc::clone(&arrived),
                        Arc::clone(&scripts),
                    );
                    tokio::spawn(async move {
                        let mut stream = stream;
                        let Some(call) = read_call(&mut stream).await else { return };
                        let refusal = refuse(&call);
                        calls.lock().unwrap().push(call);
                        arrived.add_permits(1);
                        let script = if let Some(refusal) = refusal {
                            refusal
                        } else {
                            let mut scripts = scripts.lock().unwrap();
                            if scripts.len() > 1 {
                                scripts.pop_front().unwrap()
                            } else {
                                scripts.front().unwrap().clone()
                            }
                        };
                        play(&mut stream, script, &gate).await;
                    });
                }
            }
        });
        Self { base, calls, gate, arrived, task }
    }

    /// The flags of a server that asks this model, as Claude.
    pub fn flags(&self) -> [&str; 4] {
        ["--anthropic-api-key", "k", "--anthropic-base-url", &self.base]
    }

    /// The calls received so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits for the next call.
    pub async fn next_call(&self) {
        let wait = self.arrived.acquire();
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap().unwrap().forget();
    }

    /// Lets one held answer continue.
    pub fn release(&self) {
        self.gate.add_permits(1);
    }
}

async fn read_call(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or(Value::Null);
                return Some(Call { head, body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn play(stream: &mut TcpStream, script: Script, gate: &Semaphore) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    // Some tests disconnect on purpose.
    let _ = match script {
        Script::Anthropic(events) | Script::Responses(events) => {
            odd_pieces(stream, &format!("{head}{}", anthropic_sse(&events))).await
        }
        Script::OpenAi(chunks) => {
            odd_pieces(stream, &format!("{head}{}", openai_sse(&chunks))).await
        }
        Script::Broken(text) => odd_pieces(stream, &format!("{head}{text}")).await,
        Script::Status(status, headers, body) => {
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status} Stand-in\r\n{headers}content-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
            stream.write_all(text.as_bytes()).await
        }
        Script::Held(inner) => {
            gate.acquire().await.unwrap().forget();
            return Box::pin(play(stream, *inner, gate)).await;
        }
        Script::Stalled(events) => {
            let sent = odd_pieces(stream, &format!("{head}{}", anthropic_sse(&events))).await;
            gate.acquire().await.unwrap().forget();
            sent
        }
    };
}

/// Writes in pieces of 1, 2, 3, … bytes, so that events, lines and characters are cut anywhere.
async fn odd_pieces(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut rest = text.as_bytes();
    let mut size = 1;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        stream.write_all(piece).await?;
        tokio::task::yield_now().await;
        rest = after;
        size = size % 17 + 1;
    }
    Ok(())
}

pub fn anthropic_sse(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn openai_sse(chunks: &[Value]) -> String {
    let chunks: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    chunks + "data: [DONE]\n\n"
}

/// A normal answer of Anthropic's, one word at a time.
pub fn claude_says(text: &str) -> Script {
    let mut events = claude_start();
    events.extend(claude_words(text));
    events.extend(claude_end("end_turn"));
    Script::Anthropic(events)
}

pub fn claude_start() -> Vec<Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
            "role": "assistant", "model": "claude-served", "content": [], "stop_reason": null,
            "usage": {"input_tokens": 20, "cache_read_input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
    ]
}

pub fn claude_words(text: &str) -> Vec<Value> {
    let delta = |word: &str| {
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": word}})
    };
    text.split_inclusive(' ').map(delta).collect()
}

pub fn claude_end(reason: &str) -> Vec<Value> {
    vec![
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": 15}}),
        json!({"type": "message_stop"}),
    ]
}

/// A normal answer of OpenAI's, one word at a time.
pub fn gpt_says(text: &str) -> Script {
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "gpt-served",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
    chunks
        .extend(text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), Value::Null)));
    chunks.push(chunk(json!({}), json!("stop")));
    chunks.push(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
        "model": "gpt-served", "choices": [],
        "usage": {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32,
            "prompt_tokens_details": {"cached_tokens": 8}}}));
    Script::OpenAi(chunks)
}

/// An answer of Anthropic's that calls `query_data` with these ids and arguments, in pieces.
pub fn claude_calls(text: &str, calls: &[(&str, Value)]) -> Script {
    let delta = json!({"type": "text_delta", "text": text});
    let words = (json!({"type": "text", "text": ""}), vec![delta]);
    claude_calls_after((!text.is_empty()).then_some(words), calls)
}

/// An answer of Anthropic's that calls `query_data` with these ids and arguments, after a content
/// block: its start and its deltas.
pub fn claude_calls_after(first: Option<(Value, Vec<Value>)>, calls: &[(&str, Value)]) -> Script {
    let mut events = vec![claude_start().remove(0)];
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    if let Some((start, deltas)) = first {
        block(start, deltas);
    }
    for (id, arguments) in calls {
        let start = json!({"type": "tool_use", "id": id, "name": "query_data", "input": {}});
        let pieces = pieces(&arguments.to_string());
        let delta = |piece: String| json!({"type": "input_json_delta", "partial_json": piece});
        block(start, pieces.into_iter().map(delta).collect());
    }
    events.extend(claude_end("tool_use").split_off(1));
    Script::Anthropic(events)
}

/// An answer of OpenAI's that calls `query_data` with these ids and arguments, in pieces.
pub fn gpt_calls(calls: &[(&str, Value)]) -> Script {
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "gpt-served",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": null}), Value::Null)];
    for (index, (id, arguments)) in calls.iter().enumerate() {
        let first = json!({"tool_calls": [{"index": index, "id": id, "type": "function",
            "function": {"name": "query_data", "arguments": ""}}]});
        chunks.push(chunk(first, Value::Null));
        for piece in pieces(&arguments.to_string()) {
            let more = json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
            chunks.push(chunk(more, Value::Null));
        }
    }
    chunks.push(chunk(json!({}), json!("tool_calls")));
    Script::OpenAi(chunks)
}

/// A text in pieces of five characters.
pub fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(5).map(|piece| piece.iter().collect()).collect()
}
