//! The Responses API: `POST {base}/responses`, streamed and without state on the server.
//!
//! Source: OpenAI's API reference, "Create a model response" and "Streaming events".

pub mod body;
mod events;

use serde_json::value::RawValue;

use super::entries::earlier_calls;
use super::usage::usage;
use crate::provider::transport::reader::{AnswerDraft, Mapper};
use crate::provider::transport::tool_calls::Piece;
use crate::provider::transport::wire::{Str, parse, text_of, word};
use crate::provider::verbatim::MAX_VERBATIM;
use crate::provider::{Finish, ModelRequest, ProviderError, Verbatim, fault, sse};
use events::{MessagePart, OutputItem, ResponseEvent, ResponseObject};

/// The API's name in [`Verbatim`].
const API: &str = "responses";

/// Reads an answer of the Responses API.
#[derive(Debug, Default)]
pub struct ResponseReader {
    /// The model as requested.
    model: String,
    earlier_calls: usize,
    may_think: bool,
    /// There has been text, so that a further message needs a paragraph of its own.
    has_text: bool,
    is_next_message: bool,
    refused: bool,
    /// The items that are complete.
    items: Vec<String>,
    /// Bytes of all items.
    size: usize,
    /// An item is a thought.
    has_thoughts: bool,
    /// A thought has come without its encrypted form; only with that could it be sent back.
    is_unreadable: bool,
}

impl ResponseReader {
    /// A reader of the answer to `request`.
    pub fn new(request: &ModelRequest) -> Self {
        Self {
            model: request.model.clone(),
            earlier_calls: earlier_calls(request),
            ..Self::default()
        }
    }

    /// The same for a model that is known to think, or not.
    pub fn expecting_thoughts(self, may_think: bool) -> Self {
        Self { may_think, ..self }
    }

    fn text(&mut self, text: &str, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        if text.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.is_next_message) && self.has_text {
            draft.text("\n\n".into())?;
        }
        self.has_text = true;
        draft.text(text.into())
    }

    /// An item that has been announced; its content follows.
    fn begin(&mut self, item: &RawValue, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let item: OutputItem<'_> = parse(item.get().as_bytes())?;
        match word(&item.kind) {
            "reasoning" => draft.thinking(),
            "message" => self.is_next_message = true,
            _ => draft.token(),
        }
        Ok(())
    }

    /// A complete item. Calls and thoughts are read here only: the pieces before may lack fields.
    fn end(
        &mut self,
        json: &RawValue,
        index: Option<u32>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        let item: OutputItem<'_> = parse(json.get().as_bytes())?;
        if word(&item.status) == "incomplete" {
            return Ok(());
        }
        match word(&item.kind) {
            "function_call" => draft.call(Piece {
                index,
                id: word(&item.call_id),
                name: word(&item.name),
                arguments: &item.arguments.map(text_of).unwrap_or_default(),
                is_first: true,
            })?,
            "reasoning" => {
                draft.thinking();
                self.has_thoughts = true;
                self.is_unreadable |= word(&item.encrypted_content).is_empty();
            }
            "message" => {}
            _ => return Ok(()),
        }
        self.size += json.get().len();
        if self.size <= MAX_VERBATIM {
            self.items.push(json.get().to_owned());
        }
        Ok(())
    }

    /// The items of an answer that has arrived whole, without events for its pieces.
    fn output(
        &mut self,
        output: &[&RawValue],
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        for json in output {
            let item: OutputItem<'_> = parse(json.get().as_bytes())?;
            if word(&item.kind) == "message" {
                self.is_next_message = true;
                self.message(item.content, draft)?;
            }
            self.end(json, None, draft)?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        content: Option<&RawValue>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        let Some(content) = content else { return Ok(()) };
        for part in parse::<Vec<MessagePart<'_>>>(content.get().as_bytes())? {
            match word(&part.kind) {
                "refusal" => self.refused = true,
                "output_text" | "text" => {
                    self.text(&part.text.unwrap_or_default().0, draft)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The end of the answer, by the final state of the response.
    fn close(
        &mut self,
        response: &ResponseObject<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        if let Some(tokens) = &response.usage {
            draft.usage(usage(
                (tokens.input_tokens, tokens.input_tokens_details),
                (tokens.output_tokens, tokens.output_tokens_details),
            ));
        }
        let status = word(&response.status);
        let details = response.incomplete_details.as_ref();
        let reason = details.map_or("", |details| word(&details.reason));
        let finish = match (status, reason) {
            _ if self.refused => Finish::Refused,
            ("incomplete", "content_filter") => Finish::Refused,
            ("incomplete", _) => Finish::Length,
            _ => Finish::Complete,
        };
        if self.has_thoughts && !self.is_unreadable && self.size <= MAX_VERBATIM {
            let (model, items) = (std::mem::take(&mut self.model), std::mem::take(&mut self.items));
            draft.verbatim(Verbatim { api: API, model, items });
        }
        draft.finish(finish)
    }
}

/// The failure of a response, from its `error`. A refusal for the content of the question counts as
/// an answer.
fn fail(error: Option<&RawValue>, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
    let error = error.map_or("null", RawValue::get);
    let body = format!("{{\"error\":{error}}}");
    match fault::is_declined(body.as_bytes()) {
        true => draft.finish(Finish::Refused),
        false => Err(fault::classify_event(body.as_bytes())),
    }
}

impl Mapper for ResponseReader {
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        let data = event.data.trim();
        // OpenAI sends no `[DONE]`, gateways may; the end mark is the response's final state.
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let json: ResponseEvent<'_> = parse(data.as_bytes())?;
        let kind = json.kind.as_ref().map_or(event.name, |kind| &kind.0);
        // The type is flat or nested, and some servers do not name the event.
        if kind == "error" || json.error.is_some() {
            return match fault::is_declined(data.as_bytes()) {
                true => draft.finish(Finish::Refused),
                false => Err(fault::classify_event(data.as_bytes())),
            };
        }
        let response = json.response.map_or("{}", RawValue::get).as_bytes();
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                let response: ResponseObject<'_> = parse(response)?;
                draft.model(word(&response.model));
            }
            "response.output_item.added" => {
                if let Some(item) = json.item {
                    self.begin(item, draft)?;
                }
            }
            "response.output_text.delta" => {
                self.text(&json.delta.map(text_of).unwrap_or_default(), draft)?;
            }
            "response.refusal.delta" | "response.refusal.done" => {
                self.refused = true;
                draft.token();
            }
            "response.function_call_arguments.delta" => draft.token(),
            "response.output_item.done" => {
                if let Some(item) = json.item {
                    self.end(item, json.output_index.map(|index| index.0), draft)?;
                }
            }
            "response.completed" | "response.incomplete" => {
                let mut response: ResponseObject<'_> = parse(response)?;
                draft.model(word(&response.model));
                // Some servers send only the whole, others leave it empty at the end.
                if !self.has_text && self.items.is_empty() && !self.refused {
                    self.output(response.output.as_deref().unwrap_or_default(), draft)?;
                }
                if kind == "response.incomplete" {
                    response.status = Some(Str("incomplete".into()));
                }
                self.close(&response, draft)?;
            }
            "response.failed" | "response.cancelled" => {
                let response: ResponseObject<'_> = parse(response)?;
                fail(response.error, draft)?;
            }
            _ if kind.starts_with("response.reasoning_") => draft.thinking(),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let response: ResponseObject<'_> = parse(body)?;
        let status = word(&response.status);
        if response.error.is_some() || matches!(status, "failed" | "cancelled") {
            return fail(response.error, draft);
        }
        draft.model(word(&response.model));
        self.output(response.output.as_deref().unwrap_or_default(), draft)?;
        self.close(&response, draft)
    }

    fn earlier_calls(&self) -> usize {
        self.earlier_calls
    }

    fn may_think(&self) -> bool {
        self.may_think
    }
}

#[cfg(test)]
mod tests;
