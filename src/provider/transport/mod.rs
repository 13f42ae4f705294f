//! The way to a provider: one HTTP client for all calls, and the call itself with its time limits.
//!
//! A call is made once. Trying again and falling back are decided above, by the [`Fault`] of the
//! error and by whether any text has been seen.

pub mod client;
pub mod reader;
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

use super::{EventStream, Fault, Finish, ModelEvent, ProviderError, fault};
pub use client::Proxies;
use reader::{Mapper, Reader};

/// What a provider is made from.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The API's base address, `http` or `https`; a slash at its end does not matter.
    pub base_url: Url,
    /// The API key. Servers of one's own may need none.
    pub key: Option<SecretString>,
    /// The model that is asked when a session names none.
    pub model: String,
    /// The name that visitors see.
    pub display_name: String,
}

/// ApiSettings that no provider can be made from.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL is no address to call.
    #[error("the base URL must begin with http:// or https:// and name a host")]
    BaseUrl,
    /// The key holds characters that no header may carry.
    #[error("the API key contains characters that a key cannot have")]
    Key,
    /// A proxy address cannot be read. The address is left out: it may hold a password.
    #[error("{variable} is not the address of a proxy")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
    },
    /// The machine's TLS set-up does not work.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// How long a call may take. Only pieces of text, thought or tool calls count as tokens: a server
/// that sends nothing but pings is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// From the call to the first token, with the connection and the headers.
    pub first_token: Duration,
    /// From one token to the next.
    pub between_tokens: Duration,
    /// From the call to the end.
    pub whole: Duration,
    /// From the end of the text to the end mark, which some servers leave out without closing.
    pub end_mark: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(30),
            between_tokens: Duration::from_secs(30),
            whole: Duration::from_secs(120),
            end_mark: Duration::from_secs(2),
        }
    }
}

/// Where calls go, and what every one of them carries.
#[derive(Debug)]
pub struct Endpoint {
    url: Url,
    headers: HeaderMap,
    key: Option<SecretString>,
}

impl Endpoint {
    /// The endpoint at `path` under `base_url`. `headers` are added to those of any streamed call.
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
        Ok(Self { url, headers, key })
    }

    /// Takes our key out of what a server has said: some repeat it when they refuse it.
    fn conceal(&self, mut error: ProviderError) -> ProviderError {
        let Some(key) = self.key.as_ref().map(|key| key.expose_secret().trim()) else {
            return error;
        };
        // A shorter one is a word that a server of one's own is content with, such as `none`.
        if key.len() < 8 {
            return error;
        }
        if error.detail.chars().count() >= fault::MAX_DETAIL {
            // Cut, perhaps in the middle of the key.
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

/// A header value with a key in it, which no log shows.
pub fn secret_header(prefix: &str, key: &SecretString) -> Result<HeaderValue, SetupError> {
    let value = format!("{prefix}{}", key.expose_secret().trim());
    let mut value = HeaderValue::try_from(value).map_err(|_| SetupError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The most of an error's body that is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// How long an error's body may take, and the rest of a body after the end of its answer.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);
const DRAIN_WAIT: Duration = Duration::from_millis(100);

/// Makes calls. Clones share one client and its connections.
#[derive(Clone, Debug)]
pub struct Transport {
    client: reqwest::Client,
    limits: TimeLimits,
}

impl Transport {
    /// A transport with a client of its own.
    pub fn new(proxies: &Proxies, limits: TimeLimits) -> Result<Self, SetupError> {
        Ok(Self { client: client::build(proxies)?, limits })
    }

    /// Posts `body`, a JSON object, and reads the answer in `mapper`'s words. Answers when the
    /// headers of a success have come; what fails later is in the stream.
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
        let response = match timeout_at(later(started, self.limits.first_token), sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(endpoint.conceal(client::failure(error))),
            Err(_) => return Err(ProviderError::new(Fault::Timeout, "no answer in time")),
        };
        if !response.status().is_success() {
            return refusal(response).await.map_err(|error| endpoint.conceal(error));
        }
        let request_id = fault::request_id(response.headers());
        if is_html(&response) {
            let error = ProviderError::new(Fault::Malformed, "an HTML page in place of an answer");
            return Err(ProviderError { request_id, ..error });
        }
        let answer = AnswerStream {
            response,
            reader: Reader::new(mapper),
            endpoint: Arc::clone(endpoint),
            limits: self.limits,
            request_id,
            started,
            heard: started,
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

/// Reads a response without success. A content filter's refusal is an answer all the same.
async fn refusal(mut response: Response) -> Result<EventStream, ProviderError> {
    let mut body = Vec::new();
    let deadline = later(Instant::now(), ERROR_BODY_WAIT);
    while body.len() < MAX_ERROR_BODY {
        // What has come tells enough if the rest does not come.
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
    limits: TimeLimits,
    request_id: Option<String>,
    started: Instant,
    /// When the last token came, or since when the reader of our events has waited for one.
    heard: Instant,
    /// The body has been read to its end.
    at_end: bool,
}

impl<M: Mapper> AnswerStream<M> {
    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        self.heard = Instant::now();
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

    /// Reads the next piece of the body, if one comes in time.
    async fn read(&mut self) {
        let (deadline, late) = self.deadline();
        match timeout_at(deadline, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                let before = self.reader.tokens();
                self.reader.feed(&bytes);
                if self.reader.tokens() != before {
                    self.heard = Instant::now();
                }
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

    /// Until when the next piece must come, and what it means if it does not.
    fn deadline(&self) -> (Instant, &'static str) {
        let whole = (later(self.started, self.limits.whole), "the answer took too long");
        let next = if self.reader.is_closing() {
            (later(self.heard, self.limits.end_mark), "no end mark in time")
        } else if self.reader.tokens() > 0 {
            (later(self.heard, self.limits.between_tokens), "no next token in time")
        } else {
            (later(self.started, self.limits.first_token), "no first token in time")
        };
        if next.0 < whole.0 { next } else { whole }
    }

    /// Reads what follows the end of the answer, which is no more than the end of the body. A
    /// connection can be used again only when its last body has been read to the end.
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

/// `start` and `wait` later, or a day where a clock does not go so far.
fn later(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or_else(|| start + Duration::from_secs(24 * 60 * 60))
}

#[cfg(test)]
pub(super) mod tests;
