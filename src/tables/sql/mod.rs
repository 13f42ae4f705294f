//! SQL over an uploaded table: one read-only statement over table `data` in an in-memory SQLite.
//!
//! - `load` builds the database from the rows, `guard` makes it read-only by a list of what is
//!   allowed, `weigh` refuses what SQLite would compile for long, `sums` what adds up text, `run` runs a statement within
//!   its limits, `functions` replaces SQLite functions whose time grows with the square of their
//!   input, and adds some that people miss.
//! - [`Tables`] keeps the databases that were used last.
//!
//! All of it blocks; it belongs on threads that may.
//!
//! # Time
//!
//! A [`Request`] carries a deadline and an [`Interrupt`]. Both hold while it waits for another
//! statement over the same table and while it runs; SQLite looks at them every thousand
//! instructions, and at each column it resolves. Loading a table is bounded by the table's size:
//! it moves the deadline, since a load that is given up would only be repeated, but it can be
//! interrupted.
//!
//! # Memory
//!
//! SQLite has no memory limit per connection. It has a hard limit on its heap for the whole
//! process: an allocation beyond it fails, and so does the statement that asked for it, nothing
//! else. It is set to [`SqlLimits::cache_bytes`] + [`SqlLimits::work_bytes`] by the first
//! database. So the kept tables and all running statements together stay below it, and with a full
//! cache the statements share the last 64 MiB. Temporary tables and sorts never reach a disk: the
//! database is opened on SQLite's `memdb` file system, whose files are memory under that limit.

mod cache;
mod functions;
mod guard;
mod interrupt;
mod like;
mod load;
mod run;
mod sums;
#[cfg(test)]
mod tests;
mod tokens;
mod weigh;

use std::time::{Duration, Instant};

pub use cache::{TableKey, Tables};
pub use interrupt::{Interrupt, InterruptOnDrop};

use crate::domain::dataset::Dataset;

/// How much a statement, and all of them together, may take.
#[derive(Clone, Copy, Debug)]
pub struct SqlLimits {
    /// Wall time of one statement, from the moment it has a work place.
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

impl Default for SqlLimits {
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

/// A statement to run.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// One SELECT (also `WITH … SELECT` or `VALUES`).
    pub sql: &'a str,
    /// Maximum number of rows; [`SqlLimits::rows`] if that is fewer.
    pub limit: usize,
    /// When the statement must have ended. Rows that were found by then are returned.
    pub deadline: Instant,
    /// Ends the statement early.
    pub interrupt: &'a Interrupt,
}

/// A table and its text, as [`ingest`](crate::tables::ingest::ingest) made them.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The columns and the layout.
    pub dataset: &'a Dataset,
    /// The rows.
    pub text: &'a [u8],
}

/// Why a statement has no result. The text may be shown to the author of the statement: it is
/// SQLite's or ours, and may repeat words of the statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// SQLite cannot compile or run the statement.
    #[error("{0}")]
    Invalid(String),
    /// The statement is not a single SELECT, uses what is not allowed, or would take long to
    /// compile.
    #[error("{0}")]
    Refused(String),
    /// No row by the deadline. Holds [`SqlLimits::time`].
    #[error("the statement took more than {} seconds", .0.as_secs_f32())]
    Timeout(Duration),
    /// Its [`Interrupt`] was set.
    #[error("the statement was interrupted")]
    Interrupted,
    /// The table, a value or an intermediate result is larger than the limit.
    #[error("{0}")]
    TooLarge(String),
    /// SQLite failed for a reason other than the statement. The text is for the log.
    #[error("the table cannot be queried now")]
    Unavailable(String),
}

impl SqlError {
    /// What SQLite says, without the statement around it.
    fn of(error: rusqlite::Error, limits: &SqlLimits) -> Self {
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
                Self::TooLarge("the statement needs more memory than is allowed".to_owned())
            }
            ErrorCode::DiskFull => Self::TooLarge("the table is too large for SQL".to_owned()),
            ErrorCode::TooBig => Self::TooLarge(text),
            ErrorCode::AuthorizationForStatementDenied if text == "not authorized" => {
                Self::Refused("only a SELECT over the table `data` is allowed".to_owned())
            }
            ErrorCode::AuthorizationForStatementDenied => Self::Refused(text),
            ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange => {
                Self::Invalid(text)
            }
            _ => Self::Unavailable(text),
        }
    }
}
