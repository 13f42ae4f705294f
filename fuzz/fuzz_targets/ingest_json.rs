//! Any bytes as a JSON file: exactly JSON's grammar is accepted, or one object a line.
#![no_main]

use chatbot_widget::domain::dataset::Layout;
use chatbot_widget::tables::ingest::IngestError;
use chatbot_widget_fuzz::table::ingest_checked;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let value = serde_json::from_slice::<Value>(data);
    match ingest_checked("a.json", data) {
        Ok(ingested) => {
            let text = str::from_utf8(&ingested.text).unwrap();
            let rows = ingested.dataset.rows;
            if let Layout::JsonLines { .. } = ingested.dataset.layout {
                let lines = text.split(['\n', '\r']);
                let lines: Vec<&str> =
                    lines.filter(|line| !line.trim_matches([' ', '\t']).is_empty()).collect();
                assert_eq!(lines.len() as u64, rows);
                for line in lines {
                    serde_json::from_str::<Map<String, Value>>(line).expect("an object a line");
                }
                return;
            }
            // Not as `Value`, which cannot hold numbers out of range.
            serde_json::from_str::<IgnoredAny>(text).expect("JSON");
            if let (Layout::JsonArray { .. }, Ok(Value::Array(items))) =
                (ingested.dataset.layout, value)
            {
                assert_eq!(items.len() as u64, rows);
            }
        }
        Err(IngestError::Json { line, column }) => {
            assert!(value.is_err(), "JSON is refused");
            assert!(line >= 1 && column <= data.len() * 3 + 1);
        }
        Err(_) => {}
    }
});
