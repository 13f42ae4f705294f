//! Any cells as a column: if it is recognised as dates, each is a real date in ISO 8601, and a
//! column of those reads the same. Input: the cells, one a line.
#![no_main]

use std::ops::ControlFlow;

use chatbot_widget::domain::dataset::ColumnType;
use chatbot_widget::tables::ingest::Ingested;
use chatbot_widget::tables::rows::{Cell, for_each_row};
use chatbot_widget_fuzz::table::ingest_checked;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Some(dates) = read_dates(text.lines()) else { return };
    for date in &dates {
        let parsed = match date.len() {
            10 => date.parse::<Date>().map(drop),
            _ if date.ends_with('Z') => date.parse::<Timestamp>().map(drop),
            _ => date.parse::<DateTime>().map(drop),
        };
        assert!(parsed.is_ok(), "{date}");
    }
    let again = read_dates(dates.iter().map(String::as_str));
    assert_eq!(again.as_ref(), Some(&dates), "what was read reads the same");
});

/// The dates in a column of these cells; `None` if the column is not one of dates.
fn read_dates<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let rows = cells.map(|cell| format!("\"{}\"\n", cell.replace('"', "")));
    let csv = format!("day\n{}", rows.collect::<String>());
    let Ingested { dataset, text } = ingest_checked("a.csv", csv.as_bytes()).ok()?;
    let [column] = &dataset.columns[..] else { return None };
    if column.kind != ColumnType::Date {
        return None;
    }
    let mut dates = Vec::new();
    for_each_row(&dataset, &text, &mut |row| {
        if let [Cell::Text(date)] = row {
            dates.push(date.to_string());
        }
        ControlFlow::Continue(())
    });
    Some(dates)
}
