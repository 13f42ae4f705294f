//! One named test per fixed bug.

use bytes::Bytes;
use chatbot_widget::domain::Timestamp;
use chatbot_widget::tables::ingest::{IngestError, IngestLimits, Ingested, ingest};
use chatbot_widget::tables::search::search;
use chatbot_widget::tables::sql::{Interrupt, Request, Source, SqlError, TableKey, Tables};

fn take_in(name: &str, text: &str) -> Result<Ingested, IngestError> {
    ingest(name, &Bytes::from(text.to_owned()), Timestamp(0), &IngestLimits::default())
}

/// Found by fuzzing: a form feed between lines was accepted as white space.
#[test]
fn a_form_feed_is_not_json_white_space() {
    let refused = take_in("a.json", "{\"a\":1}\u{c}\n{\"b\":2}\n");
    assert!(matches!(refused, Err(IngestError::Json { .. })), "{refused:?}");
}

/// Found by fuzzing: the search lost the line end inside a quote that is never closed.
#[test]
fn an_unclosed_quote_keeps_its_line_end_in_a_search() {
    let Ingested { dataset, text } = take_in("a.csv", "á,b\n\"say \"\"hi\"x,y\n").expect("a table");
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
    let Ingested { dataset, text } = take_in("a.csv", "a\n1\n").expect("a table");
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
