//! The body of a request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::API;
use crate::provider::openai::dialect::{LimitName, ModelDialect};
use crate::provider::openai::entries::result_text;
use crate::provider::parameter::Effort;
use crate::provider::tool::{input, plain_name};
use crate::provider::{
    Entry, Fault, ModelRequest, ProviderError, ToolCall, ToolChoice, ToolSpec, verbatim,
};

#[derive(Serialize)]
struct ResponsesBody<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instructions: &'a str,
    input: Vec<InputItem<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<FunctionTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ReasoningOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    include: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<String>,
    /// Never left out: by default OpenAI keeps the conversation for later retrieval.
    store: bool,
    stream: bool,
}

#[derive(Serialize)]
struct ReasoningOptions {
    effort: &'static str,
}

#[derive(Serialize)]
struct FunctionTool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: &'a Value,
    /// Never left out: by default all properties become required, optional ones included.
    strict: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum InputItem<'a> {
    Message {
        role: &'static str,
        content: &'a str,
    },
    Call {
        #[serde(rename = "type")]
        kind: &'static str,
        call_id: Cow<'a, str>,
        name: Cow<'a, str>,
        /// JSON in a string.
        arguments: Cow<'a, str>,
    },
    Output {
        #[serde(rename = "type")]
        kind: &'static str,
        call_id: Cow<'a, str>,
        output: Cow<'a, str>,
    },
    /// An item as the API wrote it.
    Verbatim(&'a RawValue),
}

/// Writes the body of `request`.
pub fn write(request: &ModelRequest, dialect: ModelDialect) -> Result<Vec<u8>, ProviderError> {
    let tools = if dialect.tools { request.tools.as_slice() } else { &[] };
    let forbidden = request.tool_choice == ToolChoice::None && !tools.is_empty();
    let include: &[&str] = match dialect.thinks() && dialect.include {
        true => &["reasoning.encrypted_content"],
        false => &[],
    };
    let body = ResponsesBody {
        model: &request.model,
        instructions: &request.system,
        input: request.entries.iter().flat_map(|it| items(it, &request.model, dialect)).collect(),
        tools: tools.iter().map(function_tool).collect(),
        tool_choice: forbidden.then_some("none"),
        max_output_tokens: (dialect.limit != LimitName::Unlimited)
            .then(|| dialect.answer_limit(request)),
        reasoning: dialect.effort.map(|effort| ReasoningOptions { effort: effort.as_str() }),
        temperature: request.temperature.filter(|_| dialect.has_temperature()),
        include,
        prompt_cache_key: dialect.cache_key.then(|| cache_key(&request.system)),
        store: false,
        stream: true,
    };
    serde_json::to_vec(&body).map_err(|e| ProviderError::new(Fault::Rejected, e.to_string()))
}

fn items<'a>(entry: &'a Entry, model: &str, dialect: ModelDialect) -> Vec<InputItem<'a>> {
    match entry {
        Entry::User(text) => vec![InputItem::Message { role: "user", content: text }],
        Entry::Assistant { text, calls, verbatim } => {
            let verbatim =
                verbatim.as_ref().filter(|it| may_carry(dialect) && it.is_by(API, model));
            if let Some(items) = verbatim.and_then(|it| verbatim::items(it, "function_call", calls))
            {
                return items.into_iter().map(InputItem::Verbatim).collect();
            }
            let message = InputItem::Message { role: "assistant", content: text };
            let message = (!text.is_empty()).then_some(message);
            message.into_iter().chain(calls.iter().map(function_call)).collect()
        }
        Entry::ToolResults(results) => {
            let output = results.iter().map(|result| InputItem::Output {
                kind: "function_call_output",
                call_id: plain_name(&result.call_id),
                output: result_text(result),
            });
            output.collect()
        }
    }
}

/// Whether thoughts may be sent back. A model that was asked not to think has none.
fn may_carry(dialect: ModelDialect) -> bool {
    dialect.include && dialect.effort != Some(Effort::None)
}

/// A call without the API's own id (`fc_…`), which it accepts only beside the thoughts that led to it.
fn function_call(call: &ToolCall) -> InputItem<'_> {
    InputItem::Call {
        kind: "function_call",
        call_id: plain_name(&call.id),
        name: plain_name(&call.name),
        arguments: Cow::Owned(input(call).get().to_owned()),
    }
}

fn function_tool(tool: &ToolSpec) -> FunctionTool<'_> {
    FunctionTool {
        kind: "function",
        name: tool.name,
        description: &tool.description,
        parameters: &tool.parameters,
        strict: false,
    }
}

/// What steers prompts that begin alike to the same cache: a hash of the system text up to its first
/// block, that is, of the part that is the same for all of a bot's sessions.
fn cache_key(system: &str) -> String {
    let stable = system.split_once("\n<untrusted name=").map_or(system, |(stable, _)| stable);
    let hash = Sha256::digest(stable.as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
