use proptest::prelude::*;

use super::*;

type Events = Vec<(String, String)>;

fn drain(decoder: &mut Decoder, events: &mut Events) -> Result<(), TooLong> {
    while let Some(event) = decoder.next_event()? {
        events.push((event.name.to_owned(), event.data.to_owned()));
    }
    Ok(())
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Events, TooLong> {
    let (mut decoder, mut events) = (Decoder::default(), Events::new());
    for piece in pieces {
        decoder.feed(piece);
        drain(&mut decoder, &mut events)?;
    }
    Ok(events)
}

fn events(expected: &[(&str, &str)]) -> Events {
    expected.iter().map(|&(name, data)| (name.to_owned(), data.to_owned())).collect()
}

/// A stream, and the names and data of its events.
type Case = (&'static [u8], &'static [(&'static str, &'static str)]);

/// The rules of the standard, one by one.
const TABLE: &[Case] = &[
    (b"", &[]),
    (b"data: a\n\n", &[("", "a")]),
    (b"data:a\n\n", &[("", "a")]),
    (b"data:  a \n\n", &[("", " a ")]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]),
    (b"data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
    (b"data: a\n\r\ndata: b\r\n\ndata: c\r\n\r", &[("", "a"), ("", "b"), ("", "c")]),
    (b"data: a\ndata: b\ndata\n\n", &[("", "a\nb\n")]),
    (b"data\n\n", &[("", "")]),
    (b"data\ndata\n\n", &[("", "\n")]),
    (b"event: ping\ndata: {}\n\ndata: x\n\n", &[("ping", "{}"), ("", "x")]),
    (b"event: a\nevent: b\ndata: x\n\n", &[("b", "x")]),
    (b"event: lost\n\ndata: x\n\n", &[("", "x")]),
    (b": comment\n:\ndata: x\n: another\n\n\n\n", &[("", "x")]),
    (b"id: 7\nretry: 10\nwhat: ever\nnocolon\ndata: x\n\n", &[("", "x")]),
    (b" data: x\nDATA: y\ndatax: z\n\n", &[]),
    (b"data: a: b\n\n", &[("", "a: b")]),
    (b"\xEF\xBB\xBFdata: x\n\n", &[("", "x")]),
    (b"\n\xEF\xBB\xBFdata: only the first line may have a BOM\n\n", &[]),
    (b"\xEF\xBB\xBF\xEF\xBB\xBFdata: and only one\n\n", &[]),
    (b"data: x\n\ndata: no blank line\n", &[("", "x")]),
    (b"data: x\n\ndata: no end", &[("", "x")]),
    ("data: zażółć 🦀\n\n".as_bytes(), &[("", "zażółć 🦀")]),
    (b"data: \xF0\x9F\xA6\ndata: \xFF!\n\n", &[("", "\u{FFFD}\n\u{FFFD}!")]),
    (b"event: \xC3\ndata: x\n\n", &[("\u{FFFD}", "x")]),
];

#[test]
fn streams_are_decoded_by_the_standard_however_they_are_split() {
    for &(stream, expected) in TABLE {
        let expected = events(expected);
        let name = String::from_utf8_lossy(stream);
        assert_eq!(decode([stream]).unwrap(), expected, "{name:?} whole");
        assert_eq!(decode(stream.chunks(1)).unwrap(), expected, "{name:?} byte by byte");
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(decode([left, right]).unwrap(), expected, "{name:?} cut at {at}");
        }
    }
}

#[test]
fn an_event_is_returned_as_soon_as_its_blank_line_begins() {
    let (mut decoder, mut found) = (Decoder::default(), Events::new());
    decoder.feed(b"data: a\r\n\r");
    drain(&mut decoder, &mut found).unwrap();
    assert_eq!(found, events(&[("", "a")]));
    decoder.feed(b"\ndata: b\n\n");
    drain(&mut decoder, &mut found).unwrap();
    assert_eq!(found, events(&[("", "a"), ("", "b")]));
}

#[test]
fn lines_of_a_mebibyte_are_decoded_even_in_small_pieces() {
    let long = "é".repeat(512 * 1024);
    let stream = format!("event: big\ndata: {long}\n\ndata: next\n\n");
    for size in [1, 1448, 1 << 20, 1 << 22] {
        let found = decode(stream.as_bytes().chunks(size)).unwrap();
        assert!(found == events(&[("big", &long), ("", "next")]), "in pieces of {size}");
    }
}

#[test]
fn an_endless_line_is_abandoned_before_it_fills_the_memory() {
    let mut decoder = Decoder::default();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..8 {
        decoder.feed(&piece);
        assert_eq!(decoder.next_event(), Ok(None));
    }
    decoder.feed(b"x");
    assert_eq!(decoder.next_event(), Err(TooLong));
    decoder.feed(b"\n\ndata: x\n\n");
    assert_eq!(decoder.next_event(), Err(TooLong), "and stays abandoned");
}

#[test]
fn an_event_of_many_lines_is_abandoned_at_the_same_length() {
    let mut line = b"data: ".to_vec();
    line.resize(1 << 20, b'x');
    line.push(b'\n');
    let pieces = std::iter::repeat_n(line.as_slice(), 9);
    assert_eq!(decode(pieces), Err(TooLong));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                &b"data"[..], b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"event: x", b"a",
                b"data: y\n\n", b"\xEF\xBB\xBF", b"\xF0\x9F\xA6\x80", b"\xFF", b"id: 1",
            ]),
            0..40,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let stream = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        pieces.push(&stream[from..]);
        prop_assert_eq!(decode(pieces), decode([stream.as_slice()]));
    }

    #[test]
    fn what_was_written_is_read_back(
        sent in prop::collection::vec(("[a-z_]{0,8}", "[^\r\n]{0,20}(\n[^\r\n]{0,20}){0,3}"), 0..8),
        end in prop::sample::select(vec!["\n", "\r", "\r\n"]),
        size in 1_usize..30,
    ) {
        let mut stream = String::new();
        for (name, data) in &sent {
            stream.push_str(&format!("event: {name}{end}"));
            for line in data.split('\n') {
                stream.push_str(&format!("data: {line}{end}"));
            }
            stream.push_str(end);
        }
        prop_assert_eq!(decode(stream.as_bytes().chunks(size)).unwrap(), sent);
    }
}
