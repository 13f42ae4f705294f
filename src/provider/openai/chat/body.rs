//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::provider::openai::dialect::{LimitName, ModelDialect};
use crate::provider::openai::entries::result_text;
use crate::provider::parameter::Effort;
use crate::provider::tool::{input, plain_name};
use crate::provider::{
    Entry, Fault, ModelRequest, ProviderError, ToolCall, ToolChoice, ToolResult, ToolSpec,
};

#[derive(Serialize)]
struct ChatBody<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<FunctionObject<ChatTool<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

/// An object of `type` `function`.
#[derive(Serialize)]
struct FunctionObject<F> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: F,
}

#[derive(Serialize)]
struct ChatTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: &'a Value,
}

#[derive(Serialize)]
struct ChatCall<'a> {
    name: Cow<'a, str>,
    /// JSON in a string.
    arguments: String,
}

#[derive(Serialize)]
struct ChatMessage<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
    /// `null` if there are only calls.
    content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<FunctionObject<ChatCall<'a>>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Writes the body of `request`.
pub fn write(request: &ModelRequest, dialect: ModelDialect) -> Result<Vec<u8>, ProviderError> {
    let system = (!request.system.is_empty()).then(|| plain("system", &request.system));
    // OpenAI refuses `tool_choice` without tools.
    let tools = if dialect.tools { request.tools.as_slice() } else { &[] };
    let forbidden = request.tool_choice == ToolChoice::None && !tools.is_empty();
    let limit = |name| (dialect.limit == name).then(|| dialect.answer_limit(request));
    let body = ChatBody {
        model: &request.model,
        messages: system.into_iter().chain(request.entries.iter().flat_map(messages)).collect(),
        tools: tools.iter().map(chat_tool).collect(),
        tool_choice: forbidden.then_some("none"),
        max_completion_tokens: limit(LimitName::MaxCompletionTokens),
        max_tokens: limit(LimitName::MaxTokens),
        temperature: request.temperature.filter(|_| dialect.has_temperature()),
        reasoning_effort: dialect.effort.map(Effort::as_str),
        stream: true,
        stream_options: dialect.stream_options.then_some(StreamOptions { include_usage: true }),
    };
    serde_json::to_vec(&body).map_err(|e| ProviderError::new(Fault::Rejected, e.to_string()))
}

fn plain<'a>(role: &'static str, text: &'a str) -> ChatMessage<'a> {
    ChatMessage {
        role,
        tool_call_id: None,
        content: Some(Cow::Borrowed(text)),
        tool_calls: Vec::new(),
    }
}

fn messages(entry: &Entry) -> Vec<ChatMessage<'_>> {
    match entry {
        Entry::User(text) => vec![plain("user", text)],
        Entry::Assistant { text, calls, .. } if text.is_empty() && calls.is_empty() => Vec::new(),
        Entry::Assistant { text, calls, .. } => vec![ChatMessage {
            role: "assistant",
            tool_call_id: None,
            content: (!text.is_empty()).then_some(Cow::Borrowed(text)),
            tool_calls: calls.iter().map(chat_call).collect(),
        }],
        Entry::ToolResults(results) => results.iter().map(chat_result).collect(),
    }
}

fn chat_tool(tool: &ToolSpec) -> FunctionObject<ChatTool<'_>> {
    let function =
        ChatTool { name: tool.name, description: &tool.description, parameters: &tool.parameters };
    FunctionObject { id: None, kind: "function", function }
}

fn chat_call(call: &ToolCall) -> FunctionObject<ChatCall<'_>> {
    let arguments = input(call).get().to_owned();
    let function = ChatCall { name: plain_name(&call.name), arguments };
    FunctionObject { id: Some(plain_name(&call.id).into_owned()), kind: "function", function }
}

fn chat_result(result: &ToolResult) -> ChatMessage<'_> {
    ChatMessage {
        role: "tool",
        tool_call_id: Some(plain_name(&result.call_id)),
        content: Some(result_text(result)),
        tool_calls: Vec::new(),
    }
}
