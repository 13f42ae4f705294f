//! OpenAI's two APIs, Responses and Chat Completions, and the servers that speak them (Ollama, vLLM,
//! llama.cpp, LiteLLM, Azure).
//!
//! OpenAI's newer models offer everything only over Responses; other servers have had Chat
//! Completions for longer. So the address decides, unless `OPENAI_API` does, and a refusal that
//! points to the other API is followed once per model.

mod chat;
mod dialect;
mod entries;
mod host;
mod responses;
mod usage;

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, header};

use super::parameter::{Learned, Objection, Parameter};
use super::transport::{ApiSettings, Endpoint, SetupError, Transport, secret_header};
use super::{DefaultModel, EventStream, Fault, ModelRequest, Provider, ProviderError, Refused};
use crate::domain::{OpenAiApi, ProviderKind};
use chat::Completions;
use dialect::ModelDialect;
use host::{Api, Host};
use responses::ResponseReader;

/// The public API.
pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// GPT, or whatever a compatible server runs.
#[derive(Debug)]
pub struct OpenAi {
    model: DefaultModel,
    host: Host,
    choice: OpenAiApi,
    base_url: url::Url,
    chat: Arc<Endpoint>,
    responses: Arc<Endpoint>,
    transport: Transport,
    learned: Learned<ModelDialect>,
}

impl OpenAi {
    /// A provider that calls the API under `base_url`. A query in the base URL is kept, for Azure's
    /// `api-version`. Without a key, no `Authorization` is sent.
    pub fn new(settings: ApiSettings, transport: Transport) -> Result<Self, SetupError> {
        let host = Host::of(&settings.base_url);
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.key {
            match host {
                // All of Azure's endpoints accept the key in this header, the older ones only here.
                Host::Azure => {
                    headers.insert(HeaderName::from_static("api-key"), secret_header("", key)?)
                }
                _ => headers.insert(header::AUTHORIZATION, secret_header("Bearer ", key)?),
            };
        }
        let endpoint = |path: &[&str]| {
            Endpoint::new(&settings.base_url, path, headers.clone(), settings.key.clone())
                .map(Arc::new)
        };
        Ok(Self {
            chat: endpoint(&["chat", "completions"])?,
            responses: endpoint(&["responses"])?,
            model: DefaultModel::new(settings.model, settings.former_model),
            host,
            choice: OpenAiApi::Auto,
            base_url: settings.base_url,
            transport,
            learned: Learned::default(),
        })
    }

    /// The same provider over the API that the operator has chosen.
    pub fn over(self, choice: OpenAiApi) -> Self {
        Self { choice, ..self }
    }

    fn first_api(&self) -> Api {
        self.host.first_api(&self.base_url, self.choice)
    }

    fn dialect(&self, model: &str) -> ModelDialect {
        let known = self.learned.of(model);
        known.unwrap_or_else(|| ModelDialect::of(self.host, self.first_api(), model))
    }

    /// A failure of the Responses API, marked as a refusal if the server does not have that API.
    fn over_responses_failed(&self, error: ProviderError) -> ProviderError {
        let is_missing = match error.status {
            Some(status) => {
                matches!(status, 404 | 405 | 501)
                    && error.fault != Fault::UnknownModel
                    && error.refused.is_none()
            }
            // A page of HTML with status 200.
            None => error.fault == Fault::Malformed,
        };
        if self.choice != OpenAiApi::Auto || !is_missing {
            return error;
        }
        let refused = Refused { parameter: Parameter::Path, objection: Objection::NotTaken };
        ProviderError { fault: Fault::Rejected, refused: Some(refused), ..error }
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn default_model(&self) -> &str {
        self.model.name()
    }

    fn replace_default(&self, unknown: &str) -> bool {
        self.model.replace(unknown)
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        let dialect = self.dialect(&request.model);
        match dialect.api {
            Api::Chat => {
                let body = chat::body::write(&request, dialect)?;
                let reader = Completions::new(&request).expecting_thoughts(dialect.thinks());
                self.transport.call(&self.chat, body, reader).await
            }
            Api::Responses => {
                let body = responses::body::write(&request, dialect)?;
                let reader = ResponseReader::new(&request).expecting_thoughts(dialect.thinks());
                let events = self.transport.call(&self.responses, body, reader).await;
                events.map_err(|error| self.over_responses_failed(error))
            }
        }
    }

    fn adapt(&self, request: &ModelRequest, refused: Refused) -> bool {
        let model = &request.model;
        let before = self.dialect(model);
        let after = match refused.parameter {
            Parameter::Api => {
                before.over_responses(self.host, self.choice != OpenAiApi::Auto, model)
            }
            Parameter::Path => {
                let was_asked_for = self.first_api() == Api::Chat;
                Some(before.over_chat(self.host, was_asked_for, model))
            }
            _ => before.without(refused, self.host, request),
        };
        let Some(after) = after else { return false };
        if after.tools != before.tools {
            tracing::warn!(
                provider.model = model,
                "the model does not support tools; questions about files are answered from their \
                 profile alone"
            );
        }
        if after.api != before.api {
            tracing::info!(
                provider.model = model,
                provider.api = after.api.as_str(),
                "the model is asked over OpenAI's other API from now on"
            );
        }
        self.learned.remember(model, after);
        true
    }
}

#[cfg(test)]
mod tests;
