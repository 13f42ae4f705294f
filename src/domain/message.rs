//! Messages of a conversation.

use serde::{Deserialize, Serialize};

use super::{Chart, ProviderKind, Timestamp};

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The visitor.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The word for it on the wire, ours and the providers'.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// How a message ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should.
    #[default]
    Complete,
    /// The answer broke off.
    Incomplete,
    /// The visitor stopped the answer.
    Stopped,
    /// The answer reached its length limit.
    Truncated,
    /// The model declined to answer.
    Refused,
    /// A question that has got no answer, or not yet.
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
    /// Those of the tokens read that the provider had in its cache, which cost a fraction.
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

/// A call of a tool that an answer was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRun {
    /// The tool's name.
    pub name: String,
    /// The statement that it ran.
    pub sql: String,
    /// How many rows it gave; absent when it failed.
    pub row_count: Option<u64>,
    /// How many rows the table had that it ran over; absent when it failed, and in what
    /// stores before schema 3 have.
    #[serde(default)]
    pub table_rows: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
    /// Why it failed.
    pub error: Option<String>,
}

/// A message before the store has given it its place.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who wrote it.
    pub role: Role,
    /// Its text, Markdown for an answer.
    pub content: String,
    /// The same as HTML that is safe to insert into a page (answers only).
    pub html: Option<String>,
    /// When it was written.
    pub timestamp: Timestamp,
    /// How it ended.
    pub status: Status,
    /// Who answered (answers only).
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
    /// A question, unanswered as yet.
    pub fn question(content: String, timestamp: Timestamp) -> Self {
        Self {
            role: Role::User,
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
    /// Its place in the session; grows by one, and never comes again after a clear.
    pub seq: u64,
    /// What it says.
    pub body: NewMessage,
}
