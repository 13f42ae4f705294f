//! What a provider says in a turn, over one call or several.

use futures_util::StreamExt;

use super::feed::{RunningTurn, TurnEvent};
use crate::domain::{Chart, NewMessage, ProviderKind, Role, Status, Timestamp, ToolRun, Usage};
use crate::markdown::render;
use crate::provider::{EventStream, Fault, Finish, ModelEvent, ProviderError, ToolCall};

/// What a visitor reads when the model declined.
const REFUSAL: &str = "I'm sorry, I can't help with that.";

/// What has been said so far. It goes into the running turn's log as it comes.
#[derive(Debug)]
pub struct Gathered<'a> {
    turn: &'a RunningTurn,
    /// Whether text is held back until the call that brings it has ended well, so that it can be
    /// asked for once more.
    whole: bool,
    provider: ProviderKind,
    /// The model as served, and until that is known the one that was asked.
    model: String,
    text: String,
    /// Where the text of the present call begins.
    round_start: usize,
    stopped: bool,
    usage: Option<Usage>,
    finish: Option<Finish>,
    error: Option<ProviderError>,
    tools: Vec<ToolRun>,
    /// The last picture that was drawn.
    chart: Option<Chart>,
}

/// What one call has brought.
#[derive(Debug, Default)]
pub struct Round {
    /// Its text.
    pub text: String,
    /// The tools that the model waits for; none when it has ended or failed.
    pub calls: Vec<ToolCall>,
}

/// How a turn has ended.
#[derive(Debug)]
pub struct Conclusion {
    /// What becomes of the question.
    pub question: Status,
    /// The answer to store.
    pub answer: Option<NewMessage>,
    /// What went wrong.
    pub failure: Option<ProviderError>,
}

impl<'a> Gathered<'a> {
    /// Nothing as yet of an answer that `provider` is asked for, with `model`.
    pub fn new(turn: &'a RunningTurn, whole: bool, provider: ProviderKind, model: String) -> Self {
        Self {
            turn,
            whole,
            provider,
            model,
            text: String::new(),
            round_start: 0,
            stopped: false,
            usage: None,
            finish: None,
            error: None,
            tools: Vec::new(),
            chart: None,
        }
    }

    /// From now on `provider` answers, asked for `model`.
    pub fn answered_by(&mut self, provider: ProviderKind, model: &str) {
        if provider != self.provider {
            self.provider = provider;
            model.clone_into(&mut self.model);
        }
    }

    /// Why the present call broke off after its first word, if it did.
    pub fn broke_off(&self) -> Option<&ProviderError> {
        self.error.as_ref().filter(|error| error.fault == Fault::Interrupted)
    }

    /// Whether text is held back until its call has ended well.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes back what the present call has said. Nobody has seen it.
    pub fn take_back(&mut self) {
        self.text.truncate(self.round_start);
        self.error = None;
    }

    /// Takes in all that one call says.
    pub async fn round(&mut self, call: Result<EventStream, ProviderError>) -> Round {
        let before = self.usage.take();
        let mut round = Round::default();
        self.finish = None;
        self.round_start = self.text.len();
        match call {
            Ok(events) => self.gather(events, &mut round).await,
            Err(error) => self.error = Some(error),
        }
        self.usage = match (before, self.usage) {
            (Some(before), Some(now)) => Some(before.plus(now)),
            (before, now) => now.or(before),
        };
        if self.error.is_some() {
            round.calls.clear();
        } else if self.whole && self.text.len() > self.round_start {
            self.turn.push(TurnEvent::Text(self.text[self.round_start..].to_owned()));
        }
        round
    }

    async fn gather(&mut self, mut events: EventStream, round: &mut Round) {
        while let Some(event) = events.next().await {
            match event {
                Ok(ModelEvent::Started { model }) => self.model = model,
                Ok(ModelEvent::Text(text)) => {
                    // What was said before a tool was called is a paragraph of its own.
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

    fn say(&mut self, text: String) {
        self.start();
        self.text.push_str(&text);
        if !self.whole {
            self.turn.push(TurnEvent::Text(text));
        }
    }

    /// A tool that the model has called is running.
    pub fn tool_runs(&self, call: &ToolCall) {
        let sql = super::tools::query_data::statement(call).unwrap_or_default();
        self.turn.push(TurnEvent::ToolRunning { name: call.name.clone(), sql });
    }

    /// A tool has run, and perhaps drawn a picture.
    pub fn tool_ran(&mut self, run: ToolRun, chart: Option<Chart>) {
        self.turn.push(TurnEvent::ToolRan(run.clone()));
        self.tools.push(run);
        self.chart = chart.or(self.chart.take());
    }

    /// How many tools have been called.
    pub fn tool_calls(&self) -> usize {
        self.tools.len()
    }

    /// Ends what is being said because the visitor wishes so.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Ends what is being said because it has to.
    pub fn interrupt(&mut self, reason: &str) {
        self.error = Some(ProviderError::new(Fault::Interrupted, reason));
    }

    /// What becomes of what was said.
    pub fn conclude(self, now: Timestamp) -> Conclusion {
        let blank = self.text.trim().is_empty();
        let answer = |content: String, status| {
            Some(NewMessage {
                role: Role::Assistant,
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
