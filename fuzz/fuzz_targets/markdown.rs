//! Any text as Markdown: rendered without a panic, to HTML in which a sanitiser finds nothing to
//! remove.
#![no_main]

use std::sync::LazyLock;

use ammonia::Builder;
use chatbot_widget::markdown::render;
use chatbot_widget_fuzz::sanitiser::{check_inert, sanitiser};

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(sanitiser);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let html = render(&text);
    assert_eq!(check_inert(&SANITISER, &html), Ok(()), "{text:?}");
});
