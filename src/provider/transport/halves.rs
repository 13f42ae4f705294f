//! Surrogate halves: characters beyond U+FFFF that a server has cut in two.
//!
//! Servers written in JavaScript, Java or .NET cut text by UTF-16 units, so that `\ud83d` ends one
//! piece and `\ude00` starts the next. A half that its piece ends or starts with is kept as a mark
//! until the other half has arrived; any other half becomes U+FFFD at once.

use std::borrow::Cow;

/// Starts a mark; the half follows as a character of the private use area. It is a noncharacter,
/// which text does not contain (Unicode, 23.7); one that a server sends anyway becomes U+FFFD.
const MARK: char = '\u{FDD0}';

/// The length of a mark in bytes.
const MARK_LEN: usize = 6;

/// What `bytes` stand for, UTF-8 in which halves are encoded like characters (WTF-8).
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(MARK) => Cow::Borrowed(text),
        _ => Cow::Owned(decode_lossy(bytes)),
    }
}

fn decode_lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, invalid) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, &b""[..]),
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                // The part before the error is valid.
                (std::str::from_utf8(valid).unwrap_or_default(), invalid)
            }
        };
        text.extend(valid.chars().map(|c| if c == MARK { char::REPLACEMENT_CHARACTER } else { c }));
        let half = match invalid {
            [0xED, b @ 0xA0..=0xBF, c @ 0x80..=0xBF, ..] => {
                Some(0xD000 | (u32::from(*b) & 0x3F) << 6 | u32::from(*c) & 0x3F)
            }
            _ => None,
        };
        rest = &invalid[half.map_or(1, |_| 3).min(invalid.len())..];
        match half {
            Some(low @ 0xDC00..) if text.is_empty() => push_mark(&mut text, low),
            Some(high @ ..0xDC00) if rest.is_empty() => push_mark(&mut text, high),
            None if invalid.is_empty() => {}
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text
}

fn push_mark(text: &mut String, half: u32) {
    text.push(MARK);
    // 0xE000 to 0xE7FF, in the private use area.
    text.extend(char::from_u32(half + 0x800));
}

/// The half in the mark that `text` starts with.
fn half(text: &str) -> Option<u32> {
    let mut chars = text.chars();
    (chars.next() == Some(MARK)).then(|| chars.next())?.map(|c| u32::from(c) - 0x800)
}

/// The position of the mark at the end of `text`: the first half of a character, whose second half
/// may be still to come.
pub fn pending(text: &str) -> Option<usize> {
    let at = text.len().checked_sub(MARK_LEN)?;
    let half = text.get(at..).and_then(half)?;
    (half < 0xDC00).then_some(at)
}

/// Appends `piece` to `text`. Two halves that meet become their character.
pub fn append(text: &mut String, piece: &str) {
    if let Some(at) = pending(text)
        && let Some(low @ 0xDC00..) = half(piece)
        && let Some(high) = half(&text[at..])
    {
        text.truncate(at);
        text.extend(char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)));
        text.push_str(&piece[MARK_LEN..]);
    } else {
        text.push_str(piece);
    }
}

/// `text` with U+FFFD for halves that have stayed alone.
pub fn settle(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return text;
    }
    let mut settled = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == MARK {
            chars.next();
            settled.push(char::REPLACEMENT_CHARACTER);
        } else {
            settled.push(c);
        }
    }
    Cow::Owned(settled)
}

/// `json` with `\ufffd` for escaped halves without their other half, which JSON parsers refuse: a
/// model that writes JSON may leave them too.
pub fn settle_escapes(json: &mut String) {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let (mut at, mut lone) = (0, Vec::new());
    while let Some(next) = json[at..].find('\\') {
        at += next;
        at += match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                lone.push(at);
                6
            }
            Some(_) => 6,
            // The character after the backslash may have several bytes.
            None => 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    for at in lone {
        json.replace_range(at..at + 6, "\\ufffd");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `units` as a JSON string, all escaped.
    fn escaped(units: &[u16]) -> String {
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
    }

    fn read(units: &[u16]) -> String {
        let json = format!("\"{}\"", escaped(units));
        serde_json::from_str::<crate::provider::transport::wire::Str<'_>>(&json)
            .unwrap()
            .0
            .into_owned()
    }

    #[test]
    fn halves_in_two_pieces_are_joined() {
        let mut text = read(&[0x48, 0xD83D]);
        append(&mut text, &read(&[0xDE00, 0x21]));
        assert_eq!(text, "H😀!");
    }

    #[test]
    fn a_noncharacter_from_outside_is_no_mark() {
        let text = decode("\u{FDD0}\u{E03D}".as_bytes());
        assert_eq!((&*text, pending(&text)), ("\u{FFFD}\u{E03D}", None));
        assert_eq!(decode(b"a\xFFb\xED"), "a\u{FFFD}b\u{FFFD}");
    }

    #[test]
    fn lone_escapes_are_replaced_and_nothing_else() {
        for (before, after) in [
            (r#"{"a":"\ud83d"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"\ude00\ud83d\ude00\ud83dx\uD83D"}"#, {
                r#"{"a":"\ufffd\ud83d\ude00\ufffdx\ufffd"}"#
            }),
            (r#"{"a":"\\ud83d \u00e9 \"ł\ł"}"#, r#"{"a":"\\ud83d \u00e9 \"ł\ł"}"#),
            (r"\ud83", r"\ud83"),
            ("\\", "\\"),
        ] {
            let mut json = before.to_owned();
            settle_escapes(&mut json);
            assert_eq!(json, after);
        }
    }

    proptest! {
        #[test]
        fn text_cut_between_any_units_reads_as_utf_16_does(
            units in prop::collection::vec(
                prop_oneof![
                    0x20_u16..0x7F, Just(0xFDD0), Just(0xD83D), Just(0xDE00), any::<u16>()
                ],
                0..12,
            ),
            cuts in prop::collection::vec(any::<bool>(), 12),
        ) {
            let mut text = String::new();
            let mut piece = Vec::new();
            for (unit, cut) in units.iter().zip(&cuts) {
                piece.push(*unit);
                if *cut {
                    append(&mut text, &read(&std::mem::take(&mut piece)));
                }
            }
            append(&mut text, &read(&piece));
            let expected = String::from_utf16_lossy(&units).replace('\u{FDD0}', "\u{FFFD}");
            prop_assert_eq!(settle(Cow::Owned(text)), expected);
        }

        #[test]
        fn any_json_of_any_units_can_be_parsed_once_it_is_settled(
            units in prop::collection::vec(
                prop_oneof![0x20_u16..0x7F, 0xD7FE_u16..0xE002], 0..12,
            ),
        ) {
            let mut json = format!("\"{}\"", escaped(&units));
            settle_escapes(&mut json);
            let text: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(text, String::from_utf16_lossy(&units));
        }
    }
}
