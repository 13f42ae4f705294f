//! Scripted providers in paused time: waits are exact.

mod fallback;
mod log;
mod rows;
mod thinking;
mod wire;

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::*;
use crate::provider::{Entry, Refused, ToolCall, ToolChoice, fault};

/// How a scripted provider reacts to a call.
#[derive(Clone)]
enum Script {
    /// Fails at once.
    Fail(ProviderError),
    /// Fails after this time.
    FailLate(Duration, ProviderError),
    /// Says this.
    Say(Vec<Result<ModelEvent, ProviderError>>),
    /// Says this, each event after a time.
    SayLate(Vec<(Duration, Result<ModelEvent, ProviderError>)>),
}

/// A provider that follows its script, and answers once that has ended.
struct Scripted {
    kind: ProviderKind,
    steps: Mutex<VecDeque<Script>>,
    /// Repeats the first step forever.
    is_stuck: bool,
    adapts: bool,
    began: Instant,
    /// When each call arrived, in milliseconds, and its request.
    calls: Mutex<Vec<(u64, ModelRequest)>>,
}

impl Scripted {
    fn new(kind: ProviderKind, steps: impl IntoIterator<Item = Script>) -> Arc<Self> {
        Self::build(kind, steps, false)
    }

    /// One that repeats `step` forever.
    fn stuck(kind: ProviderKind, step: Script) -> Arc<Self> {
        Self::build(kind, [step], true)
    }

    fn build(
        kind: ProviderKind,
        steps: impl IntoIterator<Item = Script>,
        is_stuck: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            kind,
            steps: Mutex::new(steps.into_iter().collect()),
            is_stuck,
            adapts: kind == ProviderKind::OpenAi,
            began: Instant::now(),
            calls: Mutex::default(),
        })
    }

    fn times(&self) -> Vec<u64> {
        self.calls.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    fn requests(&self) -> Vec<ModelRequest> {
        self.calls.lock().unwrap().iter().map(|(_, request)| request.clone()).collect()
    }
}

#[async_trait]
impl Provider for Scripted {
    fn kind(&self) -> ProviderKind {
        self.kind
    }

    fn default_model(&self) -> &str {
        self.kind.as_str()
    }

    async fn stream(&self, request: ModelRequest) -> Result<EventStream, ProviderError> {
        self.calls.lock().unwrap().push((millis(self.began.elapsed()), request));
        let step = {
            let mut steps = self.steps.lock().unwrap();
            if self.is_stuck { steps.front().cloned() } else { steps.pop_front() }
        };
        match step.unwrap_or_else(|| Script::Say(answer("Hi"))) {
            Script::Fail(error) => Err(error),
            Script::FailLate(after, error) => {
                tokio::time::sleep(after).await;
                Err(error)
            }
            Script::Say(events) => Ok(stream::iter(events).boxed()),
            Script::SayLate(events) => {
                let wait = async |(after, event)| {
                    tokio::time::sleep(after).await;
                    event
                };
                Ok(stream::iter(events).then(wait).boxed())
            }
        }
    }

    fn adapt(&self, _: &ModelRequest, _: Refused) -> bool {
        self.adapts
    }
}

fn answer(text: &str) -> Vec<Result<ModelEvent, ProviderError>> {
    vec![
        Ok(ModelEvent::Started { model: "served".to_owned() }),
        Ok(ModelEvent::Text(text.to_owned())),
        Ok(ModelEvent::Finished(Finish::Complete)),
    ]
}

fn tool_call() -> ModelEvent {
    let text = |text: &str| text.to_owned();
    ModelEvent::ToolCall(ToolCall { id: text("1"), name: text("f"), arguments: text("{}") })
}

/// The failure that a response with this status stands for.
fn refusal(status: u16, headers: &[(&str, &str)], body: &str) -> ProviderError {
    let pair = |(name, value): &(&str, &str)| {
        let name = HeaderName::try_from(*name).unwrap();
        (name, HeaderValue::try_from(*value).unwrap())
    };
    let headers: HeaderMap = headers.iter().map(pair).collect();
    fault::classify(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

fn overloaded() -> ProviderError {
    refusal(529, &[], "")
}

fn timeout() -> Script {
    Script::FailLate(
        Duration::from_secs(30),
        ProviderError::new(Fault::Timeout, "no answer in time"),
    )
}

/// Settings without randomness.
fn exact() -> PolicySettings {
    PolicySettings {
        backoff: Backoff { random: || 0.5, ..Backoff::default() },
        ..PolicySettings::default()
    }
}

fn request() -> ModelRequest {
    ModelRequest {
        model: "asked".to_owned(),
        system: "Be brief.".to_owned(),
        entries: vec![Entry::user("Hi"), Entry::assistant("Hello!"), Entry::user("1 + 1?")],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 10,
        temperature: Some(0.5),
    }
}

fn policy(providers: &[&Arc<Scripted>], fallback: Option<ProviderKind>) -> Policy {
    let providers: Vec<_> = providers.iter().map(|&provider| handle(provider)).collect();
    Policy::new(&providers, fallback, exact())
}

fn handle(provider: &Arc<Scripted>) -> Arc<dyn Provider> {
    Arc::clone(provider) as Arc<dyn Provider>
}

/// The outcome of a call: its events, and its failure.
async fn read(
    call: Result<EventStream, ProviderError>,
) -> (Vec<ModelEvent>, Option<ProviderError>) {
    let mut events = match call {
        Ok(events) => events,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => seen.push(event),
            Err(error) => return (seen, Some(error)),
        }
    }
    (seen, None)
}

fn text(events: &[ModelEvent]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        ModelEvent::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// One call in a turn of its own: the text, or the failure.
async fn ask(policy: &Policy, first: &Arc<Scripted>) -> Result<String, ProviderError> {
    ask_for(policy, first, "asked").await
}

/// The same with a certain model; the default one is called like the provider.
async fn ask_for(
    policy: &Policy,
    first: &Arc<Scripted>,
    model: &str,
) -> Result<String, ProviderError> {
    let mut request = ModelRequest { model: model.to_owned(), ..request() };
    let events = policy.calls_from(&handle(first)).stream(&mut request).await?;
    let (events, error) = read(Ok(events)).await;
    error.map_or_else(|| Ok(text(&events)), Err)
}
