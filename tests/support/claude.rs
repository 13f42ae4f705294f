//! Anthropic's Messages API: a model that enforces the API's rules, and its answers.

use serde_json::{Value, json};

use super::model::{Call, Model, Script, claude_calls_after};

/// What a model accepts.
#[derive(Clone, Copy, Debug)]
pub struct ClaudeRules {
    /// The values of `thinking.type` that it knows.
    pub thinking: &'static [&'static str],
    /// Whether it knows `output_config` and refuses `temperature`.
    pub is_new: bool,
    /// The signature of its thoughts, if it thinks with what was sent.
    pub signature: Option<&'static str>,
}

/// Thinks unless it is told not to.
pub const HAIKU: ClaudeRules =
    ClaudeRules { thinking: &["disabled", "adaptive"], is_new: true, signature: None };

/// Thinks at least between tools.
pub const SONNET: ClaudeRules =
    ClaudeRules { thinking: &["between_tools", "adaptive"], is_new: true, signature: Some("c2ln") };

/// Always thinks.
pub const OPUS: ClaudeRules =
    ClaudeRules { thinking: &["adaptive"], is_new: true, signature: Some("c2ln") };

/// Does not think, and knows nothing of it.
pub const OLD_HAIKU: ClaudeRules = ClaudeRules { thinking: &[], is_new: false, signature: None };

/// A model that accepts only what its rules allow, and otherwise plays `scripts`.
pub async fn strict_claude(rules: ClaudeRules, scripts: impl IntoIterator<Item = Script>) -> Model {
    let refuse = move |call: &Call| {
        let message = rules.violation(&call.body)?;
        let error = json!({"type": "error",
            "error": {"type": "invalid_request_error", "message": message}});
        Some(Script::Status(400, &[], error.to_string()))
    };
    Model::start_checked(refuse, scripts).await
}

impl ClaudeRules {
    /// What the API would object to.
    pub fn violation(self, body: &Value) -> Option<String> {
        if let Some(kind) = body["thinking"]["type"].as_str() {
            if self.thinking.is_empty() {
                return Some("thinking: Extra inputs are not permitted".to_owned());
            }
            if !self.thinking.contains(&kind) {
                let known = self.thinking.join("`, `");
                return Some(format!(
                    "\"thinking.type.{kind}\" is not supported for this model. Use `{known}`."
                ));
            }
        }
        if !self.is_new && body.get("output_config").is_some() {
            return Some("This model does not support the effort parameter.".to_owned());
        }
        if self.is_new && body.get("temperature").is_some() {
            return Some("`temperature` is deprecated for this model.".to_owned());
        }
        if body["tool_choice"]["type"].as_str().is_some_and(|kind| kind != "none") {
            return Some("tool_choice: not supported for this model".to_owned());
        }
        let messages = body["messages"].as_array()?;
        if messages.last()?["role"] != "user" {
            return Some("This model does not support prefilling.".to_owned());
        }
        messages.iter().find_map(|message| self.unsigned(message))
    }

    /// Calls without the thoughts that came before them, or with changed ones.
    fn unsigned(self, message: &Value) -> Option<String> {
        let blocks = message["content"].as_array()?;
        let of = |kind| blocks.iter().filter(move |block| block["type"] == kind);
        let signature = self.signature?;
        of("tool_use").next()?;
        let Some(thought) = of("thinking").next() else {
            return Some("A tool call must follow the thinking block it came with.".to_owned());
        };
        let is_whole = thought["signature"] == signature && thought["thinking"] == "";
        (!is_whole || blocks[0]["type"] != "thinking")
            .then(|| "The thinking block was changed.".to_owned())
    }
}

/// An answer that calls `query_data` with these ids and arguments, after a thought if the model
/// thinks.
pub fn claude_thinks_and_calls(signature: Option<&str>, calls: &[(&str, Value)]) -> Script {
    let thought = signature.map(|signature| {
        let start = json!({"type": "thinking", "thinking": "", "signature": ""});
        let (left, right) = signature.split_at(signature.len() / 2);
        let delta = |part: &str| json!({"type": "signature_delta", "signature": part});
        (start, vec![delta(left), delta(right)])
    });
    claude_calls_after(thought, calls)
}
