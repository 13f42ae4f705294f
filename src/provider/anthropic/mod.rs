//! Anthropic's Messages API: `POST {base}/v1/messages`, streamed.
//!
//! Source: Anthropic's API reference, "Create a Message" and "Streaming messages".

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::parameter::Learned;
use super::transport::reader::{AnswerDraft, Mapper};
use super::transport::tool_calls::Piece;
use super::transport::wire::{Count, Str};
use super::transport::{ApiSettings, Endpoint, SetupError, Transport, secret_header};
use super::{
    DefaultModel, EventStream, Fault, Finish, ModelRequest, Provider, ProviderError, Refused,
    fault, sse,
};
use crate::domain::{ProviderKind, Usage};
use content::{AnswerContent, BlockPiece};
use dialect::MessagesDialect;

mod body;
mod content;
mod dialect;

/// The public API.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The API's name in messages that are sent back to it as it wrote them.
const API: &str = "messages";

/// The version of the API that we use.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Claude.
#[derive(Debug)]
pub struct Anthropic {
    model: DefaultModel,
    endpoint: Arc<Endpoint>,
    transport: Transport,
    learned: Learned<MessagesDialect>,
}

impl Anthropic {
    /// A provider that calls `{base_url}/v1/messages`.
    pub fn new(settings: ApiSettings, transport: Transport) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("anthropic-version"), VERSION);
        if let Some(key) = &settings.key {
            headers.insert(HeaderName::from_static("x-api-key"), secret_header("", key)?);
        }
        let path = &["v1", "messages"];
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(&settings.base_url, path, headers, settings.key)?),
            model: DefaultModel::new(settings.model, settings.former_model),
            transport,
            learned: Learned::default(),
        })
    }
}

impl Anthropic {
    fn dialect(&self, model: &str) -> MessagesDialect {
        self.learned.of(model).unwrap_or_else(|| MessagesDialect::of(model))
    }
}

#[async_trait]
impl Provider for Anthropic {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Claude
    }

    fn default_model(&self) -> &str {
        self.model.name()
    }

    fn replace_default(&self, unknown: &str) -> bool {
        self.model.replace(unknown)
    }

    /// The tokenizer of Claude 4.7 and later needs about a quarter more tokens for the same text.
    fn estimated_budget(&self, tokens: usize) -> usize {
        tokens - tokens / 5
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        let dialect = self.dialect(&request.model);
        let body = body::write(&request, dialect)?;
        self.transport
            .call(&self.endpoint, body, Messages::of(&request.model, dialect.may_think()))
            .await
    }

    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let dialect = self.dialect(&request.model).without(refused, request);
        if let Some(dialect) = dialect {
            self.learned.remember(&request.model, dialect);
        }
        dialect.is_some()
    }
}

/// An event of the stream: the fields that we read of any of them.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Str<'a>,
    /// Of the events of a content block: its position in the answer.
    index: Option<Count>,
    /// Of `message_start`.
    #[serde(borrow)]
    message: Option<Start<'a>>,
    /// Of `content_block_start`, a [`ContentBlock`].
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    /// Of `content_block_delta` and `message_delta`.
    #[serde(borrow)]
    delta: Option<ContentBlock<'a>>,
    /// Of `message_delta`.
    usage: Option<MessagesUsage>,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow)]
    model: Option<Str<'a>>,
    usage: Option<MessagesUsage>,
}

/// A whole answer, of `type` `message`.
#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    model: Option<Str<'a>>,
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
    #[serde(borrow)]
    stop_reason: Option<Str<'a>>,
    usage: Option<MessagesUsage>,
}

#[derive(Deserialize)]
struct ContentBlock<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Str<'a>>,
    #[serde(borrow)]
    text: Option<Str<'a>>,
    /// Of `tool_use`, as are `name` and `input`.
    #[serde(borrow)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    name: Option<Str<'a>>,
    /// An empty object in a stream, where the input arrives in pieces.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    /// The next piece of a tool's input, of `input_json_delta`.
    #[serde(borrow)]
    partial_json: Option<Str<'a>>,
    /// The next piece of a thought, of `thinking_delta`.
    #[serde(borrow)]
    thinking: Option<Str<'a>>,
    /// The next piece of a thought's signature, of `signature_delta`.
    #[serde(borrow)]
    signature: Option<Str<'a>>,
    #[serde(borrow)]
    stop_reason: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct MessagesUsage {
    input_tokens: Option<Count>,
    cache_creation_input_tokens: Option<Count>,
    cache_read_input_tokens: Option<Count>,
    output_tokens: Option<Count>,
    output_tokens_details: Option<MessagesOutputDetails>,
}

#[derive(Deserialize)]
struct MessagesOutputDetails {
    thinking_tokens: Option<Count>,
}

#[derive(Deserialize)]
struct TypeField<'a> {
    #[serde(rename = "type", borrow)]
    kind: Str<'a>,
}

/// The events that we read. The API may add others, which must be ignored.
const KNOWN: [&str; 5] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
];

/// Reads an answer of the Messages API.
#[derive(Debug, Default)]
struct Messages {
    /// Input tokens: neither written to the cache nor read from it (the API's `input_tokens`),
    /// written to it, read from it.
    input: [u32; 3],
    output: u32,
    thoughts: u32,
    finish: Option<Finish>,
    content: AnswerContent,
    model: String,
    may_think: bool,
}

impl Messages {
    /// Reads the answer of `model`, which may think before its first word.
    fn of(model: &str, may_think: bool) -> Self {
        Self { model: model.to_owned(), may_think, ..Self::default() }
    }

    /// Updates the counts. They are cumulative, and a later event omits those that have not changed.
    fn count(&mut self, tokens: &MessagesUsage, draft: &mut AnswerDraft) {
        let [plain, written, read] = &mut self.input;
        for (kept, new) in [
            (plain, tokens.input_tokens),
            (written, tokens.cache_creation_input_tokens),
            (read, tokens.cache_read_input_tokens),
            (&mut self.output, tokens.output_tokens),
            (
                &mut self.thoughts,
                tokens.output_tokens_details.as_ref().and_then(|details| details.thinking_tokens),
            ),
        ] {
            if let Some(Count(new)) = new {
                *kept = new;
            }
        }
        let input_tokens = self.input.into_iter().fold(0, u32::saturating_add);
        let [_, cache_write_tokens, cached_input_tokens] = self.input;
        draft.usage(Usage {
            input_tokens,
            output_tokens: self.output,
            cached_input_tokens,
            cache_write_tokens,
            reasoning_tokens: self.thoughts,
        });
    }
}

impl Messages {
    /// A content block has begun, or is there whole if it has no `index`.
    fn begin(
        &mut self,
        index: Option<u32>,
        block: &RawValue,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        self.content.start(index, block);
        let block = serde_json::from_str(block.get())
            .map_err(|error| ProviderError::new(Fault::Malformed, error.to_string()))?;
        read_block(index, block, draft)
    }

    /// Keeps a piece of a content block, for the case that the message must be sent back.
    fn keep(&mut self, index: Option<u32>, delta: &ContentBlock<'_>) {
        let pieces = [
            delta.text.as_ref().map(|text| BlockPiece::Text("text", &text.0)),
            delta.thinking.as_ref().map(|text| BlockPiece::Text("thinking", &text.0)),
            delta.signature.as_ref().map(|text| BlockPiece::Text("signature", &text.0)),
            delta.partial_json.as_ref().map(|json| BlockPiece::Input(&json.0)),
        ];
        for piece in pieces.into_iter().flatten() {
            self.content.extend(index, piece);
        }
    }

    /// The answer has ended.
    fn close(&mut self, finish: Finish, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        if let Some(message) = self.content.verbatim(&self.model) {
            draft.verbatim(message);
        }
        draft.finish(finish)
    }
}

impl Mapper for Messages {
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        if event.name == "ping" {
            return Ok(());
        }
        let wire: Wire<'_> = match serde_json::from_str(event.data) {
            Ok(wire) => wire,
            Err(error) => return misread(event, &error),
        };
        match &*wire.kind.0 {
            "message_start" => {
                if let Some(start) = wire.message {
                    draft.model(start.model.as_ref().map_or("", |model| &model.0));
                    if let Some(tokens) = start.usage {
                        self.count(&tokens, draft);
                    }
                }
            }
            "content_block_start" | "content_block_delta" => {
                let index = wire.index.map(|index| index.0);
                if let Some(delta) = wire.delta {
                    self.keep(index, &delta);
                    read_block(index, delta, draft)?;
                } else if let Some(block) = wire.content_block {
                    self.begin(index, block, draft)?;
                }
            }
            "message_delta" => {
                if let Some(reason) = wire.delta.and_then(|delta| delta.stop_reason) {
                    self.finish = Some(finish(&reason.0));
                }
                if let Some(tokens) = wire.usage {
                    self.count(&tokens, draft);
                }
            }
            "message_stop" => self.close(self.finish.unwrap_or(Finish::Complete), draft)?,
            "error" => return Err(fault::classify_event(event.data.as_bytes())),
            _ => {}
        }
        Ok(())
    }

    fn may_think(&self) -> bool {
        self.may_think
    }

    fn whole(&mut self, body: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let kind = serde_json::from_slice::<TypeField<'_>>(body).ok();
        if kind.is_some_and(|kind| kind.kind.0 == "error") {
            return Err(fault::classify_event(body));
        }
        let answer: Whole<'_> = serde_json::from_slice(body)
            .map_err(|error| ProviderError::new(Fault::Malformed, error.to_string()))?;
        draft.model(answer.model.as_ref().map_or("", |model| &model.0));
        for block in answer.content {
            self.begin(None, block, draft)?;
        }
        if let Some(tokens) = answer.usage {
            self.count(&tokens, draft);
        }
        let finish = answer.stop_reason.map_or(Finish::Complete, |reason| finish(&reason.0));
        self.close(finish, draft)
    }
}

/// Reads a content block, or a piece of one. `index` is its position, if it arrives in pieces.
fn read_block(
    index: Option<u32>,
    block: ContentBlock<'_>,
    draft: &mut AnswerDraft,
) -> Result<(), ProviderError> {
    let kind = block.kind.as_ref().map(|kind| &*kind.0);
    match kind {
        Some("text" | "text_delta") => match block.text {
            Some(text) => draft.text(text.0)?,
            None => draft.token(),
        },
        Some("tool_use") => draft.call(Piece {
            index,
            id: block.id.as_ref().map_or("", |id| &id.0),
            name: block.name.as_ref().map_or("", |name| &name.0),
            arguments: block.input.map(RawValue::get).filter(|json| !is_empty(json)).unwrap_or(""),
            is_first: true,
        })?,
        Some("input_json_delta") if index.is_some_and(|index| draft.has_call(index)) => {
            let arguments = block.partial_json.as_ref().map_or("", |json| &json.0);
            draft.call(Piece { index, arguments, ..Piece::default() })?;
        }
        Some("thinking" | "redacted_thinking" | "thinking_delta" | "signature_delta") => {
            draft.thinking();
        }
        // Citations, tools that run on the provider's side, and what is added later.
        _ => draft.token(),
    }
    Ok(())
}

/// Whether `json` is an object without keys.
fn is_empty(json: &str) -> bool {
    json.strip_prefix('{').is_some_and(|rest| rest.trim_start() == "}")
}

/// Handles an event that cannot be parsed: an error event, a broken event of a known type, or one of
/// a type that the API has added since.
fn misread(event: sse::SseEvent<'_>, error: &serde_json::Error) -> Result<(), ProviderError> {
    let kind = serde_json::from_str::<TypeField<'_>>(event.data);
    match kind.as_ref().map_or(event.name, |kind| &*kind.kind.0) {
        "error" => Err(fault::classify_event(event.data.as_bytes())),
        name if !name.is_empty() && !KNOWN.contains(&name) => Ok(()),
        _ => Err(ProviderError::new(Fault::Malformed, error.to_string())),
    }
}

/// The end that a `stop_reason` stands for. `end_turn`, `stop_sequence`, `pause_turn` and future ones
/// mean a complete answer.
fn finish(stop_reason: &str) -> Finish {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Refused,
        "tool_use" => Finish::ToolUse,
        _ => Finish::Complete,
    }
}

#[cfg(test)]
mod tests;
