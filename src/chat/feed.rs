//! What readers follow: the events of the turn that is running in a session.
//!
//! A turn appends its events to its log; a reader is only a position in the log. A reader that is
//! slow or disconnects does not affect the turn, one that joins late or reconnects continues from
//! its position, and all readers see the same events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Answer;
use crate::domain::{IdempotencyKey, ProviderKind, SessionId, ToolRun};
use crate::error::AppError;

/// The events of a turn, in order: [`TurnEvent::Started`] when the provider begins to answer, then
/// text and tools, then the end. A turn that fails before it starts has only its end, and perhaps
/// [`TurnEvent::Thinking`] before it.
#[derive(Clone, Debug)]
pub enum TurnEvent {
    /// The provider has begun to answer.
    Started {
        /// The provider.
        provider: ProviderKind,
        /// Its model.
        model: String,
    },
    /// The model has been thinking for a while; its next word may take long. It may come before
    /// [`TurnEvent::Started`], and more than once.
    Thinking,
    /// The next piece of the answer.
    Text(String),
    /// The answer so far, instead of all text before.
    Replaced(String),
    /// A tool is running.
    ToolRunning {
        /// Its name.
        name: String,
        /// The call's arguments; empty if they could not be read.
        input: Map<String, Value>,
    },
    /// A tool has run.
    ToolRan(ToolRun),
    /// The answer is complete and stored.
    Done(Arc<Answer>),
    /// There is no answer, or only part of one.
    Failed(Arc<AppError>),
}

impl TurnEvent {
    fn is_end(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// A turn that is running or has just ended, with its events.
#[derive(Debug)]
pub struct RunningTurn {
    /// Its id, new for each turn.
    pub id: Uuid,
    /// The session that it belongs to.
    pub session: SessionId,
    /// The client's idempotency key for the question.
    pub(super) key: Option<IdempotencyKey>,
    log: Mutex<Vec<TurnEvent>>,
    /// The length of the log.
    grown: watch::Sender<usize>,
    /// Whether the turn has ended: separate from the length, so that a task waiting only for the
    /// end is not woken by every token.
    ended: watch::Sender<bool>,
    stop: CancellationToken,
}

impl RunningTurn {
    /// A turn in which nothing has happened yet.
    pub(super) fn new(session: SessionId, key: Option<IdempotencyKey>) -> Arc<Self> {
        Arc::new(Self {
            id: Uuid::new_v4(),
            session,
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

    /// Whether the provider has begun to answer. Only thoughts come before that.
    pub(super) fn has_started(&self) -> bool {
        lock(&self.log).iter().any(|event| !matches!(event, TurnEvent::Thinking))
    }

    /// Resolves when the visitor has asked to stop.
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for the event at `place`, counted from 0; `None` if it lies beyond the turn's end.
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
            // Any growth wakes us, since the turn may end before it reaches `place`. The sender
            // lives in `self`.
            grown.changed().await.ok()?;
        }
    }

    /// Waits for the turn's end and returns its outcome.
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

/// A reader of a turn, from a given event to its end.
#[derive(Debug)]
pub struct Follower {
    turn: Arc<RunningTurn>,
    next: usize,
}

impl Follower {
    /// A reader of the whole of `turn`.
    pub fn from_start(turn: Arc<RunningTurn>) -> Self {
        Self { turn, next: 0 }
    }

    /// A reader of `turn` that begins after the event `last`, or at the start if `last` belongs to
    /// another turn or is not an event id.
    pub fn after(turn: Arc<RunningTurn>, last: Option<&str>) -> Self {
        let next = last
            .and_then(|last| last.trim().rsplit_once('-'))
            .filter(|(id, _)| *id == turn.id.simple().to_string())
            .and_then(|(_, place)| place.parse::<usize>().ok())
            .map_or(0, |place| place.saturating_add(1));
        Self { turn, next }
    }

    /// The turn being read.
    pub fn turn(&self) -> &RunningTurn {
        &self.turn
    }

    /// Waits for the next event and returns it with its id; `None` after the turn's end.
    pub async fn next(&mut self) -> Option<(String, TurnEvent)> {
        let event = self.turn.event(self.next).await?;
        let id = format!("{}-{}", self.turn.id.simple(), self.next);
        self.next += 1;
        Some((id, event))
    }
}

/// The running turns by session, each of which has one at a time.
#[derive(Debug, Default)]
pub struct RunningTurns(Mutex<HashMap<SessionId, Arc<RunningTurn>>>);

/// Keeps a turn registered for as long as it runs.
pub(super) struct Registration<'a> {
    running: &'a RunningTurns,
    id: SessionId,
}

impl RunningTurns {
    pub(super) fn register(&self, turn: Arc<RunningTurn>) -> Registration<'_> {
        let id = turn.session;
        lock(&self.0).insert(id, turn);
        Registration { running: self, id }
    }

    /// The session's running turn.
    pub fn of(&self, id: SessionId) -> Option<Arc<RunningTurn>> {
        lock(&self.0).get(&id).cloned()
    }

    /// Asks the session's running turn, if any, to stop, and returns it.
    pub fn stop(&self, id: SessionId) -> Option<Arc<RunningTurn>> {
        let turn = self.of(id)?;
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
        lock(&self.running.0).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> Arc<RunningTurn> {
        RunningTurn::new(SessionId::random(), None)
    }

    fn failed() -> TurnEvent {
        TurnEvent::Failed(Arc::new(AppError::TurnInProgress))
    }

    async fn text_from(turn: Arc<RunningTurn>, last: Option<String>) -> String {
        let mut reader = Follower::after(turn, last.as_deref());
        let mut texts = String::new();
        while let Some((_, event)) = reader.next().await {
            if let TurnEvent::Text(text) = event {
                texts.push_str(&text);
            }
        }
        texts
    }

    #[tokio::test]
    async fn early_and_late_readers_see_the_same_events() {
        let turn = turn();
        let early = tokio::spawn(text_from(Arc::clone(&turn), None));
        for n in 0..50 {
            turn.push(TurnEvent::Text(format!("{n} ")));
            tokio::task::yield_now().await;
        }
        let last = format!("{}-24", turn.id.simple());
        let middle = tokio::spawn(text_from(Arc::clone(&turn), Some(last)));
        turn.push(failed());
        let all: String = (0..50).map(|n| format!("{n} ")).collect();
        let half: String = (25..50).map(|n| format!("{n} ")).collect();
        assert_eq!(early.await.unwrap(), all);
        assert_eq!(middle.await.unwrap(), half);
        assert_eq!(text_from(Arc::clone(&turn), None).await, all, "also after the end");
        assert!(turn.event(51).await.is_none() && turn.event(500).await.is_none());
        assert!(matches!(*turn.end().await.unwrap_err(), AppError::TurnInProgress));
    }

    #[tokio::test]
    async fn a_foreign_or_malformed_event_id_starts_at_the_beginning() {
        let turn = turn();
        turn.push(TurnEvent::Text("all".to_owned()));
        turn.push(failed());
        let other = Uuid::new_v4().simple().to_string();
        for last in ["", "-", "x-1", "1", "-1", &other, &format!("{other}-0"), "\u{1f600}-0"] {
            assert_eq!(text_from(Arc::clone(&turn), Some(last.to_owned())).await, "all", "{last}");
        }
        for place in ["0", "1", "500", "18446744073709551615"] {
            let last = format!("{}-{place}", turn.id.simple());
            assert_eq!(text_from(Arc::clone(&turn), Some(last)).await, "", "{place}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_beyond_the_end_ends_with_the_turn() {
        let turn = turn();
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
    async fn a_turn_that_has_ended_is_no_longer_registered() {
        let running = RunningTurns::default();
        let turn = turn();
        let registration = running.register(Arc::clone(&turn));
        assert_eq!(running.of(turn.session).unwrap().id, turn.id);
        assert!(running.stop(SessionId::random()).is_none());
        running.stop(turn.session).unwrap();
        turn.stopped().await;
        drop(registration);
        assert!(running.of(turn.session).is_none() && running.is_empty());
    }
}
