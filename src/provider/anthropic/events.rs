//! What the API sends: the fields that we read.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::provider::transport::wire::{Count, Str};

/// An event of the stream: the fields that we read of any of them.
#[derive(Deserialize)]
pub struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Str<'a>,
    /// Of the events of a content block: its position in the answer.
    pub index: Option<Count>,
    /// Of `message_start`.
    #[serde(borrow)]
    pub message: Option<Start<'a>>,
    /// Of `content_block_start`, a [`ContentBlock`].
    #[serde(borrow)]
    pub content_block: Option<&'a RawValue>,
    /// Of `content_block_delta` and `message_delta`.
    #[serde(borrow)]
    pub delta: Option<ContentBlock<'a>>,
    /// Of `message_delta`.
    pub usage: Option<MessagesUsage>,
}

/// The message as it begins.
#[derive(Deserialize)]
pub struct Start<'a> {
    #[serde(borrow)]
    pub model: Option<Str<'a>>,
    pub usage: Option<MessagesUsage>,
}

/// A whole answer, of `type` `message`.
#[derive(Deserialize)]
pub struct Whole<'a> {
    #[serde(borrow)]
    pub model: Option<Str<'a>>,
    #[serde(borrow)]
    pub content: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub stop_reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub stop_details: Option<StopDetails<'a>>,
    pub usage: Option<MessagesUsage>,
}

/// A content block, a piece of one, or what changes at the end of the message.
#[derive(Deserialize)]
pub struct ContentBlock<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Str<'a>>,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    /// Of `tool_use`, as are `name` and `input`.
    #[serde(borrow)]
    pub id: Option<Str<'a>>,
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    /// An empty object in a stream, where the input arrives in pieces.
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    /// The next piece of a tool's input, of `input_json_delta`.
    #[serde(borrow)]
    pub partial_json: Option<Str<'a>>,
    /// The next piece of a thought, of `thinking_delta`.
    #[serde(borrow)]
    pub thinking: Option<Str<'a>>,
    /// The next piece of a thought's signature, of `signature_delta`.
    #[serde(borrow)]
    pub signature: Option<Str<'a>>,
    /// Of `message_delta`, as is `stop_details`.
    #[serde(borrow)]
    pub stop_reason: Option<Str<'a>>,
    #[serde(borrow)]
    pub stop_details: Option<StopDetails<'a>>,
}

/// Why the model declined.
#[derive(Deserialize)]
pub struct StopDetails<'a> {
    /// `cyber`, `bio`, `reasoning_extraction` …
    #[serde(borrow)]
    pub category: Option<Str<'a>>,
}

/// Tokens counted so far. A later event omits those that have not changed.
#[derive(Deserialize)]
pub struct MessagesUsage {
    pub input_tokens: Option<Count>,
    pub cache_creation_input_tokens: Option<Count>,
    pub cache_read_input_tokens: Option<Count>,
    pub output_tokens: Option<Count>,
    pub output_tokens_details: Option<MessagesOutputDetails>,
}

/// Parts of the output tokens.
#[derive(Deserialize)]
pub struct MessagesOutputDetails {
    pub thinking_tokens: Option<Count>,
}

/// The type of an event that cannot be parsed otherwise.
#[derive(Deserialize)]
pub struct TypeField<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Str<'a>,
}

/// The events that we read. The API may add others, which must be ignored.
pub const KNOWN: [&str; 5] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
];
