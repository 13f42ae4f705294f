//! The content of an answer as the API wrote it.
//!
//! Thinking blocks and their signatures must come back whole and in place with the results of the
//! tool calls that follow them, or the API refuses the conversation.
//! Source: Anthropic's documentation, "Extended thinking with tool use".

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::API;
use crate::provider::Verbatim;
use crate::provider::transport::halves;
use crate::provider::verbatim::MAX_VERBATIM;

/// The blocks of an answer, in the order in which they began.
#[derive(Debug, Default)]
pub struct AnswerContent {
    blocks: Vec<Block>,
    size: usize,
    /// A block is a thought.
    pub has_thoughts: bool,
    /// A part was too long or cannot be understood.
    is_lost: bool,
}

#[derive(Debug)]
struct Block {
    index: Option<u32>,
    fields: Map<String, Value>,
    /// The input of a tool, as far as it has arrived.
    input: String,
}

/// A piece of a block.
#[derive(Clone, Copy, Debug)]
pub enum BlockPiece<'a> {
    /// More of the block's field of this name, which is text.
    Text(&'static str, &'a str),
    /// More of a tool's input.
    Input(&'a str),
}

impl AnswerContent {
    /// A block has begun, or is there whole.
    pub fn start(&mut self, index: Option<u32>, block: &RawValue) {
        let Some(fields) =
            self.measured(block.get().len(), || serde_json::from_str(block.get()).ok())
        else {
            return;
        };
        self.blocks.push(Block { index, fields, input: String::new() });
        self.has_thoughts |= self.blocks.last().is_some_and(Block::is_thought);
    }

    /// A block goes on.
    pub fn extend(&mut self, index: Option<u32>, piece: BlockPiece<'_>) {
        let (BlockPiece::Text(_, text) | BlockPiece::Input(text)) = piece;
        if self.measured(text.len(), || Some(())).is_none() {
            return;
        }
        let Some(block) = self.blocks.iter_mut().rfind(|block| block.index == index) else {
            return self.lose();
        };
        match piece {
            BlockPiece::Input(text) => halves::append(&mut block.input, text),
            BlockPiece::Text(name, text) => match block.fields.get_mut(name) {
                Some(Value::String(before)) => halves::append(before, text),
                _ => {
                    block.fields.insert(name.to_owned(), Value::from(text));
                }
            },
        }
    }

    /// A block goes on in a way that we do not understand, so it could not be sent back unchanged.
    pub fn lose(&mut self) {
        self.is_lost = true;
        self.blocks.clear();
    }

    fn measured<T>(&mut self, size: usize, read: impl FnOnce() -> Option<T>) -> Option<T> {
        self.size = self.size.saturating_add(size);
        if self.size > MAX_VERBATIM {
            self.lose();
        }
        if self.is_lost {
            return None;
        }
        let value = read();
        if value.is_none() {
            self.lose();
        }
        value
    }

    /// The message, if it contains thoughts and is complete. The input of a tool that is not an object
    /// could not be sent back.
    pub fn verbatim(&mut self, model: &str) -> Option<Verbatim> {
        if self.is_lost || !self.has_thoughts {
            return None;
        }
        let blocks = std::mem::take(&mut self.blocks).into_iter();
        let items = blocks.filter(|block| !block.is_blank()).map(Block::finish);
        Some(Verbatim {
            api: API,
            model: model.to_owned(),
            items: items.collect::<Option<Vec<String>>>()?,
        })
    }
}

impl Block {
    fn kind(&self) -> &str {
        self.fields.get("type").and_then(Value::as_str).unwrap_or("")
    }

    fn is_thought(&self) -> bool {
        matches!(self.kind(), "thinking" | "redacted_thinking")
    }

    /// Whether it is text without a word, which the API refuses to take back.
    fn is_blank(&self) -> bool {
        let text = self.fields.get("text").and_then(Value::as_str).unwrap_or("");
        self.kind() == "text" && text.trim().is_empty()
    }

    fn finish(mut self) -> Option<String> {
        if !self.input.is_empty() {
            halves::settle_escapes(&mut self.input);
            let input = halves::settle(Cow::Borrowed(&self.input));
            let input: Map<String, Value> = serde_json::from_str(&input).ok()?;
            self.fields.insert("input".to_owned(), Value::Object(input));
        }
        for value in self.fields.values_mut() {
            if let Value::String(text) = value {
                *text = halves::settle(Cow::Borrowed(text)).into_owned();
            }
        }
        serde_json::to_string(&self.fields).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn thought(content: &mut AnswerContent) {
        content.start(Some(0), &raw(r#"{"type":"thinking","thinking":"","signature":""}"#));
        content.extend(Some(0), BlockPiece::Text("thinking", "Hm"));
        content.extend(Some(0), BlockPiece::Text("thinking", "m."));
        content.extend(Some(0), BlockPiece::Text("signature", "c2ln"));
    }

    fn tool(content: &mut AnswerContent, input: &str) {
        content.start(Some(2), &raw(r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#));
        content.extend(Some(2), BlockPiece::Input(input));
    }

    #[test]
    fn a_message_with_thoughts_is_assembled_in_its_order() {
        let mut content = AnswerContent::default();
        thought(&mut content);
        content.start(Some(1), &raw(r#"{"type":"text","text":"","new_field":1}"#));
        content.extend(Some(1), BlockPiece::Text("text", "Let me look."));
        tool(&mut content, r#"{"sql":"SELECT 1.50"}"#);
        let verbatim = content.verbatim("m").unwrap();
        assert_eq!((verbatim.api, verbatim.model.as_str()), (API, "m"));
        assert_eq!(
            verbatim.items,
            [
                r#"{"type":"thinking","thinking":"Hmm.","signature":"c2ln"}"#,
                r#"{"type":"text","text":"Let me look.","new_field":1}"#,
                r#"{"type":"tool_use","id":"t","name":"f","input":{"sql":"SELECT 1.50"}}"#,
            ]
        );
    }

    #[test]
    fn halves_of_characters_are_joined() {
        let mut content = AnswerContent::default();
        thought(&mut content);
        tool(&mut content, r#"{"sql":"SELECT '\ud83d"#);
        content.extend(Some(2), BlockPiece::Input(r#"\ude00 \ud83d'"}"#));
        let items = content.verbatim("m").unwrap().items;
        assert!(items[1].ends_with("\"input\":{\"sql\":\"SELECT '😀 \u{fffd}'\"}}"), "{items:?}");
    }

    #[test]
    fn redacted_thoughts_count_and_blank_texts_are_left_out() {
        let mut content = AnswerContent::default();
        content.start(None, &raw(r#"{"type":"redacted_thinking","data":"eA=="}"#));
        content.start(None, &raw(r#"{"type":"text","text":" "}"#));
        let items = content.verbatim("m").unwrap().items;
        assert_eq!(items, [r#"{"type":"redacted_thinking","data":"eA=="}"#]);
    }

    #[test]
    fn what_cannot_be_sent_back_is_not_kept() {
        let mut plain = AnswerContent::default();
        tool(&mut plain, "{}");
        assert_eq!(plain.verbatim("m"), None, "no thoughts");
        let mut broken = AnswerContent::default();
        thought(&mut broken);
        tool(&mut broken, "{\"sql\": \"SEL");
        assert_eq!(broken.verbatim("m"), None, "broken input");
        let mut astray = AnswerContent::default();
        thought(&mut astray);
        astray.extend(Some(7), BlockPiece::Text("text", "x"));
        assert_eq!(astray.verbatim("m"), None, "a piece of no block");
    }

    #[test]
    fn memory_is_bounded() {
        let mut content = AnswerContent::default();
        thought(&mut content);
        let size = MAX_VERBATIM - content.size;
        content.extend(Some(0), BlockPiece::Text("thinking", &"x".repeat(size)));
        assert!(content.verbatim("m").is_some());
        let mut content = AnswerContent::default();
        thought(&mut content);
        for _ in 0..4 {
            content.extend(Some(0), BlockPiece::Text("thinking", &"x".repeat(size / 2)));
        }
        assert!(content.blocks.is_empty());
        assert_eq!(content.verbatim("m"), None);
    }
}
