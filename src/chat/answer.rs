//! A turn's answer while it is being written, over one or several model calls.

use std::time::Instant;

use futures_util::StreamExt;

use super::Delivery;
use super::feed::{RunningTurn, TurnEvent};
use super::tools::{HandledCall, arguments};
use crate::domain::model::Verbatim;
use crate::domain::{Author, Chart, NewMessage, ProviderKind, Status, Timestamp, ToolRun, Usage};
use crate::markdown::render;
use crate::provider::{EventStream, Fault, Finish, ModelEvent, ProviderError, ToolCall};

/// What a visitor reads when the model has declined.
const REFUSAL: &str = "I'm sorry, I can't help with that.";

/// The answer so far. It is written to the turn's log as it arrives.
#[derive(Debug)]
pub struct AnswerInProgress<'a> {
    turn: &'a RunningTurn,
    /// With [`Delivery::Whole`] text is held back until its call has succeeded, so that the call
    /// can be repeated.
    delivery: Delivery,
    provider: ProviderKind,
    /// The model as served; until that is known, as requested.
    model: String,
    text: String,
    /// Where the text of the current call begins.
    round_start: usize,
    stopped: bool,
    usage: Option<Usage>,
    first_word: Option<Instant>,
    finish: Option<Finish>,
    error: Option<ProviderError>,
    tools: Vec<ToolRun>,
    /// The last chart that was drawn.
    chart: Option<Chart>,
}

/// What one call has returned.
#[derive(Debug, Default)]
pub struct Round {
    /// Its text.
    pub text: String,
    /// The tool calls that the model waits for; empty once it has finished or failed.
    pub calls: Vec<ToolCall>,
    /// The message as its API wrote it, if that API wants it back.
    pub verbatim: Option<Verbatim>,
}

/// How a turn has ended.
#[derive(Debug)]
pub struct Conclusion {
    /// The question's status.
    pub question: Status,
    /// The answer to store.
    pub answer: Option<NewMessage>,
    /// What went wrong.
    pub failure: Option<ProviderError>,
}

impl<'a> AnswerInProgress<'a> {
    /// An empty answer, about to be requested from `provider` and `model`.
    pub fn new(
        turn: &'a RunningTurn,
        delivery: Delivery,
        provider: ProviderKind,
        model: String,
    ) -> Self {
        Self {
            turn,
            delivery,
            provider,
            model,
            text: String::new(),
            round_start: 0,
            stopped: false,
            usage: None,
            first_word: None,
            finish: None,
            error: None,
            tools: Vec::new(),
            chart: None,
        }
    }

    /// Records that `provider` answers from now on, with `model` as requested.
    pub fn answered_by(&mut self, provider: ProviderKind, model: &str) {
        if provider != self.provider {
            self.provider = provider;
            model.clone_into(&mut self.model);
        }
    }

    /// Why the current call was interrupted after its first word, if it was.
    pub fn interruption(&self) -> Option<&ProviderError> {
        self.error.as_ref().filter(|error| error.fault == Fault::Interrupted)
    }

    /// Whether the current call's text has not been delivered.
    pub fn is_held_back(&self) -> bool {
        self.delivery == Delivery::Whole
    }

    /// Discards the current call's text, which has not been delivered.
    pub fn take_back(&mut self) {
        self.text.truncate(self.round_start);
        self.error = None;
    }

    /// Reads one call to its end.
    pub async fn round(&mut self, call: Result<EventStream, ProviderError>) -> Round {
        let before = self.usage.take();
        let mut round = Round::default();
        self.finish = None;
        self.round_start = self.text.len();
        match call {
            Ok(events) => self.read(events, &mut round).await,
            Err(error) => self.error = Some(error),
        }
        self.usage = match (before, self.usage) {
            (Some(before), Some(now)) => Some(before.plus(now)),
            (before, now) => now.or(before),
        };
        if self.error.is_some() {
            round.calls.clear();
        } else if self.is_held_back()
            && self.text.len() > self.round_start
            && self.finish != Some(Finish::Refused)
        {
            self.turn.push(TurnEvent::Text(self.text[self.round_start..].to_owned()));
        }
        round
    }

    async fn read(&mut self, mut events: EventStream, round: &mut Round) {
        while let Some(event) = events.next().await {
            match event {
                Ok(ModelEvent::Started { model }) => self.model = model,
                Ok(ModelEvent::Text(text)) => {
                    // Text before a tool call is a paragraph of its own.
                    if round.text.is_empty() && !self.text.is_empty() {
                        self.say("\n\n".to_owned());
                    }
                    round.text.push_str(&text);
                    self.say(text);
                }
                Ok(ModelEvent::ToolCall(call)) => {
                    self.start();
                    round.calls.push(call);
                }
                Ok(ModelEvent::Verbatim(verbatim)) => round.verbatim = Some(verbatim),
                Ok(ModelEvent::TakenBack) => {
                    round.text.clear();
                    self.text.truncate(self.round_start);
                    if !self.is_held_back() {
                        self.turn.push(TurnEvent::Replaced(self.text.clone()));
                        self.turn.push(TurnEvent::Thinking);
                    }
                }
                // What comes before the first word has been reported by then.
                Ok(ModelEvent::Thinking) => {}
                Ok(ModelEvent::Usage(usage)) => self.usage = Some(usage),
                Ok(ModelEvent::Finished(finish)) => {
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

    fn start(&self) {
        if !self.turn.has_started() {
            let (provider, model) = (self.provider, self.model.clone());
            self.turn.push(TurnEvent::Started { provider, model });
        }
    }

    /// When the first word arrived, if any has.
    pub fn first_word(&self) -> Option<Instant> {
        self.first_word
    }

    fn say(&mut self, text: String) {
        self.start();
        self.first_word.get_or_insert_with(Instant::now);
        self.text.push_str(&text);
        if !self.is_held_back() {
            self.turn.push(TurnEvent::Text(text));
        }
    }

    /// Reports that a tool called by the model is running.
    pub fn announce_tool(&self, call: &ToolCall) {
        let input = arguments(call).unwrap_or_default();
        self.turn.push(TurnEvent::ToolRunning { name: call.name.clone(), input });
    }

    /// Records a finished tool call.
    pub fn record_tool(&mut self, handled: &HandledCall) {
        self.turn.push(TurnEvent::ToolRan(handled.run.clone()));
        self.tools.push(handled.run.clone());
        if handled.chart.is_some() {
            self.chart.clone_from(&handled.chart);
        }
    }

    /// How many tools have been called.
    pub fn tool_calls(&self) -> usize {
        self.tools.len()
    }

    /// Marks the answer as stopped by the visitor.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Marks the answer as interrupted by us.
    pub fn interrupt(&mut self, reason: &str) {
        self.error = Some(ProviderError::new(Fault::Interrupted, reason));
    }

    /// Decides how the turn has ended: the question's status, and whether the text is kept.
    pub fn conclude(self, now: Timestamp) -> Conclusion {
        let blank = self.text.trim().is_empty();
        let answer = |content: String, status| {
            Some(NewMessage {
                author: Author::Bot,
                // The store names the question.
                answers: None,
                html: Some(render(&content)),
                content,
                timestamp: now,
                status,
                provider: Some(self.provider),
                model: Some(self.model),
                usage: self.usage,
                tools: self.tools,
                chart: self.chart,
            })
        };
        let (question, answer, failure) = match (self.finish, self.error) {
            (Some(Finish::Refused), _) => {
                (Status::Complete, answer(REFUSAL.to_owned(), Status::Refused), None)
            }
            _ if self.stopped && blank => (Status::Unanswered, None, None),
            _ if self.stopped => (Status::Complete, answer(self.text, Status::Stopped), None),
            (Some(finish), None) if !blank => {
                let status = match finish {
                    Finish::Length => Status::Truncated,
                    _ => Status::Complete,
                };
                (Status::Complete, answer(self.text, status), None)
            }
            (_, error) => {
                let error = error.unwrap_or_else(|| {
                    ProviderError::new(Fault::Malformed, "the answer was empty or had no end")
                });
                if blank {
                    (Status::Unanswered, None, Some(error))
                } else {
                    let error = ProviderError { fault: Fault::Interrupted, ..error };
                    (Status::Complete, answer(self.text, Status::Incomplete), Some(error))
                }
            }
        };
        Conclusion { question, answer, failure }
    }
}
