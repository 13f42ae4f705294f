//! Running one statement within its limits.

use std::time::Instant;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Statement};
use serde_json::{Number, Value};

use super::{Limits, SqlError};
use crate::domain::query::QueryResult;

/// Instructions of SQLite's machine between two looks at the clock; well under a millisecond.
const TICK: i32 = 1_000;

/// Runs `sql`, which must be one SELECT (also `WITH … SELECT` or `VALUES`).
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    limit: usize,
    limits: &Limits,
) -> Result<QueryResult, SqlError> {
    if sql.contains('\0') {
        return Err(SqlError::Invalid("a statement has no NUL characters".to_owned()));
    }
    let start = Instant::now();
    let time = limits.time;
    let fail = |error| SqlError::of(error, limits);
    connection.progress_handler(TICK, Some(move || start.elapsed() > time)).map_err(fail)?;
    let result = prepare(connection, sql, limits)
        .and_then(|mut statement| collect(&mut statement, limit.min(limits.rows), limits));
    connection.progress_handler(0, None::<fn() -> bool>).map_err(fail)?;
    let mut result = result?;
    result.elapsed_ms = (start.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
    Ok(result)
}

fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    limits: &Limits,
) -> Result<Statement<'a>, SqlError> {
    let fail = |error| SqlError::of(error, limits);
    let refused = |text: &str| Err(SqlError::Refused(text.to_owned()));
    // Not `Connection::prepare`: it looks at what follows by recursion, once for each semicolon.
    let mut batch = Batch::new(connection, sql);
    let Some(statement) = batch.next().map_err(fail)? else {
        return Err(SqlError::Invalid("there is no statement".to_owned()));
    };
    // What follows need not even compile to be too much.
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
    limits: &Limits,
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
                // Rows that were found in time are right, only not all.
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
