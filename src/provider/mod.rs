//! Model providers behind one trait: requests, streamed answers, failures.

pub mod anthropic;
mod default_model;
pub mod fault;
pub mod offline;
pub mod openai;
pub mod parameter;
pub mod policy;
pub mod sse;
pub mod tool;
pub mod transport;
mod verbatim;

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

use crate::domain::ProviderKind;
pub use crate::domain::model::{
    Entry, Finish, ModelEvent, ModelRequest, ToolCall, ToolChoice, ToolResult, ToolSpec, Verbatim,
};
pub use default_model::DefaultModel;
pub use fault::{Fault, ProviderError};
pub use parameter::Refused;

/// The events of one answer. The stream ends after [`ModelEvent::Finished`] or after the first error.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, ProviderError>> + Send>>;

/// Something that answers questions.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which provider it is.
    fn kind(&self) -> ProviderKind;

    /// The model that is used when a session does not choose one.
    fn default_model(&self) -> &str;

    /// Replaces the default model by an earlier one because the API does not know it. Returns whether
    /// `unknown` was a default that the operator has not chosen, so that it could be replaced.
    fn replace_default(&self, unknown: &str) -> bool {
        let _ = unknown;
        false
    }

    /// The part of a prompt's budget of `tokens` that we may fill by our own estimate, which is made
    /// for OpenAI's tokenizer.
    fn estimated_budget(&self, tokens: usize) -> usize {
        tokens
    }

    /// Starts an answer. `Ok` means that the provider has accepted the call and is answering it.
    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError>;

    /// Remembers what the model of `request` has refused. Returns whether calls of that model now
    /// leave it out or change it, that is, whether `request` is worth another try.
    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let _ = (request, refused);
        false
    }
}
