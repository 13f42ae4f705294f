//! Converts bytes of any encoding to UTF-8.

mod western;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memchr;

use super::notes::Notes;
use super::refusal::IngestError;

/// First bytes of files that are not text, whatever their name says.
const SIGNATURES: [&[u8]; 12] = [
    b"\x89PNG",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"%PDF-",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
    b"\x7fELF",
    b"Rar!",
    b"SQLite format 3\0",
    b"PAR1",
];
/// How many bytes are examined to guess an encoding.
const PROBE: usize = 64 * 1024;

/// The text as UTF-8 without a byte order mark: UTF-8 as it is, UTF-16 with or without a mark, and
/// 8-bit encodings: CP1252 where that is likely, otherwise as chardetng guesses. Has no NUL. What
/// is not certain is noted.
pub fn decode(bytes: &Bytes, notes: &mut Notes) -> Result<Bytes, IngestError> {
    if SIGNATURES.iter().any(|signature| bytes.starts_with(signature)) {
        return Err(IngestError::NotText);
    }
    let marked = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != UTF_8);
    let wide = marked.map(|(encoding, _)| encoding).or_else(|| wide(bytes));
    if let Some(encoding) = wide {
        let (text, _, bad) = encoding.decode(bytes);
        if bad || memchr(0, text.as_bytes()).is_some() {
            return Err(IngestError::NotText);
        }
        let text = Bytes::from(text.into_owned());
        let end = without_end_mark(&text).len();
        return Ok(text.slice(..end));
    }
    if memchr(0, bytes).is_some() {
        return Err(IngestError::NotText);
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let end = without_end_mark(bytes).len().max(start);
    let text = bytes.slice(start..end);
    match std::str::from_utf8(&text) {
        Ok(_) => Ok(text),
        Err(error) => narrow(&text, error.valid_up_to(), notes),
    }
}

/// UTF-16 without a mark: delimiters, digits and line ends have their NUL on the same side, and
/// hardly anything has one on the other.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let probe = &bytes[..bytes.len().min(PROBE)];
    if memchr(0, probe).is_none() || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let mut nuls = [0_usize; 2];
    memchr::memchr_iter(0, probe).for_each(|at| nuls[at % 2] += 1);
    let (encoding, most, least) =
        if nuls[1] > nuls[0] { (UTF_16LE, nuls[1], nuls[0]) } else { (UTF_16BE, nuls[0], nuls[1]) };
    // Text that is valid apart from the NULs is 8-bit text with stray ones, unless all is wide.
    let odd = |c: char| c.is_ascii_control() && !matches!(c, '\0' | '\t' | '\n' | '\r');
    let narrow = std::str::from_utf8(probe).is_ok_and(|text| !text.contains(odd));
    let units = probe.len() / 2;
    let wide =
        if narrow { least == 0 && most == units } else { most > 4 * least && most > units / 20 };
    wide.then_some(encoding)
}

/// Text that is not UTF-8 from `bad` on.
fn narrow(text: &[u8], bad: usize, notes: &mut Notes) -> Result<Bytes, IngestError> {
    if text.iter().any(|byte| matches!(byte, 1..=8 | 14..=26 | 28..=31)) {
        return Err(IngestError::NotText);
    }
    let from = bad.saturating_sub(PROBE / 16);
    let probe = &text[from..text.len().min(from + PROBE)];
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(probe, true);
    let mut guess = detector.guess(None, chardetng::Utf8Detection::Deny);
    let utf8 = Utf8Signs::of(text);
    if utf8.prevail_over(guess, text) {
        return Ok(mostly_utf8(text, notes).into());
    }
    if guess != WINDOWS_1252 && western::is_likely(probe, guess) {
        guess = WINDOWS_1252;
    }
    if guess == WINDOWS_1252 && utf8.valid > 0 {
        return Ok(mostly_utf8(text, notes).into());
    }
    let (decoded, broken) = guess.decode_without_bom_handling(text);
    let decoded = if broken { WINDOWS_1252.decode_without_bom_handling(text).0 } else { decoded };
    Ok(decoded.into_owned().into())
}

/// How much of a text is UTF-8.
struct Utf8Signs {
    /// Characters that are not ASCII; three bytes count twice, four bytes three times, since they
    /// hardly occur by chance.
    valid: usize,
    /// Sequences that are invalid, apart from one that the end of the text cuts short.
    invalid: usize,
}

impl Utf8Signs {
    fn of(text: &[u8]) -> Self {
        let mut signs = Self { valid: 0, invalid: 0 };
        for chunk in text.utf8_chunks() {
            let leads = chunk.valid().bytes().filter(|byte| *byte >= 0xc0);
            signs.valid += leads
                .map(|lead| 1 + usize::from(lead >= 0xe0) + usize::from(lead >= 0xf0))
                .sum::<usize>();
            signs.invalid += usize::from(!chunk.invalid().is_empty());
        }
        signs.invalid -= usize::from(cut_character(text) > 0 && signs.invalid > 0);
        signs
    }

    /// Whether the text is UTF-8 with some other bytes. In western 8-bit text hardly any two bytes
    /// are valid by chance; in Chinese, Japanese and Korean encodings every tenth pair is.
    fn prevail_over(&self, guess: &'static Encoding, text: &[u8]) -> bool {
        let needed = if guess.is_single_byte() { 1 } else { 4 };
        let clean = || guess.decode_without_bom_handling_and_without_replacement(text).is_some();
        self.valid > 0
            && (self.valid >= needed * self.invalid || (self.valid >= self.invalid && !clean()))
    }
}

/// Length of the incomplete character that a text ends with.
fn cut_character(text: &[u8]) -> usize {
    let start = text.len().saturating_sub(3);
    match std::str::from_utf8(text.get(start..).unwrap_or_default()) {
        // An error without a length is an end within a character.
        Err(error) if error.error_len().is_none() => text.len() - start - error.valid_up_to(),
        // The tail may itself begin within a character.
        Err(_) => (1..=3.min(text.len()))
            .find(|length| {
                let tail = &text[text.len() - length..];
                std::str::from_utf8(tail)
                    .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
            })
            .unwrap_or(0),
        Ok(_) => 0,
    }
}

/// UTF-8 whose invalid bytes are CP1252. An incomplete character at the end is dropped.
fn mostly_utf8(text: &[u8], notes: &mut Notes) -> String {
    let cut = cut_character(text);
    let whole = &text[..text.len() - cut];
    let mut out = String::with_capacity(text.len() + 16);
    let mut foreign = 0;
    for chunk in whole.utf8_chunks() {
        out.push_str(chunk.valid());
        foreign += chunk.invalid().len();
        out.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    match foreign {
        0 => {}
        1 => notes.add("1 byte was not UTF-8 and was read as Windows-1252."),
        _ => notes.add(&format!("{foreign} bytes were not UTF-8 and were read as Windows-1252.")),
    }
    if cut > 0 {
        notes.add("The file ends within a character, which was left out.");
    }
    out
}

/// The text without the mark (0x1A) at which DOS programs end it, and without what is blank around
/// such marks.
fn without_end_mark(bytes: &[u8]) -> &[u8] {
    let end = bytes.trim_ascii_end();
    if end.last() != Some(&0x1a) {
        return bytes;
    }
    let length = end.iter().rposition(|byte| *byte != 0x1a && !byte.is_ascii_whitespace());
    let length = length.map_or(0, |at| at + 1);
    // The line end before the mark is part of the text.
    let line_end = end[length..].iter().position(|byte| *byte == 0x1a).unwrap_or(0);
    &end[..length + line_end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        let text = decode(&Bytes::copy_from_slice(bytes), &mut Notes::default()).ok()?;
        Some(String::from_utf8(text.to_vec()).unwrap())
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
            .collect()
    }

    #[test]
    fn unicode_is_read_with_and_without_a_byte_order_mark() {
        let text = "Stadt,Größe\nKöln,€ 5\n東京,😀\n";
        let marked = format!("\u{feff}{text}");
        assert_eq!(decoded(text.as_bytes()).as_deref(), Some(text));
        assert_eq!(decoded(marked.as_bytes()).as_deref(), Some(text));
        for big in [false, true] {
            assert_eq!(decoded(&utf16(&marked, big)).as_deref(), Some(text));
            assert_eq!(decoded(&utf16(text, big)).as_deref(), Some(text));
            assert_eq!(
                decoded(&utf16("имя,город\nОля,Рим\n", big)).as_deref(),
                Some("имя,город\nОля,Рим\n")
            );
        }
    }

    #[test]
    fn western_eight_bit_text_is_read() {
        for text in [
            "name\nMüller\n",
            "name,city\nJosé,Málaga\nFrançois,Orléans\n",
            "item,price\nCafé,€ 3\n“quoted”,€ 4\n",
            "Straße;Größe\nÄpfel;5\n",
        ] {
            let (bytes, _, bad) = WINDOWS_1252.encode(text);
            assert!(!bad);
            assert_eq!(decoded(&bytes).as_deref(), Some(text));
        }
    }

    #[test]
    fn utf8_with_a_torn_character_stays_utf8() {
        let mut bytes = "Größe,".repeat(20).into_bytes();
        bytes.extend_from_slice(b"\xc3\n");
        assert!(decoded(&bytes).unwrap().starts_with("Größe,Größe"));
    }

    #[test]
    fn data_that_is_not_text_is_refused() {
        for bytes in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            b"PK\x03\x04\x14\0\x06\0",
            b"%PDF-1.7\n",
            b"a,b\n1,\0\n",
            b"a,b\n\0\x31,2\n",
            b"a\0b",
            b"a,b\n\x01\xff\xfe\x02\n",
            b"\xff\xfea\0\0\0",
            b"\xff\xfe\x00\xd8",
        ] {
            assert_eq!(decoded(bytes), None, "{bytes:?}");
        }
    }
}
