//! The policy of model calls: what is retried, which provider is asked instead, and when to give up.
//!
//! It stands between the use cases and the providers. Before the first word (or tool call) of an
//! answer it follows the table of provider faults: retry with a backoff, leave out a parameter that
//! the model refuses, shorten a prompt that is too long, then ask the fallback. After the first word
//! nothing can be taken back, so failures are passed on as [`Fault::Interrupted`]; a caller that has
//! not shown anything to the visitor yet may ask [once more](ModelCalls::once_more).
//!
//! Each failed attempt is logged here, once, without bodies and keys.

mod breaker;
mod health;
mod quotes;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::parameter::Parameter;
use super::{EventStream, Fault, Finish, ModelEvent, ModelRequest, Provider, ProviderError};
use crate::domain::ProviderKind;
use health::Monitored;
use quotes::quotes_visitor;
pub use rules::Backoff;
use rules::rule;

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct PolicySettings {
    /// How long to wait before retries.
    pub backoff: Backoff,
    /// Latest start of a retry, counted from the first attempt of a call. It leaves room for two
    /// timeouts of the first word (30 s each), but a model that has thought in vain for 90 s is not
    /// asked again.
    pub last_start: Duration,
    /// Latest start of the fallback, counted in the same way: right after such a model.
    pub last_fallback: Duration,
    /// How long a model must have thought without a word before the caller is told.
    pub thinking_pause: Duration,
    /// Shortens a prompt that the model found too long. Returns whether it could.
    pub trim: fn(&mut ModelRequest) -> bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            last_start: Duration::from_secs(75),
            last_fallback: Duration::from_secs(95),
            thinking_pause: Duration::from_secs(1),
            trim: ModelRequest::drop_older_half,
        }
    }
}

/// The providers and their recent failures.
pub struct Policy {
    providers: Vec<Arc<Monitored>>,
    fallback: Option<ProviderKind>,
    settings: PolicySettings,
}

impl Policy {
    /// A policy for `providers`; the one of the kind `fallback` is asked when another one is in
    /// trouble.
    pub fn new(
        providers: &[Arc<dyn Provider>],
        fallback: Option<ProviderKind>,
        settings: PolicySettings,
    ) -> Self {
        let monitored = |provider| Monitored::new(Arc::clone(provider));
        Self { providers: providers.iter().map(monitored).collect(), fallback, settings }
    }

    /// The calls of one turn, starting with the provider `first`.
    pub fn calls_from(&self, first: &Arc<dyn Provider>) -> ModelCalls {
        let find = |kind| self.providers.iter().find(|one| one.provider.kind() == kind).cloned();
        let fallback = self.fallback.filter(|&kind| kind != first.kind()).and_then(find);
        ModelCalls {
            current: find(first.kind()).unwrap_or_else(|| Monitored::new(Arc::clone(first))),
            fallback,
            settings: self.settings,
            started: Instant::now(),
            waited: Duration::ZERO,
            spoke_before: false,
            has_spoken: false,
            has_repeated: false,
            on_thinking: None,
        }
    }
}

/// Is called when a model thinks.
type ThinkingCallback = Box<dyn Fn() + Send + Sync>;

/// The calls of one turn: the first one, and one after each round of tool results. They share the
/// time that may be spent waiting, and stay with the provider that has answered.
pub struct ModelCalls {
    current: Arc<Monitored>,
    fallback: Option<Arc<Monitored>>,
    settings: PolicySettings,
    /// When the last call began.
    started: Instant,
    /// The time spent waiting.
    waited: Duration,
    /// The answer had words before the last call.
    spoke_before: bool,
    /// The answer has words, which another provider must not continue.
    has_spoken: bool,
    has_repeated: bool,
    on_thinking: Option<ThinkingCallback>,
}

/// What has been tried for a call with one provider.
#[derive(Default)]
struct Tried {
    attempts: u32,
    retries: u32,
    refused: Vec<Parameter>,
    trimmed: bool,
}

/// What to do about a failed attempt.
enum Next {
    /// Call again at once: the request has changed.
    Mended,
    /// Call again after this time.
    Retry(Duration),
    GiveUp,
}

impl Next {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Mended => "mended",
            Self::Retry(_) => "retry",
            Self::GiveUp => "give up",
        }
    }
}

impl ModelCalls {
    /// The provider that was asked last; after a success, the one that answers.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.current.provider
    }

    /// Sets what is called when a model has thought for [a while](PolicySettings::thinking_pause) and
    /// has not said a word: at most once per attempt.
    #[must_use]
    pub fn on_thinking(self, callback: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_thinking: Some(Box::new(callback)), ..self }
    }

    /// Makes a call. `Ok` means that the first word or tool call (or the refusal to answer) has
    /// arrived; the stream contains it and everything before it. From then on nothing is retried,
    /// and a failure is the stream's last item.
    ///
    /// `request` is left in the form that was answered: with fewer entries if it was too long, and
    /// with the fallback's default model if the fallback answers. If the fallback fails too, the
    /// error is that of the first provider.
    pub async fn stream(
        &mut self,
        request: &mut ModelRequest,
    ) -> Result<EventStream, ProviderError> {
        self.started = Instant::now();
        self.spoke_before = self.has_spoken;
        let error = match self.attempts(request).await {
            Ok(events) => return Ok(events),
            Err(error) => error,
        };
        let is_late = self.started.elapsed() > self.settings.last_fallback;
        if !rule(&error).fall_back || self.has_spoken || is_late {
            return Err(error);
        }
        let Some(fallback) = self.fallback.take() else { return Err(error) };
        let first = std::mem::replace(&mut self.current, fallback);
        let model = self.provider().default_model().to_owned();
        let model = std::mem::replace(&mut request.model, model);
        request.forget_verbatim();
        tracing::info!(
            provider = %first.provider.kind(),
            provider.fault = ?error.fault,
            fallback = %self.provider().kind(),
            "asking the fallback"
        );
        match self.attempts(request).await {
            Ok(events) => Ok(events),
            Err(_) => {
                request.model = model;
                self.fallback = Some(std::mem::replace(&mut self.current, first));
                Err(error)
            }
        }
    }

    /// Whether to repeat the last call after its answer was interrupted by `error`: once per turn,
    /// and to be asked only if nobody has seen any of its words. Waits as before any retry. If it
    /// returns `true`, the caller must discard the interrupted answer.
    pub async fn once_more(&mut self, error: &ProviderError) -> bool {
        let wait = self.settings.backoff.wait(0, None);
        if error.fault != Fault::Interrupted || self.has_repeated || !self.has_time(wait) {
            return false;
        }
        self.has_repeated = true;
        self.has_spoken = self.spoke_before;
        self.waited += wait;
        tokio::time::sleep(wait).await;
        true
    }

    /// Asks one provider until it answers or retrying is pointless.
    async fn attempts(&mut self, request: &mut ModelRequest) -> Result<EventStream, ProviderError> {
        let mut tried = Tried::default();
        loop {
            let permit = self.current.admit(&request.model)?;
            let began = Instant::now();
            tried.attempts += 1;
            let error = match self.first_word(request.clone()).await {
                Ok((seen, rest)) => {
                    permit.succeed();
                    self.has_spoken |= matches!(seen.last(), Some(ModelEvent::Text(_)));
                    return Ok(self.watched(&request.model, seen, rest));
                }
                Err(error) if self.replaces_default(&error, request) => continue,
                Err(error) => self.current.attribute(&request.model, error),
            };
            let next = match permit.fail(&error) {
                true => Next::GiveUp,
                false => self.next(&error, request, &mut tried),
            };
            let wait = match next {
                Next::Retry(wait) => wait,
                _ => Duration::ZERO,
            };
            tracing::warn!(
                provider = %self.provider().kind(),
                provider.model = request.model,
                provider.fault = ?error.fault,
                provider.detail = error.detail,
                provider.request_id = error.request_id.as_deref().unwrap_or(""),
                attempt = tried.attempts,
                elapsed_ms = millis(began.elapsed()),
                wait_ms = millis(wait),
                next = next.as_str(),
                "a model call failed"
            );
            match next {
                Next::Mended => {}
                Next::Retry(wait) => tokio::time::sleep(wait).await,
                Next::GiveUp => return Err(error),
            }
        }
    }

    /// Calls the provider and reads up to what the visitor would see first. The first part of the
    /// result is what has been read.
    async fn first_word(
        &self,
        request: ModelRequest,
    ) -> Result<(Vec<ModelEvent>, EventStream), ProviderError> {
        let mut events = self.provider().stream(request).await?;
        let mut seen = Vec::new();
        // When to report that the model thinks.
        let mut report: Option<Instant> = None;
        let mut was_reported = false;
        loop {
            let event = match report.filter(|_| !was_reported) {
                Some(at) => match timeout_at(at, events.next()).await {
                    Ok(event) => event,
                    Err(_) => {
                        was_reported = true;
                        self.report_thinking();
                        continue;
                    }
                },
                None => events.next().await,
            };
            let Some(event) = event.transpose()? else { break };
            let has_begun = match event {
                ModelEvent::Text(_)
                | ModelEvent::ToolCall(_)
                | ModelEvent::Finished(Finish::Refused) => true,
                ModelEvent::Finished(_) => break,
                ModelEvent::Thinking => {
                    report.get_or_insert_with(|| Instant::now() + self.settings.thinking_pause);
                    false
                }
                ModelEvent::Started { .. }
                | ModelEvent::Usage(_)
                | ModelEvent::TakenBack
                | ModelEvent::Verbatim(_) => false,
            };
            seen.push(event);
            if has_begun {
                return Ok((seen, events));
            }
        }
        Err(ProviderError::new(Fault::Malformed, "the answer is empty"))
    }

    fn report_thinking(&self) {
        if let Some(callback) = &self.on_thinking {
            callback();
        }
    }

    /// If the API does not know a default model that the operator has not chosen, asks for the former
    /// default from now on.
    fn replaces_default(&self, error: &ProviderError, request: &mut ModelRequest) -> bool {
        if error.fault != Fault::UnknownModel || !self.provider().replace_default(&request.model) {
            return false;
        }
        let unknown =
            std::mem::replace(&mut request.model, self.provider().default_model().to_owned());
        request.forget_verbatim();
        tracing::warn!(
            provider = %self.provider().kind(),
            provider.model = unknown,
            provider.detail = error.detail,
            instead = request.model,
            "the default model is unknown to the provider; set the model to use"
        );
        true
    }

    /// Decides about `error` by the table, and changes `request` where that helps.
    fn next(
        &mut self,
        error: &ProviderError,
        request: &mut ModelRequest,
        tried: &mut Tried,
    ) -> Next {
        if let Some(refused) = error.refused
            && !tried.refused.contains(&refused.parameter)
            && !quotes_visitor(&error.detail, request)
            && self.provider().adapt(request, refused)
        {
            tried.refused.push(refused.parameter);
            return Next::Mended;
        }
        // A 413 is a limit in bytes, far above what our token budget lets through.
        if error.fault == Fault::TooLong && error.status != Some(413) && !tried.trimmed {
            tried.trimmed = true;
            if (self.settings.trim)(request) {
                return Next::Mended;
            }
        }
        let wait = self.settings.backoff.wait(tried.retries, error.retry_after);
        if tried.retries >= rule(error).retries || !self.has_time(wait) {
            return Next::GiveUp;
        }
        tried.retries += 1;
        self.waited += wait;
        Next::Retry(wait)
    }

    /// Whether another attempt may still start after `wait`.
    fn has_time(&self, wait: Duration) -> bool {
        self.waited.saturating_add(wait) <= self.settings.backoff.total
            && self.started.elapsed().saturating_add(wait) <= self.settings.last_start
    }

    /// The whole answer; if it is interrupted, the failure is logged.
    fn watched(&self, model: &str, seen: Vec<ModelEvent>, rest: EventStream) -> EventStream {
        let (kind, model) = (self.provider().kind(), model.to_owned());
        let events = stream::iter(seen.into_iter().map(Ok)).chain(rest);
        let events = events.inspect(move |event| {
            if let Err(error) = event {
                tracing::warn!(
                    provider = %kind,
                    provider.model = model,
                    provider.fault = ?error.fault,
                    provider.detail = error.detail,
                    provider.request_id = error.request_id.as_deref().unwrap_or(""),
                    "an answer was interrupted"
                );
            }
        });
        events.boxed()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
