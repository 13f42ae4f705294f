//! Any statement over a table: it ends in time and within its limits, with rows or an error that
//! can be shown, and leaves the table unchanged. Bytes beyond ASCII stand for words of SQL.
#![no_main]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chatbot_widget::domain::QueryResult;
use chatbot_widget::tables::ingest::Ingested;
use chatbot_widget::tables::sql::{
    Interrupt, Request, Source, SqlError, SqlLimits, TableKey, Tables,
};
use chatbot_widget_fuzz::table::ingest_checked;
use serde_json::Value;

const KEY: TableKey = TableKey { session: [0; 16], version: 1 };
const LIMITS: SqlLimits = SqlLimits {
    time: Duration::from_millis(100),
    rows: 20,
    result_bytes: 16 << 10,
    cache_bytes: 4 << 20,
    work_bytes: 16 << 20,
};
/// How far a statement may exceed its time limit: a single function call cannot be interrupted, and
/// fuzzing slows our own code down.
const PATIENCE: Duration = Duration::from_secs(2);
const CSV: &str = "id,day,name,price,ok,note\n1,2025-01-31,Äpfel,1.5,true,\n\
                   2,2025-02-28,\"Nüsse, \"\"roh\"\"\",-2e3,false,x\n3,,%_*[,0,true,{\"a\":[1]}\n";
const ALL: &str = "SELECT rowid, *, typeof(id), typeof(price) FROM data ORDER BY rowid";

/// Meanings of the bytes from 0x80. The guard must refuse those of the second half.
const WORDS: &[&str] = &[
    "SELECT ",
    " FROM data",
    " WHERE ",
    " GROUP BY ",
    " ORDER BY ",
    " HAVING ",
    " LIMIT ",
    " OFFSET ",
    " UNION ALL ",
    " EXCEPT ",
    " JOIN data USING(id)",
    " CROSS JOIN data ",
    " AS ",
    " WITH RECURSIVE c(x) AS (",
    " OVER (",
    " PARTITION BY ",
    " ROWS BETWEEN ",
    "VALUES(",
    " CASE WHEN ",
    " THEN ",
    " ELSE ",
    " END",
    " IN (",
    " EXISTS (",
    " LIKE ",
    " GLOB ",
    " ESCAPE ",
    " COLLATE NOCASE",
    " CAST(",
    " AS TEXT)",
    " AS BLOB)",
    " BETWEEN ",
    " AND ",
    " IS NULL",
    " NOT ",
    "id",
    "day",
    "name",
    "price",
    "ok",
    "note",
    "count(*)",
    "sum(",
    "avg(",
    "median(",
    "stddev(",
    "variance(",
    "group_concat(",
    "string_agg(",
    "json_group_array(",
    "json_extract(",
    "json_each(",
    "json_tree(",
    "json(",
    "replace(",
    "hex(",
    "unhex(",
    "substr(",
    "instr(",
    "round(",
    "strftime(",
    "date(",
    "concat_ws(",
    "char(",
    "soundex(",
    "quote(",
    "->>",
    "||",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "x'00ff'",
    "'$.a[#-1]'",
    "'%'",
    "NULL",
    "row_number()",
    "lag(",
    "DISTINCT ",
    " FILTER (WHERE ",
    "rowid",
    "*",
    "'ä'",
    // Not allowed.
    "INSERT INTO data VALUES(1)",
    "UPDATE data SET id=9",
    "DELETE FROM data",
    "DROP TABLE data",
    "CREATE TABLE t(x)",
    "CREATE TEMP VIEW data AS ",
    "ALTER TABLE data RENAME TO d",
    "PRAGMA query_only=OFF",
    "PRAGMA writable_schema=1",
    "ATTACH 'f' AS f",
    "VACUUM INTO 'f'",
    "EXPLAIN ",
    "BEGIN",
    "COMMIT",
    "REINDEX",
    "ANALYZE",
    " RETURNING *",
    "sqlite_master",
    "sqlite_schema",
    "pragma_table_info('data')",
    "dbstat",
    "fts5",
    "load_extension(",
    "readfile(",
    "writefile(",
    "randomblob(",
    "zeroblob(",
    "printf(",
    "format(",
    "json_patch(",
    "fts3_tokenizer(",
    "sqlite_version()",
    "likelihood(",
    "edit(",
    "temp.",
    "main.",
    ";",
    "--",
    "/*",
    "*/",
    "?",
    ":a",
];

const _: () = assert!(WORDS.len() <= 128);

struct State {
    tables: Tables,
    before: QueryResult,
}

fn query(tables: &Tables, sql: &str) -> Result<QueryResult, SqlError> {
    static TABLE: OnceLock<Ingested> = OnceLock::new();
    let table = TABLE.get_or_init(|| ingest_checked("a.csv", CSV.as_bytes()).unwrap());
    let interrupt = Interrupt::default();
    let deadline = Instant::now() + LIMITS.time;
    let request = Request { sql, limit: usize::MAX, deadline, interrupt: &interrupt };
    let source = Source { dataset: &table.dataset, text: &table.text };
    Ok(tables.query(KEY, Some(source), &request)?.unwrap())
}

fn statement(data: &[u8]) -> String {
    let mut sql = String::new();
    for &byte in data {
        match WORDS.get(usize::from(byte).wrapping_sub(0x80)) {
            Some(word) => sql.push_str(word),
            None => sql.push(char::from(byte)),
        }
    }
    sql
}

fn size(row: &[Value]) -> usize {
    row.iter().map(|value| 16 + value.as_str().map_or(0, str::len)).sum()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static STATE: OnceLock<State> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        let tables = Tables::new(LIMITS);
        let before = query(&tables, ALL).unwrap();
        assert_eq!(before.row_count, 3);
        State { tables, before }
    });
    let sql = statement(data);
    let start = Instant::now();
    let result = query(&state.tables, &sql);
    let took = start.elapsed();
    assert!(took < LIMITS.time + PATIENCE, "{took:?}: {sql}");
    match result {
        Ok(result) => {
            assert_eq!(result.rows.len(), result.row_count);
            assert!(result.row_count <= LIMITS.rows);
            assert!(result.rows.iter().all(|row| row.len() == result.columns.len()));
            // A replacement character is three bytes in place of one.
            let bytes: usize = result.rows.iter().map(|row| size(row)).sum();
            assert!(bytes <= 3 * LIMITS.result_bytes, "{bytes} bytes: {sql}");
        }
        Err(SqlError::Unavailable(why)) => panic!("our own fault: {why}: {sql}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let after = query(&state.tables, ALL).unwrap();
    assert_eq!(after.rows, state.before.rows, "{sql}");
    assert_eq!(after.columns, state.before.columns, "{sql}");
});
