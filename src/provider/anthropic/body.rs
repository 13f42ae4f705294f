//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::dialect::{MessagesDialect, Thinking};
use crate::provider::tool::{input, plain_name};
use crate::provider::{Entry, Fault, ModelRequest, ProviderError, ToolChoice, ToolSpec, verbatim};

#[derive(Serialize)]
struct MessagesBody<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<System<'a>>,
    messages: Vec<MessageParam<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolParam<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<TypeOnly>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<TypeOnly>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    /// Marks the end of the conversation for the cache, wherever that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<TypeOnly>,
    stream: bool,
}

/// An object of which only the type matters.
#[derive(Clone, Copy, Serialize)]
struct TypeOnly {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The mark of what is to be cached for five minutes.
const EPHEMERAL: TypeOnly = TypeOnly { kind: "ephemeral" };

#[derive(Serialize)]
struct OutputConfig {
    effort: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum System<'a> {
    Text(&'a str),
    Blocks([SystemBlock<'a>; 1]),
}

#[derive(Serialize)]
struct SystemBlock<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    cache_control: TypeOnly,
}

#[derive(Serialize)]
struct ToolParam<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: &'a Value,
}

#[derive(Serialize)]
struct MessageParam<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Blocks(Vec<MessageBlock<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum MessageBlock<'a> {
    Written(BlockParam<'a>),
    /// As the API wrote it.
    Verbatim(&'a RawValue),
}

#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockParam<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: Cow<'a, str>,
        input: Cow<'a, RawValue>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        content: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

/// Writes the body of `request`. The API's temperature ends at 1, ours at 2.
pub fn write(request: &ModelRequest, dialect: MessagesDialect) -> Result<Vec<u8>, ProviderError> {
    write_with(request, dialect, None)
}

/// The same, with another message of the user's, `last`.
pub fn write_with(
    request: &ModelRequest,
    dialect: MessagesDialect,
    last: Option<&str>,
) -> Result<Vec<u8>, ProviderError> {
    let forbidden = request.tool_choice == ToolChoice::None && !request.tools.is_empty();
    let last = last.map(|text| MessageParam { role: "user", content: Content::Text(text) });
    let body = MessagesBody {
        model: &request.model,
        max_tokens: dialect.limit_of(request),
        system: system(&request.system, dialect.cache),
        messages: messages(request, dialect).into_iter().chain(last).collect(),
        tools: request.tools.iter().map(tool_param).collect(),
        tool_choice: forbidden.then_some(TypeOnly { kind: "none" }),
        temperature: request
            .temperature
            .filter(|_| dialect.temperature)
            .map(|degree| degree.clamp(0.0, 1.0)),
        thinking: match dialect.thinking {
            Thinking::Disabled => Some(TypeOnly { kind: "disabled" }),
            Thinking::BetweenTools => Some(TypeOnly { kind: "between_tools" }),
            Thinking::LowEffort | Thinking::Unspecified => None,
        },
        output_config: (dialect.thinking == Thinking::LowEffort)
            .then_some(OutputConfig { effort: "low" }),
        cache_control: (dialect.cache && dialect.automatic_cache).then_some(EPHEMERAL),
        stream: true,
    };
    serde_json::to_vec(&body).map_err(|e| ProviderError::new(Fault::Rejected, e.to_string()))
}

/// The system text, marked as the end of the part that is the same in every call. The API puts the
/// tools before it, so they are cached with it. A text that is too short for the model's cache is
/// not cached, and the mark costs nothing.
/// Source: Anthropic's documentation, "Prompt caching".
fn system(text: &str, cache: bool) -> Option<System<'_>> {
    if text.is_empty() {
        return None;
    }
    Some(match cache {
        true => System::Blocks([SystemBlock { kind: "text", text, cache_control: EPHEMERAL }]),
        false => System::Text(text),
    })
}

fn tool_param(tool: &ToolSpec) -> ToolParam<'_> {
    ToolParam { name: tool.name, description: &tool.description, input_schema: &tool.parameters }
}

/// The entries as messages with alternating roles. What a user says after tool results goes into
/// the same message, after them, as the API requires.
fn messages(request: &ModelRequest, dialect: MessagesDialect) -> Vec<MessageParam<'_>> {
    let entries = &request.entries;
    let mut messages: Vec<(&'static str, Vec<MessageBlock<'_>>)> =
        Vec::with_capacity(entries.len());
    for entry in entries {
        if let Entry::Assistant { calls, verbatim: Some(message), .. } = entry
            && dialect.carries(message, &request.model)
            && let Some(blocks) = verbatim::items(message, "tool_use", calls)
        {
            messages.push(("assistant", blocks.into_iter().map(MessageBlock::Verbatim).collect()));
            continue;
        }
        let (role, blocks) = match entry {
            Entry::User(text) => ("user", vec![BlockParam::Text { text }]),
            Entry::Assistant { text, calls, verbatim: _ } => {
                // The API refuses blank blocks.
                let text = (!text.trim().is_empty()).then_some(BlockParam::Text { text });
                let calls = calls.iter().map(|call| BlockParam::ToolUse {
                    id: plain_name(&call.id),
                    name: plain_name(&call.name),
                    input: input(call),
                });
                ("assistant", text.into_iter().chain(calls).collect())
            }
            Entry::ToolResults(results) => {
                let results = results.iter().map(|result| BlockParam::ToolResult {
                    tool_use_id: plain_name(&result.call_id),
                    content: &result.content,
                    is_error: result.is_error,
                });
                ("user", results.collect())
            }
        };
        let mut blocks: Vec<_> = blocks.into_iter().map(MessageBlock::Written).collect();
        match messages.last_mut() {
            Some((last, all)) if *last == role => all.append(&mut blocks),
            _ if blocks.is_empty() => {}
            _ => messages.push((role, blocks)),
        }
    }
    let messages = messages.into_iter().map(|(role, blocks)| MessageParam {
        role,
        content: match blocks[..] {
            [MessageBlock::Written(BlockParam::Text { text })] => Content::Text(text),
            _ => Content::Blocks(blocks),
        },
    });
    messages.collect()
}
