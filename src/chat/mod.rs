//! Conversations: turns begun, read along, stopped, and drained when the server goes.

mod answer;
pub mod feed;
pub mod locks;
pub mod tools;
mod turn;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::{
    Chart, Clock, IdempotencyKey, Limits, Message, NewMessage, ProviderKind, SessionId, Status,
    Timestamp, ToolRun, Usage, check_patch,
};
use crate::error::AppError;
use crate::files::Files;
use crate::prompt;
use crate::provider::Provider;
use crate::provider::policy::{Policy, PolicySettings};
use crate::store::Store;
use feed::{RunningTurn, TurnEvent, Turns};
use locks::TurnLocks;

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

/// A visitor's question.
#[derive(Clone, Debug)]
pub struct Question {
    /// What the visitor says.
    pub message: String,
    /// Settings that are merged into the session's first.
    pub patch: Map<String, Value>,
    /// How the answer is to be given.
    pub delivery: Delivery,
    /// What the client calls this question: one with the same key is asked once.
    pub key: Option<IdempotencyKey>,
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

impl Answer {
    /// What `message` says, as its `provider` gave it.
    fn new(message: NewMessage, provider: &dyn Provider, message_count: u64) -> Self {
        Self {
            text: message.content,
            html: message.html.unwrap_or_default(),
            message_count,
            provider: message.provider.unwrap_or(provider.kind()),
            provider_name: provider.display_name().to_owned(),
            model: message.model.unwrap_or_default(),
            usage: message.usage.unwrap_or_default(),
            status: message.status,
            tools: message.tools,
            chart: message.chart,
            timestamp: message.timestamp,
        }
    }
}

/// What is going on at a moment. All zero when nobody is being answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Tasks of turns: running, waiting for an earlier one, or storing their end.
    pub tasks: usize,
    /// Turns that can be read along.
    pub turns: usize,
    /// Sessions that are locked by a turn.
    pub locks: usize,
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
        let calls = PolicySettings { trim: prompt::trim, ..PolicySettings::default() };
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

    /// Merges the question's settings into the session's and asks its provider.
    ///
    /// The turn runs in a task of its own: nobody has to read along, and who goes away does not
    /// end it. A question whose key is that of the running turn joins it.
    pub fn begin(&self, id: SessionId, question: Question) -> Result<Arc<RunningTurn>, AppError> {
        let inner = Arc::clone(&self.0);
        inner.check(&question.message, &question.patch)?;
        if question.key.is_some()
            && let Some(turn) = inner.turns.find(id)
            && turn.key == question.key
        {
            return Ok(turn);
        }
        if inner.tasks.is_closed() {
            return Err(AppError::Stopping);
        }
        let turn = RunningTurn::new(question.key);
        let running = Arc::clone(&turn);
        let work = async move {
            let answer = AssertUnwindSafe(inner.turn(id, question, &turn)).catch_unwind();
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

    /// How much is going on.
    pub fn load(&self) -> Load {
        let Inner { tasks, turns, locks, .. } = &*self.0;
        Load { tasks: tasks.len(), turns: turns.len(), locks: locks.len() }
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
