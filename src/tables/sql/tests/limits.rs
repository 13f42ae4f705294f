use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use super::{CSV, KEY, ask, ask_within, dataset, query, rows};

#[test]
fn many_semicolons_do_not_recurse() {
    let sql = format!("select 1{}", ";".repeat(60_000));
    assert_eq!(rows(&sql), json!([[1]]));
    assert!(ask("a.csv", CSV, &format!("select 1 {}", " ".repeat(70_000))).is_err());
    let deep = format!("select 1{}", "+1".repeat(1_000));
    assert!(ask("a.csv", CSV, &deep).is_err());
}

#[test]
fn time_is_limited() {
    let limits = SqlLimits { time: Duration::from_millis(150), ..SqlLimits::default() };
    let endless = "with recursive t(n) as (select 1 union all select n + 1 from t)";
    for sql in [
        format!("{endless} select max(n) from t"),
        format!("{endless} select count(distinct n) from t"),
        format!("{endless} select group_concat(n) over (order by n) from t"),
        format!("{endless} select 1 from t order by n"),
        format!("{endless} select median(n) from t where n < 0"),
        format!("{endless} select count(*) from t where lower(n || 'Ö') like '%x_ö'"),
        format!("{endless} select count(*) from t where upper(n) = 'x' collate nocase"),
    ] {
        let start = Instant::now();
        let error = ask_within(limits, "a.csv", CSV, &sql).unwrap_err();
        assert!(matches!(error, SqlError::Timeout(_) | SqlError::TooLarge(_)), "{sql}: {error:?}");
        assert!(start.elapsed() < Duration::from_millis(1_500), "{sql}: {:?}", start.elapsed());
    }
    // Rows that were found in time are returned, and reported as incomplete.
    let sql = format!("{endless} select n from t where n < 3");
    let result = ask_within(limits, "a.csv", CSV, &sql).unwrap();
    assert_eq!((json!(result.rows), result.truncated), (json!([[1], [2]]), true));
}

#[test]
fn one_function_call_is_short() {
    let grow = "with recursive t(s) as (select 'a' union all select s || s from t \
                where length(s) < 100000) select";
    for (call, expected) in [
        ("instr(max(s), substr(max(s), 2) || 'b')", json!(0)),
        ("length(replace(max(s), substr(max(s), 70000) || 'b', 'c'))", json!(131_072)),
        ("length(trim(max(s) || 'c', max(s) || 'b'))", json!(1)),
        ("length(ltrim(max(s) || 'c', max(s) || 'b'))", json!(1)),
        ("length(rtrim('c' || max(s), max(s) || 'b'))", json!(1)),
        ("length(lower(max(s))) + length(upper(max(s)))", json!(262_144)),
        (
            "max(s) like '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%'",
            json!(0),
        ),
        (
            "max(s) || 'ö' like '%_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%_'",
            json!(0),
        ),
        ("max(s) || 'Ö' = max(s) || 'ö' collate nocase", json!(1)),
    ] {
        let start = Instant::now();
        let result = ask("a.csv", CSV, &format!("{grow} {call} from t")).unwrap();
        assert_eq!(result.rows, [[expected]], "{call}");
        assert!(start.elapsed() < Duration::from_secs(1), "{call}: {:?}", start.elapsed());
    }
}

#[test]
fn own_functions_behave_like_those_of_sqlite() {
    for (sql, expected) in [
        (
            "select instr('añb', 'b'), instr('ab', ''), instr(null, 'a'), instr(123, 2)",
            json!([3, 1, null, 2]),
        ),
        (
            "select replace('aXbX', 'X', 'yy'), replace('a', '', 'b'), replace('a', 'a', null)",
            json!(["ayybyy", "a", null]),
        ),
        (
            "select trim('xxaxx', 'x'), ltrim('xa', 'x'), rtrim('ax ', ' x'), trim(' a ')",
            json!(["a", "a", "a", "a"]),
        ),
        (
            "select ceil(1.2), floor(-1.2), ceil(3), trunc(-1.7), sqrt(4), sqrt(-1)",
            json!([2.0, -2.0, 3, -1.0, 2.0, null]),
        ),
        (
            "select pow(2, 10), mod(7, 4), mod(1, 0), ln(0), log(100), log(2, 8), exp(0)",
            json!([1024.0, 3.0, null, null, 2.0, 3.0, 1.0]),
        ),
        ("select median(column1) from (values (4), (1), (null), (3), (2))", json!([2.5])),
        ("select median(column1), stddev(column1) from (values (null))", json!([null, null])),
        (
            "select variance(column1), stddev(column1) from (values (2), (4), (4), (6))",
            json!([8.0 / 3.0, (8.0_f64 / 3.0).sqrt()]),
        ),
    ] {
        assert_eq!(rows(sql)[0], expected, "{sql}");
    }
}

#[test]
fn size_is_limited() {
    let text = |sql: &str| ask("a.csv", CSV, sql).unwrap_err();
    let grow = "with recursive t(s) as (select 'a' union all select s || s from t)";
    assert_eq!(
        text(&format!("{grow} select max(s) from t")),
        SqlError::TooLarge("string or blob too big".to_owned())
    );
    let grow = "with recursive t(s) as (select 'a' union all select s || s from t \
                where length(s) < 100000)";
    let error = text(&format!("{grow} select replace(max(s), 'a', max(s)) from t"));
    assert!(matches!(&error, SqlError::TooLarge(_) | SqlError::Invalid(_)), "{error:?}");
    assert_eq!(error.to_string(), "string or blob too big");
    // The capital of one letter is three, of two bytes each.
    let error = text(
        "with recursive t(s) as (select 'ΐ' union all select s || s from t \
                      where length(s) < 100000) select upper(max(s)) from t",
    );
    assert_eq!(error.to_string(), "string or blob too big");
    // A hundred rows of 131,072 letters are more than 4 MiB.
    let many = format!("{grow}, n(i) as (select 1 union all select i + 1 from n limit 100)");
    let result = ask("a.csv", CSV, &format!("{many} select (select max(s) from t) from n"));
    let result = result.unwrap();
    assert_eq!((result.row_count, result.truncated), (31, true));
    let limits = SqlLimits { result_bytes: 100, ..SqlLimits::default() };
    let sql = "select hex(quote(name)) || hex(day) || hex(day) || hex(day) || hex(day) from data";
    let error = ask_within(limits, "a.csv", CSV, sql).unwrap_err();
    assert_eq!(error.to_string(), "the first row is too large");
}

#[test]
fn patterns_are_limited() {
    let like =
        |length: usize| ask("a.csv", CSV, &format!("select 'a' like '{}'", "%".repeat(length)));
    assert_eq!(like(128).unwrap().rows, [[json!(1)]]);
    assert_eq!(like(129).unwrap_err().to_string(), "LIKE or GLOB pattern too complex");
}

#[test]
fn rows_are_limited() {
    let text: String = "n\n".to_owned() + &(1..=1001).map(|n| format!("{n}\n")).collect::<String>();
    let tables = Tables::default();
    let ask = |sql: &str, limit| {
        let result = query(&tables, KEY, &dataset("a.csv", &text), sql, limit).unwrap();
        (result.row_count, result.rows.len(), result.truncated)
    };
    assert_eq!(ask("select * from data", 9_999), (1000, 1000, true));
    assert_eq!(ask("select * from data limit 1000", 9_999), (1000, 1000, false));
    assert_eq!(ask("select * from data", 5), (5, 5, true));
    assert_eq!(ask("select 1", 0), (0, 0, true));
    assert_eq!(ask("select * from data where n < 0", 5), (0, 0, false));
}

#[test]
fn a_long_cell_is_read_whole() {
    let long = "x".repeat(1 << 20);
    let text = format!("a,b\n{long},1\n");
    let result = ask("a.csv", &text, "select length(a), a from data order by b").unwrap();
    assert_eq!(result.rows[0], [json!(1 << 20), json!(long)]);
}

#[test]
fn a_table_over_the_limit_is_refused() {
    let limits = SqlLimits { cache_bytes: 1 << 20, work_bytes: 191 << 20, ..SqlLimits::default() };
    let text = "a\n".to_owned() + &format!("{}\n", "x".repeat(1000)).repeat(1500);
    let error = ask_within(limits, "a.csv", &text, "select 1").unwrap_err();
    assert_eq!(error, SqlError::TooLarge("the table is too large for SQL".to_owned()));
}

#[test]
fn every_row_is_loaded_for_any_number_of_rows() {
    for count in [1, 7, 8, 9, 16, 17] {
        let lines: String = (1..=count).map(|n| format!("{n},x{n}\n")).collect();
        let sql = "select count(*), sum(n), max(n), sum(t = 'x' || n) from data";
        let result = ask("a.csv", &format!("n,t\n{lines}"), sql).unwrap();
        assert_eq!(json!(result.rows), json!([[count, count * (count + 1) / 2, count, count]]));
    }
}

/// A soft limit on SQLite's heap lets this statement take what it wants.
#[test]
fn memory_is_limited() {
    let limits = SqlLimits { time: Duration::from_secs(300), ..SqlLimits::default() };
    let sql = "with recursive s(t) as (select 'a' union all select t || t from s \
               where length(t) < 100000), n(i) as (select 1 union all select i + 1 from n \
               where i < 2300) select count(distinct t || i) from n, (select max(t) t from s)";
    let error = ask_within(limits, "a.csv", CSV, sql).unwrap_err();
    assert!(matches!(error, SqlError::TooLarge(_)), "{error:?}");
    assert_eq!(error.to_string(), "the statement needs more memory than is allowed");
}
