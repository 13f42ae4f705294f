//! Locks by key that exist only while they are in use, each with a bounded queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One lock per key. Keys that nobody holds or waits for take no memory.
#[derive(Debug)]
pub struct KeyedLocks<K> {
    locks: Arc<Mutex<HashMap<K, KeyedLock>>>,
    holders: usize,
}

#[derive(Debug)]
struct KeyedLock {
    /// Fair: callers are served in order of arrival.
    turn: Arc<Semaphore>,
    /// Number of callers that hold it or wait for it.
    users: usize,
}

/// Why a lock was not obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockRefused {
    /// It did not become free in time.
    Timeout,
    /// The maximum number of callers is already waiting.
    QueueFull,
}

/// A lock, or a place in its queue; released on drop.
#[derive(Debug)]
pub struct HeldLock<K: Eq + Hash + Copy> {
    locks: KeyedLocks<K>,
    key: K,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K> Clone for KeyedLocks<K> {
    fn clone(&self) -> Self {
        Self { locks: Arc::clone(&self.locks), holders: self.holders }
    }
}

/// Locks with one holder each.
impl<K> Default for KeyedLocks<K> {
    fn default() -> Self {
        Self::with_holders(1)
    }
}

impl<K> KeyedLocks<K> {
    /// Locks with up to `holders` holders each.
    pub fn with_holders(holders: usize) -> Self {
        Self { locks: Arc::default(), holders }
    }
}

impl<K: Eq + Hash + Copy> KeyedLocks<K> {
    /// Waits for the lock of `key` for at most `patience`, unless `queue` others already wait.
    pub async fn lock(
        &self,
        key: K,
        patience: Duration,
        queue: usize,
    ) -> Result<HeldLock<K>, LockRefused> {
        let (mut held, turn) = self.enter(key, queue)?;
        let permit = tokio::time::timeout(patience, turn.acquire_owned()).await;
        // The semaphore is never closed.
        held.permit = Some(permit.ok().and_then(Result::ok).ok_or(LockRefused::Timeout)?);
        Ok(held)
    }

    fn enter(&self, key: K, queue: usize) -> Result<(HeldLock<K>, Arc<Semaphore>), LockRefused> {
        let mut locks = self.map();
        let lock = locks.entry(key).or_insert_with(|| KeyedLock {
            turn: Arc::new(Semaphore::new(self.holders)),
            users: 0,
        });
        if lock.users >= self.holders.saturating_add(queue) {
            return Err(LockRefused::QueueFull);
        }
        lock.users += 1;
        let turn = Arc::clone(&lock.turn);
        Ok((HeldLock { locks: self.clone(), key, permit: None }, turn))
    }

    /// Number of keys that are locked or waited for.
    pub fn len(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> MutexGuard<'_, HashMap<K, KeyedLock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy> Drop for HeldLock<K> {
    fn drop(&mut self) {
        self.permit = None;
        let mut locks = self.locks.map();
        if let Some(lock) = locks.get_mut(&self.key) {
            lock.users -= 1;
            if lock.users == 0 {
                locks.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn keys_are_locked_independently() {
        let locks = KeyedLocks::default();
        let (a, b) = (1, 2);
        let first = locks.lock(a, SECOND, 4).await.unwrap();
        let late = locks.lock(a, 30 * SECOND, 4).await.unwrap_err();
        assert!(matches!(late, LockRefused::Timeout), "still taken");
        locks.lock(b, Duration::ZERO, 4).await.expect("another key's lock is free");
        drop(first);
        drop(locks.lock(a, Duration::ZERO, 4).await.unwrap());
        assert_eq!(locks.len(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn callers_are_served_in_order_and_the_queue_is_bounded() {
        let locks = KeyedLocks::default();
        let id = 7;
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = locks.lock(id, SECOND, 5).await.unwrap();
        let mut tasks = Vec::new();
        for n in 0..5 {
            let (locks, order) = (locks.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _turn = locks.lock(id, 10 * SECOND, 5).await.unwrap();
                order.lock().unwrap().push(n);
            }));
            tokio::task::yield_now().await;
        }
        let sixth = locks.lock(id, SECOND, 5).await.unwrap_err();
        assert!(matches!(sixth, LockRefused::QueueFull));
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert_eq!(locks.len(), 0);
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_leaves_the_queue() {
        let locks = KeyedLocks::default();
        let id = 7;
        let first = locks.lock(id, SECOND, 1).await.unwrap();
        for _ in 0..3 {
            let waiting = tokio::spawn({
                let locks = locks.clone();
                async move { locks.lock(id, 10 * SECOND, 1).await.map(drop) }
            });
            tokio::task::yield_now().await;
            waiting.abort();
            assert!(waiting.await.unwrap_err().is_cancelled());
        }
        drop(first);
        locks.lock(id, Duration::ZERO, 1).await.unwrap();
    }
}
