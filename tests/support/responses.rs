//! OpenAI's Responses API: a model that enforces the API's rules, and its answers.

use serde_json::{Value, json};

use super::model::{Call, Model, Script, pieces};

/// What a model accepts.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The efforts that it knows.
    pub efforts: &'static [&'static str],
}

/// A model that can do without thoughts.
pub const LUNA: Rules = Rules { efforts: &["none", "low", "medium", "high", "xhigh", "max"] };

/// A model that always thinks.
pub const SOL: Rules = Rules { efforts: &["low", "medium", "high", "xhigh", "max"] };

/// A model that accepts only what its rules allow, and otherwise plays `scripts`.
pub async fn strict_model(rules: Rules, scripts: impl IntoIterator<Item = Script>) -> Model {
    let refuse = move |call: &Call| {
        let (param, message) = rules.violation(call)?;
        let error = json!({"message": message, "type": "invalid_request_error", "param": param,
            "code": "invalid_value"});
        Some(Script::Status(400, &[], json!({ "error": error }).to_string()))
    };
    Model::start_checked(refuse, scripts).await
}

/// The flags of a server that asks `model` over Responses.
pub fn flags<'a>(base: &'a str, model: &'a str) -> Vec<&'a str> {
    vec!["--openai-base-url", base, "--openai-api", "responses", "--openai-model", model]
}

impl Rules {
    /// The parameter that the API would object to, and its words.
    pub fn violation(self, call: &Call) -> Option<(&'static str, String)> {
        let body = &call.body;
        let no = |param: &'static str, message: &str| Some((param, message.to_owned()));
        if !call.head.starts_with("post /v1/responses ") {
            return no("", "Unknown path.");
        }
        if body["store"] != false || body["stream"] != true {
            return no("store", "This stand-in stores nothing and streams always.");
        }
        for name in ["messages", "max_tokens", "max_completion_tokens", "stream_options"] {
            if body.get(name).is_some() {
                return no("", &format!("Unknown parameter: '{name}'."));
            }
        }
        if body["max_output_tokens"].as_u64().is_none_or(|limit| limit < 16) {
            return no(
                "max_output_tokens",
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
            );
        }
        for tool in body["tools"].as_array().into_iter().flatten() {
            if tool["strict"] != false || !tool["name"].is_string() || tool["type"] != "function" {
                return no("tools[0]", "The tool is not a function, or strict by default.");
            }
        }
        let effort = body["reasoning"]["effort"].as_str().unwrap_or("medium");
        if !self.efforts.contains(&effort) {
            let known: Vec<String> = self.efforts.iter().map(|it| format!("'{it}'")).collect();
            let message = format!(
                "Unsupported value: '{effort}' is not supported with this model. Supported values \
                 are: {}.",
                known.join(", ")
            );
            return Some(("reasoning.effort", message));
        }
        let thinks = effort != "none";
        if thinks && body.get("temperature").is_some() {
            return no("temperature", "Unsupported parameter: 'temperature'.");
        }
        if thinks != body.get("include").is_some() {
            return no(
                "include",
                "Encrypted content is for models that think, and for all of them.",
            );
        }
        conversation(body["input"].as_array()?, thinks)
    }
}

/// What is wrong with the items of a conversation: each call has its result, and one that a model
/// has thought about follows its thought.
fn conversation(input: &[Value], thinks: bool) -> Option<(&'static str, String)> {
    let no = |message: &str| Some(("input", message.to_owned()));
    let mut thought = false;
    let mut open: Vec<&str> = Vec::new();
    for item in input {
        if item["role"] == "tool" || item.get("tool_calls").is_some() {
            return no("Tool messages belong to another API.");
        }
        match item["type"].as_str().unwrap_or("message") {
            "reasoning" if item["encrypted_content"].as_str().is_none_or(str::is_empty) => {
                return no("Item with id 'rs_1' not found.");
            }
            "reasoning" => thought = true,
            "function_call" => {
                let is_own = item["id"].as_str().is_some_and(|id| id.starts_with("fc_"));
                if is_own && !thought {
                    return no("A function_call was provided without its required reasoning item.");
                }
                if thinks && !thought {
                    return no("A thought was lost.");
                }
                open.push(item["call_id"].as_str()?);
            }
            "function_call_output" => {
                let Some(at) = open.iter().position(|id| item["call_id"] == **id) else {
                    return no("No tool call found for function call output.");
                };
                open.remove(at);
                thought = false;
            }
            "message" if item["content"].is_string() || item["content"].is_array() => {}
            _ => return no("Invalid item."),
        }
    }
    if open.is_empty() { None } else { no("No tool output found for function call.") }
}

fn response(status: &str, usage: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "status": status, "model": "gpt-served",
        "error": null, "incomplete_details": null, "output": [], "usage": usage})
}

fn play(events: Vec<Value>) -> Script {
    let created =
        json!({"type": "response.created", "response": response("in_progress", &Value::Null)});
    let usage = json!({"input_tokens": 20, "output_tokens": 12,
        "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 2}});
    let completed =
        json!({"type": "response.completed", "response": response("completed", &usage)});
    Script::Responses([vec![created], events, vec![completed]].concat())
}

fn done(index: usize, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

/// An answer, one word at a time.
pub fn says(text: &str) -> Script {
    let delta = |word: &str| {
        json!({"type": "response.output_text.delta", "output_index": 0,
        "content_index": 0, "delta": word, "obfuscation": "x"})
    };
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]});
    let words = text.split_inclusive(' ').map(delta);
    play(words.chain([done(0, &item)]).collect())
}

/// An answer that calls `query_data` with these ids and arguments, after a thought if the model
/// thinks.
pub fn calls(thought: Option<&str>, calls: &[(&str, Value)]) -> Script {
    let mut events = Vec::new();
    if let Some(thought) = thought {
        let item = json!({"type": "reasoning", "id": "rs_1", "summary": [],
            "encrypted_content": thought});
        events.push(json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"type": "reasoning", "id": "rs_1", "summary": []}}));
        events.push(json!({"type": "keepalive"}));
        events.push(done(0, &item));
    }
    for (index, (id, arguments)) in (1..).zip(calls) {
        let item = |arguments: &str, status: &str| {
            json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id,
                "name": "query_data", "arguments": arguments, "status": status})
        };
        let arguments = arguments.to_string();
        events.push(json!({"type": "response.output_item.added", "output_index": index,
            "item": item("", "in_progress")}));
        for piece in pieces(&arguments) {
            events.push(json!({"type": "response.function_call_arguments.delta",
                "output_index": index, "delta": piece}));
        }
        events.push(done(index, &item(&arguments, "completed")));
    }
    play(events)
}
