//! Parts of a conversation that both APIs write alike.

use std::borrow::Cow;

use crate::provider::{Entry, ModelRequest, ToolResult};

/// The text of a result. Neither API has a field for a failure, so the text must say it.
pub fn result_text(result: &ToolResult) -> Cow<'_, str> {
    match result.is_error {
        true => Cow::Owned(format!("Error: {}", result.content)),
        false => Cow::Borrowed(&result.content),
    }
}

/// Number of tool calls in the conversation.
pub fn earlier_calls(request: &ModelRequest) -> usize {
    let calls = request.entries.iter().map(|entry| match entry {
        Entry::Assistant { calls, .. } => calls.len(),
        _ => 0,
    });
    calls.sum()
}
