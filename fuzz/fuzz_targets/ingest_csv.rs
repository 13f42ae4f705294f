//! Any bytes as a CSV file: refused, or a table of which everything that was said is true.
#![no_main]

use chatbot_widget_fuzz::table::take_in;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(taken) = take_in("a.csv", data) {
        assert!(!taken.dataset.columns.is_empty());
    }
});
