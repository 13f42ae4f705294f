//! Tools: functions that a model may call while it answers.

use std::borrow::Cow;

use serde_json::{Value, json, value::RawValue};

/// A function that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name: letters, digits, `_` and `-`, at most 64 of them.
    pub name: &'static str,
    /// What it does and when to call it, for the model to read.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub parameters: Value,
}

/// Whether the model may call the tools of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// It decides for itself.
    #[default]
    Auto,
    /// It may not, though earlier turns show calls, for which the tools must still be named. Some
    /// compatible servers pass over this: be ready for a call all the same.
    None,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id; `call_0`, `call_1` … where it gives none.
    pub id: String,
    /// The tool's name as the model wrote it, perhaps of none that was offered.
    pub name: String,
    /// JSON as the model wrote it, perhaps broken; `{}` where it wrote nothing.
    pub arguments: String,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The [`ToolCall::id`] that this answers.
    pub call_id: String,
    /// What the model is to read: the result, or why there is none.
    pub content: String,
    /// The call has failed.
    pub is_error: bool,
}

impl ToolCall {
    /// The arguments as an object, to be shown to the model again. Anthropic's API takes nothing
    /// else, and some servers parse what OpenAI's takes as text; so what is no object goes into
    /// one, as Anthropic's documentation of fine-grained streaming advises.
    pub(super) fn input(&self) -> Cow<'_, RawValue> {
        let text = self.arguments.trim();
        let text = if text.is_empty() { "{}" } else { text };
        match serde_json::from_str::<&RawValue>(text) {
            Ok(object) if text.starts_with('{') => Cow::Borrowed(object),
            _ => {
                let wrapped = json!({"INVALID_JSON": self.arguments}).to_string();
                RawValue::from_string(wrapped)
                    .map_or_else(|_| Cow::Borrowed(RawValue::NULL), Cow::Owned)
            }
        }
    }
}

/// `text` as both APIs take it for an id or the name of a tool: up to 64 letters, digits, `_` and
/// `-`. A conversation may go on with another provider than the one that made the id, and models
/// make up names.
pub(super) fn plain_name(text: &str) -> Cow<'_, str> {
    const MAX: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !text.is_empty() && text.len() <= MAX && text.chars().all(fits) {
        return Cow::Borrowed(text);
    }
    let plain: String = text.chars().take(MAX).map(|c| if fits(c) { c } else { '_' }).collect();
    Cow::Owned(if plain.is_empty() { "_".to_owned() } else { plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_shown_again_as_an_object() {
        for (arguments, input) in [
            ("{\"sql\": \"a\", \"n\": 1.50}", "{\"sql\": \"a\", \"n\": 1.50}"),
            ("", "{}"),
            ("  {} ", "{}"),
            ("{\"sql\": \"a", "{\"INVALID_JSON\":\"{\\\"sql\\\": \\\"a\"}"),
            ("[1]", "{\"INVALID_JSON\":\"[1]\"}"),
            ("{} {}", "{\"INVALID_JSON\":\"{} {}\"}"),
        ] {
            let call = ToolCall {
                id: String::new(),
                name: String::new(),
                arguments: arguments.to_owned(),
            };
            assert_eq!(call.input().get(), input);
        }
    }

    #[test]
    fn names_that_no_api_takes_are_made_plain() {
        for (text, plain) in [
            ("query_data", "query_data"),
            ("functions.query_data:0", "functions_query_data_0"),
            ("größe", "gr__e"),
            ("", "_"),
        ] {
            assert_eq!(plain_name(text), plain);
        }
        assert_eq!(plain_name(&"x".repeat(70)).len(), 64);
    }
}
