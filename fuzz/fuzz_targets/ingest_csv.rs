//! Any bytes as a CSV file: refused, or a table whose profile is true.
#![no_main]

use chatbot_widget_fuzz::table::ingest_checked;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(ingested) = ingest_checked("a.csv", data) {
        assert!(!ingested.dataset.columns.is_empty());
    }
});
