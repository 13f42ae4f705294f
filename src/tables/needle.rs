//! The text a keyword search looks for, regardless of case, and where a file may contain it.

use memchr::memmem;

use super::fold::fold;

/// Bytes folded at a time; small enough for the processor's cache.
const BLOCK: usize = 64 * 1024;
/// Bytes checked for being ASCII at a time.
const BEYOND_BLOCK: usize = 1024;
/// A shorter run of ASCII is less selective than the characters beyond ASCII.
const MIN_RUN: usize = 3;

/// What folds to a byte of ASCII, or is left out behind it, besides ASCII.
const ELSEWHERE: [(u8, &str); 5] = [
    (b'k', "\u{212a}"),
    (b'i', "\u{130}"),
    (b'i', "\u{307}"),
    (b';', "\u{37e}"),
    (b'`', "\u{1fef}"),
];

/// A text to be found regardless of case.
pub struct Needle {
    /// Folded.
    text: String,
    /// The longest run of folded ASCII in it that a file contains literally: without quotes, which
    /// files double or escape.
    run: Vec<u8>,
}

impl Needle {
    /// A needle for this query.
    pub fn new(query: &str) -> Self {
        let text = fold(query);
        let run = text
            .as_bytes()
            .split(|byte| !byte.is_ascii() || matches!(byte, b'"' | b'\\' | 0..=31))
            .max_by_key(|run| run.len())
            .unwrap_or_default()
            .to_vec();
        Self { text, run }
    }

    /// Whether the run of ASCII is all of it and contains a visible character.
    pub fn is_plain(&self) -> bool {
        self.run.len() == self.text.len() && !self.run.trim_ascii().is_empty()
    }

    /// Its length, folded, in bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether `byte` occurs in it.
    pub fn has(&self, byte: u8) -> bool {
        memchr::memchr(byte, self.text.as_bytes()).is_some()
    }

    /// Whether `text`, which is UTF-8, contains it.
    pub fn is_in(&self, text: &[u8]) -> bool {
        let needle = self.text.as_bytes();
        let Some(&first) = needle.first() else { return true };
        if !text.is_ascii() {
            return fold(&String::from_utf8_lossy(text)).contains(&self.text);
        }
        let Some(last) = text.len().checked_sub(needle.len()) else { return false };
        let mut from = 0;
        while let Some(at) =
            memchr::memchr2(first, first.to_ascii_uppercase(), text.get(from..=last).unwrap_or(&[]))
        {
            let start = from + at;
            if text[start..start + needle.len()].eq_ignore_ascii_case(needle) {
                return true;
            }
            from = start + 1;
        }
        false
    }

    /// Whether `after`, which follows a hit in the file, begins with a mark that belongs to the last
    /// letter of the hit, which is another letter then. All marks that compose with ASCII are in
    /// U+0300 to U+036F.
    pub fn goes_on(after: &[u8]) -> bool {
        matches!(after.first(), Some(0xcc | 0xcd))
    }

    /// The places in `text` where it, its run or a part of it may be. `None` if it may be anywhere.
    pub fn hits<'a>(&'a self, text: &'a [u8]) -> Option<Hits<'a>> {
        if !self.text.is_ascii() && self.run.len() < MIN_RUN {
            return Some(Hits { text, wanted: Wanted::Beyond, next: None });
        }
        let elsewhere = ELSEWHERE.iter().any(|(byte, other)| {
            self.run.contains(byte) && memmem::find(text, other.as_bytes()).is_some()
        });
        if self.run.is_empty() || elsewhere {
            return None;
        }
        let finder = Box::new(memmem::Finder::new(&self.run));
        let wanted = Wanted::Run { finder, start: 0, block: Vec::new() };
        Some(Hits { text, wanted, next: None })
    }
}

/// Places in a text, found in one direction.
pub struct Hits<'a> {
    text: &'a [u8],
    wanted: Wanted<'a>,
    /// The last hit, and the place from which it was searched.
    next: Option<(usize, Option<usize>)>,
}

enum Wanted<'a> {
    /// Anything beyond ASCII.
    Beyond,
    /// A run of ASCII.
    Run {
        finder: Box<memmem::Finder<'a>>,
        /// The position of `block` in the text.
        start: usize,
        /// A part of the text in lower case.
        block: Vec<u8>,
    },
}

impl Hits<'_> {
    /// The first hit at or after `from`.
    pub fn from(&mut self, from: usize) -> Option<usize> {
        if let Some((asked, hit)) = self.next
            && asked <= from
            && hit.is_none_or(|hit| hit >= from)
        {
            return hit;
        }
        let hit = self.find(from);
        self.next = Some((from, hit));
        hit
    }

    fn find(&mut self, mut from: usize) -> Option<usize> {
        let Wanted::Run { finder, start, block } = &mut self.wanted else {
            let rest = self.text.get(from..)?;
            let ascii = rest.chunks(BEYOND_BLOCK).take_while(|part| part.is_ascii()).count();
            let from = from + ascii * BEYOND_BLOCK;
            let found = self.text.get(from..)?.iter().position(|byte| !byte.is_ascii());
            return found.map(|at| from + at);
        };
        let overlap = finder.needle().len() - 1;
        loop {
            if from < *start || from + overlap >= *start + block.len() {
                let rest = self.text.get(from..)?;
                if rest.len() <= overlap {
                    return None;
                }
                *start = from;
                block.clear();
                block.extend_from_slice(&rest[..rest.len().min(BLOCK + overlap)]);
                block.make_ascii_lowercase();
            }
            if let Some(at) = finder.find(&block[from - *start..]) {
                return Some(from + at);
            }
            from = *start + block.len() - overlap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_beyond_ascii() {
        for (needle, text) in [
            ("MÜLLER", "Herr müller"),
            ("straße", "STRAßE 5"),
            ("οδος", "ΟΔΟΣ"),
            ("k", "5 \u{212a}"),
            ("i", "\u{130}zmir"),
            ("izmir", "\u{130}ZMIR"),
            ("izmir", "I\u{307}zmir"),
            ("\u{130}zmir", "Izmir"),
            ("köln", "Ko\u{308}ln"),
            ("KO\u{308}LN", "köln"),
            ("東京", "東京都"),
            ("aab", "AaAaB"),
            ("", ""),
        ] {
            assert!(Needle::new(needle).is_in(text.as_bytes()), "{needle} in {text}");
        }
        for (needle, text) in
            [("ab", "a b"), ("ü", "u"), ("u", "u\u{308}"), ("abc", "ab"), ("x", "")]
        {
            assert!(!Needle::new(needle).is_in(text.as_bytes()), "{needle} in {text}");
        }
    }

    #[test]
    fn hits_are_found_across_blocks() {
        for at in [0, 1, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1] {
            let mut text = vec![b'.'; 4 * BLOCK];
            text[at..at + 3].copy_from_slice(b"AbC");
            let needle = Needle::new("aBc");
            let mut hits = needle.hits(&text).unwrap();
            assert_eq!(hits.from(0), Some(at));
            assert_eq!(hits.from(at), Some(at));
            assert_eq!(hits.from(at + 1), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_hit_is_missed(text in "[abikABI;`\u{212a}\u{130}\u{307}\u{308}\u{37e}\u{1fef}ü\"]{0,40}", needle in "[abikABI;`İü\u{308}\"]{0,4}") {
            let needle = Needle::new(&needle);
            if needle.is_in(text.as_bytes()) && let Some(mut hits) = needle.hits(text.as_bytes()) {
                proptest::prop_assert!(hits.from(0).is_some());
            }
        }
    }
}
