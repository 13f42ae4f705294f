//! Messages of a conversation.

use serde::{Deserialize, Serialize};

use super::{ProviderKind, Timestamp};

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
}

/// A message before the store has given it its place.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who wrote it.
    pub role: Role,
    /// Its text, Markdown for an answer.
    pub content: String,
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
}

impl NewMessage {
    /// A question, unanswered as yet.
    pub fn question(content: String, timestamp: Timestamp) -> Self {
        Self {
            role: Role::User,
            content,
            timestamp,
            status: Status::Unanswered,
            provider: None,
            model: None,
            usage: None,
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
