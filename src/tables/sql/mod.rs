//! SQL over an uploaded table: one read-only statement over table `data` in an in-memory SQLite.
//!
//! - `load` builds the database from the rows, `guard` makes it read-only by a list of what is
//!   allowed, `run` runs a statement within its limits, `functions` replaces SQLite functions
//!   whose time grows with the square of their input, and adds those that people miss.
//! - [`Tables`] keeps the databases that were used last.
//!
//! All of it blocks; it belongs on threads that may.
//!
//! # Memory
//!
//! SQLite has no limit by connection. What it has is a hard limit on its heap for the whole
//! process, beyond which an allocation fails and the statement that asked for it ends with an
//! error, nothing else. It is set to [`Limits::cache_bytes`] + [`Limits::work_bytes`] by the first
//! database. So the kept tables and all running statements together stay under it, and with a full
//! cache the statements share the last 64 MiB. Temporary tables and sorts never reach a disk: the
//! database is opened on SQLite's `memdb` file system, whose files are memory under that limit.

mod functions;
mod guard;
mod load;
mod run;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::domain::dataset::Dataset;
use crate::domain::query::QueryResult;

/// How much a statement, and all of them, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time of one statement.
    pub time: Duration,
    /// Rows of one result.
    pub rows: usize,
    /// Size of one result: text bytes, and 16 for each value.
    pub result_bytes: usize,
    /// Size of one table, and of all kept ones together.
    pub cache_bytes: usize,
    /// What SQLite may take beyond `cache_bytes`. Both count for the process, as they were when
    /// the first database was opened.
    pub work_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(2),
            rows: 1_000,
            result_bytes: 4 << 20,
            cache_bytes: 128 << 20,
            work_bytes: 64 << 20,
        }
    }
}

/// Why a statement gave no result. Its text may be shown to whoever wrote the statement: it is
/// SQLite's own, or ours, and may repeat words of the statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// SQLite cannot compile or run the statement.
    #[error("{0}")]
    Invalid(String),
    /// The statement is not a single SELECT, or uses what is not allowed.
    #[error("{0}")]
    Refused(String),
    /// No row within the time limit.
    #[error("the statement took more than {} seconds", .0.as_secs_f32())]
    Timeout(Duration),
    /// The table, a value or what lies between is larger than the limit.
    #[error("{0}")]
    TooLarge(String),
    /// SQLite failed for reasons that are not the statement's. The text is for the log.
    #[error("the table cannot be queried now")]
    Unavailable(String),
}

/// Why [`Tables::query`] gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError<E> {
    /// The caller's own way to the table failed.
    #[error("the table cannot be read")]
    Load(E),
    /// The statement did.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Which table: an upload of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The session's id.
    pub session: [u8; 16],
    /// A number that another upload in the same session has not.
    pub version: u64,
}

/// A place for one database. Whoever loads or queries it holds its lock.
#[derive(Default)]
struct Slot {
    database: Mutex<Option<Connection>>,
}

struct Entry {
    slot: Arc<Slot>,
    /// Size of the table; 0 while it is being loaded.
    bytes: usize,
    /// The tick of its last use.
    used: u64,
}

#[derive(Default)]
struct Cache {
    entries: HashMap<Key, Entry>,
    tick: u64,
}

/// The databases that were used last, within [`Limits::cache_bytes`].
#[derive(Default)]
pub struct Tables {
    limits: Limits,
    cache: Mutex<Cache>,
}

impl Tables {
    /// An empty cache.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: Mutex::default() }
    }

    /// Runs `sql` over the table of `key` and gives back at most `limit` rows, and never more than
    /// [`Limits::rows`]. `load` is called when the database is not at hand; it gives the table and
    /// its text, as `ingest` made them. Statements over one table wait for each other.
    pub fn query<E, T: AsRef<[u8]>>(
        &self,
        key: Key,
        load: impl FnOnce() -> Result<(Dataset, T), E>,
        sql: &str,
        limit: usize,
    ) -> Result<QueryResult, QueryError<E>> {
        let slot = self.slot(key);
        let mut database = lock(&slot.database);
        if let Some(connection) = &*database {
            return Ok(run::run(connection, sql, limit, &self.limits)?);
        }
        let loaded = load().map_err(QueryError::Load).and_then(|(dataset, text)| {
            load::load(&dataset, text.as_ref(), &self.limits)
                .or_else(|error| {
                    // The room may be taken by tables that nobody is asking about.
                    let full = matches!(error, SqlError::TooLarge(_)) && self.clear_others(key);
                    if !full {
                        return Err(error);
                    }
                    load::load(&dataset, text.as_ref(), &self.limits)
                })
                .map_err(QueryError::Sql)
        });
        match loaded {
            Ok((connection, bytes)) => {
                let connection = database.insert(connection);
                self.keep(key, &slot, bytes);
                Ok(run::run(connection, sql, limit, &self.limits)?)
            }
            Err(error) => {
                self.drop_slot(key, &slot);
                Err(error)
            }
        }
    }

    /// Drops the tables of a session: its file was replaced or deleted, or it has expired. A
    /// running statement ends first.
    pub fn forget(&self, session: [u8; 16]) {
        lock(&self.cache).entries.retain(|key, _| key.session != session);
    }

    /// The size of the kept tables in bytes.
    pub fn bytes(&self) -> usize {
        lock(&self.cache).entries.values().map(|entry| entry.bytes).sum()
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut cache = lock(&self.cache);
        cache.tick += 1;
        let used = cache.tick;
        let entry = cache.entries.entry(key).or_insert_with(|| Entry {
            slot: Arc::default(),
            bytes: 0,
            used,
        });
        entry.used = used;
        entry.slot.clone()
    }

    /// Records the size of a table that was loaded, and drops older ones until all fit. A table
    /// that is in use lives until its statement has ended.
    fn keep(&self, key: Key, slot: &Arc<Slot>, bytes: usize) {
        let mut cache = lock(&self.cache);
        // It may have been forgotten while it was loaded.
        let Some(entry) = cache.entries.get_mut(&key).filter(|it| Arc::ptr_eq(&it.slot, slot))
        else {
            return;
        };
        entry.bytes = bytes;
        cache.entries.retain(|it, _| it.session != key.session || it.version >= key.version);
        let mut total: usize = cache.entries.values().map(|entry| entry.bytes).sum();
        while total > self.limits.cache_bytes {
            let oldest = cache.entries.iter().filter(|(it, entry)| **it != key && entry.bytes > 0);
            let Some(oldest) = oldest.min_by_key(|(_, entry)| entry.used).map(|(it, _)| *it) else {
                break;
            };
            total -= cache.entries.remove(&oldest).map_or(0, |entry| entry.bytes);
        }
    }

    /// Drops the loaded tables of others; whether there were any.
    fn clear_others(&self, key: Key) -> bool {
        let mut cache = lock(&self.cache);
        let before = cache.entries.len();
        cache.entries.retain(|it, entry| *it == key || entry.bytes == 0);
        cache.entries.len() < before
    }

    fn drop_slot(&self, key: Key, slot: &Arc<Slot>) {
        let mut cache = lock(&self.cache);
        if cache.entries.get(&key).is_some_and(|entry| Arc::ptr_eq(&entry.slot, slot)) {
            cache.entries.remove(&key);
        }
    }
}

/// A panic elsewhere leaves nothing half-done here: a cache entry or a database is there or not.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqlError {
    /// What SQLite says, without the statement around it.
    fn of(error: rusqlite::Error, limits: &Limits) -> Self {
        use rusqlite::ErrorCode;
        let (code, text) = match error {
            rusqlite::Error::SqliteFailure(code, text) => {
                (code, text.unwrap_or_else(|| code.to_string()))
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, msg),
            other => return Self::Unavailable(other.to_string()),
        };
        match code.code {
            ErrorCode::OperationInterrupted => Self::Timeout(limits.time),
            ErrorCode::OutOfMemory => {
                Self::TooLarge("the statement needs more memory than it may take".to_owned())
            }
            ErrorCode::DiskFull => Self::TooLarge("the table is too large for SQL".to_owned()),
            ErrorCode::TooBig => Self::TooLarge(text),
            ErrorCode::AuthorizationForStatementDenied if text == "not authorized" => {
                Self::Refused("not authorized: only a SELECT over table data is".to_owned())
            }
            ErrorCode::AuthorizationForStatementDenied => Self::Refused(text),
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
                Self::Invalid(text)
            }
            _ => Self::Unavailable(text),
        }
    }
}
