//! Turns that are running: what they have said so far, who reads along, and how to stop them.
//!
//! A turn writes into a log of its own. Readers have a place in that log and nothing else: one that
//! is slow or goes away costs the turn nothing, one that comes later or comes back reads from where
//! it was, and all read the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Answer;
use crate::domain::{IdempotencyKey, ProviderKind, SessionId, ToolRun};
use crate::error::AppError;

/// What happens in a turn, in order: [`TurnEvent::Started`] when the provider has begun to answer,
/// then pieces and tools, then its end. A turn that fails before it begins has only its end.
#[derive(Clone, Debug)]
pub enum TurnEvent {
    /// The provider answers.
    Started {
        /// Who.
        provider: ProviderKind,
        /// With which model.
        model: String,
    },
    /// The next piece of the answer.
    Text(String),
    /// A tool is running.
    ToolRunning {
        /// Its name.
        name: String,
        /// The statement.
        sql: String,
    },
    /// A tool has run.
    ToolRan(ToolRun),
    /// The answer is complete and stored.
    Done(Arc<Answer>),
    /// There is no answer, or only a part of one.
    Failed(Arc<AppError>),
}

impl TurnEvent {
    fn is_end(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// A turn that is running, or has ended a moment ago.
#[derive(Debug)]
pub struct RunningTurn {
    /// Its id, new for each turn.
    pub id: Uuid,
    /// What the client calls its question.
    pub(super) key: Option<IdempotencyKey>,
    log: Mutex<Vec<TurnEvent>>,
    /// The length of the log.
    grown: watch::Sender<usize>,
    /// Whether the turn has ended: apart from the length, so that who waits for the end only is
    /// not woken by every word.
    ended: watch::Sender<bool>,
    stop: CancellationToken,
}

impl RunningTurn {
    /// A turn in which nothing has happened yet.
    pub(super) fn new(key: Option<IdempotencyKey>) -> Arc<Self> {
        Arc::new(Self {
            id: Uuid::new_v4(),
            key,
            log: Mutex::default(),
            grown: watch::Sender::new(0),
            ended: watch::Sender::new(false),
            stop: CancellationToken::new(),
        })
    }

    pub(super) fn push(&self, event: TurnEvent) {
        let is_end = event.is_end();
        let length = {
            let mut log = lock(&self.log);
            log.push(event);
            log.len()
        };
        self.grown.send_replace(length);
        if is_end {
            self.ended.send_replace(true);
        }
    }

    pub(super) fn has_started(&self) -> bool {
        *self.grown.borrow() > 0
    }

    /// Resolves when the visitor has asked to stop.
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// The event at `place`, counted from 0, as soon as it has happened; `None` after the end.
    pub async fn event(&self, place: usize) -> Option<TurnEvent> {
        let mut grown = self.grown.subscribe();
        loop {
            {
                let log = lock(&self.log);
                if let Some(event) = log.get(place) {
                    return Some(event.clone());
                }
                if log.last().is_some_and(TurnEvent::is_end) {
                    return None;
                }
            }
            // Woken by any growth: the end may come before `place` does. The sender lives in
            // `self`.
            grown.changed().await.ok()?;
        }
    }

    /// How the turn ended, as soon as it has.
    pub async fn end(&self) -> Result<Arc<Answer>, Arc<AppError>> {
        // The sender lives in `self`.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
        match lock(&self.log).last() {
            Some(TurnEvent::Done(answer)) => Ok(Arc::clone(answer)),
            Some(TurnEvent::Failed(error)) => Err(Arc::clone(error)),
            _ => Err(Arc::new(AppError::Internal("a turn without an end".into()))),
        }
    }
}

/// The turns that are running, one a session at the most.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<SessionId, Arc<RunningTurn>>>);

/// Keeps a turn in [`Turns`] for as long as it runs.
pub(super) struct Registration<'a> {
    turns: &'a Turns,
    id: SessionId,
}

impl Turns {
    pub(super) fn register(&self, id: SessionId, turn: Arc<RunningTurn>) -> Registration<'_> {
        lock(&self.0).insert(id, turn);
        Registration { turns: self, id }
    }

    /// The turn that is running in the session.
    pub fn find(&self, id: SessionId) -> Option<Arc<RunningTurn>> {
        lock(&self.0).get(&id).cloned()
    }

    /// Asks the session's turn to stop, and answers it, if one is running.
    pub fn stop(&self, id: SessionId) -> Option<Arc<RunningTurn>> {
        let turn = self.find(id)?;
        turn.stop.cancel();
        Some(turn)
    }

    /// How many turns are running.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Whether no turn is running.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        lock(&self.turns.0).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> TurnEvent {
        TurnEvent::Failed(Arc::new(AppError::TurnInProgress))
    }

    #[tokio::test]
    async fn readers_of_any_time_read_the_same() {
        let turn = RunningTurn::new(None);
        let read = |turn: Arc<RunningTurn>, from: usize| async move {
            let mut texts = String::new();
            let mut place = from;
            while let Some(event) = turn.event(place).await {
                place += 1;
                if let TurnEvent::Text(text) = event {
                    texts.push_str(&text);
                }
            }
            texts
        };
        let early = tokio::spawn(read(Arc::clone(&turn), 0));
        for n in 0..50 {
            turn.push(TurnEvent::Text(format!("{n} ")));
            tokio::task::yield_now().await;
        }
        let middle = tokio::spawn(read(Arc::clone(&turn), 25));
        turn.push(failed());
        let all: String = (0..50).map(|n| format!("{n} ")).collect();
        let half: String = (25..50).map(|n| format!("{n} ")).collect();
        assert_eq!(early.await.unwrap(), all);
        assert_eq!(middle.await.unwrap(), half);
        assert_eq!(read(Arc::clone(&turn), 0).await, all, "after the end as well");
        assert!(turn.event(51).await.is_none() && turn.event(500).await.is_none());
        assert!(matches!(*turn.end().await.unwrap_err(), AppError::TurnInProgress));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_beyond_the_end_ends_with_the_turn() {
        let turn = RunningTurn::new(None);
        let reader = tokio::spawn({
            let turn = Arc::clone(&turn);
            async move { turn.event(500).await.is_none() }
        });
        for event in [TurnEvent::Text("a".to_owned()), failed()] {
            tokio::task::yield_now().await;
            turn.push(event);
        }
        let ended = tokio::time::timeout(std::time::Duration::from_secs(1), reader).await;
        assert!(ended.expect("it must not wait for an event that never comes").unwrap());
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_turn_that_has_ended() {
        let turns = Turns::default();
        let id = SessionId::random();
        let turn = RunningTurn::new(None);
        let registration = turns.register(id, Arc::clone(&turn));
        assert_eq!(turns.find(id).unwrap().id, turn.id);
        assert!(turns.stop(SessionId::random()).is_none());
        turns.stop(id).unwrap();
        turn.stopped().await;
        drop(registration);
        assert!(turns.find(id).is_none() && turns.is_empty());
    }
}
