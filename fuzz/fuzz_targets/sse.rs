//! However a stream is split, its events are those of the standard. Input: a NUL byte ends a piece.
#![no_main]

use chatbot_widget::provider::sse::Decoder;

type Event = (String, String);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let stream: Vec<u8> = data.iter().copied().filter(|byte| *byte != 0).collect();
    let expected = by_the_standard(&stream);
    assert_eq!(decode([&stream[..]].into_iter()), expected, "in one piece");
    assert_eq!(decode(data.split(|byte| *byte == 0)), expected, "as the input has it");
    assert_eq!(decode(stream.chunks(1)), expected, "byte by byte");
});

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        while let Some(event) = decoder.next_event().unwrap() {
            events.push((event.name.to_owned(), event.data.to_owned()));
        }
    }
    events
}

/// WHATWG HTML, "Interpreting an event stream", word by word.
fn by_the_standard(stream: &[u8]) -> Vec<Event> {
    let stream = String::from_utf8_lossy(stream);
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(&stream);
    // CR LF is one line end.
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = stream.split('\n').collect();
    lines.pop();
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), None::<String>);
    for line in lines {
        if line.is_empty() {
            let name = std::mem::take(&mut name);
            events.extend(data.take().map(|data| (name, data)));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value.to_owned(),
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    events
}
