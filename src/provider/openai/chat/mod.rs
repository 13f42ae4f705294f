//! The Chat Completions API: `POST {base}/chat/completions`, streamed.
//!
//! Source: OpenAI's API reference, "Create chat completion" and "Streaming"; the documentation of
//! the compatible servers where they differ.

pub mod body;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::entries::earlier_calls;
use super::usage::{InputDetails, OutputDetails, usage};
use crate::provider::transport::reader::{AnswerDraft, Mapper};
use crate::provider::transport::tool_calls::Piece;
use crate::provider::transport::wire::{Count, MessageContent, Str, parse, text_of, word};
use crate::provider::{Fault, Finish, ModelRequest, ProviderError, fault, sse};

/// A chunk of the stream, or a whole answer: the fields that we read.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    object: Option<Str<'a>>,
    #[serde(borrow)]
    model: Option<Str<'a>>,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    usage: Option<ChatUsage>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    /// In a whole answer, instead of `delta`.
    #[serde(borrow)]
    message: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<MessageContent<'a>>,
    #[serde(borrow)]
    refusal: Option<Str<'a>>,
    /// Thoughts, in vLLM, llama.cpp and DeepSeek.
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    /// Thoughts, in Ollama and OpenRouter.
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<CallDelta<'a>>>,
}

/// A tool call, or a piece of one.
#[derive(Deserialize)]
struct CallDelta<'a> {
    index: Option<Count>,
    #[serde(borrow)]
    id: Option<Str<'a>>,
    #[serde(borrow)]
    function: Option<FunctionDelta<'a>>,
}

#[derive(Deserialize)]
struct FunctionDelta<'a> {
    #[serde(borrow)]
    name: Option<Str<'a>>,
    /// JSON in a string; some servers send the JSON itself.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChatUsage {
    prompt_tokens: Option<Count>,
    completion_tokens: Option<Count>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
}

/// Reads an answer of the Chat Completions API.
#[derive(Debug, Default)]
pub struct Completions {
    finish: Option<Finish>,
    refused: bool,
    earlier_calls: usize,
    may_think: bool,
}

impl Completions {
    pub fn new(request: &ModelRequest) -> Self {
        Self { earlier_calls: earlier_calls(request), ..Self::default() }
    }

    /// The same for a model that is known to think, or not.
    pub fn expecting_thoughts(self, may_think: bool) -> Self {
        Self { may_think, ..self }
    }

    fn chunk(&mut self, data: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let chunk: Chunk<'_> = parse(data)?;
        if chunk.error.is_some() || chunk.object.is_some_and(|object| object.0 == "error") {
            return Err(fault::classify_event(data));
        }
        draft.model(word(&chunk.model));
        // We request one choice. The list is empty in chunks with Azure's filter results or usage.
        if let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            if let Some(delta) = choice.delta {
                self.delta(delta, false, draft)?;
            } else if let Some(message) = choice.message {
                self.delta(message, true, draft)?;
            }
            if let Some(Str(reason)) = choice.finish_reason
                && !reason.is_empty()
            {
                self.finish = Some(finish(&reason)?);
            }
        }
        if let Some(tokens) = chunk.usage {
            draft.usage(usage(
                (tokens.prompt_tokens, tokens.prompt_tokens_details),
                (tokens.completion_tokens, tokens.completion_tokens_details),
            ));
        }
        Ok(())
    }

    fn delta(
        &mut self,
        delta: Delta<'_>,
        is_whole: bool,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        if delta.refusal.is_some_and(|refusal| !refusal.0.is_empty()) {
            self.refused = true;
            draft.token();
        }
        // Some servers send an empty thought with every piece of text.
        let mut thoughts = [delta.reasoning_content, delta.reasoning].into_iter().flatten();
        if thoughts.any(|thought| thought.get() != "\"\"") {
            draft.thinking();
        }
        if let Some(content) = delta.content {
            draft.content(content)?;
        }
        for (place, call) in delta.tool_calls.unwrap_or_default().into_iter().enumerate() {
            let index = call.index.map(|index| index.0);
            let id = call.id.unwrap_or_default();
            let (name, arguments) = call.function.map_or((None, None), |f| (f.name, f.arguments));
            let name = name.unwrap_or_default();
            let arguments = arguments.map(text_of).unwrap_or_default();
            draft.call(Piece {
                index,
                id: &id.0,
                name: &name.0,
                arguments: &arguments,
                // Unnumbered pieces in the same chunk are separate calls.
                is_first: is_whole || (place > 0 && index.is_none() && !name.0.is_empty()),
            })?;
        }
        Ok(())
    }
}

impl Completions {
    fn close(&self, draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let otherwise = if self.refused { Finish::Refused } else { Finish::Complete };
        draft.finish(self.finish().unwrap_or(otherwise))
    }
}

impl Mapper for Completions {
    fn event(
        &mut self,
        event: sse::SseEvent<'_>,
        draft: &mut AnswerDraft,
    ) -> Result<(), ProviderError> {
        let data = event.data.trim();
        if data == "[DONE]" {
            return self.close(draft);
        }
        if event.name == "error" {
            return Err(fault::classify_event(data.as_bytes()));
        }
        if data.is_empty() {
            return Ok(());
        }
        self.chunk(data.as_bytes(), draft)
    }

    fn whole(&mut self, body: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        self.chunk(body, draft)?;
        self.close(draft)
    }

    fn earlier_calls(&self) -> usize {
        self.earlier_calls
    }

    fn may_think(&self) -> bool {
        self.may_think
    }

    /// OpenAI hides the thoughts of its models and sends nothing meanwhile.
    fn sends_pings(&self) -> bool {
        false
    }

    fn finish(&self) -> Option<Finish> {
        self.finish.map(|finish| if self.refused { Finish::Refused } else { finish })
    }
}

/// The end that a `finish_reason` stands for. `stop` and other servers' words for it (`eos`) mean a
/// complete answer.
fn finish(reason: &str) -> Result<Finish, ProviderError> {
    match reason {
        "length" | "max_tokens" => Ok(Finish::Length),
        "content_filter" => Ok(Finish::Refused),
        "tool_calls" => Ok(Finish::ToolUse),
        // OpenRouter's word for a failure of the provider behind it.
        "error" => Err(ProviderError::new(Fault::Overloaded, "finish_reason error")),
        _ => Ok(Finish::Complete),
    }
}

#[cfg(test)]
mod tests;
