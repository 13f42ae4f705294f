//! Which uploads are refused, and that refused uploads do nothing else.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

fn take(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, IngestError> {
    let bytes = Bytes::copy_from_slice(content.as_ref());
    ingest(name, &bytes, Timestamp(0), &IngestLimits::default()).map(|ingested| ingested.dataset)
}

#[test]
fn bad_uploads_are_refused() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let wide = |columns: usize| vec!["x"; columns].join(",");
    let keys = |count: usize| {
        let map: serde_json::Map<String, Value> =
            (0..count).map(|n| (format!("k{n}"), json!(n))).collect();
        Value::Object(map).to_string()
    };
    assert!(take("a.json", deep(64)).is_ok() && take("a.csv", wide(1000)).is_ok());
    assert!(take("a.json", keys(1000)).is_ok());
    for (name, content, code) in [
        ("a.txt", "a,b\n1,2\n".to_owned(), "unsupported_file_type"),
        ("a.csv.html", "a,b\n1,2\n".to_owned(), "unsupported_file_type"),
        ("csv", "a,b\n1,2\n".to_owned(), "unsupported_file_type"),
        ("a.csv", String::new(), "empty_file"),
        ("a.csv", " \r\n\t\u{feff}\n".to_owned(), "empty_file"),
        ("a.json", "\n".to_owned(), "empty_file"),
        ("a.csv", "a,b\n1,\0\n".to_owned(), "not_text"),
        ("a.csv", "PK\u{3}\u{4}...".to_owned(), "not_text"),
        ("a.csv", wide(1001), "too_many_columns"),
        ("a.csv", format!("a,b\n{}\n", wide(1001)), "too_many_columns"),
        ("a.json", keys(1001), "too_many_columns"),
        ("a.json", format!("[{}]", keys(1001)), "too_many_columns"),
        ("a.json", deep(65), "nested_too_deeply"),
        ("a.json", "[".repeat(200_000), "nested_too_deeply"),
        ("a.json", "[NaN]".to_owned(), "invalid_json_file"),
        ("a.json", "[1e999]".to_owned(), "invalid_json_file"),
        ("a.json", "[[1e999]]".to_owned(), "invalid_json_file"),
        ("a.json", "[1] x".to_owned(), "invalid_json_file"),
        ("a.json", "[1]\n[2]".to_owned(), "invalid_json_file"),
        ("a.json", "{\"a\":1} {\"a\":2}".to_owned(), "invalid_json_file"),
        ("a.json", "{\"a\":1}\n{\"a\":2},\n".to_owned(), "invalid_json_file"),
        ("a.json", "{\"a\":1}\nx".to_owned(), "invalid_json_file"),
        ("a.json", "[1,]".to_owned(), "invalid_json_file"),
        ("a.json", "[01]".to_owned(), "invalid_json_file"),
        ("a.json", "{'a':1}".to_owned(), "invalid_json_file"),
        ("a.json", "[\"\\ud800\"]".to_owned(), "invalid_json_file"),
        ("a.json", "[{\"a\": [\"\\ud800\"]}]".to_owned(), "invalid_json_file"),
        ("a.json", "[\"a\tb\"]".to_owned(), "invalid_json_file"),
        ("a.json", "[{\"a\":1 \"b\":2}]".to_owned(), "invalid_json_file"),
        ("a.json", "// x\n[1]".to_owned(), "invalid_json_file"),
        ("a.json", "a,b\n1,2\n".to_owned(), "invalid_json_file"),
        ("a.json", "[1".to_owned(), "invalid_json_file"),
        ("a.json", "{\"a\": \"x".to_owned(), "invalid_json_file"),
    ] {
        let shown: String = content.chars().take(60).collect();
        let refused = take(name, &content).err().map(|error| error.code());
        assert_eq!(refused, Some(code), "{name} {shown:?}");
    }
    let small = IngestLimits { max_bytes: 3, ..IngestLimits::default() };
    let error = ingest("a.csv", &Bytes::from_static(b"a\n1\n"), Timestamp(0), &small).unwrap_err();
    assert_eq!(error.code(), "file_too_large");
}

#[test]
fn json_errors_have_a_position() {
    for (text, line, col) in [
        ("[1,\n 2,\n x]", 3, 2),
        ("[{\"a\": 1},\n {\"a\": \"\\ud800\"}]", 2, 15),
        ("{\"a\":1}\n{\"a\":}\n", 2, 6),
    ] {
        let expected = IngestError::Json { line, column: col };
        assert_eq!(take("a.json", text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn names_are_reduced_to_a_printable_last_part() {
    let named = |raw: &str| file_name(raw).map(|(name, _)| name);
    for (raw, expected) in [
        ("a.csv", "a.csv"),
        ("/etc/../x y.JSON", "x y.JSON"),
        ("C:\\data\\Größe.Csv", "Größe.Csv"),
        (" a\u{0}\n\u{202e}b.csv ", "ab.csv"),
    ] {
        assert_eq!(named(raw).as_deref(), Some(expected));
    }
    for raw in ["", "a", "csv", "a.csv.html", "a.csv/", "a.xlsx", "a.csv\u{0}.png"] {
        assert_eq!(named(raw), None, "{raw:?}");
    }
    let long = named(&format!("{}.json", "ä".repeat(400))).unwrap();
    assert_eq!(long.chars().count(), 255);
    assert!(long.ends_with("ä.json"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes: Vec<u8>, json: bool) {
        let _ = take(if json { "a.json" } else { "a.csv" }, bytes);
    }

    #[test]
    fn no_text_causes_a_panic(text in "[\\[\\]{}\",:;|\\\\\t\r\n 0-9a-eu.ÄNtrue-]{0,80}") {
        for name in ["a.json", "a.csv"] {
            if let Ok(dataset) = take(name, &text) {
                let _ = dataset.summary();
            }
        }
    }

    #[test]
    fn json_is_accepted_exactly_if_it_is_valid(text in "[\\[\\]{}\",:\\\\ 0-9aeu.ntrulfs-]{0,24}") {
        let valid = serde_json::from_str::<Value>(&text).is_ok();
        proptest::prop_assert_eq!(take("a.json", &text).is_ok(), valid, "{}", text);
    }
}
