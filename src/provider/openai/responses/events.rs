//! What the API sends: the fields that we read.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::provider::openai::usage::{InputDetails, OutputDetails};
use crate::provider::transport::wire::{Count, Str};

/// An event of a stream.
#[derive(Deserialize)]
pub struct ResponseEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Str<'a>>,
    /// The position of the item that the event is about.
    pub output_index: Option<Count>,
    #[serde(borrow)]
    pub item: Option<&'a RawValue>,
    /// A string in all events that we read.
    #[serde(borrow)]
    pub delta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    pub error: Option<IgnoredAny>,
}

/// The response so far, or a whole answer.
#[derive(Deserialize)]
pub struct ResponseObject<'a> {
    #[serde(borrow)]
    pub model: Option<Str<'a>>,
    #[serde(borrow)]
    pub status: Option<Str<'a>>,
    #[serde(borrow)]
    pub output: Option<Vec<&'a RawValue>>,
    pub usage: Option<ResponseUsage>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    #[serde(borrow)]
    pub incomplete_details: Option<IncompleteDetails<'a>>,
}

/// Why a response is incomplete.
#[derive(Deserialize)]
pub struct IncompleteDetails<'a> {
    #[serde(borrow)]
    pub reason: Option<Str<'a>>,
}

/// Token counts.
#[derive(Deserialize)]
pub struct ResponseUsage {
    pub input_tokens: Option<Count>,
    pub input_tokens_details: Option<InputDetails>,
    pub output_tokens: Option<Count>,
    pub output_tokens_details: Option<OutputDetails>,
}

/// A message, a call or a thought.
#[derive(Deserialize)]
pub struct OutputItem<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Str<'a>>,
    #[serde(borrow)]
    pub status: Option<Str<'a>>,
    #[serde(borrow)]
    pub call_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub encrypted_content: Option<Str<'a>>,
    /// Of a message. Thoughts may have a `content` too, which is not read.
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
}

/// A part of a message.
#[derive(Deserialize)]
pub struct MessagePart<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Str<'a>>,
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
}
