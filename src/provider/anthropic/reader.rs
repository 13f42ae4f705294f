//! From the API's events to ours.

use serde_json::value::RawValue;

use super::content::{AnswerContent, BlockPiece};
use super::events::{ContentBlock, KNOWN, MessagesUsage, StopDetails, TypeField, Whole, Wire};
use crate::domain::Usage;
use crate::provider::parameter::{Objection, Parameter};
use crate::provider::transport::reader::{AnswerDraft, Mapper};
use crate::provider::transport::tool_calls::Piece;
use crate::provider::transport::wire::{Count, parse, word};
use crate::provider::{Fault, Finish, ProviderError, Refused, fault, sse};

/// Reads an answer of the Messages API.
#[derive(Debug, Default)]
pub struct Messages {
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
    pub fn of(model: &str, may_think: bool) -> Self {
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
        read_block(index, parse(block.get().as_bytes())?, draft)
    }

    /// Keeps a piece of a content block, for the case that the message must be sent back.
    fn keep(&mut self, index: Option<u32>, delta: &ContentBlock<'_>) {
        let piece = match word(&delta.kind) {
            "text_delta" => BlockPiece::Text("text", word(&delta.text)),
            "thinking_delta" => BlockPiece::Text("thinking", word(&delta.thinking)),
            "signature_delta" => BlockPiece::Text("signature", word(&delta.signature)),
            "input_json_delta" => BlockPiece::Input(word(&delta.partial_json)),
            // The sources of a text, which nothing depends on.
            "citations_delta" => return,
            _ => return self.content.lose(),
        };
        self.content.extend(index, piece);
    }

    /// The answer has ended.
    fn close(&mut self, finish: Finish, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        if let Some(message) = self.content.verbatim(&self.model) {
            draft.verbatim(message);
        }
        draft.finish(finish).map_err(|error| match finish {
            Finish::Length => error,
            // It had nothing to say about the results of its calls.
            _ => ProviderError {
                refused: Some(Refused {
                    parameter: Parameter::ToolResults,
                    objection: Objection::NotTaken,
                }),
                ..error
            },
        })
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
                    draft.model(word(&start.model));
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
                if let Some(delta) = wire.delta
                    && let Some(reason) = delta.stop_reason
                {
                    self.finish = Some(finish(&reason.0, delta.stop_details.as_ref()));
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
        let answer: Whole<'_> = parse(body)?;
        draft.model(word(&answer.model));
        for block in answer.content {
            self.begin(None, block, draft)?;
        }
        if let Some(tokens) = answer.usage {
            self.count(&tokens, draft);
        }
        let details = answer.stop_details.as_ref();
        let finish = answer.stop_reason.map(|reason| finish(&reason.0, details));
        self.close(finish.unwrap_or(Finish::Complete), draft)
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
            id: word(&block.id),
            name: word(&block.name),
            arguments: block.input.map(RawValue::get).filter(|json| !is_empty(json)).unwrap_or(""),
            is_first: true,
        })?,
        Some("input_json_delta") if index.is_some_and(|index| draft.has_call(index)) => {
            let arguments = word(&block.partial_json);
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

/// The end that a `stop_reason` stands for. `end_turn`, `stop_sequence` and future ones mean a
/// complete answer; so does `pause_turn`, which comes only with tools that run on the provider's side.
/// The category of a refusal is for the operator: instructions that ask the model to show its reasoning
/// may be its cause.
fn finish(stop_reason: &str, details: Option<&StopDetails<'_>>) -> Finish {
    match stop_reason {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => {
            let category = details.map_or("", |details| word(&details.category));
            tracing::info!(provider.category = category, "the model declined");
            Finish::Refused
        }
        "tool_use" => Finish::ToolUse,
        _ => Finish::Complete,
    }
}
