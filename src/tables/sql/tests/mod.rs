use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};

mod cache;
mod fold;
mod limits;
mod weigh;

use super::*;
use crate::domain::Timestamp;
use crate::domain::dataset::ColumnType;
use crate::domain::query::QueryResult;
use crate::tables::ingest::{IngestLimits, ingest};

pub(super) const KEY: TableKey = TableKey { session: [1; 16], version: 1 };

pub(super) const CSV: &str = "id,day,name,price,ok,none,Ünïcode 🎉,select,say \"hi\"\n\
    1,2024-01-31,Anna,1.5,true,,ä,1,x\n\
    2,2024-02-01,Bob,-2,false,,,2,\"y \"\"z\"\"\"\n\
    3,2024-02-02,,,,,ß,3,z\n";

pub(super) fn dataset(name: &str, text: &str) -> (Dataset, Vec<u8>) {
    let bytes = text.as_bytes().to_vec().into();
    let taken = ingest(name, &bytes, Timestamp(0), &IngestLimits::default()).unwrap();
    (taken.dataset, taken.text.to_vec())
}

pub(super) fn ask(name: &str, text: &str, sql: &str) -> Result<QueryResult, SqlError> {
    ask_within(SqlLimits::default(), name, text, sql)
}

pub(super) fn ask_within(
    limits: SqlLimits,
    name: &str,
    text: &str,
    sql: &str,
) -> Result<QueryResult, SqlError> {
    query(&Tables::new(limits), KEY, &dataset(name, text), sql, usize::MAX)
}

pub(super) fn query(
    tables: &Tables,
    key: TableKey,
    (dataset, text): &(Dataset, Vec<u8>),
    sql: &str,
    limit: usize,
) -> Result<QueryResult, SqlError> {
    let deadline = Instant::now() + tables.limits().time;
    let request = Request { sql, limit, deadline, interrupt: &Interrupt::default() };
    let result = tables.query(key, Some(Source { dataset, text }), &request)?;
    Ok(result.expect("a table with a source is loaded"))
}

pub(super) fn rows(sql: &str) -> Value {
    json!(ask("a.csv", CSV, sql).unwrap().rows)
}

#[test]
fn values_keep_their_types() {
    let result = ask("a.csv", CSV, "select * from data").unwrap();
    assert_eq!(
        result.columns,
        ["id", "day", "name", "price", "ok", "none", "Ünïcode 🎉", "select", "say \"hi\""]
    );
    assert_eq!(
        json!(result.rows),
        json!([
            [1, "2024-01-31", "Anna", 1.5, 1, null, "ä", 1, "x"],
            [2, "2024-02-01", "Bob", -2.0, 0, null, null, 2, "y \"z\""],
            [3, "2024-02-02", null, null, null, null, "ß", 3, "z"],
        ])
    );
    assert_eq!((result.row_count, result.truncated), (3, false));
}

#[test]
fn whole_numbers_keep_all_digits_and_zeros_in_front() {
    let result = ask("a.csv", "n,zip\n9007199254740993,01234\n-5,00001\n", "select * from data");
    assert_eq!(json!(result.unwrap().rows), json!([[9007199254740993i64, "01234"], [-5, "00001"]]));
}

#[test]
fn columns_are_named_as_they_are() {
    assert_eq!(rows(r#"select "say ""hi""", "select" from data limit 1"#), json!([["x", 1]]));
    let result = ask("a.csv", "Name,name,NAME\na,b,c\n", "select * from data").unwrap();
    assert_eq!(json!(result.rows), json!([["a", "b", "c"]]));
    let wide: Vec<String> = (0..1000).map(|at| format!("column {at}")).collect();
    let text = format!("{}\n{}\n", wide.join(","), vec!["7"; 1000].join(","));
    let result = ask("a.csv", &text, "select a.*, b.\"column 999\" from data a, data b").unwrap();
    assert_eq!(result.columns.len(), 1001);
    assert_eq!(result.rows[0][1000], json!(7));
}

#[test]
fn json_tables_have_nested_values_as_text() {
    let text = r#"[{"a": 1, "tags": ["x", "y"], "in": {"k": [1.50, null]}}, {"a": 2, "tags": []}]"#;
    let result = ask("a.json", text, "select * from data order by a").unwrap();
    assert_eq!(result.rows[1][2], Value::Null);
    assert_eq!(result.rows[0][1], json!(r#"["x","y"]"#));
    let sql = "select a, value from data, json_each(tags) order by value desc";
    assert_eq!(json!(ask("a.json", text, sql).unwrap().rows), json!([[1, "y"], [1, "x"]]));
    let sql = "select \"in.k\" ->> '$[0]' from data where a = 1";
    assert_eq!(json!(ask("a.json", text, sql).unwrap().rows), json!([[1.5]]));
    // A table without columns still counts its rows.
    let result = ask("a.json", "[{}, {}]", "select count(*) from data").unwrap();
    assert_eq!(json!(result.rows), json!([[2]]));
}

#[test]
fn one_select_in_any_form_is_run() {
    for (sql, expected) in [
        ("select count(*) from data;", json!([[3]])),
        ("-- all\nSELECT /* of them */ 1 ; ; -- end", json!([[1]])),
        ("values (1, 'a'), (2, x'00ff')", json!([[1, "a"], [2, "00FF"]])),
        ("with t(n) as (select max(id) from Data) select n from t", json!([[3]])),
        (
            "with recursive t(n) as (select 1 union all select n + 1 from t where n < 3) \
             select sum(n) from t",
            json!([[6]]),
        ),
        ("select name from data union select 'c' order by 1 desc limit 1", json!([["c"]])),
        (
            "select id, sum(price) over (order by id) from data limit 2",
            json!([[1, 1.5], [2, -0.5]]),
        ),
        (
            "select substr(day, 1, 7) m, count(*) from data group by m",
            json!([["2024-01", 1], ["2024-02", 2]]),
        ),
        ("select strftime('%Y', day), julianday(day) > 0 from data limit 1", json!([["2024", 1]])),
        ("select 1e999, -1e999, 9223372036854775807", json!([[null, null, i64::MAX]])),
        ("select count(*) filter (where ok) from main.data", json!([[1]])),
        ("with n as (select 1 union select 2) select count(*) from n, data", json!([[6]])),
        (
            "select round(avg(price), 2), median(id), stddev(id) from data",
            json!([[-0.25, 2.0, 1.0]]),
        ),
    ] {
        assert_eq!(rows(sql), expected, "{sql}");
    }
}

#[test]
fn everything_else_is_refused() {
    for sql in [
        "insert into data(id) values (4)",
        "replace into data(id) values (4)",
        "update data set id = 4",
        "delete from data",
        "delete from data returning id",
        "create table t(a)",
        "create temp table t as select 1",
        "create view v as select 1",
        "create index i on data(id)",
        "create trigger t after insert on data begin select 1; end",
        "create virtual table t using fts5(a)",
        "create virtual table t using rtree(a, b, c)",
        "create virtual table t using dbstat",
        "drop table data",
        "alter table data rename to t",
        "attach 'x.db' as x",
        "attach ':memory:' as x",
        "detach main",
        "pragma table_info(data)",
        "pragma hard_heap_limit = 1000000000",
        "pragma query_only = off",
        "pragma writable_schema = on",
        "begin",
        "commit",
        "rollback",
        "savepoint s",
        "release s",
        "vacuum",
        "vacuum into 'x.db'",
        "reindex",
        "analyze",
        "explain select 1",
        "explain query plan select * from data",
        "select load_extension('x')",
        "select randomblob(1000000000)",
        "select zeroblob(1000000000)",
        "select printf('%1000000000d', 1)",
        "select format('%d', 1)",
        "select readfile('/etc/passwd')",
        "select writefile('x', 'y')",
        "select json_patch('{}', '{}')",
        "select fts5(1)",
        "select sqlite_version()",
        "select sqlite_compileoption_get(0)",
        "select last_insert_rowid(), changes()",
        "select * from sqlite_master",
        "select sql from sqlite_schema",
        "select * from sqlite_temp_master",
        "select * from pragma_table_info('data')",
        "select * from pragma_database_list",
        "select * from dbstat",
        "select count(*) from dbstat",
        "select count(*) from sqlite_master",
        "select 1 from pragma_function_list",
        "select count(*) from FTS3tokenize",
        "select count(*) from temp.sqlite_master",
        "select * from data where id in (select rootpage from sqlite_master)",
        "with t as (select name from sqlite_master) select * from t",
        "select (select count(*) from sqlite_master)",
        "select 1; select 2",
        "select 1; drop table data",
        "select 1; nonsense",
        "select ?",
        "select :name, @a, $b",
        "",
        " ; -- nothing",
        "select 1 \0 from data",
        "selec 1",
        "select nope from data",
        "select * from other",
    ] {
        let error = ask("a.csv", CSV, sql).unwrap_err();
        assert!(matches!(error, SqlError::Refused(_) | SqlError::Invalid(_)), "{sql}: {error:?}");
    }
    // The table is as it was.
    assert_eq!(rows("select count(*), sum(id) from data"), json!([[3, 6]]));
}

#[test]
fn a_refusal_leaves_the_table_usable() {
    let tables = Tables::default();
    let ask = |sql: &str| query(&tables, KEY, &dataset("a.csv", CSV), sql, 10);
    for sql in ["drop table data", "pragma query_only = off", "begin", "select 1; select 2"] {
        assert!(ask(sql).is_err(), "{sql}");
        assert_eq!(ask("select count(*) from data").unwrap().rows, [[json!(3)]], "{sql}");
    }
}

#[test]
fn errors_are_worded_by_sqlite() {
    let text = |sql| ask("a.csv", CSV, sql).unwrap_err().to_string();
    assert_eq!(text("selec 1"), "near \"selec\": syntax error");
    assert_eq!(text("select nope from data"), "no such column: nope");
    assert_eq!(text("select * from other"), "no such table: other");
    assert_eq!(text("select sql from sqlite_master"), "access to sqlite_master.sql is prohibited");
    assert_eq!(text("select zeroblob(9)"), "not authorized to use function: zeroblob");
    assert_eq!(text("drop table data"), "only a SELECT over the table `data` is allowed");
    assert_eq!(text("select json('{')"), "malformed JSON");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_returned_unchanged(
        cells in prop::collection::vec(prop::collection::vec(any::<String>(), 3), 1..20)
    ) {
        let (mut dataset, _) = dataset("a.json", r#"[{"a": "x", "b": "x", "c": "x"}]"#);
        for column in &mut dataset.columns {
            column.kind = ColumnType::String;
        }
        dataset.rows = cells.len() as u64;
        let items: Vec<Value> =
            cells.iter().map(|row| json!({"a": row[0], "b": row[1], "c": row[2]})).collect();
        let text = json!(items).to_string();
        let tables = Tables::default();
        let text = text.into_bytes();
        let result = query(&tables, KEY, &(dataset, text), "select * from data", 1000).unwrap();
        prop_assert_eq!(json!(result.rows), json!(cells));
    }

    #[test]
    fn no_statement_panics_or_writes(sql in "[a-z0-9 (),;*'\"=<>.%_-]{0,60}") {
        let tables = Tables::default();
        let ask = |sql: &str| query(&tables, KEY, &dataset("a.csv", CSV), sql, 10);
        let _ = ask(&sql);
        prop_assert_eq!(ask("select sum(id) from data").unwrap().rows, [[json!(6)]]);
    }
}

/// Regression: a name in double quotes that is no column was a text, so a misspelt column gave
/// itself as the result of each row, and a comparison with one counted nothing.
#[test]
fn a_name_that_is_no_column_is_an_error() {
    for sql in [
        "select \"customer\" from data",
        "select count(*) from data where \"nmae\" = 'Anna'",
        "select max(\"prize\") from data group by \"name\"",
        "select name from data order by \"prize\"",
        "with t as (select * from data) select sum(\"prize\") from t",
    ] {
        let error = ask("a.csv", CSV, sql).unwrap_err();
        assert!(
            matches!(&error, SqlError::Invalid(text) if text.contains("no such column")),
            "{error:?}"
        );
    }
    assert_eq!(
        rows("select \"name\" as \"who\" from data where \"name\" = 'Anna'"),
        json!([["Anna"]])
    );
}

/// Regression: the sum of "$10" and "€20" was 0, that of "1.5K" and "2M" 3.5.
#[test]
fn text_is_not_added_up() {
    let csv = "item,price,n\na,$10,1\nb,€20,2\n";
    for sql in [
        "select sum(price) from data",
        "select item, AVG(d.\"price\") from data d group by 1",
        "select n + total(distinct [Price]) from data",
        "select median(price), stddev(n) from data",
        "select (sum((n)) + (sum(price))) from data",
        "select sum(item) over (order by n) from data",
    ] {
        let error = ask("a.csv", csv, sql).unwrap_err();
        assert!(matches!(&error, SqlError::Invalid(text) if text.contains("is text")), "{error:?}");
    }
    let first = |sql: &str| ask("a.csv", csv, sql).unwrap().rows.remove(0);
    assert_eq!(
        json!(first("select sum(n), count(price), max(price) from data")),
        json!([3, 2, "€20"])
    );
    let made = "sum(cast(substr(price, 2) as real))";
    assert_eq!(json!(first(&format!("select {made} from data"))), json!([30.0]));
    let inner = "select sum(price) from (select cast(substr(price, 2) as real) as price from data)";
    assert_eq!(json!(first(inner)), json!([30.0]));
}
