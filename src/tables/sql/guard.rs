//! What a statement may do: only what is on a list.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::weigh::MAX_COLUMNS;

/// Values may always be this long, in bytes. Intermediate results (`group_concat`, `replace`, a row
/// of a sort) have the same limit. It bounds the time of one function call, which nothing can
/// interrupt.
const MIN_LENGTH: usize = 256 << 10;

/// Longest pattern of LIKE and GLOB, in bytes. Their time grows with the product of text and
/// pattern.
pub(super) const MAX_PATTERN: usize = 128;

/// The functions a statement may call, in lower case. Left out are those that reach files or
/// modules, expose something other than the data, fill memory (`randomblob`, `zeroblob`, `printf`,
/// `format`), or take time that grows with the square of their input (`json_patch`).
const FUNCTIONS: &[&str] = &[
    // Aggregates and window functions.
    "avg",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "group_concat",
    "lag",
    "last_value",
    "lead",
    "max",
    "median",
    "min",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    "stddev",
    "string_agg",
    "sum",
    "total",
    "variance",
    // Values and texts. `concat` and `quote` are bounded by the length of a value.
    "abs",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "glob",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "length",
    "like",
    "lower",
    "ltrim",
    "nullif",
    "octet_length",
    "quote",
    "random",
    "replace",
    "round",
    "rtrim",
    "sign",
    "soundex",
    "substr",
    "substring",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "upper",
    // Mathematics.
    "ceil",
    "ceiling",
    "exp",
    "floor",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "pow",
    "power",
    "sqrt",
    "trunc",
    // Dates and times.
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "timediff",
    "unixepoch",
    // JSON, for nested values.
    "->",
    "->>",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_object",
    "json_quote",
    "json_type",
    "json_valid",
];

/// Tables and table-valued functions a statement may read. SQLite's schema is not among them.
const TABLES: &[&str] = &["data", "json_each", "json_tree"];

/// Prefixes of the names of all other tables that exist without having been created.
const MODULES: &[&str] = &["sqlite_", "pragma_", "dbstat", "fts"];

/// Sets SQLite's own limits. `longest` is the size of the longest row. Returns the length of the
/// longest value allowed.
pub(super) fn limit(connection: &Connection, longest: usize) -> Result<usize, rusqlite::Error> {
    // Twice a row, since a join's rows are sorted as one.
    let length = longest.saturating_mul(2).max(MIN_LENGTH);
    let limits = [
        (Limit::SQLITE_LIMIT_LENGTH, i32::try_from(length).unwrap_or(i32::MAX)),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 64 << 10),
        (Limit::SQLITE_LIMIT_COLUMN, i32::try_from(MAX_COLUMNS).unwrap_or(i32::MAX)),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 300),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, i32::try_from(MAX_PATTERN).unwrap_or(i32::MAX)),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ];
    for (limit, value) in limits {
        connection.set_limit(limit, value)?;
    }
    Ok(length)
}

/// Makes the connection read-only. SQLite calls a statement such as ATTACH read-only too, so its
/// own judgement is not enough; [`guard`] is.
pub(super) fn read_only(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("PRAGMA query_only = ON")
}

/// Keeps SQLite from taking a name in double quotes that is no column for a text: the result of a
/// misspelt column would be that name in each row, or a comparison with it.
///
/// Source: <https://sqlite.org/quirks.html#double_quoted_string_literals_are_accepted>
pub(super) fn names_are_no_texts(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map(drop)
}

/// Allows the connection what is on the lists, and nothing at all once `stop` returns true: SQLite
/// asks while it compiles, when it does not look at the clock.
pub(super) fn guard(
    connection: &Connection,
    stop: impl Fn() -> bool + Send + 'static,
) -> Result<(), rusqlite::Error> {
    connection.authorizer(Some(
        move |context: AuthContext<'_>| {
            if stop() { Authorization::Deny } else { judge(&context) }
        },
    ))
}

fn judge(context: &AuthContext<'_>) -> Authorization {
    let known = |list: &[&str], name: &str| list.iter().any(|it| it.eq_ignore_ascii_case(name));
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } if known(TABLES, table_name) => true,
        // For a table of which no column is read (`count(*)`) SQLite passes its name in the
        // statement, which may be that of a common table expression, but not that of a module.
        AuthAction::Read { table_name, column_name: "" } => !MODULES.iter().any(|it| {
            table_name.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it))
        }),
        AuthAction::Function { function_name } => known(FUNCTIONS, function_name),
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}
