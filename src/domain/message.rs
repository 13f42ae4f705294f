//! Messages of a conversation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Chart, ProviderKind, Timestamp};

/// A message's position in its session. Ids grow by one and are never reused, not even after the
/// history has been cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The visitor.
    Visitor,
    /// A model, on the bot's behalf.
    Bot,
    /// A member of the site's staff, in place of the bot.
    Agent,
    /// The server itself, for notes such as that a person has joined.
    System,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Normally.
    #[default]
    Complete,
    /// The answer was interrupted.
    Incomplete,
    /// The visitor stopped the answer.
    Stopped,
    /// The answer reached its length limit.
    Truncated,
    /// The model declined to answer.
    Refused,
    /// A question without an answer, yet or for good.
    Unanswered,
}

impl Status {
    /// The word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Tokens used by an answer, as counted by its provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens: instructions, context, history and question.
    pub input_tokens: u32,
    /// Output tokens, thoughts included.
    pub output_tokens: u32,
    /// The part of the input tokens served from the provider's cache, at a fraction of the price.
    pub cached_input_tokens: u32,
    /// The part of the input tokens written to the provider's cache, at a surcharge.
    pub cache_write_tokens: u32,
    /// The part of the output tokens that the model spent on thoughts.
    pub reasoning_tokens: u32,
}

impl Usage {
    /// The sum of two usages.
    pub fn plus(self, other: Self) -> Self {
        let sum = |count: fn(Self) -> u32| count(self).saturating_add(count(other));
        Self {
            input_tokens: sum(|usage| usage.input_tokens),
            output_tokens: sum(|usage| usage.output_tokens),
            cached_input_tokens: sum(|usage| usage.cached_input_tokens),
            cache_write_tokens: sum(|usage| usage.cache_write_tokens),
            reasoning_tokens: sum(|usage| usage.reasoning_tokens),
        }
    }
}

/// A tool call made for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRun {
    /// The tool's name.
    pub name: String,
    /// The call's arguments; empty if they could not be read.
    pub input: Map<String, Value>,
    /// Its outcome.
    pub outcome: ToolOutcome,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
}

/// The outcome of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// Rows of a table.
    Rows {
        /// How many were returned.
        row_count: u64,
        /// How many rows the queried table has; absent in records older than schema 3.
        table_rows: Option<u64>,
    },
    /// The reason why the call failed, as reported to the model.
    Failed(String),
}

/// A message without an id, which the store assigns.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who wrote it.
    pub author: Author,
    /// The question that it answers (answers only).
    pub answers: Option<MessageId>,
    /// Its text, Markdown for an answer.
    pub content: String,
    /// The same as HTML that is safe to insert into a page (answers only).
    pub html: Option<String>,
    /// When it was written.
    pub timestamp: Timestamp,
    /// How it ended.
    pub status: Status,
    /// The provider that answered (answers only).
    pub provider: Option<ProviderKind>,
    /// The model as served (answers only).
    pub model: Option<String>,
    /// The tokens it used (answers only).
    pub usage: Option<Usage>,
    /// The tools that were called for it, in order (answers only).
    pub tools: Vec<ToolRun>,
    /// The chart that goes with it (answers only).
    pub chart: Option<Chart>,
}

impl NewMessage {
    /// A visitor's question, not answered yet.
    pub fn question(content: String, timestamp: Timestamp) -> Self {
        Self {
            author: Author::Visitor,
            answers: None,
            content,
            html: None,
            timestamp,
            status: Status::Unanswered,
            provider: None,
            model: None,
            usage: None,
            tools: Vec::new(),
            chart: None,
        }
    }
}

/// A stored message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its content.
    pub body: NewMessage,
}
