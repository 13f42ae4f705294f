//! What a provider says in a turn, over one call or several.

use futures_util::StreamExt;

use crate::domain::{Chart, NewMessage, Role, Status, Timestamp, ToolRun, Usage};
use crate::provider::{Event, EventStream, Fault, Finish, Provider, ProviderError, ToolCall};

/// What a visitor reads when the model declined.
const REFUSAL: &str = "I'm sorry, I can't help with that.";

/// What has been said so far.
#[derive(Debug, Default)]
pub struct Gathered {
    text: String,
    model: Option<String>,
    usage: Option<Usage>,
    finish: Option<Finish>,
    error: Option<ProviderError>,
    /// The tools that have been called.
    pub tools: Vec<ToolRun>,
    /// The last picture that was drawn.
    pub chart: Option<Chart>,
}

/// What one call has brought.
#[derive(Debug, Default)]
pub struct Round {
    /// Its text.
    pub text: String,
    /// The tools that the model waits for; none when it has ended or failed.
    pub calls: Vec<ToolCall>,
}

impl Gathered {
    /// Takes in all that one call says.
    pub async fn round(&mut self, call: Result<EventStream, ProviderError>) -> Round {
        let before = self.usage.take();
        let mut round = Round::default();
        self.finish = None;
        match call {
            Ok(events) => self.gather(events, &mut round).await,
            Err(error) => self.error = Some(error),
        }
        self.usage = match (before, self.usage) {
            (Some(before), Some(now)) => Some(Usage {
                input_tokens: before.input_tokens.saturating_add(now.input_tokens),
                output_tokens: before.output_tokens.saturating_add(now.output_tokens),
            }),
            (before, now) => now.or(before),
        };
        if self.error.is_some() {
            round.calls.clear();
        }
        round
    }

    async fn gather(&mut self, mut events: EventStream, round: &mut Round) {
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Started { model }) => self.model = Some(model),
                Ok(Event::Text(text)) => {
                    // What was said before a tool was called is a paragraph of its own.
                    if round.text.is_empty() && !self.text.is_empty() {
                        self.text.push_str("\n\n");
                    }
                    self.text.push_str(&text);
                    round.text.push_str(&text);
                }
                Ok(Event::ToolCall(call)) => round.calls.push(call),
                Ok(Event::Usage(usage)) => self.usage = Some(usage),
                Ok(Event::Finished(finish)) => {
                    self.finish = Some(finish);
                    return;
                }
                Err(error) => {
                    self.error = Some(error);
                    return;
                }
            }
        }
    }

    /// Ends what is being said, from outside.
    pub fn interrupt(&mut self, reason: &str) {
        self.error = Some(ProviderError::new(Fault::Interrupted, reason));
    }

    /// The question's status, the answer to store, and what went wrong.
    pub fn conclude(
        self,
        provider: &dyn Provider,
        asked_model: String,
        now: Timestamp,
    ) -> (Status, Option<NewMessage>, Option<ProviderError>) {
        let blank = self.text.trim().is_empty();
        let answer = |content: String, status| NewMessage {
            role: Role::Assistant,
            content,
            timestamp: now,
            status,
            provider: Some(provider.kind()),
            model: Some(self.model.unwrap_or(asked_model)),
            usage: self.usage,
            tools: self.tools,
            chart: self.chart,
        };
        match (self.finish, self.error) {
            (Some(Finish::Refused), _) => {
                (Status::Complete, Some(answer(REFUSAL.to_owned(), Status::Refused)), None)
            }
            (Some(finish), None) if !blank => {
                let status = match finish {
                    Finish::Length => Status::Truncated,
                    _ => Status::Complete,
                };
                (Status::Complete, Some(answer(self.text, status)), None)
            }
            (_, error) => {
                let error = error.unwrap_or_else(|| {
                    ProviderError::new(Fault::Malformed, "the answer was empty or had no end")
                });
                if blank {
                    (Status::Unanswered, None, Some(error))
                } else {
                    let error = ProviderError { fault: Fault::Interrupted, ..error };
                    (Status::Complete, Some(answer(self.text, Status::Incomplete)), Some(error))
                }
            }
        }
    }
}
