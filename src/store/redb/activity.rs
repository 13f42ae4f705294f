//! When each session was last active, in memory, so that reads need no write and counts no scan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::{SessionId, Stats, Timestamp};
use crate::store::StoreError;

/// How long a session counts as recently used.
const RECENT: Duration = Duration::from_secs(5 * 60);

/// The last activity of every stored session. Memory is authoritative; the file's `activity` table
/// follows with the next commit. The lock is held for a few map operations at a time, never across
/// I/O.
pub(super) struct Activity {
    timeout: Duration,
    inner: Mutex<ActivityInner>,
}

#[derive(Default)]
struct ActivityInner {
    sessions: HashMap<SessionId, LastActivity>,
    /// Sessions active since their row was written.
    pending: HashSet<SessionId>,
    counts: ActivityCounts,
}

#[derive(Clone, Copy)]
struct LastActivity {
    last: Timestamp,
    /// The time in the session's row, in the file or in the transaction being written.
    row: Timestamp,
}

/// A change of a row's key in the `activity` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub id: SessionId,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A session removed from memory; restored if its deletion is not committed.
#[derive(Clone, Copy)]
pub(super) struct Removed {
    id: SessionId,
    entry: LastActivity,
}

/// What a row at the front of the `activity` table stands for.
pub(super) enum Front {
    /// An expired session, now removed from memory, so that no call can revive it.
    Expired(Removed),
    /// A session that is not in memory: left behind by a commit whose outcome is unknown.
    Unknown,
    /// A session that has been active since.
    Live,
}

impl Activity {
    /// Starts empty; sessions expire `timeout` after their last activity.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, inner: Mutex::default() }
    }

    /// Replaces the sessions with `rows` as read from the file: when the store is opened, and after
    /// a failed write, whose outcome is uncertain. Later activity that is not in the file is kept.
    /// Times after `now`, from a clock that was wrong, count as `now`, or such sessions would not
    /// expire for a long time.
    pub fn load(
        &self,
        rows: impl IntoIterator<Item = (Timestamp, SessionId)>,
        now: Option<Timestamp>,
    ) {
        let mut inner = self.lock();
        let before = std::mem::take(&mut *inner);
        for (row, id) in rows {
            let known = before.sessions.get(&id).map_or(row, |entry| entry.last.max(row));
            inner.insert(id, LastActivity { last: now.map_or(known, |now| known.min(now)), row });
        }
    }

    /// Adds a session whose row has been committed.
    pub fn add(&self, id: SessionId, at: Timestamp) {
        self.lock().insert(id, LastActivity { last: at, row: at });
    }

    /// Succeeds if the session is live at `now`. Does not count as activity.
    pub fn check(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        self.lock().live(id, now.before(self.timeout)).map(|_| ())
    }

    /// Makes `now` the last activity of a live session, and returns the last activity: a later time
    /// if a concurrent call has already recorded one.
    pub fn touch(&self, id: SessionId, now: Timestamp) -> Result<Timestamp, StoreError> {
        let mut inner = self.lock();
        let entry = inner.live(id, now.before(self.timeout))?;
        if entry.last < now {
            inner.insert(id, LastActivity { last: now, ..entry });
        }
        Ok(entry.last.max(now))
    }

    /// The moves that bring the file's rows in line with memory. The caller reverts them with
    /// [`Activity::undo`] if they are not committed.
    pub fn take_moves(&self) -> Vec<Move> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut moves = Vec::with_capacity(inner.pending.len());
        for id in inner.pending.drain() {
            if let Some(entry) = inner.sessions.get_mut(&id)
                && entry.row != entry.last
            {
                moves.push(Move { id, from: entry.row, to: entry.last });
                entry.row = entry.last;
            }
        }
        moves
    }

    /// Classifies the session of a row at the front of the `activity` table, at `now`. An expired
    /// one is removed under the same lock: a concurrent touch either comes before and keeps it
    /// alive, or comes after and does not find it.
    pub fn take_expired(&self, id: SessionId, now: Timestamp) -> Front {
        let cutoff = now.before(self.timeout);
        let mut inner = self.lock();
        match inner.sessions.get(&id) {
            None => Front::Unknown,
            Some(entry) if entry.last > cutoff => Front::Live,
            Some(&entry) => {
                inner.remove(id);
                Front::Expired(Removed { id, entry })
            }
        }
    }

    /// The latest activity with which a session has expired at `now`.
    pub fn cutoff(&self, now: Timestamp) -> Timestamp {
        now.before(self.timeout)
    }

    /// Reverts the effects of a transaction that was not committed.
    pub fn undo(&self, moves: &[Move], removed: &[Removed]) {
        let mut inner = self.lock();
        for &Removed { id, entry } in removed {
            inner.insert(id, entry);
        }
        // A row that was moved twice must end up where it started.
        for &Move { id, from, .. } in moves.iter().rev() {
            if let Some(entry) = inner.sessions.get_mut(&id) {
                entry.row = from;
                inner.pending.insert(id);
            }
        }
    }

    /// Counts the sessions that are live at `now`.
    pub fn stats(&self, now: Timestamp) -> Stats {
        let cutoff = now.before(self.timeout);
        let inner = self.lock();
        let stored = inner.sessions.len() as u64;
        Stats {
            // Expired sessions are swept soon, so there are fewer of them to sum than live ones.
            total: stored.saturating_sub(inner.counts.up_to(cutoff)),
            recent: inner.counts.after(cutoff.max(now.before(RECENT))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ActivityInner> {
        // At worst, a panic leaves a count that is off by one.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActivityInner {
    fn live(&self, id: SessionId, cutoff: Timestamp) -> Result<LastActivity, StoreError> {
        self.sessions
            .get(&id)
            .copied()
            .filter(|entry| entry.last > cutoff)
            .ok_or(StoreError::NotFound)
    }

    fn insert(&mut self, id: SessionId, entry: LastActivity) {
        if entry.last != entry.row {
            self.pending.insert(id);
        }
        self.counts.add(entry.last);
        if let Some(before) = self.sessions.insert(id, entry) {
            self.counts.subtract(before.last);
        }
    }

    fn remove(&mut self, id: SessionId) {
        self.pending.remove(&id);
        if let Some(entry) = self.sessions.remove(&id) {
            self.counts.subtract(entry.last);
        }
    }
}

/// Numbers of sessions by last activity: per second, so that a sum over minutes is short, and per
/// millisecond, so that it is exact at its ends.
#[derive(Default)]
struct ActivityCounts {
    seconds: BTreeMap<i64, u64>,
    millis: BTreeMap<i64, u64>,
}

impl ActivityCounts {
    fn add(&mut self, at: Timestamp) {
        *self.seconds.entry(second(at)).or_default() += 1;
        *self.millis.entry(at.0).or_default() += 1;
    }

    fn subtract(&mut self, at: Timestamp) {
        subtract(&mut self.seconds, second(at));
        subtract(&mut self.millis, at.0);
    }

    /// Sessions last active at `at` or before.
    fn up_to(&self, at: Timestamp) -> u64 {
        let begin = second(at).saturating_mul(1000);
        let whole: u64 = self.seconds.range(..second(at)).map(|(_, count)| count).sum();
        let part: u64 = self.millis.range(begin..=at.0).map(|(_, count)| count).sum();
        whole + part
    }

    /// Sessions last active after `at`.
    fn after(&self, at: Timestamp) -> u64 {
        let Some(next) = second(at).checked_add(1) else { return 0 };
        let whole: u64 = self.seconds.range(next..).map(|(_, count)| count).sum();
        let end = next.saturating_mul(1000);
        let Some(begin) = at.0.checked_add(1).filter(|begin| *begin < end) else { return whole };
        let part: u64 = self.millis.range(begin..end).map(|(_, count)| count).sum();
        whole + part
    }
}

fn second(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}

fn subtract(counts: &mut BTreeMap<i64, u64>, key: i64) {
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity() -> (Activity, SessionId) {
        let (activity, id) = (Activity::new(Duration::from_secs(10)), SessionId::random());
        activity.add(id, Timestamp(0));
        (activity, id)
    }

    #[test]
    fn an_uncommitted_move_is_repeated_from_the_rows_original_place() {
        let (activity, id) = activity();
        assert_eq!(activity.take_moves(), []);
        activity.touch(id, Timestamp(1)).unwrap();
        let mut moves = activity.take_moves();
        activity.touch(id, Timestamp(2)).unwrap();
        moves.extend(activity.take_moves());
        assert_eq!(moves.len(), 2);
        assert_eq!(activity.take_moves(), []);
        activity.undo(&moves, &[]);
        let again = Move { id, from: Timestamp(0), to: Timestamp(2) };
        assert_eq!(activity.take_moves(), [again]);
    }

    #[test]
    fn a_session_whose_deletion_was_not_committed_is_restored_with_its_row() {
        let (activity, id) = activity();
        activity.touch(id, Timestamp(5)).unwrap();
        let moves = activity.take_moves();
        let Front::Expired(removed) = activity.take_expired(id, Timestamp(10_005)) else {
            unreachable!("it has expired")
        };
        assert!(matches!(activity.take_expired(id, Timestamp(10_005)), Front::Unknown));
        assert!(activity.touch(id, Timestamp(6)).is_err());
        activity.undo(&moves, &[removed]);
        let again = Move { id, from: Timestamp(0), to: Timestamp(5) };
        assert_eq!(activity.take_moves(), [again]);
        assert_eq!(activity.stats(Timestamp(10_004)).total, 1);
        assert_eq!(activity.stats(Timestamp(10_005)).total, 0);
    }

    #[test]
    fn loading_replaces_the_sessions_but_keeps_later_activity() {
        let (activity, id) = activity();
        let (lost, found) = (SessionId::random(), SessionId::random());
        activity.add(lost, Timestamp(0));
        activity.touch(id, Timestamp(3)).unwrap();
        activity.load([(Timestamp(1), id), (Timestamp(2), found)], None);
        let moved = Move { id, from: Timestamp(1), to: Timestamp(3) };
        assert_eq!(activity.take_moves(), [moved]);
        assert!(activity.check(lost, Timestamp(3)).is_err());
        assert_eq!(activity.stats(Timestamp(3)), Stats { total: 2, recent: 2 });
    }

    #[test]
    fn counts_are_exact_at_every_millisecond_and_at_the_extremes() {
        let mut counts = ActivityCounts::default();
        let times = [i64::MIN, -1001, -1000, -1, 0, 999, 1000, 1001, i64::MAX];
        times.iter().for_each(|at| counts.add(Timestamp(*at)));
        for at in [i64::MIN, -1002, -1001, -1000, -999, -1, 0, 1, 999, 1000, 5000, i64::MAX] {
            let before = times.iter().filter(|time| **time <= at).count() as u64;
            assert_eq!(counts.up_to(Timestamp(at)), before, "up to {at}");
            assert_eq!(counts.after(Timestamp(at)), 9 - before, "after {at}");
        }
        times.iter().for_each(|at| counts.subtract(Timestamp(*at)));
        assert!(counts.seconds.is_empty() && counts.millis.is_empty());
    }
}
