//! Strange files, and what they must give.

use bytes::Bytes;
use serde_json::json;

mod dialects;
mod json;
mod refusals;

use super::*;
use crate::domain::dataset::{Column, ColumnType};

fn take(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, IngestError> {
    let bytes = Bytes::copy_from_slice(content.as_ref());
    ingest(name, &bytes, Timestamp(0), &IngestLimits::default()).map(|ingested| ingested.dataset)
}

fn csv(content: impl AsRef<[u8]>) -> Dataset {
    take("a.csv", content).unwrap()
}

fn json_file(content: &str) -> Dataset {
    take("a.json", content).unwrap()
}

fn names(dataset: &Dataset) -> Vec<&str> {
    dataset.columns.iter().map(|column| column.name.as_str()).collect()
}

fn kinds(dataset: &Dataset) -> Vec<&'static str> {
    dataset.columns.iter().map(|column| column.kind.as_str()).collect()
}

fn column(values: &[&str]) -> Column {
    let text = values.iter().fold("v|w\n".to_owned(), |text, value| text + value + "|x\n");
    csv(text).columns.swap_remove(0)
}

fn kind(values: &[&str]) -> &'static str {
    column(values).kind.as_str()
}

#[test]
fn delimiters_and_line_ends_are_detected() {
    for text in [
        "a,b\n1,x\n2,y\n",
        "a;b\n1;x\n2;y",
        "a\tb\r\n1\tx\r\n2\ty\r\n",
        "a|b\r1|x\r2|y\r",
        "\n\n a,b\n1,x\n   \n\n2,y\n\t\n",
        "\u{feff}a,\"b\"\n1,\"x\"\n2,y",
    ] {
        let dataset = csv(text);
        assert_eq!(names(&dataset), ["a", "b"], "{text:?}");
        assert_eq!(kinds(&dataset), ["number", "string"], "{text:?}");
        assert_eq!(dataset.rows, 2, "{text:?}");
    }
}

#[test]
fn the_delimiter_is_the_one_that_divides_evenly() {
    assert_eq!(names(&csv("name;price\nTea, green;1,5\nCoffee, black;2,5\n")), ["name", "price"]);
    assert_eq!(names(&csv("a,b\n\"1;2;3\",x\n\"4;5;6\",y\n")), ["a", "b"]);
    assert_eq!(names(&csv("id,tags\n1,a|b\n2,c|d\n")), ["id", "tags"]);
    assert_eq!(names(&csv("city\nRome\nOslo\n")), ["city"], "one column");
    let lone = csv("note\nwords\nmore\n");
    assert_eq!((lone.rows, kinds(&lone)), (2, vec!["string"]));
}

#[test]
fn quotes_hold_delimiters_quotes_and_line_breaks() {
    let dataset = csv("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n\"two\r\nlines\",3\r\n");
    assert_eq!(dataset.rows, 2);
    let cells = |row: &[Option<String>]| row.iter().flatten().cloned().collect::<Vec<_>>();
    assert_eq!(cells(&dataset.sample[0]), ["x, y", "say \"hi\""]);
    assert_eq!(cells(&dataset.sample[1]), ["two\r\nlines", "3"]);
}

#[test]
fn ragged_rows_and_odd_headers_are_read() {
    let dataset = csv("a,a,,select\n1\n1,2,3,4,5\n1,2,3,4,,\n");
    assert_eq!(names(&dataset), ["a", "a_2", "column_3", "select", "column_5"]);
    let nulls: Vec<u64> = dataset.columns.iter().map(|column| column.stats.nulls).collect();
    assert_eq!(nulls, [0, 1, 1, 1, 2]);
    assert_eq!(dataset.sample[0], [Some("1".to_owned())]);
    let summary = dataset.summary();
    assert_eq!(
        summary["sampleData"][0],
        json!({"a": "1", "a_2": null, "column_3": null, "select": null, "column_5": null})
    );
    let only = csv("a,b\n");
    assert_eq!((only.rows, kinds(&only)), (0, vec!["empty", "empty"]));
    assert_eq!(csv("a,b\n1,\n2,\n").columns[1].kind, ColumnType::Empty);
}

#[test]
fn types_are_judged_by_all_values() {
    for (values, expected) in [
        (&["1", "2", "-3"][..], "number"),
        (&["1.5", " 2 ", "1e3"], "number"),
        (&["1,234.50", "7"], "number"),
        (&["1", "0"], "number"),
        (&["1", "x"], "string"),
        (&["007", "008"], "string"),
        (&["1", "02"], "string"),
        (&["0", "0.5"], "number"),
        (&["12345678901234567890123", "1"], "string"),
        (&["+49301234567", "+49301234568"], "string"),
        (&["true", "FALSE", ""], "boolean"),
        (&["yes", "No"], "boolean"),
        (&["yes", "maybe"], "string"),
        (&["2012-01-31", "2012-02-01 10:00"], "date"),
        (&["Jan 1 2000", "1 January 2001"], "date"),
        (&["2012-01-31", "soon"], "string"),
        (&["2012-01-31", "2012"], "string"),
        (&["31/01/2012", "01/31/2012"], "string"),
        (&["", " ", ""], "empty"),
        (&["1", "NA", "n/a", "-"], "number"),
        (&["NA", "DE"], "string"),
        (&["NA", "-"], "string"),
        (&["=1+1", "2"], "string"),
        (&["1e999", "2"], "string"),
    ] {
        assert_eq!(kind(values), expected, "{values:?}");
    }
}

#[test]
fn one_value_at_the_very_end_decides() {
    let mut text = "n,d\n".to_owned();
    for n in 0..30_000 {
        text.push_str(&format!("{n},2012-01-01\n"));
    }
    assert_eq!(kinds(&csv(&text)), ["number", "date"]);
    text.push_str("x,x\n");
    assert_eq!(kinds(&csv(&text)), ["string", "string"]);
}

#[test]
fn the_order_of_day_and_month_is_decided_by_the_column() {
    let range = |column: &Column| column.stats.min.clone().zip(column.stats.max.clone()).unwrap();
    for (values, min, max) in [
        (&["1/2/2012", "31/1/2012"][..], "2012-01-31", "2012-02-01"),
        (&["1/2/2012", "1/31/2012"], "2012-01-02", "2012-01-31"),
        (&["1/2/2012", "2/3/2012"], "2012-01-02", "2012-02-03"),
        (&["01.02.2012", "02.03.2012"], "2012-02-01", "2012-03-02"),
        (&["01.31.2012", "02.03.2012"], "2012-01-31", "2012-02-03"),
    ] {
        assert_eq!(range(&column(values)), (min.to_owned(), max.to_owned()), "{values:?}");
    }
    let dataset = csv("d;x\n1/2/2012;1\n3/4/2012;2\n");
    assert!(dataset.columns[0].reading.day_first, "semicolons are continental");
}

#[test]
fn decimal_commas_count_where_commas_do_not_delimit() {
    let stats = |text: &str| {
        let column = csv(text).columns.swap_remove(0);
        (column.kind.as_str(), column.stats.min.unwrap(), column.stats.mean)
    };
    assert_eq!(stats("p;x\n1,5;a\n1.000,5;b\n"), ("number", "1.5".to_owned(), Some(501.0)));
    assert_eq!(stats("p;x\n1,234;a\n2,000;b\n").1, "1.234");
    assert_eq!(stats("p;x\n1.25;a\n2.5;b\n").1, "1.25", "points stay points");
    assert_eq!(stats("p,x\n\"1,234\",a\n\"2,000\",b\n").1, "1234");
    assert_eq!(stats("p,x\n\"1,5\",a\n\"2,5\",b\n").0, "string", "may be a list");
}

#[test]
fn statistics_cover_every_row() {
    let column = column(&["2", "10", "", "2", "-3.5", "NA"]);
    let stats = &column.stats;
    assert_eq!((stats.nulls, stats.distinct, stats.distinct_is_exact), (2, 3, true));
    assert_eq!((stats.min.as_deref(), stats.max.as_deref()), (Some("-3.5"), Some("10.0")));
    assert_eq!(stats.mean, Some(10.5 / 4.0));
    assert_eq!(stats.top[0], ("2.0".to_owned(), 2));
    let summary = csv("n|x\n1|b\n3|a\n").summary();
    assert_eq!(summary["stats"]["n"]["min"], json!(1));
    assert_eq!(summary["stats"]["n"]["mean"], json!(2.0));
    assert_eq!(summary["stats"]["x"]["max"], json!("b"));
}

#[test]
fn long_files_are_read_by_two_threads_with_the_same_result() {
    // Long enough to be split, and one long quoted cell with line breaks where it would be.
    for inner in ["plain", "a \"\"quoted\"\"\nbreak,x\n", "5\"\" disk"] {
        let mut text = "id,kind,text\r\n".to_owned();
        for n in 1..=60_000 {
            text.push_str(&format!("{n},k{},\"{inner} {n}\"\r\n", n % 7));
        }
        assert!(text.len() > 1024 * 1024);
        let dataset = csv(&text);
        assert_eq!((dataset.rows, kinds(&dataset)), (60_000, vec!["number", "string", "string"]));
        let id = &dataset.columns[0].stats;
        assert_eq!((id.distinct, id.distinct_is_exact, id.nulls), (60_000, true, 0));
        assert_eq!((id.min.as_deref(), id.max.as_deref()), (Some("1"), Some("60000")));
        assert_eq!(id.mean, Some(30_000.5));
        assert_eq!(dataset.columns[1].stats.distinct, 7);
        assert_eq!(dataset.columns[1].stats.top[0], ("k1".to_owned(), 8572));
        let text = &dataset.columns[2].stats;
        assert!(!text.distinct_is_exact && text.distinct.abs_diff(60_000) < 3_000);
    }
    // A quote within an unquoted cell leads the guess astray; the rows must be right all the same.
    let mut text = "id,text\n1,5\" disk\n".to_owned();
    (2..=90_000).for_each(|n| text.push_str(&format!("{n},\"x\ny\"\n")));
    let dataset = csv(&text);
    assert_eq!(dataset.rows, 90_000);
    assert_eq!(dataset.columns[0].stats.max.as_deref(), Some("90000"));
}

#[test]
fn json_of_every_shape_is_read() {
    let summary = |text: &str| {
        let mut summary = json_file(text).summary();
        summary.as_object_mut().unwrap().remove("stats");
        summary
    };
    for (text, expected) in [
        (
            r#"[{"a": 1, "b": null}, {"b": "x", "c": {"d": 1}}, {"c": {}, "t": [1]}]"#,
            json!({"type": "array", "length": 3, "firstItemKeys": ["a", "b"], "dataTypes":
                {"a": "number", "b": "string", "c": "object", "t": "array"}}),
        ),
        (
            "[1, 2.5, null]",
            json!({"type": "array", "length": 3, "firstItemKeys": [], "dataTypes": {"value": "number"}}),
        ),
        (
            r#"[1, {"a": true}, [2]]"#,
            json!({"type": "array", "length": 3, "firstItemKeys": [],
                "dataTypes": {"value": "string", "a": "boolean"}}),
        ),
        ("[]", json!({"type": "array", "length": 0, "firstItemKeys": [], "dataTypes": {}})),
        (
            "[null]",
            json!({"type": "array", "length": 1, "firstItemKeys": [], "dataTypes": {"value": "empty"}}),
        ),
        (
            "{\"a\": 1, \"d\": \"2012-01-31\"}\r\n\n {\"a\": 2}\n",
            json!({"type": "array", "length": 2, "firstItemKeys": ["a", "d"],
                "dataTypes": {"a": "number", "d": "date"}}),
        ),
        (
            r#"{"s": "x", "n": 1, "o": {}, "l": [1], "z": null}"#,
            json!({"type": "object", "keys": ["s", "n", "o", "l", "z"], "dataTypes":
                {"s": "string", "n": "number", "o": "object", "l": "array", "z": "empty"}}),
        ),
        (
            r#"{"count": 2, "items": [{"a": 1}, {"a": 2}]}"#,
            json!({"type": "object", "keys": ["count", "items"],
                "dataTypes": {"count": "number", "items": "array"}}),
        ),
        ("\"x\"", json!({"type": "string", "value": "x"})),
        (" 12.50 ", json!({"type": "number", "value": 12.5})),
        ("true", json!({"type": "boolean", "value": true})),
        ("null", json!({"type": "null", "value": null})),
        (
            r#"{"a": 1, "a": "x"}"#,
            json!({"type": "object", "keys": ["a"], "dataTypes": {"a": "string"}}),
        ),
    ] {
        assert_eq!(summary(text), expected, "{text}");
    }
}

#[test]
fn json_types_are_kept() {
    let kind = |text: &str| json_file(text).columns[0].kind.as_str();
    assert_eq!(kind(r#"[{"a": "12"}, {"a": "13"}]"#), "number", "all strings are amounts");
    assert_eq!(kind(r#"[{"a": "012"}, {"a": "013"}]"#), "string");
    assert_eq!(kind(r#"[{"a": 12}, {"a": "13"}, {"a": ""}]"#), "number");
    assert_eq!(kind(r#"[{"a": 12}, {"a": "007"}]"#), "string");
    assert_eq!(kind(r#"["true"]"#), "string");
    assert_eq!(kind(r#"[12345678901234567890123]"#), "string", "an identifier");
    assert_eq!(kind(r#"[{"a": "Jun 12 1998"}, {"a": "7-Aug-98"}]"#), "date");
    assert_eq!(kind(r#"[{"a": {}}, {"a": []}]"#), "string");
}

#[test]
fn an_object_with_one_array_of_objects_is_that_table() {
    let dataset = json_file(r#"{"count": 2, "items": [{"a": 1}, {"A": 2}], "tags": ["x"]}"#);
    assert_eq!((dataset.rows, names(&dataset)), (2, vec!["a", "A_2"]));
    assert_eq!(dataset.columns[1].source_name(), "A");
    let two = json_file(r#"{"x": [{"a": 1}], "y": [{"a": 1}]}"#);
    assert_eq!((two.rows, names(&two)), (1, vec!["x", "y"]));
}

#[test]
fn fixture_files_are_profiled() {
    let weather = csv(include_bytes!("../../../../tests/fixtures/data/seattle-weather.csv"));
    assert_eq!((weather.rows, weather.columns.len()), (1461, 6));
    assert_eq!(kinds(&weather), ["date", "number", "number", "number", "number", "string"]);
    assert_eq!(weather.columns[5].stats.top[0], ("rain".to_owned(), 641));
    let cars = json_file(include_str!("../../../../tests/fixtures/data/cars.json"));
    assert_eq!(cars.rows, 406);
    let power = cars.column("Horsepower").unwrap();
    assert_eq!((power.stats.nulls, power.reading.integer), (6, true));
    assert_eq!(power.stats.mean, Some(105.0825));
    assert_eq!(cars.column("Year").unwrap().stats.max.as_deref(), Some("1982-01-01"));
    let german = csv(include_bytes!("../../../../tests/fixtures/data/german-cp1252.csv"));
    assert_eq!(names(&german), ["Straße", "PLZ", "Fläche m²", "Seit"]);
    assert_eq!(kinds(&german), ["string", "string", "number", "date"]);
    assert_eq!(german.columns[2].stats.max.as_deref(), Some("1204.75"));
    assert_eq!(german.columns[3].stats.min.as_deref(), Some("1998-12-01"));
    let wide = csv(include_bytes!("../../../../tests/fixtures/data/utf16le.csv"));
    assert_eq!((names(&wide), wide.rows), (vec!["имя", "город"], 2));
    let lines =
        take("a.json", include_bytes!("../../../../tests/fixtures/data/lines.json")).unwrap();
    assert_eq!((names(&lines), lines.rows), (vec!["id", "event", "extra.n"], 3));
}

#[test]
fn a_dataset_survives_being_stored() {
    for dataset in [csv("a,b\n1,x\n"), json_file("[{\"a\":1}]"), json_file("{\"a\":[{\"b\":1}]}")] {
        let bytes = postcard::to_stdvec(&dataset).unwrap();
        assert_eq!(postcard::from_bytes::<Dataset>(&bytes).unwrap(), dataset);
        let text = serde_json::to_string(&dataset).unwrap();
        assert_eq!(serde_json::from_str::<Dataset>(&text).unwrap(), dataset);
    }
}
