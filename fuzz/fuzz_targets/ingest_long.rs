//! A CSV file long enough to be read by two threads, which must see the records that one would see.
//! Input: a byte for the length of the last repetition, then the bytes to repeat.
#![no_main]

use chatbot_widget_fuzz::table::ingest_checked;

/// More than one thread reads by itself.
const LONG: usize = (1 << 20) + 4096;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [cut, data @ ..] = data else { return };
    if data.is_empty() {
        return;
    }
    let mut long = data.repeat(LONG.div_ceil(data.len()));
    long.extend_from_slice(&data[..usize::from(*cut).min(data.len())]);
    let _ = ingest_checked("a.csv", &long);
});
