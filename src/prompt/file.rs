//! Describes the visitor's file in a prompt: its size, its columns with types and statistics, a few
//! rows. Figures come from the tool.

use std::fmt::Write as _;

use super::csv_record::record;
use super::tokens::{clip_end, estimate};
use crate::domain::Dataset;
use crate::domain::dataset::{Column, ColumnType};
use crate::domain::text::thousands;

/// Maximum length of a value in a column's description, in characters.
const VALUE_CHARS: usize = 60;

/// Describes `dataset` in at most `budget` tokens, with the first of these that fits: statistics of
/// every column, names and types of every column, or as many names and types as possible.
pub fn describe(dataset: &Dataset, budget: usize) -> String {
    let head = format!(
        "File: {} ({}, {}), {} rows, {} columns; query it as table `data`\nColumns:\n",
        dataset.file_name,
        dataset.kind.as_str(),
        size(dataset.size),
        thousands(dataset.rows),
        thousands(dataset.columns.len() as u64),
    );
    let left = budget.saturating_sub(estimate(&head));
    let notes = notes(dataset, left / 4);
    let left = left.saturating_sub(estimate(&notes));
    let sample = sample(dataset);
    // Columns matter more than rows.
    let full = lines(dataset, details, left.saturating_sub(estimate(&sample)));
    let all = |shown: usize| shown == dataset.columns.len();
    let (columns, shown) = if all(full.1) {
        full
    } else {
        lines(dataset, |dataset, at| unit(&dataset.columns[at]), left)
    };
    let mut text = head;
    text.push_str(&columns);
    if !all(shown) {
        let more = dataset.columns.len() - shown;
        // `lines` reserves room for this line.
        let _ = writeln!(text, "… and {} more columns", thousands(more as u64));
    }
    text.push_str(&notes);
    if estimate(&text) + estimate(&sample) <= budget {
        text.push_str(&sample);
    }
    text
}

/// Lines for as many columns as fit into `budget`, and their number.
fn lines(
    dataset: &Dataset,
    details: fn(&Dataset, usize) -> String,
    budget: usize,
) -> (String, usize) {
    let mut text = String::new();
    let mut tokens = 12;
    for (shown, column) in dataset.columns.iter().enumerate() {
        let name = column.name.replace('"', "\"\"");
        let details = details(dataset, shown);
        let colon = if details.is_empty() { "" } else { ": " };
        let line = format!("- \"{name}\" ({}){colon}{details}\n", column.kind.as_str());
        tokens += estimate(&line);
        if tokens > budget {
            return (text, shown);
        }
        text.push_str(&line);
    }
    (text, dataset.columns.len())
}

/// The unit of a column's numbers, which SQL does not show.
fn unit(column: &Column) -> String {
    column.stats.unit.as_deref().map_or_else(String::new, |unit| format!("unit {}", value(unit)))
}

/// The first number of column `at` as the file writes it, if SQL shows it otherwise.
fn written(dataset: &Dataset, at: usize) -> Option<String> {
    let column = &dataset.columns[at];
    let mut cells = dataset.sample.iter().filter_map(|row| row.get(at)?.as_deref());
    let text = cells.find(|text| text.contains(char::is_numeric))?.trim();
    let is_plain = text.parse::<f64>().is_ok() && !column.reading.decimal_comma;
    (column.kind == ColumnType::Number && !is_plain)
        .then(|| format!("in the file written as in {}", value(text)))
}

/// What is known about column `at`.
fn details(dataset: &Dataset, at: usize) -> String {
    let column = &dataset.columns[at];
    let stats = &column.stats;
    let mut parts = Vec::new();
    if stats.unit.is_some() {
        parts.push(unit(column));
    }
    parts.extend(written(dataset, at));
    if let (Some(min), Some(max)) = (&stats.min, &stats.max)
        && matches!(column.kind, ColumnType::Number | ColumnType::Date)
    {
        parts.push(format!("{} to {}", value(min), value(max)));
    }
    if let Some(mean) = stats.mean {
        // Two decimals are precise enough for a profile.
        parts.push(format!("mean {}", (mean * 100.0).round() / 100.0));
    }
    if column.kind != ColumnType::Empty {
        let about = if stats.distinct_is_exact { "" } else { "about " };
        parts.push(format!("{about}{} distinct", stats.distinct));
    }
    if stats.nulls > 0 && column.kind != ColumnType::Empty {
        parts.push(format!("{} empty", stats.nulls));
    }
    if !stats.top.is_empty() && column.kind != ColumnType::Number {
        let top: Vec<String> =
            stats.top.iter().map(|(text, count)| format!("{} ({count})", value(text))).collect();
        parts.push(format!("top: {}", top.join(", ")));
    }
    parts.join(", ")
}

/// A value on one line, shortened if necessary.
fn value(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(VALUE_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// As many notes on how the file was read as fit into `budget`.
fn notes(dataset: &Dataset, budget: usize) -> String {
    let mut text = String::new();
    for note in &dataset.notes {
        let head = if text.is_empty() { "How the file was read:\n" } else { "" };
        let line = format!("{head}- {note}\n");
        if estimate(&text) + estimate(&line) > budget {
            break;
        }
        text.push_str(&line);
    }
    text
}

fn sample(dataset: &Dataset) -> String {
    if dataset.sample.is_empty() || dataset.columns.is_empty() {
        return String::new();
    }
    let mut text = "Sample rows (CSV):\n".to_owned();
    text.push_str(&record(dataset.columns.iter().map(|column| column.name.clone())));
    for row in &dataset.sample {
        let cells = (0..dataset.columns.len()).map(|at| {
            clip_end(row.get(at).and_then(Option::as_deref).unwrap_or(""), 100).to_owned()
        });
        text.push_str(&record(cells));
    }
    text
}

/// `47.1 KB`.
fn size(bytes: u64) -> String {
    // Exact far beyond the size of any upload.
    let bytes = bytes as f64;
    if bytes < 1000.0 {
        format!("{bytes} B")
    } else if bytes < 1_000_000.0 {
        format!("{:.1} KB", bytes / 1000.0)
    } else {
        format!("{:.1} MB", bytes / 1_000_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::dataset::{ColumnStats, FileKind, Layout, Reading};

    fn column(name: String, kind: ColumnType, stats: ColumnStats) -> Column {
        Column { name, key: None, path: Vec::new(), kind, reading: Reading::default(), stats }
    }

    fn dataset(columns: Vec<Column>, sample: Vec<Vec<Option<String>>>) -> Dataset {
        Dataset {
            file_name: "weather.csv".to_owned(),
            kind: FileKind::Csv,
            size: 48_219,
            uploaded: Timestamp(0),
            layout: Layout::Csv { delimiter: b',', line_rows: true },
            columns,
            rows: 1461,
            sample,
            notes: Vec::new(),
        }
    }

    #[test]
    fn columns_are_listed_with_their_statistics() {
        let number = ColumnStats {
            min: Some("-1.6".into()),
            max: Some("35.6".into()),
            mean: Some(16.439_083),
            distinct: 67,
            distinct_is_exact: true,
            top: vec![("11.1".into(), 40)],
            ..ColumnStats::default()
        };
        let text = ColumnStats {
            min: Some("drizzle".into()),
            max: Some("sun".into()),
            distinct: 5,
            distinct_is_exact: true,
            nulls: 3,
            top: vec![("rain".into(), 641), ("sun".into(), 640)],
            ..ColumnStats::default()
        };
        let dataset = dataset(
            vec![
                column("temp_max".into(), ColumnType::Number, number),
                column("the \"weather\"".into(), ColumnType::String, text),
                column("note".into(), ColumnType::Empty, ColumnStats::default()),
            ],
            vec![vec![Some("12.8".into()), Some("rain, snow".into()), None]],
        );
        assert_eq!(
            describe(&dataset, 2000),
            "File: weather.csv (csv, 48.2 KB), 1,461 rows, 3 columns; query it as table `data`\n\
             Columns:\n\
             - \"temp_max\" (number): -1.6 to 35.6, mean 16.44, 67 distinct\n\
             - \"the \"\"weather\"\"\" (string): 5 distinct, 3 empty, top: rain (641), sun (640)\n\
             - \"note\" (empty)\n\
             Sample rows (CSV):\ntemp_max,\"the \"\"weather\"\"\",note\n12.8,\"rain, snow\",\n"
        );
    }

    #[test]
    fn units_are_named_with_the_original_writing() {
        let price = ColumnStats {
            min: Some("3.5".into()),
            max: Some("1234.5".into()),
            distinct: 3,
            distinct_is_exact: true,
            unit: Some("$".into()),
            ..ColumnStats::default()
        };
        let mut price = column("price".into(), ColumnType::Number, price);
        let sample = vec![vec![Some("$1,234.50".to_owned())]];
        let text = describe(&dataset(vec![price.clone()], sample), 1000);
        let line = "- \"price\" (number): unit $, in the file written as in $1,234.50, 3.5 to \
                    1234.5, 3 distinct\n";
        assert!(text.contains(line), "{text}");
        // A decimal comma is shown even if the first value could be read otherwise.
        price.stats.unit = None;
        price.reading.decimal_comma = true;
        let text = describe(&dataset(vec![price], vec![vec![Some("1.234".to_owned())]]), 1000);
        assert!(text.contains("(number): in the file written as in 1.234, 3.5 to"), "{text}");
    }

    #[test]
    fn notes_stand_between_columns_and_rows() {
        let mut dataset = dataset(
            vec![column("note".into(), ColumnType::Empty, ColumnStats::default())],
            vec![vec![None]],
        );
        dataset.notes = vec!["One guess.".to_owned(), "Another guess.".to_owned()];
        let text = describe(&dataset, 1000);
        assert!(
            text.contains(
                "(empty)\nHow the file was read:\n- One guess.\n- Another guess.\nSample rows"
            ),
            "{text}"
        );
        dataset.notes = vec!["A long guess about this file. ".repeat(8); 8];
        for budget in [100, 300, 1000, 4000] {
            let text = describe(&dataset, budget);
            assert!(estimate(&text) <= budget, "{} of {budget}", estimate(&text));
            assert!(text.contains("- \"note\""), "columns come first: {text}");
        }
    }

    #[test]
    fn a_thousand_columns_stay_within_the_budget() {
        let wide = |names: usize| {
            let columns = (0..1000)
                .map(|n| {
                    let stats = ColumnStats {
                        distinct: 1000,
                        top: vec![("some frequent value".into(), 9)],
                        ..ColumnStats::default()
                    };
                    column(
                        format!("{} {n}", "column name".repeat(names)),
                        ColumnType::String,
                        stats,
                    )
                })
                .collect();
            dataset(columns, vec![vec![Some("x".repeat(500)); 1000]; 3])
        };
        for budget in [300, 1000, 4000, 20_000] {
            for dataset in [wide(1), wide(10)] {
                let text = describe(&dataset, budget);
                assert!(estimate(&text) <= budget, "{} of {budget}", estimate(&text));
                assert!(text.starts_with("File: weather.csv"));
            }
        }
        let short = describe(&wide(1), 1000);
        assert!(short.trim_end().ends_with("more columns"), "{short}");
        assert!(!describe(&wide(1), 20_000).contains("more columns"));
    }
}
