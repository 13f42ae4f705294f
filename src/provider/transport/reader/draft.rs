//! The answer while it is being read: what comes out of the pieces that a mapper finds.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::Usage;
use crate::domain::model::Verbatim;
use crate::provider::parameter::{Learned, Objection, Parameter, Refused};
use crate::provider::transport::halves;
use crate::provider::transport::thoughts::{Filtered, Habit, ThoughtFilter};
use crate::provider::transport::tool_calls::{Piece, ToolCallParts};
use crate::provider::transport::wire::MessageContent;
use crate::provider::{Fault, Finish, ModelEvent, ProviderError};

/// Maximum length of an answer's text, in bytes.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;

/// The answer as far as a [`Mapper`](super::Mapper) has read it.
#[derive(Debug, Default)]
pub struct AnswerDraft {
    ready: VecDeque<ModelEvent>,
    /// Separates the text from thoughts. It also holds back white space until the first word, so
    /// that an answer of white space alone can still be retried.
    filter: ThoughtFilter,
    /// The first half of a character at the end of the last piece.
    half: String,
    /// Bytes of text that have arrived.
    received: usize,
    /// Bytes of text that have been passed on.
    text_len: usize,
    /// The server's name of the model.
    served: Option<String>,
    habits: Arc<Learned<Habit>>,
    named: bool,
    calls: ToolCallParts,
    verbatim: Option<Verbatim>,
    is_thinking: bool,
    /// Thoughts have been seen, or counted by the server.
    has_thoughts: bool,
    earlier_calls: usize,
    words: u64,
    finished: bool,
}

impl AnswerDraft {
    /// An empty answer. Made-up ids of tool calls count on from `earlier_calls`.
    pub fn new(earlier_calls: usize, may_think: bool, habits: Arc<Learned<Habit>>) -> Self {
        let ready = may_think.then_some(ModelEvent::Thinking).into_iter().collect();
        Self { ready, is_thinking: may_think, earlier_calls, habits, ..Self::default() }
    }

    /// The name of the model that answers. Only the first one counts, and only before any text.
    /// Blank names and the paths of model files, as llama.cpp reports them, are ignored: the name
    /// that was asked for tells visitors more, and shows nothing of the server.
    pub fn model(&mut self, name: &str) {
        let name = name.trim();
        if self.served.is_none() && !name.is_empty() {
            let habit = self.habits.of(name).unwrap_or_else(|| Habit::of_unknown(name));
            self.filter.expect(habit);
            self.served = Some(name.to_owned());
        }
        let name = &*halves::settle(Cow::Borrowed(name));
        let is_usable = !name.is_empty() && !is_path(name);
        if !self.named && self.text_len == 0 && is_usable {
            self.named = true;
            self.ready.push_back(ModelEvent::Started { model: name.to_owned() });
        }
    }

    /// The next piece of text. Thoughts in it are left out.
    pub fn text(&mut self, text: Cow<'_, str>) -> Result<(), ProviderError> {
        if text.is_empty() {
            return Ok(());
        }
        self.received += text.len();
        if self.received > MAX_TEXT {
            return Err(ProviderError::new(Fault::Malformed, "the answer is endless"));
        }
        let mut whole = std::mem::take(&mut self.half);
        if whole.is_empty() {
            whole = text.into_owned();
        } else {
            halves::append(&mut whole, &text);
        }
        if let Some(at) = halves::pending(&whole) {
            self.half = whole.split_off(at);
        }
        let filtered = self.filter.push(&halves::settle(Cow::Owned(whole)));
        self.add(filtered);
        Ok(())
    }

    /// The next piece of a message's content, which may be a list of parts.
    pub fn content(&mut self, content: MessageContent<'_>) -> Result<(), ProviderError> {
        if content.has_thoughts {
            self.thinking();
        }
        self.text(content.text)
    }

    fn add(&mut self, filtered: Filtered) {
        if filtered.is_taken_back {
            self.take_back();
        }
        if filtered.is_thought {
            self.think();
        }
        if filtered.text.is_empty() {
            return;
        }
        self.words += 1;
        self.text_len += filtered.text.len();
        self.is_thinking = false;
        self.ready.push_back(ModelEvent::Text(filtered.text));
    }

    /// The text so far was thoughts.
    fn take_back(&mut self) {
        let unread = self.ready.iter().map(|event| match event {
            ModelEvent::Text(text) => text.len(),
            _ => 0,
        });
        let was_read = unread.sum::<usize>() < self.text_len;
        self.ready.retain(|event| !matches!(event, ModelEvent::Text(_)));
        if was_read {
            self.ready.push_back(ModelEvent::TakenBack);
        }
        self.text_len = 0;
    }

    /// A thought has begun or goes on, apart from the text.
    pub fn thinking(&mut self) {
        self.filter.has_parser();
        self.think();
    }

    fn think(&mut self) {
        self.has_thoughts = true;
        if !self.is_thinking {
            self.is_thinking = true;
            self.ready.push_back(ModelEvent::Thinking);
        }
    }

    /// The whole message in the API's own form, if it must be sent back with the results of its tool
    /// calls.
    pub fn verbatim(&mut self, message: Verbatim) {
        self.verbatim = Some(message);
    }

    /// Something that is neither text nor a thought, but of the same use: the model is not silent.
    pub fn token(&mut self) {
        self.words += 1;
    }

    /// The next piece of a tool call.
    pub fn call(&mut self, piece: Piece<'_>) -> Result<(), ProviderError> {
        self.words += 1;
        self.is_thinking = false;
        self.calls.add(piece)
    }

    /// Whether the call with this number has started.
    pub fn has_call(&self, index: u32) -> bool {
        self.calls.numbered(index).is_some()
    }

    /// Tokens counted so far.
    pub fn usage(&mut self, usage: Usage) {
        self.has_thoughts |= usage.reasoning_tokens > 0;
        self.ready.push_back(ModelEvent::Usage(usage));
    }

    /// The end of the answer; nothing after it is read. Whether the model expects results depends on
    /// whether it has made calls: some servers end such an answer like any other. The calls of a
    /// truncated answer may be truncated themselves, so they are left out.
    pub fn finish(&mut self, finish: Finish) -> Result<(), ProviderError> {
        if !std::mem::take(&mut self.half).is_empty() {
            let filtered = self.filter.push("\u{FFFD}");
            self.add(filtered);
        }
        let filtered = self.filter.end();
        self.add(filtered);
        if let Some(habit) = self.filter.habit() {
            self.habits.remember(self.served.as_deref().unwrap_or_default(), habit);
        }
        let calls = self.calls.take(self.earlier_calls);
        let finish = match finish {
            Finish::Complete | Finish::ToolUse if calls.is_empty() => Finish::Complete,
            Finish::Complete | Finish::ToolUse => Finish::ToolUse,
            cut => cut,
        };
        if self.text_len == 0 && !matches!(finish, Finish::Refused | Finish::ToolUse) {
            return Err(match finish {
                Finish::Length => self.cut_before_its_first_word(),
                _ => ProviderError::new(Fault::Malformed, "the answer is empty"),
            });
        }
        if finish == Finish::ToolUse {
            self.ready.extend(self.verbatim.take().map(ModelEvent::Verbatim));
            self.ready.extend(calls.into_iter().map(ModelEvent::ToolCall));
        }
        self.finished = true;
        self.ready.push_back(ModelEvent::Finished(finish));
        Ok(())
    }

    /// The failure of an answer that its length limit cut before the first word. The same call would
    /// be cut again, so it is worth repeating only with a higher limit: for thoughts, or for the call
    /// of a tool.
    fn cut_before_its_first_word(&self) -> ProviderError {
        let parameter = match self.has_thoughts {
            true => Parameter::ThinkingRoom,
            false => Parameter::MaxTokens,
        };
        ProviderError {
            refused: Some(Refused { parameter, objection: Objection::TooSmall(None) }),
            should_retry: Some(false),
            ..ProviderError::new(
                Fault::Malformed,
                "the length limit was reached before the first word",
            )
        }
    }

    pub(super) fn pop(&mut self) -> Option<ModelEvent> {
        self.ready.pop_front()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    pub(super) fn has_text(&self) -> bool {
        self.text_len > 0
    }

    pub(super) fn words(&self) -> u64 {
        self.words
    }

    pub(super) fn is_thinking(&self) -> bool {
        self.is_thinking
    }
}

/// Whether a model's name is the path of its file. Slashes alone prove nothing: many names start
/// with that of their maker.
fn is_path(name: &str) -> bool {
    name.contains('\\') || (name.contains('/') && name.to_ascii_lowercase().ends_with(".gguf"))
}
