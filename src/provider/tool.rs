//! Tool calls in the form in which the wire formats expect them back.

use std::borrow::Cow;

use serde_json::{json, value::RawValue};

use crate::domain::model::ToolCall;

/// Minimum length of an answer in which a model must be able to call a tool, in tokens.
pub(super) const CALL: u32 = 1_000;

/// A call's arguments as an object, to be sent back to the model. Anthropic's API accepts nothing
/// else, and some servers parse what is text in OpenAI's; so anything that is not an object is
/// wrapped in one, as Anthropic's documentation of fine-grained streaming advises.
pub(super) fn input(call: &ToolCall) -> Cow<'_, RawValue> {
    let text = call.arguments.trim();
    let text = if text.is_empty() { "{}" } else { text };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(object) if text.starts_with('{') => Cow::Borrowed(object),
        _ => {
            let wrapped = json!({"INVALID_JSON": call.arguments}).to_string();
            RawValue::from_string(wrapped)
                .map_or_else(|_| Cow::Borrowed(RawValue::NULL), Cow::Owned)
        }
    }
}

/// `text` in the form that both APIs accept as an id or as the name of a tool: up to 64 letters,
/// digits, `_` and `-`. A conversation may continue with another provider than the one that made
/// the id, and models make up names.
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
    fn arguments_are_sent_back_as_an_object() {
        for (arguments, expected) in [
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
            assert_eq!(input(&call).get(), expected);
        }
    }

    #[test]
    fn names_that_no_api_accepts_are_simplified() {
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
