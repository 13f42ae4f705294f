//! Model providers behind one trait: what is asked, what streams back, what can go wrong.

pub mod anthropic;
pub mod demo;
pub mod fault;
pub mod openai;
pub mod parameter;
pub mod policy;
pub mod sse;
pub mod tool;
pub mod transport;

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

use crate::domain::{ProviderKind, Usage};
pub use fault::{Fault, ProviderError};
pub use parameter::Refused;
pub use tool::{Tool, ToolCall, ToolChoice, ToolResult};

/// One call of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The model's name as its provider knows it.
    pub model: String,
    /// System text: instructions and context.
    pub system: String,
    /// The conversation, oldest first; the last one is the question or the results of tools. Users
    /// and assistants alternate and the first is a user's: both APIs want it so. Calls are answered
    /// in the very next turn.
    pub turns: Vec<Turn>,
    /// What the model may call. Named as long as a turn holds calls, or Anthropic's API refuses it.
    pub tools: Vec<Tool>,
    /// Whether it may call them now.
    pub tool_choice: ToolChoice,
    /// The most tokens that the answer may have.
    pub max_tokens: u32,
    /// Randomness, 0 to 2; the provider's default when absent.
    pub temperature: Option<f64>,
}

/// One turn of the conversation in a [`Request`].
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The user's words.
    User(String),
    /// What the model has said.
    Assistant {
        /// Its words, empty if it only called tools.
        text: String,
        /// The tools that it called.
        calls: Vec<ToolCall>,
    },
    /// The results of all calls of the turn before, in their order.
    ToolResults(Vec<ToolResult>),
}

impl Turn {
    /// The user's words.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User(text.into())
    }

    /// The model's words, without calls.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant { text: text.into(), calls: Vec::new() }
    }
}

/// What a provider says while it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The model that serves the call, as the provider names it. At most once, before any text.
    Started {
        /// The model's name.
        model: String,
    },
    /// The next piece of the answer, never empty.
    Text(String),
    /// A call of a tool, complete. All of an answer's calls come right before its end, and only
    /// with [`Finish::ToolUse`]: those of an answer that broke off are never seen.
    ToolCall(ToolCall),
    /// Tokens counted so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The answer has ended; nothing follows.
    Finished(Finish),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model had said all.
    Complete,
    /// The length limit was reached.
    Length,
    /// The model has called tools and waits for their results. Text may have come before.
    ToolUse,
    /// The model declined, or a content filter stepped in.
    Refused,
}

/// Events of one answer. Ends after [`Event::Finished`] or after the first error.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<Event, ProviderError>> + Send>>;

/// Something that answers questions.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> ProviderKind;

    /// The name that visitors see.
    fn display_name(&self) -> &str;

    /// The model that is asked when a session names none.
    fn default_model(&self) -> &str;

    /// Starts an answer. `Ok` means that the provider has accepted the call and is answering.
    async fn stream(&self, request: Request) -> Result<EventStream, ProviderError>;

    /// Remembers what `request`'s model has refused. Answers whether calls of that model now do
    /// without it, and so whether `request` is worth another try.
    fn adapt(&self, request: &Request, refused: Refused) -> bool {
        let _ = (request, refused);
        false
    }
}
