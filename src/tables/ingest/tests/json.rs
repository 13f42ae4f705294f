//! The table in a JSON file: fields of objects as columns, arrays within objects.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::tables::rows::{Cell, for_each_row};

/// The columns, the first row and the notes of a file.
fn read(text: &str) -> (String, String, String) {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let file = ingest("a.json", &bytes, Timestamp(0), &IngestLimits::default()).unwrap();
    let (columns, rows) = table(&file);
    let notes = file.dataset.notes.join(" ");
    (columns.join("|"), rows.first().map(|row| row.join("|")).unwrap_or_default(), notes)
}

/// The names of the columns, and all cells as text.
fn table(file: &Ingested) -> (Vec<String>, Vec<Vec<String>>) {
    let columns = file.dataset.columns.iter().map(|column| column.name.clone()).collect();
    let mut rows = Vec::new();
    for_each_row(&file.dataset, &file.text, &mut |row| {
        let show = |cell: &Cell<'_>| match cell {
            Cell::Null => "NULL".to_owned(),
            Cell::Int(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Bool(value) => value.to_string(),
            Cell::Text(text) => text.to_string(),
        };
        rows.push(row.iter().map(show).collect());
        ControlFlow::Continue(())
    });
    (columns, rows)
}

#[test]
fn fields_of_objects_are_columns() {
    for (text, columns, first) in [
        (
            r#"[{"id": 1, "c": {"city": "Rome", "zip": "00184"}, "n": 2}]"#,
            "id|c.city|c.zip|n",
            "1|Rome|00184|2",
        ),
        (r#"{"a": {"b": {"c": 1}}}"#, "a.b.c", "1"),
        (r#"[{"a": {"b": {"c": {"d": 1}}}}]"#, "a.b.c", r#"{"d":1}"#),
        (r#"[{"a": {"b": [1, {"c": 2}], "d": []}}]"#, "a.b|a.d", r#"[1,{"c":2}]|[]"#),
        ("{\"a\": {\"b\": 1}}\n{\"a\": {\"c\": true}}", "a.b|a.c", "1|NULL"),
        // Other values of the key have a column of their own.
        (r#"[{"a": 5}, {"a": {"b": 1}}, {"a": null}]"#, "a|a.b", "5|NULL"),
        (r#"[{"a": null}, {"a": {"b": 1}}, {"a": {}}]"#, "a.b", "NULL"),
        (r#"[{"a": {}}, {"a": null}]"#, "a", "{}"),
        (r#"[{"a": {}, "b": 1}, {"a": "x"}, {"a": {"c": 2}}]"#, "a|a.c|b", "{}|NULL|1"),
        // Names that meet are told apart as those of equal headers are.
        (r#"[{"a.b": 1, "a": {"b": 2}}]"#, "a.b|a.b_2", "1|2"),
        (r#"[{"a": {"b": 2}, "a.b": 1, "A.B": 3}]"#, "a.b|a.b_2|A.B_3", "2|1|3"),
        (
            r#"[{"a": {"b.c": 1, "b": {"c": 2}}, "a.b": {"c": 3}}]"#,
            "a.b.c|a.b.c_2|a.b.c_3",
            "1|2|3",
        ),
        (r#"[{"": {"": 1}, " ": {"x\n": 2}}]"#, ".|.x", "1|2"),
        // Of equal keys the last one counts, with all that is in it.
        (r#"[{"a": {"b": 1}, "a": {"c": 2}}, {"a": {"b": 3}}]"#, "a.c|a.b", "2|NULL"),
        (r#"[{"a": {"b": 3}}, {"a": {"b": 1}, "a": {"c": 2}}]"#, "a.b|a.c", "3|NULL"),
        (r#"[{"a": {"b": 1, "b": 2}, "x": 0, "a": {"b": 3, "b": 4}}]"#, "a.b|x", "4|0"),
    ] {
        let (found, row, notes) = read(text);
        assert_eq!((found.as_str(), row.as_str()), (columns, first), "{text}");
        assert_eq!(notes, "", "{text}");
    }
    let text =
        r#"[{"a": {"b": 3}}, {"a": {"b": 1}, "x": 1, "a": {"c": 2}}, {"a": {"b": 1}, "a": 5}]"#;
    let file = ingest("a.json", &text.into(), Timestamp(0), &IngestLimits::default()).unwrap();
    let (columns, rows) = table(&file);
    assert_eq!(columns, ["a", "a.b", "a.c", "x"]);
    let wanted =
        [["NULL", "3", "NULL", "NULL"], ["NULL", "NULL", "2", "1"], ["5", "NULL", "NULL", "NULL"]];
    assert_eq!(rows, wanted);
}

#[test]
fn the_summary_shows_the_file_as_uploaded() {
    let text = r#"[{"id": 1, "c": {"city": "Rome"}, "t": [1]}, {"c": {"x": {"y": 1}}, "m": {"a": 1}}, {"m": 5}]"#;
    let summary = json_file(text).summary();
    assert_eq!(summary["firstItemKeys"], json!(["id", "c", "t"]));
    assert_eq!(
        summary["dataTypes"],
        json!({"id": "number", "c": "object", "t": "array", "m": "string"})
    );
    let stats: Vec<&String> = summary["stats"].as_object().unwrap().keys().collect();
    assert_eq!(stats, ["id", "c.city", "c.x.y", "t", "m", "m.a"]);
    let summary = json_file(r#"{"a": {"b": 1}, "c": "x", "d": {}}"#).summary();
    assert_eq!(summary["keys"], json!(["a", "c", "d"]));
    assert_eq!(summary["dataTypes"], json!({"a": "object", "c": "string", "d": "object"}));
    let summary = json_file(r#"[{"a.b": 1, "a": {"b": 2}}]"#).summary();
    assert_eq!(summary["dataTypes"], json!({"a.b": "number", "a": "object"}));
    assert_eq!(summary["stats"].as_object().unwrap().len(), 2);
}

#[test]
fn an_array_in_an_object_is_the_table() {
    let rows = |count: usize| json!(vec![json!({"n": 1}); count]);
    for (value, columns, count, note) in [
        (json!({"items": rows(2)}), "n", 2, "The rows are the items of the array \"items\"."),
        (
            json!({"data": {"items": rows(3), "total": 3}}),
            "n",
            3,
            "The rows are the items of the array \"data.items\".",
        ),
        (
            json!({"r": {"data": {"items": rows(3)}}}),
            "n",
            3,
            "The rows are the items of the array \"r.data.items\".",
        ),
        (json!({"q": {"r": {"data": {"items": rows(3)}}}}), "q.r.data", 1, ""),
        (
            json!({"type": "FeatureCollection", "features": [
                {"type": "Feature", "properties": {"name": "A"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
            ]}),
            "type|properties.name|geometry.type|geometry.coordinates",
            1,
            "The rows are the items of the array \"features\".",
        ),
        // What is nearer counts, as in files whose table has arrays beside it.
        (
            json!({"items": rows(1), "meta": {"tags": rows(9)}}),
            "n",
            1,
            "The rows are the items of the array \"items\".",
        ),
        (
            json!({"errors": rows(2), "items": rows(10)}),
            "n",
            10,
            "The rows are the items of the array \"items\"; other arrays are not part of the table: \
             \"errors\".",
        ),
        (
            json!({"errors": rows(2), "items": rows(9)}),
            "errors|items",
            1,
            "The file is one row, since none of its arrays is clearly the table: \"items\", \
             \"errors\".",
        ),
        (
            json!({"x": {"a": rows(20), "b": rows(5)}}),
            "x.a|x.b",
            1,
            "The file is one row, since none of its arrays is clearly the table: \"x.a\", \"x.b\".",
        ),
        (json!({"a": [], "b": [1], "c": [{"x": 1}, 2]}), "a|b|c", 1, ""),
    ] {
        let dataset = json_file(&value.to_string());
        let names: Vec<&str> = dataset.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names.join("|").as_str(), dataset.rows), (columns, count), "{value}");
        assert_eq!(dataset.notes.join(" "), note, "{value}");
    }
    // Of equal keys the last one counts.
    let (_, row, _) = read(r#"{"d": {"i": [{"n": 1}]}, "d": {"i": [{"n": 2}], "i": [{"n": 3}]}}"#);
    assert_eq!(row, "3");
}

#[test]
fn objects_with_too_many_fields_stay_text() {
    let object = |count: usize| -> Value {
        (0..count).map(|n| (format!("k{n}"), json!(n))).collect::<Map<String, Value>>().into()
    };
    let columns = |value: &Value| {
        let dataset = json_file(&value.to_string());
        (dataset.columns.len(), dataset.notes.join(" "))
    };
    assert_eq!(columns(&json!([{"a": object(1000)}])), (1000, String::new()));
    let kept = "Objects were kept as JSON text: their fields are too many columns.";
    assert_eq!(columns(&json!([{"a": object(1001)}])), (1, kept.to_owned()));
    assert_eq!(columns(&json!([{"a": object(1000), "b": 1}])), (2, kept.to_owned()));
    let within =
        "Objects within objects were kept as JSON text: their fields are too many columns.";
    assert_eq!(
        columns(&json!([{"a": {"b": object(1001)}, "c": {"d": 1}}])),
        (2, within.to_owned())
    );
    // The limit is that of columns, not of keys.
    let both = json!([{"a": 1, "b": object(998)}, {"a": {"c": 1}}]);
    assert_eq!(columns(&both), (1000, String::new()));
    let more = json!([{"a": 1, "b": object(999)}, {"a": {"c": 1}}]);
    assert_eq!(columns(&more).1, kept);
    // What is beside the table does not count.
    let table = json!({"meta": object(2000), "items": [{"a": {"b": 1}}]});
    assert_eq!(columns(&table).1, "The rows are the items of the array \"items\".");
    // Keys that are data, such as dates, would make a table that is large and empty.
    let sparse: Vec<Value> =
        (0..20_000).map(|n| json!({"d": {format!("k{}", n % 500): n}})).collect();
    assert_eq!(columns(&json!(sparse)), (1, kept.to_owned()));
}

#[test]
fn whole_numbers_keep_all_digits() {
    let text = include_bytes!("../../../../tests/fixtures/data/long-ids.json");
    let file = ingest("a.json", &Bytes::from_static(text), Timestamp(0), &IngestLimits::default());
    let file = file.unwrap();
    assert_eq!(
        table(&file).1,
        [["12345678901234567890", "-9223372036854775809"], ["12345678901234567891", "5"]]
    );
    assert_eq!(file.dataset.columns[0].stats.distinct, 2);
    assert_eq!(file.dataset.summary()["dataTypes"]["id"], "number");
}

#[test]
fn files_stored_before_there_were_paths_are_read_as_before() {
    let text = Bytes::from_static(br#"{"n": 1, "items": [{"a": {"b": 1}}]}"#);
    let stored = json!({
        "file_name": "a.json", "kind": "json", "size": 36, "uploaded": 0, "rows": 1, "sample": [],
        "layout": {"JsonObject": {"keys": [["n", "number"], ["items", "array"]], "table": "items"}},
        "columns": [{
            "name": "a", "key": null, "kind": "object",
            "reading": {"integer": false, "decimal_comma": false, "day_first": false},
            "stats": {"nulls": 0, "distinct": 1, "distinct_is_exact": true, "min": null, "max": null,
                "mean": null, "top": []},
        }],
    });
    let dataset: Dataset = serde_json::from_value(stored).unwrap();
    let (columns, rows) = table(&Ingested { dataset, text });
    assert_eq!((columns, rows), (vec!["a".to_owned()], vec![vec![r#"{"b":1}"#.to_owned()]]));
}

/// A value that may be nested.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9..9_i64).prop_map(Value::from),
        "[a-z]{3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            4 => prop::collection::btree_map("[ab.]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The values of an object that are no objects with fields, by the keys that lead to them; at the
/// third level, and of an array, their JSON.
fn leaves(value: &Value, path: &[String], found: &mut BTreeMap<Vec<String>, String>) {
    match value {
        Value::Object(map) if !map.is_empty() && path.len() < 3 => {
            for (key, value) in map {
                leaves(value, &[path, std::slice::from_ref(key)].concat(), found);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            found.insert(path.to_vec(), text.clone());
        }
        other => {
            found.insert(path.to_vec(), other.to_string());
        }
    }
}

proptest! {
    #[test]
    fn every_value_is_in_its_column(
        items in prop::collection::vec(prop::collection::btree_map("[ab.]{1,2}", value(), 0..4), 1..6),
        form in 0..3_usize,
    ) {
        let items: Vec<Value> =
            items.into_iter().map(|map| Value::Object(map.into_iter().collect())).collect();
        let text = match form {
            0 => json!(items).to_string(),
            1 => json!({"data": {"items": items}}).to_string(),
            _ => items.iter().map(|item| format!("{item}\n")).collect(),
        };
        // A file with one line is one object.
        prop_assume!(form < 2 || items.len() > 1);
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let file = ingest("a.json", &bytes, Timestamp(0), &IngestLimits::default()).unwrap();
        let (_, rows) = table(&file);
        prop_assert_eq!(rows.len(), items.len());
        let columns = &file.dataset.columns;
        for (item, row) in items.iter().zip(&rows) {
            let mut expected = BTreeMap::new();
            leaves(item, &[], &mut expected);
            let mut found = BTreeMap::new();
            for (column, cell) in columns.iter().zip(row) {
                let path: Vec<String> = column.keys().map(str::to_owned).collect();
                if cell != "NULL" {
                    found.insert(path, cell.clone());
                }
            }
            // Where a key also has other values, empty objects are values too; else they are none.
            expected.retain(|path, text| text != "{}" || found.contains_key(path));
            prop_assert_eq!(found, expected, "{}", text);
        }
        let names: std::collections::HashSet<&str> =
            columns.iter().map(|column| column.source_name()).collect();
        prop_assert_eq!(names.len(), columns.len(), "{}", text);
    }
}
