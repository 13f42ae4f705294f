//! One named test per fixed bug.

use bytes::Bytes;
use chatbot_widget::domain::Timestamp;
use chatbot_widget::tables::ingest::{IngestError, IngestLimits, Ingested, ingest};
use chatbot_widget::tables::search::search;
use chatbot_widget::tables::sql::{Interrupt, Request, Source, SqlError, TableKey, Tables};

fn read_upload(name: &str, text: &str) -> Result<Ingested, IngestError> {
    ingest(name, &Bytes::from(text.to_owned()), Timestamp(0), &IngestLimits::default())
}

/// Found by fuzzing: a form feed between lines was accepted as white space.
#[test]
fn a_form_feed_is_not_json_white_space() {
    let refused = read_upload("a.json", "{\"a\":1}\u{c}\n{\"b\":2}\n");
    assert!(matches!(refused, Err(IngestError::Json { .. })), "{refused:?}");
}

/// Found by fuzzing: the search lost the line end inside a quote that is never closed.
#[test]
fn an_unclosed_quote_keeps_its_line_end_in_a_search() {
    let Ingested { dataset, text } =
        read_upload("a.csv", "á,b\n\"say \"\"hi\"x,y\n").expect("a table");
    let found = search(&dataset, &text, "hi", None, 0, 10).expect("a search");
    assert_eq!(found.total, 1);
    let mut cells = Vec::new();
    chatbot_widget::tables::rows::for_each_row(&dataset, &text, &mut |row| {
        cells.extend(row.iter().map(|cell| format!("{cell:?}")));
        std::ops::ControlFlow::Continue(())
    });
    let shown = found.rows[0]["á"].as_str().expect("a cell");
    assert!(cells[0].contains(&format!("{shown:?}")), "{shown:?} is not {}", cells[0]);
}

/// 559 bytes of table expressions, each of which reads the one before twice, kept SQLite compiling
/// for 28 seconds; no time limit holds until a statement runs.
#[test]
fn a_statement_that_doubles_itself_is_refused() {
    let Ingested { dataset, text } = read_upload("a.csv", "a\n1\n").expect("a table");
    let levels: String =
        (1..16).map(|at| format!(", c{at} as (select x.a from c{0} x, c{0} y)", at - 1)).collect();
    let sql = format!("with c0 as (select a from data){levels} select count(*) from c15");
    let tables = Tables::default();
    let deadline = std::time::Instant::now() + tables.limits().time;
    let request = Request { sql: &sql, limit: 1, deadline, interrupt: &Interrupt::default() };
    let key = TableKey { session: [0; 16], version: 1 };
    let refused = tables.query(key, Some(Source { dataset: &dataset, text: &text }), &request);
    assert!(matches!(refused, Err(SqlError::Refused(_))), "{refused:?}");
}

/// The value of an SQL expression over an upload.
fn figure(name: &str, text: &str, expression: &str) -> Option<serde_json::Value> {
    let Ingested { dataset, text } = read_upload(name, text).ok()?;
    let sql = format!("select {expression} from data");
    let tables = Tables::default();
    let deadline = std::time::Instant::now() + tables.limits().time;
    let request = Request { sql: &sql, limit: 1, deadline, interrupt: &Interrupt::default() };
    let key = TableKey { session: [0; 16], version: 1 };
    let source = Source { dataset: &dataset, text: &text };
    let result = tables.query(key, Some(source), &request).ok()??;
    result.rows.first()?.first().cloned()
}

/// Each column was judged alone, so that `1.234` was 1.234 beside `12,50`: wrong by a factor of 1000.
#[test]
fn thousands_are_recognised_by_the_decimals_of_another_column() {
    let german = "k;preis;menge\na;12,50;1.234\nb;9,90;2.500\nc;1.099,00;10.000\n";
    assert_eq!(figure("a.csv", german, "sum(menge)"), Some(13734.into()));
    let english = "k;price;qty\na;12.50;1,234\nb;9.90;2,500\nc;1,099.00;10,000\n";
    assert_eq!(figure("a.csv", english, "sum(qty)"), Some(13734.into()));
}

/// Amounts with anything but digits were text: the maximum of `12%` and `100%` was `12%`, and sums
/// left out whatever SQLite does not read.
#[test]
fn amounts_with_units_are_computed_with() {
    for (name, text, expression, expected) in [
        ("a.csv", "k,v\na,\"$1,234.50\"\nb,$20\nc,$3.5\n", "max(v)", 1234.5),
        ("a.csv", "k,v\na,12%\nb,9%\nc,100%\n", "max(v)", 100.0),
        ("a.csv", "k;v\na;1 234,50\nb;12 000,00\nc;900,00\n", "sum(v)", 14134.5),
        ("a.csv", "k,v\na,(120.5)\nb,100\nc,30\n", "sum(v)", 9.5),
        ("a.csv", "k,v\na,120.5-\nb,100\nc,30\n", "sum(v)", 9.5),
        ("a.csv", "k,v\na,\u{2212}120.5\nb,100\nc,30\n", "sum(v)", 9.5),
        ("a.json", r#"[{"v":"10.5"},{"v":"9.5"},{"v":"100"}]"#, "max(v)", 100.0),
    ] {
        assert_eq!(
            figure(name, text, expression).and_then(|v| v.as_f64()),
            Some(expected),
            "{text:?}"
        );
    }
}

/// They became floats, and two of them one.
#[test]
fn identifiers_beyond_64_bits_stay_distinct_in_json() {
    let text = r#"[{"id":12345678901234567890},{"id":12345678901234567891}]"#;
    assert_eq!(figure("a.json", text, "count(distinct id)"), Some(2.into()));
    assert_eq!(figure("a.json", text, "min(id)"), Some("12345678901234567890".into()));
}
