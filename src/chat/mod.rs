//! A conversation's turn, from question to stored answer.

pub mod context;
mod gather;
pub mod json_data;
pub mod locks;
pub mod markdown;
pub mod profile;
pub mod tokens;
pub mod tools;
pub mod turns;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{
    Chart, Clock, Limits, Message, NewMessage, ProviderKind, SessionConfig, SessionId, Status,
    Timestamp, ToolRun, Usage, check_patch,
};
use crate::error::AppError;
use crate::files::Files;
use crate::provider::policy::{self, Calls, Policy};
use crate::provider::{Provider, Request, ToolChoice, Turn};
use crate::store::{Store, StoreError};
use context::Operator;
use gather::{Conclusion, Gathered, Round};
use locks::TurnLocks;
use turns::{RunningTurn, TurnEvent, Turns};

/// How many messages of the conversation so far go into a prompt at the most. What was said fifty
/// exchanges ago hardly ever matters, and every question would pay for it in tokens and in time.
const HISTORY_MESSAGES: usize = 100;

/// How long a question waits for the session's earlier one.
const TURN_WAIT: Duration = Duration::from_secs(30);

/// How often a model may call its tool in one turn.
const MAX_TOOL_CALLS: usize = 5;

/// The default of the `maxTokens` setting.
const DEFAULT_MAX_TOKENS: u32 = 1000;

/// What the operator has decided about conversations.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a caller may set.
    pub limits: Limits,
    /// The bot's name where a session gives none.
    pub bot_name: String,
    /// The operator's own instructions.
    pub instructions: Option<String>,
    /// The most characters that a message may have.
    pub max_message_chars: usize,
    /// Tokens that one model call may read.
    pub context_tokens: usize,
    /// Who answers where a session names nobody; the first configured one if it has no key.
    pub preferred: ProviderKind,
    /// Who answers when the one that was chosen fails before its first word.
    pub fallback: Option<ProviderKind>,
}

/// How an answer is to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Word by word, as it is written.
    Streamed,
    /// When it is complete. A call that breaks off can then be made once more.
    Whole,
}

/// A finished turn.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The text, Markdown.
    pub text: String,
    /// The same as HTML that is safe to insert into a page.
    pub html: String,
    /// How many messages the session now holds.
    pub message_count: u64,
    /// Who answered.
    pub provider: ProviderKind,
    /// The name that visitors see.
    pub provider_name: String,
    /// The model as served.
    pub model: String,
    /// What it cost.
    pub usage: Usage,
    /// How the answer ended.
    pub status: Status,
    /// The tools that were called for it, in order.
    pub tools: Vec<ToolRun>,
    /// The picture that goes with it.
    pub chart: Option<Chart>,
    /// When it was complete.
    pub timestamp: Timestamp,
}

/// The use cases of conversations. Cheap to clone.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    files: Files,
    providers: Vec<Arc<dyn Provider>>,
    policy: Policy,
    settings: Settings,
    locks: TurnLocks,
    turns: Turns,
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl Chat {
    /// Conversations in `store` and about `files`, answered by `providers`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        files: Files,
        providers: Vec<Arc<dyn Provider>>,
        settings: Settings,
    ) -> Self {
        let calls = policy::Settings { trim: context::trim, ..policy::Settings::default() };
        let policy = Policy::new(&providers, settings.fallback, calls);
        Self(Arc::new(Inner {
            store,
            clock,
            files,
            providers,
            policy,
            settings,
            locks: TurnLocks::default(),
            turns: Turns::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        }))
    }

    /// Merges `patch` into the session's settings and asks its provider.
    ///
    /// The turn runs in a task of its own: nobody has to read along, and who goes away does not
    /// end it.
    pub fn begin(
        &self,
        id: SessionId,
        message: String,
        patch: Map<String, Value>,
        delivery: Delivery,
    ) -> Result<Arc<RunningTurn>, AppError> {
        let inner = Arc::clone(&self.0);
        inner.check(&message, &patch)?;
        if inner.tasks.is_closed() {
            return Err(AppError::Stopping);
        }
        let turn = RunningTurn::new();
        let running = Arc::clone(&turn);
        let work = async move {
            let answer =
                AssertUnwindSafe(inner.turn(id, message, patch, delivery, &turn)).catch_unwind();
            turn.push(match answer.await {
                Ok(Ok(answer)) => TurnEvent::Done(Arc::new(answer)),
                Ok(Err(error)) => TurnEvent::Failed(Arc::new(error)),
                // The panic hook has logged what and where.
                Err(_) => TurnEvent::Failed(Arc::new(AppError::Internal("a turn panicked".into()))),
            });
        };
        self.0.tasks.spawn(tracing::Instrument::in_current_span(work));
        Ok(running)
    }

    /// The turn that is running in the session, if one is.
    pub async fn running(&self, id: SessionId) -> Result<Option<Arc<RunningTurn>>, AppError> {
        self.0.store.session(id, self.0.clock.now()).await?;
        Ok(self.0.turns.find(id))
    }

    /// Stops the session's running turn and waits until what was written of it is stored. Answers
    /// whether there was one.
    pub async fn stop(&self, id: SessionId) -> Result<bool, AppError> {
        self.0.store.session(id, self.0.clock.now()).await?;
        match self.0.turns.stop(id) {
            Some(turn) => {
                // However it ended: it has.
                let _ = turn.end().await;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The providers that can be asked, for the log.
    pub fn provider_names(&self) -> String {
        self.0.providers.iter().map(|p| p.kind().as_str()).collect::<Vec<_>>().join(", ")
    }

    /// A session's messages, oldest first.
    pub async fn history(&self, id: SessionId) -> Result<Vec<Message>, AppError> {
        let (_, messages) = self.0.store.transcript(id, self.0.clock.now()).await?;
        Ok(messages)
    }

    /// Takes no new turns and waits for the running ones, at most `patience`; then cuts them, and
    /// waits until what was written of them is stored.
    pub async fn drain(&self, patience: Duration) {
        self.0.tasks.close();
        if tokio::time::timeout(patience, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(turns.running = self.0.tasks.len(), "cutting running turns");
            self.0.cut.cancel();
            self.0.tasks.wait().await;
        }
    }
}

impl Inner {
    fn check(&self, message: &str, patch: &Map<String, Value>) -> Result<(), AppError> {
        if message.contains('\0') {
            return Err(AppError::NulInMessage);
        }
        if message.chars().all(is_blank) {
            return Err(AppError::EmptyMessage);
        }
        let limit = self.settings.max_message_chars;
        if message.len() > limit && message.chars().count() > limit {
            return Err(AppError::MessageTooLong { limit });
        }
        Ok(check_patch(patch, &self.settings.limits)?)
    }

    async fn turn(
        &self,
        id: SessionId,
        message: String,
        patch: Map<String, Value>,
        delivery: Delivery,
        turn: &Arc<RunningTurn>,
    ) -> Result<Answer, AppError> {
        let started = Instant::now();
        let gone = |error: AppError| match error {
            AppError::SessionNotFound => AppError::SessionGone,
            other => other,
        };
        let store = &self.store;
        // Refused before it waits for the lock, and before anything is stored.
        let session = store.session(id, self.clock.now()).await.map_err(|e| gone(e.into()))?;
        let mut config = session.config;
        config.merge(patch.clone());
        let provider = self.choose(&config)?;
        let _locked = self.locks.lock(id, TURN_WAIT).await.ok_or(AppError::TurnInProgress)?;
        let _registered = self.turns.register(id, Arc::clone(turn));

        let asked = NewMessage::question(message, self.clock.now());
        let question = asked.content.clone();
        let begun = store.begin_turn(id, patch, asked).await.map_err(|e| gone(e.into()))?;
        let config = &begun.session.config;
        let mut request = self.request(id, begun.question, config, &question, &*provider).await?;
        let mut calls = self.policy.turn(&provider);
        let whole = delivery == Delivery::Whole;
        let mut gathered = Gathered::new(turn, whole, provider.kind(), request.model.clone());
        self.converse(id, &mut calls, &mut request, turn, &mut gathered).await;
        let provider = calls.provider();
        let Conclusion { question: status, answer, failure } = gathered.conclude(self.clock.now());

        let stored = answer.clone();
        let now = self.clock.now();
        let finished = store.finish_turn(id, begun.question, status, stored, now).await;
        if let Some(failure) = failure {
            tracing::info!(
                session.id = id.short(),
                provider = %provider.kind(),
                provider.fault = ?failure.fault,
                elapsed_ms = millis(started),
                "not answered"
            );
            if let Err(error) = finished {
                tracing::error!(error = ?error, "the end of a failed turn could not be stored");
            }
            return Err(AppError::Provider(failure));
        }
        let message_count = match finished {
            Ok(count) => count,
            // The session was deleted or expired while the model spoke: the answer is still right.
            Err(StoreError::NotFound) => begun.session.message_count + 1,
            Err(error) => return Err(error.into()),
        };
        let mut result = Answer {
            text: String::new(),
            html: String::new(),
            message_count,
            provider: provider.kind(),
            provider_name: provider.display_name().to_owned(),
            model: request.model,
            usage: Usage::default(),
            // Without an answer the visitor has stopped before its first word.
            status: Status::Stopped,
            tools: Vec::new(),
            chart: None,
            timestamp: now,
        };
        if let Some(answer) = answer {
            result.text = answer.content;
            result.html = answer.html.unwrap_or_default();
            result.model = answer.model.unwrap_or(result.model);
            result.usage = answer.usage.unwrap_or_default();
            result.status = answer.status;
            result.tools = answer.tools;
            result.chart = answer.chart;
            result.timestamp = answer.timestamp;
        }
        tracing::info!(
            session.id = id.short(),
            provider = %result.provider,
            model = result.model,
            tokens.input = result.usage.input_tokens,
            tokens.output = result.usage.output_tokens,
            answer.status = result.status.as_str(),
            tools.calls = result.tools.len(),
            elapsed_ms = millis(started),
            "answered"
        );
        Ok(result)
    }

    /// The provider that `config` names, else the operator's, else the first there is.
    fn choose(&self, config: &SessionConfig) -> Result<Arc<dyn Provider>, AppError> {
        let find = |kind| self.providers.iter().find(|provider| provider.kind() == kind);
        match config.ai_provider() {
            Some(asked) => find(asked).cloned().ok_or_else(|| AppError::ProviderNotConfigured {
                asked,
                available: self.providers.iter().map(|provider| provider.kind()).collect(),
            }),
            None => find(self.settings.preferred)
                .or_else(|| self.providers.first())
                .cloned()
                .ok_or_else(|| AppError::Internal("no provider at all".into())),
        }
    }

    /// The call that answers `question`, with as much of the earlier conversation as fits.
    async fn request(
        &self,
        id: SessionId,
        place: u64,
        config: &SessionConfig,
        question: &str,
        provider: &dyn Provider,
    ) -> Result<Request, AppError> {
        let operator = Operator {
            bot_name: config.bot_name().unwrap_or(&self.settings.bot_name),
            instructions: self.settings.instructions.as_deref(),
        };
        let file = self.files.find(id).await?.map(|file| file.dataset);
        let budget = self.settings.context_tokens;
        let draft = context::draft(budget, operator, config, file.as_ref(), question);
        let mut filling = draft.with_history();
        let now = self.clock.now();
        // One more than is used tells whether there are older ones.
        let mut earlier = self.store.history(id, Some(place), HISTORY_MESSAGES + 1, now).await?;
        let older = earlier.len().saturating_sub(HISTORY_MESSAGES);
        filling.add(earlier.split_off(older));
        if older > 0 {
            filling.leave_out_the_rest();
        }
        let prompt = filling.finish();
        Ok(Request {
            model: config.model().unwrap_or(provider.default_model()).to_owned(),
            system: prompt.system,
            turns: prompt.turns,
            tools: file.iter().map(|_| tools::query_data()).collect(),
            tool_choice: ToolChoice::Auto,
            max_tokens: config
                .max_tokens()
                .unwrap_or(DEFAULT_MAX_TOKENS)
                .min(self.settings.limits.max_tokens),
            temperature: config.temperature(),
        })
    }

    /// Talks with the provider until it has answered, has failed, is stopped, or has to be.
    async fn converse(
        &self,
        id: SessionId,
        calls: &mut Calls,
        request: &mut Request,
        turn: &RunningTurn,
        gathered: &mut Gathered<'_>,
    ) {
        let ended = tokio::select! {
            () = self.rounds(id, calls, request, gathered) => None,
            () = turn.stopped() => Some(Ended::ByVisitor),
            () = self.cut.cancelled() => Some(Ended::ByShutdown),
        };
        match ended {
            None => {}
            Some(Ended::ByVisitor) => gathered.stop(),
            Some(Ended::ByShutdown) => gathered.interrupt("the server was stopped"),
        }
    }

    /// Calls the provider, runs the tools that it asks for, and calls it again with what they gave.
    async fn rounds(
        &self,
        id: SessionId,
        calls: &mut Calls,
        request: &mut Request,
        gathered: &mut Gathered<'_>,
    ) {
        loop {
            let round = Self::call(calls, request, gathered).await;
            if round.calls.is_empty() || request.tool_choice == ToolChoice::None {
                return;
            }
            let mut results = Vec::new();
            for call in round.calls.clone() {
                let outcome = if gathered.tool_calls() < MAX_TOOL_CALLS {
                    gathered.tool_runs(&call);
                    tools::run(&self.files, id, call).await
                } else {
                    tools::refused(call)
                };
                results.push(outcome.result);
                gathered.tool_ran(outcome.run, outcome.chart);
            }
            if gathered.tool_calls() >= MAX_TOOL_CALLS {
                request.tool_choice = ToolChoice::None;
            }
            request.turns.push(Turn::Assistant { text: round.text, calls: round.calls });
            request.turns.push(Turn::ToolResults(results));
        }
    }
}

impl Inner {
    /// One call of the provider; made once more if it breaks off and nobody has seen any of it.
    async fn call(calls: &mut Calls, request: &mut Request, gathered: &mut Gathered<'_>) -> Round {
        loop {
            let events = calls.stream(request).await;
            gathered.answered_by(calls.provider().kind(), &request.model);
            let round = gathered.round(events).await;
            match gathered.broke_off() {
                Some(error) if gathered.is_whole() && calls.once_more(error).await => {
                    gathered.take_back();
                }
                _ => return round,
            }
        }
    }
}

/// Why a turn ended before its provider did.
enum Ended {
    ByVisitor,
    ByShutdown,
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// White space, and characters that show nothing: a message of only these says nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn invisible_characters_are_blank_and_letters_are_not() {
        assert!(" \t\r\n\u{200B}\u{FEFF}\u{2060}\u{00A0}\u{3000}\u{00AD}".chars().all(is_blank));
        for text in ["a", "0", "。", "😀", "ا", "?"] {
            assert!(!text.chars().all(is_blank), "{text}");
        }
    }
}
