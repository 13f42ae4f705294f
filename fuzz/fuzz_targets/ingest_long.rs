//! A CSV file that is long enough to be read by two threads, which must see no other records than
//! one would: the bytes again and again, then their first part once more.
#![no_main]

use chatbot_widget_fuzz::table::take_in;

/// More than what is read by one thread.
const LONG: usize = (1 << 20) + 4096;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [cut, data @ ..] = data else { return };
    if data.is_empty() {
        return;
    }
    let mut long = data.repeat(LONG.div_ceil(data.len()));
    long.extend_from_slice(&data[..usize::from(*cut).min(data.len())]);
    let _ = take_in("a.csv", &long);
});
