//! The connection to a provider: one HTTP client for all calls, and the call itself with its time
//! limits.
//!
//! A call is made once. The layer above decides about retries and the fallback, by the [`Fault`] of
//! the error and by whether any text has been seen.

pub mod client;
mod clocks;
pub mod halves;
pub mod reader;
mod thoughts;
pub mod tool_calls;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::parameter::Learned;
use super::{EventStream, Fault, Finish, ModelEvent, ProviderError, fault};
pub use client::Proxies;
pub use clocks::TimeLimits;
use clocks::{Clocks, later};
use reader::{Mapper, Reader};
use thoughts::Habit;

/// How to reach a provider's API.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The API's base URL, `http` or `https`, with or without a slash at its end.
    pub base_url: Url,
    /// The API key. Self-hosted servers may not need one.
    pub key: Option<SecretString>,
    /// The model that is used when a session does not choose one.
    pub model: String,
    /// The model to use instead if the API does not know `model`.
    pub former_model: Option<String>,
}

/// Why a provider cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL cannot be called.
    #[error("the base URL must begin with http:// or https:// and name a host")]
    BaseUrl,
    /// The key contains characters that are not allowed in a header.
    #[error("the API key contains characters that a key cannot have")]
    Key,
    /// A proxy address cannot be parsed. It is not shown, because it may contain a password.
    #[error("{variable} is not the address of a proxy")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
    },
    /// TLS does not work on this machine.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// The URL of the calls, and the headers that all of them carry.
#[derive(Debug)]
pub struct Endpoint {
    url: Url,
    headers: HeaderMap,
    key: Option<SecretString>,
    /// What the server's models do with their thoughts.
    habits: Arc<Learned<Habit>>,
}

impl Endpoint {
    /// The endpoint at `path` under `base_url`. `headers` are sent besides those of any streamed call.
    pub fn new(
        base_url: &Url,
        path: &[&str],
        mut headers: HeaderMap,
        key: Option<SecretString>,
    ) -> Result<Self, SetupError> {
        if !matches!(base_url.scheme(), "http" | "https") || !base_url.has_host() {
            return Err(SetupError::BaseUrl);
        }
        let mut url = base_url.clone();
        url.set_fragment(None);
        url.path_segments_mut().map_err(|()| SetupError::BaseUrl)?.pop_if_empty().extend(path);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self { url, headers, key, habits: Arc::default() })
    }

    /// Removes our key from what a server has said: some repeat it when they refuse it.
    fn conceal(&self, mut error: ProviderError) -> ProviderError {
        let Some(key) = self.key.as_ref().map(|key| key.expose_secret().trim()) else {
            return error;
        };
        // A shorter one is a placeholder for a self-hosted server, such as `none`.
        if key.len() < 8 {
            return error;
        }
        if error.detail.chars().count() >= fault::MAX_DETAIL {
            // It was cut, perhaps in the middle of the key.
            let mut parts = (1..key.len()).rev().filter_map(|len| key.get(..len));
            if let Some(part) = parts.find(|part| error.detail.ends_with(part)) {
                error.detail.truncate(error.detail.len() - part.len());
            }
        }
        if error.detail.contains(key) {
            error.detail = error.detail.replace(key, "***");
        }
        error
    }
}

/// A header value that contains a key, and that no log shows.
pub fn secret_header(prefix: &str, key: &SecretString) -> Result<HeaderValue, SetupError> {
    let value = format!("{prefix}{}", key.expose_secret().trim());
    let mut value = HeaderValue::try_from(value).map_err(|_| SetupError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Maximum part of an error's body that is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// How long we wait for an error's body.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);

/// How long we wait for the rest of a body after the end of its answer.
const DRAIN_WAIT: Duration = Duration::from_millis(100);

/// Makes calls. Clones share one client and its connections.
#[derive(Clone, Debug)]
pub struct Transport {
    client: reqwest::Client,
    limits: TimeLimits,
}

impl Transport {
    /// A transport with its own client.
    pub fn new(proxies: &Proxies, limits: TimeLimits) -> Result<Self, SetupError> {
        Ok(Self { client: client::build(proxies, limits.connect)?, limits })
    }

    /// Posts `body`, a JSON object, and reads the answer by means of `mapper`. Returns when the
    /// headers of a success have arrived; later failures are items of the stream.
    pub async fn call<M: Mapper + 'static>(
        &self,
        endpoint: &Arc<Endpoint>,
        body: Vec<u8>,
        mapper: M,
    ) -> Result<EventStream, ProviderError> {
        let started = Instant::now();
        let mut request = reqwest::Request::new(Method::POST, endpoint.url.clone());
        request.headers_mut().clone_from(&endpoint.headers);
        *request.body_mut() = Some(body.into());
        let sent = self.client.execute(request);
        let patience = match mapper.may_think() {
            true => self.limits.thought,
            false => self.limits.first_word.min(self.limits.silence),
        };
        let response = match timeout_at(later(started, patience), sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(endpoint.conceal(client::failure(error))),
            Err(_) => return Err(ProviderError::new(Fault::Timeout, "no answer in time")),
        };
        if !response.status().is_success() {
            return refusal(response).await.map_err(|error| endpoint.conceal(error));
        }
        let request_id = fault::request_id(response.headers());
        if is_html(&response) {
            let error = ProviderError::new(Fault::Malformed, "an HTML page instead of an answer");
            return Err(ProviderError { request_id, ..error });
        }
        let answer = AnswerStream {
            response,
            reader: Reader::new(mapper, Arc::clone(&endpoint.habits)),
            endpoint: Arc::clone(endpoint),
            request_id,
            clocks: Clocks::new(self.limits, started),
            at_end: false,
        };
        let events = stream::unfold(answer, |mut answer| async move {
            answer.next().await.map(|event| (event, answer))
        });
        Ok(events.boxed())
    }
}

fn is_html(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Reads an unsuccessful response. A content filter's refusal counts as an answer.
async fn refusal(mut response: Response) -> Result<EventStream, ProviderError> {
    let mut body = Vec::new();
    let deadline = later(Instant::now(), ERROR_BODY_WAIT);
    while body.len() < MAX_ERROR_BODY {
        // If the rest does not arrive, the first part tells enough.
        let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await else { break };
        body.extend_from_slice(&bytes[..bytes.len().min(MAX_ERROR_BODY - body.len())]);
    }
    if fault::is_content_filter(response.status(), &body) {
        return Ok(stream::iter([Ok(ModelEvent::Finished(Finish::Refused))]).boxed());
    }
    Err(fault::classify(response.status(), response.headers(), &body))
}

/// An answer that is being read.
struct AnswerStream<M> {
    response: Response,
    reader: Reader<M>,
    endpoint: Arc<Endpoint>,
    request_id: Option<String>,
    clocks: Clocks,
    /// The body has been read to its end.
    at_end: bool,
}

impl<M: Mapper> AnswerStream<M> {
    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        self.clocks.resume(Instant::now());
        loop {
            match self.reader.pop() {
                Some(Ok(event)) => {
                    if matches!(event, ModelEvent::Finished(_)) {
                        self.drain().await;
                    }
                    return Some(Ok(event));
                }
                Some(Err(error)) => {
                    let request_id = error.request_id.clone().or_else(|| self.request_id.take());
                    return Some(Err(self.endpoint.conceal(ProviderError { request_id, ..error })));
                }
                None if self.reader.is_done() => return None,
                None => self.read().await,
            }
        }
    }

    /// Reads the next piece of the body, if it arrives in time.
    async fn read(&mut self) {
        let (deadline, late) = self.clocks.deadline(&self.reader);
        match timeout_at(deadline, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                let before = self.reader.words();
                self.reader.feed(&bytes);
                self.clocks.hear(self.reader.words() != before, Instant::now());
            }
            Ok(Ok(None)) => {
                self.at_end = true;
                self.reader.end();
            }
            Ok(Err(error)) => {
                self.at_end = true;
                self.reader.fail(client::failure(error));
            }
            Err(_) => self.reader.fail(ProviderError::new(Fault::Timeout, late)),
        }
    }

    /// Reads what follows the end of the answer, normally just the end of the body. A connection can
    /// be reused only if its last body has been read to the end.
    async fn drain(&mut self) {
        let deadline = later(Instant::now(), DRAIN_WAIT);
        let mut rest = MAX_ERROR_BODY;
        while !self.at_end && rest > 0 {
            match timeout_at(deadline, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => rest = rest.saturating_sub(bytes.len().max(1)),
                _ => self.at_end = true,
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
