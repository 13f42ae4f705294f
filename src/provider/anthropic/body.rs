//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::MessagesDialect;
use crate::provider::tool::{input, plain_name};
use crate::provider::{Entry, Fault, ModelRequest, ProviderError, ToolChoice, ToolSpec};

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
    tool_choice: Option<ToolChoiceParam>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    stream: bool,
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
    cache_control: CacheControl,
}

#[derive(Serialize)]
struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct ToolParam<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: &'a Value,
}

#[derive(Serialize)]
struct ToolChoiceParam {
    #[serde(rename = "type")]
    kind: &'static str,
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
    Blocks(Vec<BlockParam<'a>>),
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

/// Minimum length of a system text that is marked for the cache, in bytes. The API does not cache
/// prompts under 1,024 tokens (for some models 2,048 or 4,096) and ignores the mark on them; a token
/// of English has about four bytes. Source: Anthropic's documentation, "Prompt caching".
pub const MIN_CACHED: usize = 4096;

/// Writes the body of `request`. The API's temperature ends at 1, ours at 2.
pub fn write(request: &ModelRequest, dialect: MessagesDialect) -> Result<Vec<u8>, ProviderError> {
    let forbidden = request.tool_choice == ToolChoice::None && !request.tools.is_empty();
    let body = MessagesBody {
        model: &request.model,
        max_tokens: request.max_tokens.min(dialect.max_tokens),
        system: system(&request.system, dialect.cache),
        messages: messages(&request.entries),
        tools: request.tools.iter().map(tool_param).collect(),
        tool_choice: forbidden.then_some(ToolChoiceParam { kind: "none" }),
        temperature: request
            .temperature
            .filter(|_| dialect.temperature)
            .map(|degree| degree.clamp(0.0, 1.0)),
        stream: true,
    };
    serde_json::to_vec(&body).map_err(|e| ProviderError::new(Fault::Rejected, e.to_string()))
}

/// The system text, marked as the end of the part that is the same in every call. The API puts the
/// tools before it, so they are cached with it.
fn system(text: &str, cache: bool) -> Option<System<'_>> {
    if text.is_empty() {
        return None;
    }
    if !cache || text.len() < MIN_CACHED {
        return Some(System::Text(text));
    }
    let cache_control = CacheControl { kind: "ephemeral" };
    Some(System::Blocks([SystemBlock { kind: "text", text, cache_control }]))
}

fn tool_param(tool: &ToolSpec) -> ToolParam<'_> {
    ToolParam { name: tool.name, description: &tool.description, input_schema: &tool.parameters }
}

/// The entries as messages with alternating roles. What a user says after tool results goes into
/// the same message, after them, as the API requires.
fn messages(entries: &[Entry]) -> Vec<MessageParam<'_>> {
    let mut messages: Vec<(&'static str, Vec<BlockParam<'_>>)> = Vec::with_capacity(entries.len());
    for entry in entries {
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
        match messages.last_mut() {
            Some((last, all)) if *last == role => all.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => messages.push((role, blocks)),
        }
    }
    let messages = messages.into_iter().map(|(role, blocks)| MessageParam {
        role,
        content: match blocks[..] {
            [BlockParam::Text { text }] => Content::Text(text),
            _ => Content::Blocks(blocks),
        },
    });
    messages.collect()
}
