//! The databases that were used last.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::load::{LoadedTable, load};
use super::{Request, Source, SqlError, SqlLimits, run};
use crate::domain::query::QueryResult;

/// How often a statement that waits for another one looks at its interrupt.
const PATIENCE: Duration = Duration::from_millis(50);

/// Identifies a table: an upload of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableKey {
    /// The session's id.
    pub session: [u8; 16],
    /// A number that no other upload of the session has.
    pub version: u64,
}

/// A place for one database.
#[derive(Default)]
struct Slot {
    state: Mutex<SlotState>,
    /// Notified when the slot is no longer in use.
    free: Condvar,
}

#[derive(Default)]
struct SlotState {
    /// `None` while it is in use or not loaded.
    database: Option<LoadedTable>,
    in_use: bool,
}

/// The right to use a slot, alone. Dropping it puts the database back.
struct Lease {
    slot: Arc<Slot>,
    database: Option<LoadedTable>,
}

struct CachedTable {
    slot: Arc<Slot>,
    /// Size of the table; 0 while it is being loaded.
    bytes: usize,
    last_used: Instant,
}

/// The databases that were used last, within [`SqlLimits::cache_bytes`].
#[derive(Default)]
pub struct Tables {
    limits: SqlLimits,
    cached: Mutex<HashMap<TableKey, CachedTable>>,
}

impl Tables {
    /// An empty cache.
    pub fn new(limits: SqlLimits) -> Self {
        Self { limits, cached: Mutex::default() }
    }

    /// The limits that the statements are held to.
    pub fn limits(&self) -> &SqlLimits {
        &self.limits
    }

    /// Whether the table of `key` is loaded, so that [`query`](Self::query) needs no source.
    pub fn has(&self, key: TableKey) -> bool {
        lock(&self.cached).get(&key).is_some_and(|table| table.bytes > 0)
    }

    /// Runs a statement over the table of `key`, loading it from `source` if necessary. Statements
    /// over one table wait for each other. Returns `None` if the table is not loaded and there is
    /// no source; that can happen although [`has`](Self::has) was true, when the table has been
    /// dropped since.
    ///
    /// # Errors
    ///
    /// As [`SqlError`] says.
    pub fn query(
        &self,
        key: TableKey,
        source: Option<Source<'_>>,
        request: &Request<'_>,
    ) -> Result<Option<QueryResult>, SqlError> {
        let Some(slot) = self.slot(key, source.is_some()) else { return Ok(None) };
        let mut lease = Lease::take(slot, request, &self.limits)?;
        let mut request = *request;
        if lease.database.is_none() {
            let Some(source) = source else { return Ok(None) };
            let start = Instant::now();
            match self.load(key, source, &request) {
                Ok(database) => {
                    self.keep(key, &lease.slot, database.bytes);
                    lease.database = Some(database);
                }
                Err(error) => {
                    self.drop_slot(key, &lease.slot);
                    return Err(error);
                }
            }
            request.deadline += start.elapsed();
        }
        let Some(database) = &lease.database else { return Ok(None) };
        run::run(database, &request, &self.limits).map(Some)
    }

    /// Drops the tables of a session: its file was replaced or deleted, or it has expired. A
    /// running statement ends first.
    pub fn forget(&self, session: [u8; 16]) {
        lock(&self.cached).retain(|key, _| key.session != session);
    }

    /// Drops the tables that were not used for as long as `idle`. With the lifetime of a session
    /// these are the tables of expired sessions, among others.
    pub fn forget_idle(&self, idle: Duration) {
        lock(&self.cached).retain(|_, table| table.bytes == 0 || table.last_used.elapsed() < idle);
    }

    /// The size of the kept tables in bytes.
    pub fn bytes(&self) -> usize {
        lock(&self.cached).values().map(|table| table.bytes).sum()
    }

    fn load(
        &self,
        key: TableKey,
        source: Source<'_>,
        request: &Request<'_>,
    ) -> Result<LoadedTable, SqlError> {
        load(source, &self.limits, request.interrupt).or_else(|error| {
            // The room may be taken by tables that nobody is querying.
            let full = matches!(error, SqlError::TooLarge(_)) && self.clear_others(key);
            if full { load(source, &self.limits, request.interrupt) } else { Err(error) }
        })
    }

    /// The slot of a table, which is made if there is none and `insert` is set.
    fn slot(&self, key: TableKey, insert: bool) -> Option<Arc<Slot>> {
        let mut cached = lock(&self.cached);
        if insert {
            cached.entry(key).or_insert_with(|| CachedTable {
                slot: Arc::default(),
                bytes: 0,
                last_used: Instant::now(),
            });
        }
        let table = cached.get_mut(&key)?;
        table.last_used = Instant::now();
        Some(table.slot.clone())
    }

    /// Records the size of a table that was loaded, and drops older ones until all fit. A table
    /// that is in use lives until its statement has ended.
    fn keep(&self, key: TableKey, slot: &Arc<Slot>, bytes: usize) {
        let mut cached = lock(&self.cached);
        // It may have been forgotten while it was loaded.
        let Some(table) = cached.get_mut(&key).filter(|it| Arc::ptr_eq(&it.slot, slot)) else {
            return;
        };
        table.bytes = bytes;
        table.last_used = Instant::now();
        // A session has one file, and this one was read last.
        cached.retain(|it, _| it.session != key.session || it.version == key.version);
        let mut total: usize = cached.values().map(|table| table.bytes).sum();
        while total > self.limits.cache_bytes {
            let others = cached.iter().filter(|(it, table)| **it != key && table.bytes > 0);
            let oldest = others.min_by_key(|(_, table)| table.last_used).map(|(it, _)| *it);
            let Some(oldest) = oldest else { break };
            total -= cached.remove(&oldest).map_or(0, |table| table.bytes);
        }
    }

    /// Drops the loaded tables of others. Returns whether there were any.
    fn clear_others(&self, key: TableKey) -> bool {
        let mut cached = lock(&self.cached);
        let before = cached.len();
        cached.retain(|it, table| *it == key || table.bytes == 0);
        cached.len() < before
    }

    fn drop_slot(&self, key: TableKey, slot: &Arc<Slot>) {
        let mut cached = lock(&self.cached);
        if cached.get(&key).is_some_and(|table| Arc::ptr_eq(&table.slot, slot)) {
            cached.remove(&key);
        }
    }
}

impl Lease {
    /// Waits until the slot is free, but no longer than the request allows.
    fn take(slot: Arc<Slot>, request: &Request<'_>, limits: &SqlLimits) -> Result<Self, SqlError> {
        let mut state = lock(&slot.state);
        while state.in_use {
            if request.interrupt.is_set() {
                return Err(SqlError::Interrupted);
            }
            let left = request.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(SqlError::Timeout(limits.time));
            }
            let waited = slot.free.wait_timeout(state, left.min(PATIENCE));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.in_use = true;
        let database = state.database.take();
        drop(state);
        Ok(Self { slot, database })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = lock(&self.slot.state);
        state.database = self.database.take();
        state.in_use = false;
        self.slot.free.notify_one();
    }
}

/// A panic elsewhere leaves nothing half-done here: a table or a database is there or not.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
