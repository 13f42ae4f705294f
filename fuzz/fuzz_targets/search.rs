//! Keyword search finds the rows that a comparison with every value finds. Input: a byte for the
//! kind of file, the query, a NUL byte, the file.
#![no_main]

use chatbot_widget::domain::dataset::Layout;
use chatbot_widget::tables::fold::fold;
use chatbot_widget::tables::ingest::Ingested;
use chatbot_widget::tables::search::search;
use chatbot_widget_fuzz::table::ingest_checked;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, data @ ..] = data else { return };
    let Some(end) = data.iter().position(|byte| *byte == 0) else { return };
    let Ok(query) = str::from_utf8(&data[..end]) else { return };
    let name = if kind.is_multiple_of(2) { "a.csv" } else { "a.json" };
    let Ok(ingested) = ingest_checked(name, &data[end + 1..]) else { return };
    let expected = match ingested.dataset.layout {
        Layout::Csv { delimiter, .. } => in_csv(&ingested, delimiter, query),
        _ => in_json(&ingested, query),
    };
    let Ingested { dataset, text } = &ingested;
    let found = search(dataset, text, query, None, 0, usize::MAX).unwrap();
    assert_eq!(found.total, found.rows.len() as u64);
    let Some(expected) = expected else { return };
    assert_eq!(found.rows, expected);
    let page = search(dataset, text, query, None, 1, 2).unwrap();
    assert_eq!(page.total, found.total);
    assert!(page.rows.iter().eq(found.rows.iter().skip(1).take(2)));
    // Naming every column finds the same as naming none, by a different path.
    let columns: Vec<String> =
        dataset.columns.iter().map(|column| column.source_name().to_owned()).collect();
    let by_column = search(dataset, text, query, Some(&columns), 0, usize::MAX).unwrap();
    assert_eq!(by_column.rows, found.rows);
});

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The rows that search should return. `None` if a cell continues after its closing quote (`"a"b`
/// is read as `ab`): search looks for text as the file spells it, and does not find `ab` there.
fn in_csv(ingested: &Ingested, delimiter: u8, query: &str) -> Option<Vec<Value>> {
    let text = str::from_utf8(&ingested.text).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let as_it_is = |cell: &str| text.contains(cell) || text.contains(&cell.replace('"', "\"\""));
    if !records.iter().flatten().all(as_it_is) {
        return None;
    }
    let records = records.into_iter().filter(|record| {
        let blank_line = record.len() == 1 && !record[0].is_empty() && is_blank(&record[0]);
        !blank_line
    });
    let columns = &ingested.dataset.columns;
    let query = fold(query);
    let rows = records.skip(1).filter(|record| {
        let mut cells = record.iter().take(columns.len());
        query.is_empty() || cells.any(|cell| fold(cell).contains(&query))
    });
    let rows = rows.map(|record| {
        let cells = columns.iter().enumerate();
        cells.map(|(at, column)| (column.name.clone(), record.get(at).into())).collect()
    });
    Some(rows.map(Value::Object).collect())
}

/// The items that search should return; `None` if `Value` cannot hold them as they are written.
fn in_json(ingested: &Ingested, query: &str) -> Option<Vec<Value>> {
    let text = str::from_utf8(&ingested.text).unwrap();
    // Parsing changes how numbers are spelt and drops duplicate keys.
    let items = match &ingested.dataset.layout {
        Layout::JsonArray { .. } => serde_json::from_str::<Vec<Value>>(text).ok()?,
        Layout::JsonLines { .. } => text
            .split(['\n', '\r'])
            .filter(|line| !is_blank(line))
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()
            .ok()?,
        _ => return None,
    };
    let query = fold(query);
    if query.bytes().any(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte)) {
        return None;
    }
    Some(items.into_iter().filter(|item| is_in(item, &query)).collect())
}

fn is_in(value: &Value, query: &str) -> bool {
    query.is_empty()
        || match value {
            Value::Null => false,
            Value::Bool(value) => value.to_string().contains(query),
            Value::Number(_) => false,
            Value::String(text) => fold(text).contains(query),
            Value::Array(items) => items.iter().any(|item| is_in(item, query)),
            Value::Object(fields) => fields.values().any(|item| is_in(item, query)),
        }
}
