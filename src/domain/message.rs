//! Messages of a conversation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Chart, ProviderKind, Timestamp};

/// A message's place in its session: grows by one, and is never reused, not even after the history
/// was cleared.
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
    /// A person of the site, in the bot's place.
    Agent,
    /// The server itself, such as the note that a person has joined.
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
    /// A question without an answer, so far or for good.
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

/// Tokens that an answer cost, as its provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read: instructions, context, history and question.
    pub input_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
    /// Those of the tokens read that the provider had in its cache, at a fraction of the price.
    pub cached_input_tokens: u32,
}

impl Usage {
    /// What two calls cost together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
        }
    }
}

/// A tool call that an answer was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRun {
    /// The tool's name.
    pub name: String,
    /// The call's arguments; empty if they could not be read.
    pub input: Map<String, Value>,
    /// What came of it.
    pub outcome: ToolOutcome,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
}

impl ToolRun {
    /// The statement that the call ran, if it is one that runs statements.
    pub fn sql(&self) -> Option<&str> {
        self.input.get("sql").and_then(Value::as_str)
    }
}

/// What came of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// Rows of a table.
    Rows {
        /// How many were returned.
        row_count: u64,
        /// How many the table has that they were computed from; absent in records of stores before
        /// schema 3.
        table_rows: Option<u64>,
    },
    /// The reason why the call failed, as the model was told it.
    Failed(String),
}

/// A message that the store has not given its id yet.
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
    /// What it cost (answers only).
    pub usage: Option<Usage>,
    /// The tools that were called for it, in order (answers only).
    pub tools: Vec<ToolRun>,
    /// The picture that goes with it (answers only).
    pub chart: Option<Chart>,
}

impl NewMessage {
    /// A visitor's question, unanswered so far.
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
    /// What it says.
    pub body: NewMessage,
}
