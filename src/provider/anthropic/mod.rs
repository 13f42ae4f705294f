//! Anthropic's Messages API: `POST {base}/v1/messages`, streamed.
//!
//! Source: Anthropic's API reference, "Create a Message" and "Streaming messages".

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::parameter::Learned;
use super::transport::{ApiSettings, Endpoint, SetupError, Transport, secret_header};
use super::{DefaultModel, EventStream, ModelRequest, Provider, ProviderError, Refused};
use crate::domain::ProviderKind;
use continuation::{REQUEST_TO_GO_ON, continued};
use dialect::{MessagesDialect, has_results};
use reader::Messages;

mod body;
mod claude_name;
mod content;
mod continuation;
mod dialect;
mod events;
mod reader;

/// The public API.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The API's name in messages that are sent back to it as it wrote them.
const API: &str = "messages";

/// The version of the API that we use.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Claude.
#[derive(Debug)]
pub struct Anthropic {
    model: DefaultModel,
    endpoint: Arc<Endpoint>,
    transport: Transport,
    learned: Learned<MessagesDialect>,
}

impl Anthropic {
    /// A provider that calls `{base_url}/v1/messages`.
    pub fn new(settings: ApiSettings, transport: Transport) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("anthropic-version"), VERSION);
        if let Some(key) = &settings.key {
            headers.insert(HeaderName::from_static("x-api-key"), secret_header("", key)?);
        }
        let path = &["v1", "messages"];
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(&settings.base_url, path, headers, settings.key)?),
            model: DefaultModel::new(settings.model, settings.former_model),
            transport,
            learned: Learned::default(),
        })
    }
}

impl Anthropic {
    fn dialect(&self, model: &str) -> MessagesDialect {
        self.learned.of(model).unwrap_or_else(|| MessagesDialect::of(model))
    }
}

#[async_trait]
impl Provider for Anthropic {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Claude
    }

    fn default_model(&self) -> &str {
        self.model.name()
    }

    fn replace_default(&self, unknown: &str) -> bool {
        self.model.replace(unknown)
    }

    /// The tokenizer of Claude 4.7 and later needs about a quarter more tokens for the same text.
    fn estimated_budget(&self, tokens: usize) -> usize {
        tokens - tokens / 5
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        let dialect = self.dialect(&request.model);
        let body = body::write(&request, dialect)?;
        let answer = Messages::of(&request.model, dialect.may_think());
        let events = self.transport.call(&self.endpoint, body, answer).await?;
        if !has_results(&request) {
            return Ok(events);
        }
        let (transport, endpoint) = (self.transport.clone(), Arc::clone(&self.endpoint));
        Ok(continued(events, async move {
            let body = body::write_with(&request, dialect, Some(REQUEST_TO_GO_ON))?;
            let answer = Messages::of(&request.model, dialect.may_think());
            transport.call(&endpoint, body, answer).await
        }))
    }

    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let dialect = self.dialect(&request.model).without(refused, request);
        if let Some(dialect) = dialect {
            self.learned.remember(&request.model, dialect);
        }
        dialect.is_some()
    }
}

#[cfg(test)]
mod tests;
