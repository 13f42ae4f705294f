//! What must hold for every ingested table.

use std::collections::HashSet;
use std::ops::ControlFlow;

use bytes::Bytes;
use chatbot_widget::domain::Timestamp;
use chatbot_widget::domain::dataset::{Column, ColumnType};
use chatbot_widget::tables::ingest::{IngestError, IngestLimits, Ingested, ingest};
use chatbot_widget::tables::rows::{Cell, for_each_row};

/// Limits that short inputs can reach.
pub const LIMITS: IngestLimits =
    IngestLimits { max_columns: 40, max_depth: 16, max_bytes: 4 << 20 };

/// Ingests `data` and checks the result.
pub fn ingest_checked(name: &str, data: &[u8]) -> Result<Ingested, IngestError> {
    let ingested = ingest(name, &Bytes::copy_from_slice(data), Timestamp(0), &LIMITS)?;
    check(&ingested);
    Ok(ingested)
}

fn check(ingested: &Ingested) {
    let Ingested { dataset, text } = ingested;
    let text = str::from_utf8(text).expect("the text is UTF-8");
    assert!(!text.contains('\0'));
    assert!(dataset.columns.len() <= LIMITS.max_columns);
    let names: HashSet<String> =
        dataset.columns.iter().map(|column| column.name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), dataset.columns.len(), "SQL can tell the columns apart");
    for Column { name, .. } in &dataset.columns {
        assert!(!name.trim().is_empty() && !name.contains(char::is_control), "{name:?}");
    }
    assert_eq!(dataset.sample.len() as u64, dataset.rows.min(3));

    let mut rows = 0;
    let mut nulls = vec![0; dataset.columns.len()];
    for_each_row(dataset, text.as_bytes(), &mut |row| {
        assert_eq!(row.len(), dataset.columns.len());
        for ((cell, column), nulls) in row.iter().zip(&dataset.columns).zip(&mut nulls) {
            assert!(fits(column, cell), "{cell:?} in {column:?}");
            *nulls += u64::from(*cell == Cell::Null);
        }
        rows += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(rows, dataset.rows);
    for (column, nulls) in dataset.columns.iter().zip(nulls) {
        let stats = &column.stats;
        assert_eq!(stats.nulls, nulls, "{column:?}");
        if stats.distinct_is_exact {
            assert!(stats.distinct <= rows - nulls, "{column:?}");
        }
        assert!(stats.top.is_sorted_by(|a, b| a.1 >= b.1), "{column:?}");
        assert!(stats.top.first().is_none_or(|top| (2..=rows).contains(&top.1)), "{column:?}");
    }
    dataset.summary();
}

/// Whether a cell is of its column's type.
fn fits(column: &Column, cell: &Cell<'_>) -> bool {
    let within = |value: f64| {
        let bound = |text: &Option<String>| text.as_deref()?.parse::<f64>().ok();
        value.is_finite()
            && bound(&column.stats.min).is_some_and(|min| min <= value)
            && bound(&column.stats.max).is_some_and(|max| value <= max)
    };
    match (column.kind, cell) {
        (_, Cell::Null) => true,
        (ColumnType::Number, Cell::Int(value)) => column.reading.integer && within(*value as f64),
        (ColumnType::Number, Cell::Real(value)) => !column.reading.integer && within(*value),
        (ColumnType::Boolean, Cell::Bool(_)) => true,
        (ColumnType::Date, Cell::Text(date)) => {
            column.stats.min.as_deref() <= Some(&**date)
                && Some(&**date) <= column.stats.max.as_deref()
        }
        (ColumnType::String | ColumnType::Object | ColumnType::Array, Cell::Text(_)) => true,
        _ => false,
    }
}
