//! One turn at a time per session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::domain::SessionId;

/// The sessions that are being answered. A session that nobody asks costs nothing.
#[derive(Debug, Default)]
pub struct TurnLocks(Mutex<HashMap<SessionId, Weak<Turn<()>>>>);

/// A session's turn; it ends when this is dropped.
#[derive(Debug)]
pub struct TurnGuard<'a> {
    locks: &'a TurnLocks,
    id: SessionId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl TurnLocks {
    /// Waits until the turn is `id`'s, at most `patience`; `None` when that is over. Those who
    /// wait are served in the order in which they came.
    pub async fn lock(&self, id: SessionId, patience: Duration) -> Option<TurnGuard<'_>> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let weak = turns.entry(id).or_default();
            weak.upgrade().unwrap_or_else(|| {
                let turn = Arc::new(Turn::new(()));
                *weak = Arc::downgrade(&turn);
                turn
            })
        };
        // Made before the wait, so that giving up tidies as well.
        let mut guard = TurnGuard { locks: self, id, guard: None };
        guard.guard = Some(tokio::time::timeout(patience, turn.lock_owned()).await.ok()?);
        Some(guard)
    }
}

impl TurnLocks {
    /// How many sessions are locked or waited for.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no session is locked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut turns = self.locks.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.get(&self.id).is_some_and(|turn| turn.strong_count() == 0) {
            turns.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_the_other_and_others_do_not() {
        let locks = TurnLocks::default();
        let (a, b) = (SessionId::random(), SessionId::random());
        let first = locks.lock(a, Duration::from_secs(1)).await.unwrap();
        assert!(locks.lock(a, Duration::from_secs(30)).await.is_none(), "still taken");
        assert!(locks.lock(b, Duration::ZERO).await.is_some(), "another session's is free");
        drop(first);
        assert!(locks.lock(a, Duration::ZERO).await.is_some());
        assert!(locks.is_empty(), "nothing is left behind");
    }

    #[tokio::test]
    async fn those_who_wait_come_in_order() {
        let locks = Arc::new(TurnLocks::default());
        let id = SessionId::random();
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = locks.lock(id, Duration::from_secs(10)).await.unwrap();
        let mut tasks = Vec::new();
        for n in 0..5 {
            let (locks, order) = (Arc::clone(&locks), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _turn = locks.lock(id, Duration::from_secs(10)).await.unwrap();
                order.lock().unwrap().push(n);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    }
}
