//! Model providers behind one trait: what is asked, what streams back, what can go wrong.

pub mod anthropic;
pub mod fault;
pub mod offline;
pub mod openai;
pub mod parameter;
pub mod policy;
pub mod sse;
pub mod tool;
pub mod transport;

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

use crate::domain::ProviderKind;
pub use crate::domain::model::{
    Entry, Finish, ModelEvent, ModelRequest, ToolCall, ToolChoice, ToolResult, ToolSpec,
};
pub use fault::{Fault, ProviderError};
pub use parameter::Refused;

/// Events of one answer. Ends after [`ModelEvent::Finished`] or after the first error.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, ProviderError>> + Send>>;

/// Something that answers questions.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> ProviderKind;

    /// The model that is asked when a session names none.
    fn default_model(&self) -> &str;

    /// Starts an answer. `Ok` means that the provider has accepted the call and is answering.
    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError>;

    /// Remembers what `request`'s model has refused. Answers whether calls of that model now do
    /// without it, and so whether `request` is worth another try.
    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let _ = (request, refused);
        false
    }
}
