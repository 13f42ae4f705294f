//! Messages that go back to their API as it wrote them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tool::plain_name;
use super::{ToolCall, Verbatim};

/// Maximum size of a message that is kept to be sent back, in bytes. A longer one is sent back without
/// its thoughts, which the APIs accept at the cost of thinking again.
pub(super) const MAX_VERBATIM: usize = 1024 * 1024;

/// The fields by which a content block or an output item is recognised.
#[derive(Deserialize)]
struct ItemHead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    /// A call's id in the Responses API, which has an `id` of the item besides.
    #[serde(borrow)]
    call_id: Option<Cow<'a, str>>,
    /// Likewise in the Messages API.
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

/// The items of `message`, if those of type `call` are exactly `calls`, whose results follow.
pub(super) fn items<'a>(
    message: &'a Verbatim,
    call: &str,
    calls: &[ToolCall],
) -> Option<Vec<&'a RawValue>> {
    let mut ids = calls.iter().map(|call| call.id.as_str()).filter(|id| plain_name(id) == *id);
    let mut items = Vec::with_capacity(message.items.len());
    let mut called = 0;
    for item in &message.items {
        let head: ItemHead<'_> = serde_json::from_str(item).ok()?;
        if head.kind == call {
            called += 1;
            if head.call_id.or(head.id).as_deref() != Some(ids.next()?) {
                return None;
            }
        }
        items.push(serde_json::from_str(item).ok()?);
    }
    (called == calls.len()).then_some(items)
}
