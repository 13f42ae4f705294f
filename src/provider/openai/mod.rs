//! OpenAI's Chat Completions API and the servers that speak it (Ollama, vLLM, llama.cpp, LiteLLM,
//! Azure): `POST {base}/chat/completions`, streamed.
//!
//! Source: OpenAI's API reference, "Create chat completion" and "Streaming"; the servers' own
//! documentation where they differ.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, header};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::parameter::Learned;
use super::transport::reader::{AnswerDraft, Mapper};
use super::transport::tool_calls::Piece;
use super::transport::wire::{Count, MessageContent, Str};
use super::transport::{ApiSettings, Endpoint, SetupError, Transport, secret_header};
use super::{
    Entry, EventStream, Fault, Finish, ModelRequest, Provider, ProviderError, Refused, fault, sse,
};
use crate::domain::{ProviderKind, Usage};
use dialect::{ChatDialect, Host};

mod body;
mod dialect;

/// The public API.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// GPT, or whatever a compatible server runs.
#[derive(Debug)]
pub struct OpenAi {
    model: String,
    host: Host,
    endpoint: Arc<Endpoint>,
    transport: Transport,
    learned: Learned<ChatDialect>,
}

impl OpenAi {
    /// A provider that calls `{base_url}/chat/completions`. A query in the base URL is kept, for
    /// Azure's `api-version`. Without a key, no `Authorization` is sent.
    pub fn new(settings: ApiSettings, transport: Transport) -> Result<Self, SetupError> {
        let host = Host::of(&settings.base_url);
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.key {
            match host {
                // All of Azure's endpoints accept the key in this header, the older ones only here.
                Host::Azure => {
                    headers.insert(HeaderName::from_static("api-key"), secret_header("", key)?)
                }
                _ => headers.insert(header::AUTHORIZATION, secret_header("Bearer ", key)?),
            };
        }
        let path = &["chat", "completions"];
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(&settings.base_url, path, headers, settings.key)?),
            model: settings.model,
            host,
            transport,
            learned: Learned::default(),
        })
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn default_model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        let body = body::write(&request, self.dialect(&request.model))?;
        self.transport.call(&self.endpoint, body, Completions::new(&request)).await
    }

    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let dialect = self.dialect(&request.model).without(refused, request);
        if let Some(dialect) = dialect {
            self.learned.remember(&request.model, dialect);
        }
        dialect.is_some()
    }
}

impl OpenAi {
    fn dialect(&self, model: &str) -> ChatDialect {
        self.learned.of(model).unwrap_or_else(|| ChatDialect::of(self.host, model))
    }
}

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
    reasoning_content: Option<IgnoredAny>,
    /// Thoughts, in Ollama and OpenRouter.
    reasoning: Option<IgnoredAny>,
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
    prompt_tokens_details: Option<PromptUsage>,
}

#[derive(Default, Deserialize)]
struct PromptUsage {
    cached_tokens: Option<Count>,
}

/// Reads an answer of the Chat Completions API.
#[derive(Debug, Default)]
struct Completions {
    finish: Option<Finish>,
    refused: bool,
    earlier_calls: usize,
}

impl Completions {
    fn new(request: &ModelRequest) -> Self {
        let calls = request.entries.iter().map(|entry| match entry {
            Entry::Assistant { calls, .. } => calls.len(),
            _ => 0,
        });
        Self { earlier_calls: calls.sum(), ..Self::default() }
    }

    fn chunk(&mut self, data: &[u8], draft: &mut AnswerDraft) -> Result<(), ProviderError> {
        let chunk: Chunk<'_> = serde_json::from_slice(data)
            .map_err(|error| ProviderError::new(Fault::Malformed, error.to_string()))?;
        if chunk.error.is_some() || chunk.object.is_some_and(|object| object.0 == "error") {
            return Err(fault::classify_event(data));
        }
        draft.model(chunk.model.as_ref().map_or("", |model| &model.0));
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
            let count = |count: Option<Count>| count.unwrap_or_default().0;
            draft.usage(Usage {
                input_tokens: count(tokens.prompt_tokens),
                output_tokens: count(tokens.completion_tokens),
                cached_input_tokens: count(
                    tokens.prompt_tokens_details.unwrap_or_default().cached_tokens,
                ),
                ..Usage::default()
            });
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
        if delta.reasoning_content.or(delta.reasoning).is_some() {
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
            let arguments = arguments.map(written).unwrap_or_default();
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

/// The text of arguments: the contents of the string, or the JSON itself.
fn written(arguments: &RawValue) -> Cow<'_, str> {
    match arguments.get() {
        "null" => Cow::Borrowed(""),
        json => serde_json::from_str(json).map_or(Cow::Borrowed(json), |Str(text)| text),
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
