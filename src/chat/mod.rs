//! Conversations: turns are begun, followed, stopped, and drained at shutdown.

mod answer;
pub mod feed;
pub mod live;
pub mod tools;
mod turn;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bots::Bots;
use crate::domain::text::is_invisible;
use crate::domain::{
    Chart, ClientKey, Clock, IdempotencyKey, MessageId, NewMessage, ProviderKind, SessionId,
    Status, Timestamp, ToolRun, Usage,
};
use crate::error::AppError;
use crate::files::Files;
use crate::metrics::Metrics;
use crate::models::ModelTable;
use crate::prompt;
use crate::provider::Provider;
use crate::provider::policy::{Policy, PolicySettings};
use crate::quota::Quota;
use crate::store::Store;
use feed::{Follower, RunningTurn, RunningTurns, TurnEvent};

/// Limits of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct ChatLimits {
    /// Maximum length of a message, in characters.
    pub max_message_chars: usize,
    /// Maximum number of input tokens of a model call.
    pub context_tokens: usize,
    /// Maximum size of a session's settings, in bytes of JSON.
    pub max_config_bytes: usize,
    /// How long a question waits for the session's previous turn.
    pub turn_patience: Duration,
    /// Maximum number of waiting questions per session.
    pub turn_queue: usize,
}

/// How an answer is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Piece by piece, as it is written.
    Streamed,
    /// Once it is complete, so that an interrupted call can be repeated.
    Whole,
}

/// A visitor's question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The visitor's message.
    pub message: String,
    /// Settings to merge into the session's before the question is asked.
    pub patch: Map<String, Value>,
    /// How the answer is to be delivered.
    pub delivery: Delivery,
    /// Idempotency key: a question with the same key is asked only once.
    pub key: Option<IdempotencyKey>,
    /// The client that sent it.
    pub client: ClientKey,
}

/// A finished turn.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The answer's id; `None` if no answer was stored.
    pub id: Option<MessageId>,
    /// The text, Markdown.
    pub text: String,
    /// The same as HTML that is safe to insert into a page.
    pub html: String,
    /// How many messages the session now holds.
    pub message_count: u64,
    /// The provider that answered.
    pub provider: ProviderKind,
    /// The name that visitors see.
    pub provider_name: String,
    /// The model as served.
    pub model: String,
    /// The tokens it used.
    pub usage: Usage,
    /// How the answer ended.
    pub status: Status,
    /// The tools that were called for it, in order.
    pub tools: Vec<ToolRun>,
    /// The chart that goes with it.
    pub chart: Option<Chart>,
    /// When it was complete.
    pub timestamp: Timestamp,
}

impl Answer {
    /// The answer in `message`, from `provider`, which visitors know as `provider_name`.
    fn new(
        id: Option<MessageId>,
        message: NewMessage,
        provider: ProviderKind,
        provider_name: &str,
        message_count: u64,
    ) -> Self {
        Self {
            id,
            text: message.content,
            html: message.html.unwrap_or_default(),
            message_count,
            provider,
            provider_name: provider_name.to_owned(),
            model: message.model.unwrap_or_default(),
            usage: message.usage.unwrap_or_default(),
            status: message.status,
            tools: message.tools,
            chart: message.chart,
            timestamp: message.timestamp,
        }
    }
}

/// The current load; all zero when no question is being answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatLoad {
    /// Turns as tasks: running, waiting for an earlier one, or storing their outcome.
    pub tasks: usize,
    /// Turns that can be followed.
    pub turns: usize,
}

/// The use cases of conversations. Cheap to clone.
#[derive(Clone)]
pub struct Chat(Arc<ChatInner>);

struct ChatInner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    bots: Bots,
    files: Files,
    quota: Quota,
    providers: Vec<Arc<dyn Provider>>,
    policy: Policy,
    metrics: Arc<Metrics>,
    models: Arc<ModelTable>,
    limits: ChatLimits,
    running: RunningTurns,
    tasks: TaskTracker,
    cut: CancellationToken,
}

/// The dependencies of [`Chat`].
pub struct ChatParts {
    /// Where conversations are stored.
    pub store: Arc<dyn Store>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The bots that visitors talk to.
    pub bots: Bots,
    /// The files that visitors ask about.
    pub files: Files,
    /// Limits the work of building prompts.
    pub quota: Quota,
    /// The configured providers, in order of preference.
    pub providers: Vec<Arc<dyn Provider>>,
    /// The provider to ask when another one fails before its first word.
    pub fallback: Option<ProviderKind>,
    /// Counts turns.
    pub metrics: Arc<Metrics>,
    /// What models cost.
    pub models: Arc<ModelTable>,
}

impl Chat {
    /// Builds the use cases from `parts`, within `limits`.
    pub fn new(parts: ChatParts, limits: ChatLimits) -> Self {
        let ChatParts { store, clock, bots, files, quota, providers, fallback, metrics, models } =
            parts;
        let calls = PolicySettings { trim: prompt::trim, ..PolicySettings::default() };
        let policy = Policy::new(&providers, fallback, calls);
        Self(Arc::new(ChatInner {
            store,
            clock,
            bots,
            files,
            quota,
            providers,
            policy,
            metrics,
            models,
            limits,
            running: RunningTurns::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        }))
    }

    /// Begins a turn: merges the question's settings into the session's and calls its provider.
    ///
    /// The turn runs in a task of its own: it needs no reader, and a reader that leaves does not
    /// stop it. A question whose key is that of the running turn joins it.
    ///
    /// # Errors
    /// An invalid message, or a server that is shutting down. Any other error ends the turn.
    pub fn begin(&self, id: SessionId, question: Question) -> Result<Arc<RunningTurn>, AppError> {
        let inner = Arc::clone(&self.0);
        inner.check_message(&question.message)?;
        if question.key.is_some()
            && let Some(turn) = inner.running.of(id)
            && turn.key == question.key
        {
            return Ok(turn);
        }
        if inner.tasks.is_closed() {
            return Err(AppError::Stopping);
        }
        let turn = RunningTurn::new(id, question.key);
        let running = Arc::clone(&turn);
        let work = async move {
            let answer = AssertUnwindSafe(inner.run(question, &turn)).catch_unwind();
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

    /// A reader of the session's running turn, if there is one, beginning after the event `last` or
    /// at the start.
    ///
    /// # Errors
    /// An unknown session; a store failure.
    pub async fn follow(
        &self,
        id: SessionId,
        last: Option<&str>,
    ) -> Result<Option<Follower>, AppError> {
        self.0.store.session(id, self.0.clock.now()).await?;
        Ok(self.0.running.of(id).map(|turn| Follower::after(turn, last)))
    }

    /// Stops the session's running turn and waits until its partial answer is stored. Returns
    /// whether a turn was running.
    ///
    /// # Errors
    /// An unknown session; a store failure.
    pub async fn stop(&self, id: SessionId) -> Result<bool, AppError> {
        self.0.store.session(id, self.0.clock.now()).await?;
        match self.0.running.stop(id) {
            Some(turn) => {
                // Whatever the outcome, it has ended.
                let _ = turn.end().await;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The current load.
    pub fn load(&self) -> ChatLoad {
        ChatLoad { tasks: self.0.tasks.len(), turns: self.0.running.len() }
    }

    /// The configured providers, for the log.
    pub fn provider_names(&self) -> String {
        self.0.providers.iter().map(|p| p.kind().as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Refuses new turns and waits at most `patience` for the running ones, then interrupts them
    /// and waits until their partial answers are stored.
    pub async fn drain(&self, patience: Duration) {
        self.0.tasks.close();
        if tokio::time::timeout(patience, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(turns.running = self.0.tasks.len(), "interrupting running turns");
            self.0.cut.cancel();
            self.0.tasks.wait().await;
        }
    }
}

impl ChatInner {
    fn check_message(&self, message: &str) -> Result<(), AppError> {
        if message.contains('\0') {
            return Err(AppError::NulInMessage);
        }
        if message.chars().all(is_blank) {
            return Err(AppError::EmptyMessage);
        }
        let limit = self.limits.max_message_chars;
        if message.len() > limit && message.chars().count() > limit {
            return Err(AppError::MessageTooLong { limit });
        }
        Ok(())
    }
}

/// Whether a character is white space or invisible. A message of only such characters is empty.
fn is_blank(c: char) -> bool {
    // U+2800 is a Braille pattern without dots.
    c.is_whitespace() || is_invisible(c) || c == '\u{2800}'
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
