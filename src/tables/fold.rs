//! Texts as they are compared regardless of case: folded. Composed and decomposed letters are the
//! same (`ö` is `o` with two dots), capitals are small, `ς` is `σ`, and `İ` is `i`.

use std::borrow::Cow;
use std::cmp::Ordering;

use icu_normalizer::ComposingNormalizerBorrowed;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();

/// The text with its letters composed (Unicode's form NFC).
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { NFC.normalize(text) }
}

/// The same for a text whose letters have been changed one by one.
pub fn recomposed(text: String) -> String {
    match composed(&text) {
        Cow::Owned(composed) => composed,
        Cow::Borrowed(_) => text,
    }
}

/// The folded text.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // A small letter may compose with a mark where the capital does not, as in `H̱`.
    recomposed(lower(composed(text).chars()).collect())
}

/// Compares texts as if folded, as far as necessary.
pub fn compare(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        return a.bytes().map(lower).cmp(b.bytes().map(lower));
    }
    folded(a).cmp(folded(b))
}

/// The folded text, as far as it is read.
fn folded(text: &str) -> impl Iterator<Item = char> {
    NFC.normalize_iter(lower(NFC.normalize_iter(text.chars())))
}

/// Small letters, one character at a time, so that the same letters fold the same everywhere. The
/// dot over `i`, which `İ` leaves, is dropped.
fn lower(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut last = ' ';
    let letters = text.flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c });
    letters.filter(move |&c| {
        let dropped = c == '\u{307}' && last == 'i';
        if !dropped {
            last = c;
        }
        !dropped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_fold() {
        for (a, b) in [
            ("KÖLN", "ko\u{308}ln"),
            ("İzmir", "izmir"),
            ("I\u{307}zmir", "IZMIR"),
            ("H\u{331}", "\u{1e96}"),
            ("ΟΔΟΣ", "οδος"),
            ("5 \u{212a}", "5 k"),
            ("가", "\u{1100}\u{1161}"),
            ("q\u{308}\u{323}", "Q\u{323}\u{308}"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        for (a, b) in [("ı", "i"), ("ü", "u"), ("ß", "ss"), ("Ａ", "a")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folded_text_stays_as_it_is(text in "\\PC{0,8}|[iIİ\u{307}\u{308}aHς\u{331}]{0,8}") {
            let folded = fold(&text);
            proptest::prop_assert_eq!(&fold(&folded), &folded);
            proptest::prop_assert_eq!(fold(&composed(&text)), folded);
        }

        #[test]
        fn texts_compare_as_if_folded(a in "\\PC{0,4}|[iIİ\u{307}aA]{0,4}", b in "\\PC{0,4}|[iIİ\u{307}aA]{0,4}") {
            proptest::prop_assert_eq!(compare(&a, &b), fold(&a).cmp(&fold(&b)));
        }
    }
}
