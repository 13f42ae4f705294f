//! Builds a database from the rows of a dataset.

use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement};

use super::{Interrupt, Source, SqlError, SqlLimits, functions, guard, sums};
use crate::domain::dataset::{ColumnType, Dataset};
use crate::tables::rows::{Cell, for_each_row};

const PAGE: usize = 8192;

/// A database that holds one table and only reads.
pub(super) struct LoadedTable {
    pub(super) connection: Connection,
    /// Its size.
    pub(super) bytes: usize,
    /// The number of the table's columns.
    pub(super) columns: usize,
    /// The names of those that hold text.
    pub(super) texts: Vec<String>,
}

/// Loads a table.
pub(super) fn load(
    Source { dataset, text }: Source<'_>,
    limits: &SqlLimits,
    interrupt: &Interrupt,
) -> Result<LoadedTable, SqlError> {
    let filled = fill(dataset, text, limits, interrupt);
    if interrupt.is_set() {
        return Err(SqlError::Interrupted);
    }
    let (connection, longest) = filled.map_err(|error| match SqlError::of(error, limits) {
        SqlError::TooLarge(_) => SqlError::TooLarge("the table is too large for SQL".to_owned()),
        // The statements are ours, so any other error is a fault of ours too.
        SqlError::Invalid(text) | SqlError::Refused(text) => SqlError::Unavailable(text),
        other => other,
    })?;
    let prepare = || {
        let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let longest = guard::limit(&connection, longest)?;
        functions::add(&connection, longest)?;
        guard::read_only(&connection)?;
        guard::names_are_no_texts(&connection)?;
        Ok(pages as usize * PAGE)
    };
    let bytes = prepare().map_err(|error| SqlError::of(error, limits))?;
    let (columns, texts) = (dataset.columns.len(), sums::texts(dataset));
    Ok(LoadedTable { connection, bytes, columns, texts })
}

/// The table, and the bytes of its longest row.
fn fill(
    dataset: &Dataset,
    text: &[u8],
    limits: &SqlLimits,
    interrupt: &Interrupt,
) -> Result<(Connection, usize), rusqlite::Error> {
    // A database is used by one thread at a time. `memdb` keeps temporary files in memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_MEMORY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_in_memory_with_flags_and_vfs(flags, c"memdb")?;
    // temp_store stays FILE: sorts then work in blocks that fit a processor's cache, which is
    // faster than one list of many allocations, and can be interrupted between blocks.
    connection.execute_batch(&format!(
        "PRAGMA hard_heap_limit = {}; PRAGMA page_size = {PAGE}; PRAGMA max_page_count = {};
         PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1024;",
        limits.cache_bytes + limits.work_bytes,
        limits.cache_bytes / PAGE,
    ))?;
    connection.execute_batch(&create(dataset))?;
    let transaction = connection.unchecked_transaction()?;
    let mut longest = 0;
    let mut failed = None;
    if dataset.columns.is_empty() {
        let mut insert = connection.prepare("INSERT INTO data VALUES (NULL)")?;
        for _ in 0..dataset.rows {
            insert.raw_execute()?;
        }
    } else {
        let mut inserts = Inserts::new(&connection, dataset)?;
        for_each_row(dataset, text, &mut |row| match inserts.add(row) {
            _ if interrupt.is_set() => ControlFlow::Break(()),
            Ok(bytes) => {
                longest = longest.max(bytes);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        if failed.is_none() && inserts.bound > 0 {
            // Fewer rows than the dataset says.
            failed = Some(rusqlite::Error::StatementChangedRows(inserts.bound));
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    transaction.commit()?;
    Ok((connection, longest))
}

/// Rows of one INSERT; more would not make it faster.
const BATCH: usize = 8;

/// Parameters of one INSERT, which bounds the rows of wide tables.
const MAX_PARAMETERS: usize = 1_000;

/// Inserts several rows at a time, and one at a time when fewer are left.
struct Inserts<'c> {
    several: Statement<'c>,
    one: Statement<'c>,
    batch: usize,
    /// Rows that are yet to be inserted.
    left: u64,
    /// Rows that are bound to `several`.
    bound: usize,
}

impl<'c> Inserts<'c> {
    fn new(connection: &'c Connection, dataset: &Dataset) -> Result<Self, rusqlite::Error> {
        let width = dataset.columns.len();
        let batch = (MAX_PARAMETERS / width).clamp(1, BATCH);
        let row = format!("({})", vec!["?"; width].join(","));
        let insert =
            |rows| format!("INSERT INTO data VALUES {}", vec![row.as_str(); rows].join(","));
        let several = connection.prepare(&insert(batch))?;
        let one = connection.prepare(&insert(1))?;
        Ok(Self { several, one, batch, left: dataset.rows, bound: 0 })
    }

    /// Inserts a row. Returns its size, which is no less than that of SQLite's record.
    fn add(&mut self, row: &[Cell<'_>]) -> Result<usize, rusqlite::Error> {
        let in_batch = self.bound > 0 || self.left >= self.batch as u64;
        self.left = self.left.saturating_sub(1);
        if !in_batch {
            let bytes = bind(&mut self.one, 0, row)?;
            self.one.raw_execute()?;
            return Ok(bytes);
        }
        let bytes = bind(&mut self.several, self.bound * row.len(), row)?;
        self.bound += 1;
        if self.bound == self.batch {
            self.several.raw_execute()?;
            self.bound = 0;
        }
        Ok(bytes)
    }
}

/// Binds a row from the parameter after `first` on. Returns its size.
fn bind(
    insert: &mut Statement<'_>,
    first: usize,
    row: &[Cell<'_>],
) -> Result<usize, rusqlite::Error> {
    let mut bytes = 16;
    for (at, cell) in row.iter().enumerate() {
        bytes += 16;
        let value = match cell {
            Cell::Null => ValueRef::Null,
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Real(number) => ValueRef::Real(*number),
            Cell::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Cell::Text(text) => {
                bytes += text.len();
                ValueRef::Text(text.as_bytes())
            }
        };
        insert.raw_bind_parameter(first + at + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(bytes)
}

/// `CREATE TABLE data`. The names of a dataset's columns differ without regard to ASCII case, as
/// SQLite compares them. SQLite has no tables without columns: a dataset without any gets the
/// column `value`, which is NULL.
fn create(dataset: &Dataset) -> String {
    let columns: Vec<String> = dataset
        .columns
        .iter()
        .map(|column| {
            // An affinity that leaves each cell as it is.
            let affinity = match column.kind {
                ColumnType::Number if column.reading.integer => "INTEGER",
                ColumnType::Number => "REAL",
                ColumnType::Boolean => "INTEGER",
                ColumnType::Date | ColumnType::String | ColumnType::Object | ColumnType::Array => {
                    "TEXT"
                }
                ColumnType::Empty => "",
            };
            format!("\"{}\" {affinity}", column.name.replace('"', "\"\""))
        })
        .collect();
    let columns = if columns.is_empty() { "value".to_owned() } else { columns.join(", ") };
    format!("CREATE TABLE data ({columns})")
}
