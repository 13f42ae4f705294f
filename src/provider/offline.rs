//! A provider that needs no network: a pure function from a request to the events of its answer.

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::{EventStream, ModelEvent, ModelRequest, Provider, ProviderError};
use crate::domain::ProviderKind;

/// The offline provider.
#[derive(Debug)]
pub struct Offline {
    model: &'static str,
    answer: fn(&ModelRequest) -> Vec<ModelEvent>,
}

impl Offline {
    /// A provider of `model` whose answers are what `answer` returns.
    pub fn new(model: &'static str, answer: fn(&ModelRequest) -> Vec<ModelEvent>) -> Self {
        Self { model, answer }
    }
}

#[async_trait]
impl Provider for Offline {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Demo
    }

    fn default_model(&self) -> &str {
        self.model
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        Ok(stream::iter((self.answer)(&request).into_iter().map(Ok)).boxed())
    }
}
