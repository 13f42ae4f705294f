use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::Timestamp;
use crate::tables::ingest::{IngestLimits, Ingested, ingest};

fn take(name: &str, content: &[u8]) -> Ingested {
    ingest(name, &Bytes::copy_from_slice(content), Timestamp(0), &IngestLimits::default()).unwrap()
}

/// All rows, each cell as its text.
fn rows(file: &Ingested) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for_each_row(&file.dataset, &file.text, &mut |row| {
        rows.push(row.iter().map(show).collect());
        ControlFlow::Continue(())
    });
    rows
}

fn show(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(number) => format!("int {number}"),
        Cell::Real(number) => format!("real {number}"),
        Cell::Bool(value) => format!("bool {value}"),
        Cell::Text(text) => text.to_string(),
    }
}

#[test]
fn values_are_converted_by_the_type_of_their_column() {
    let text = "zip;whole;part;when;ok;note;none;code\n\
        01067;1.000;1,5;31.12.2012 10:00;yes;=1+1;;1\n\
        ;;;;;  ;;\n\
        99999;-7;2;1.2.2013;No;NA;;x\n\
        1\n\
        1;n/a;-;NULL;;\"a\nb\";;2012-01-01\n";
    assert_eq!(
        rows(&take("a.csv", text.as_bytes())),
        [
            vec![
                "01067",
                "int 1000",
                "real 1.5",
                "2012-12-31T10:00:00",
                "bool true",
                "=1+1",
                "NULL",
                "1"
            ],
            vec!["NULL"; 8],
            vec!["99999", "int -7", "real 2", "2013-02-01", "bool false", "NA", "NULL", "x"],
            vec!["1", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL"],
            vec!["1", "NULL", "NULL", "NULL", "NULL", "a\nb", "NULL", "2012-01-01"],
        ]
        .map(|row| row.into_iter().map(str::to_owned).collect::<Vec<_>>())
    );
}

#[test]
fn numbers_are_whole_only_if_all_of_a_column_are() {
    let file = take("a.csv", b"a,b\n9223372036854775807,1\n\"1,000\",2.0\n");
    assert_eq!(rows(&file), [["int 9223372036854775807", "real 1"], ["int 1000", "real 2"]]);
}

#[test]
fn json_values_are_converted() {
    let text = r#"[{"n": 18446744073709551615, "s": "\u00fc \"q\"", "o": { "a" : [ 1, "x  y" ] }},
        {"s": "", "d": "1/31/2012", "n": 1}, 5, null, {"n": "1.5", "n": "2"}]"#;
    let file = take("a.json", text.as_bytes());
    assert_eq!(
        rows(&file),
        [
            ["18446744073709551615", "ü \"q\"", r#"[1,"x  y"]"#, "NULL", "NULL"],
            ["1", "", "NULL", "2012-01-31", "NULL"],
            ["NULL", "NULL", "NULL", "NULL", "int 5"],
            ["NULL"; 5],
            ["2", "NULL", "NULL", "NULL", "NULL"],
        ]
    );
}

#[test]
fn json_that_is_not_an_array_has_rows() {
    let all = |text: &str| rows(&take("a.json", text.as_bytes()));
    assert_eq!(all(r#"{"a": 1, "b": [1, 2]}"#), [["int 1", "[1,2]"]]);
    assert_eq!(all(r#"{"n": 2, "rows": [{"a": 1}, {"a": null}]}"#), [["int 1"], ["NULL"]]);
    assert_eq!(all("{\"a\": true}\n{\"a\": false}\n"), [["bool true"], ["bool false"]]);
    assert_eq!(all("\"text\""), [["text"]]);
    assert_eq!(all("[1e-400, 1.5]"), [["real 0"], ["real 1.5"]]);
    assert_eq!(all("[{}]"), [Vec::<String>::new()]);
    assert!(all("[]").is_empty());
}

#[test]
fn breaking_ends_the_reading() {
    for file in [take("a.csv", b"a\n1\n2\n3\n"), take("a.json", b"[1,2,3]")] {
        let mut seen = 0;
        for_each_row(&file.dataset, &file.text, &mut |_| {
            seen += 1;
            if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(seen, 2);
    }
}

proptest! {
    #[test]
    fn whatever_a_csv_writer_writes_is_read_back(
        table in (1_usize..5).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[a-z\",;|\t\r\nÄ東 =]{0,8}", width), 1..12)
        }),
        crlf: bool,
    ) {
        let width = table[0].len();
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        // The first cells fix the delimiter, the type and that no row is a blank line.
        let marked = |row: &[String]| [vec!["#".to_owned()], row.to_vec(), vec!["#".to_owned()]].concat();
        let header: Vec<String> = (0..width).map(|n| format!("c{n}")).collect();
        for row in std::iter::once(&header).chain(&table) {
            writer.write_record(marked(row)).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let file = take("a.csv", &bytes);
        let expected: Vec<Vec<String>> = table
            .iter()
            .map(|row| {
                marked(row)
                    .into_iter()
                    .map(|cell| if cell.as_bytes().trim_ascii().is_empty() { "NULL".to_owned() } else { cell })
                    .collect()
            })
            .collect();
        prop_assert_eq!(file.dataset.rows, table.len() as u64);
        prop_assert_eq!(rows(&file), expected);
    }

    #[test]
    fn any_json_objects_are_read_back(
        items in prop::collection::vec(prop::collection::btree_map("[a-cA\"\\\\é]{0,2}", json_value(), 0..4), 0..8),
        pretty: bool,
    ) {
        let items: Vec<Value> =
            items.into_iter().map(|map| Value::Object(map.into_iter().collect())).collect();
        let all = Value::from(items.clone());
        let text = if pretty { serde_json::to_string_pretty(&all) } else { serde_json::to_string(&all) };
        let file = take("a.json", text.unwrap().as_bytes());
        let mut back = Vec::new();
        for_each_row(&file.dataset, &file.text, &mut |row| {
            back.push(row.iter().map(show).collect::<Vec<_>>());
            ControlFlow::Continue(())
        });
        prop_assert_eq!(back.len(), items.len());
        for (item, row) in items.iter().zip(&back) {
            for (column, cell) in file.dataset.columns.iter().zip(row) {
                let value = at(item, column).unwrap_or(&Value::Null);
                let value = if value.as_object().is_some_and(|map| !map.is_empty())
                    && file.dataset.columns.iter().any(|other| is_within(other, column))
                {
                    // Its fields are columns.
                    &Value::Null
                } else {
                    value
                };
                let expected = match (column.kind, value) {
                    (_, Value::Null) => "NULL".to_owned(),
                    (ColumnType::Number, Value::Number(n)) => match n.as_i64() {
                        Some(whole) if column.reading.integer => format!("int {whole}"),
                        _ => format!("real {}", n.as_f64().unwrap()),
                    },
                    (ColumnType::Boolean, Value::Bool(value)) => format!("bool {value}"),
                    (_, Value::String(text)) => text.clone(),
                    (_, other) => other.to_string(),
                };
                prop_assert_eq!(cell, &expected);
            }
        }
    }
}

/// The value that a column holds.
fn at<'v>(item: &'v Value, column: &Column) -> Option<&'v Value> {
    column.keys().try_fold(item, |value, key| value.get(key))
}

/// Whether a column is a field of what another column holds.
fn is_within(column: &Column, other: &Column) -> bool {
    let (inner, outer): (Vec<&str>, Vec<&str>) = (column.keys().collect(), other.keys().collect());
    inner.len() > outer.len() && inner.starts_with(&outer)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        "[a-z \"\\\\\n\té東]{1,6}x".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c ]{0,2}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
