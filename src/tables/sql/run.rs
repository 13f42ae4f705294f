//! Running one statement within its limits.

use std::time::Instant;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Statement};
use serde_json::{Number, Value};

use super::load::LoadedTable;
use super::{Request, SqlError, SqlLimits, guard, sums, weigh};
use crate::domain::query::QueryResult;

/// Instructions of SQLite's virtual machine between two looks at the clock; well under a
/// millisecond.
const TICK: i32 = 1_000;

/// Runs a request's statement.
pub(super) fn run(
    database: &LoadedTable,
    request: &Request<'_>,
    limits: &SqlLimits,
) -> Result<QueryResult, SqlError> {
    if request.sql.contains('\0') {
        return Err(SqlError::Invalid("a statement cannot contain NUL characters".to_owned()));
    }
    weigh::weigh(request.sql, database.columns)?;
    sums::check(request.sql, &database.texts)?;
    let start = Instant::now();
    let connection = &database.connection;
    let fail = |error| SqlError::of(error, limits);
    let interrupt = request.interrupt.clone();
    let deadline = request.deadline;
    let stop = move || interrupt.is_set() || Instant::now() > deadline;
    connection.progress_handler(TICK, Some(stop.clone())).map_err(fail)?;
    guard::guard(connection, stop).map_err(fail)?;
    let result = prepare(connection, request.sql, limits)
        .and_then(|mut statement| collect(&mut statement, request.limit.min(limits.rows), limits));
    connection.progress_handler(0, None::<fn() -> bool>).map_err(fail)?;
    // What the statement left in SQLite's caches is of no use to the next one.
    connection.release_memory().map_err(fail)?;
    let mut result = match result {
        // Whatever SQLite says of it, and even if some rows were found.
        _ if request.interrupt.is_set() => return Err(SqlError::Interrupted),
        // The guard refuses everything once the time is over.
        Err(SqlError::Refused(_)) if Instant::now() > deadline => {
            return Err(SqlError::Timeout(limits.time));
        }
        result => result?,
    };
    result.elapsed_ms = (start.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
    Ok(result)
}

fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    limits: &SqlLimits,
) -> Result<Statement<'a>, SqlError> {
    let fail = |error| SqlError::of(error, limits);
    let refused = |text: &str| Err(SqlError::Refused(text.to_owned()));
    // Not `Connection::prepare`, which recurses once for each semicolon behind the statement.
    let mut batch = Batch::new(connection, sql);
    let Some(statement) = batch.next().map_err(fail)? else {
        return Err(SqlError::Invalid("there is no statement".to_owned()));
    };
    // What follows is too much even if it does not compile.
    if !matches!(batch.next(), Ok(None)) {
        return refused("only one statement is allowed");
    }
    if statement.is_explain() != 0 || statement.column_count() == 0 || !statement.readonly() {
        return refused("only a SELECT is allowed");
    }
    if statement.parameter_count() > 0 {
        return refused("parameters are not allowed: there are no values for them");
    }
    Ok(statement)
}

fn collect(
    statement: &mut Statement<'_>,
    limit: usize,
    limits: &SqlLimits,
) -> Result<QueryResult, SqlError> {
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut out: Vec<Vec<Value>> = Vec::new();
    let mut bytes = 0;
    let mut truncated = false;
    let mut rows = statement.raw_query();
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => match SqlError::of(error, limits) {
                // Rows that were found in time are correct, only not all.
                SqlError::Timeout(_) if !out.is_empty() => {
                    truncated = true;
                    break;
                }
                error => return Err(error),
            },
        };
        if out.len() == limit {
            truncated = true;
            break;
        }
        let mut values = Vec::with_capacity(columns.len());
        for at in 0..columns.len() {
            let value = row.get_ref(at).map_err(|error| SqlError::of(error, limits))?;
            bytes += size(value);
            if bytes > limits.result_bytes {
                break;
            }
            values.push(to_json(value));
        }
        if bytes > limits.result_bytes {
            if out.is_empty() {
                return Err(SqlError::TooLarge("the first row is too large".to_owned()));
            }
            truncated = true;
            break;
        }
        out.push(values);
    }
    Ok(QueryResult { columns, row_count: out.len(), rows: out, truncated, elapsed_ms: 0.0 })
}

fn size(value: ValueRef<'_>) -> usize {
    16 + match value {
        ValueRef::Text(text) => text.len(),
        ValueRef::Blob(bytes) => bytes.len() * 2,
        _ => 0,
    }
}

fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        // JSON has no infinity.
        ValueRef::Real(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => {
            bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into()
        }
    }
}
