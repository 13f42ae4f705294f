//! Estimates how many tokens a text costs, by character class.
//!
//! A byte-pair tokenizer splits a text into words, groups of up to three digits, runs of
//! punctuation and runs of white space, and each of those into the longest pieces in its
//! vocabulary. So a character's price here depends on its class (of about thirty), on the class
//! before it and, inside a run of one class, on its position in the run: the first letter of a word
//! costs most of a token, the next few little, those after the eighth more, because long words are
//! split. An accented letter carries a surcharge for the whole language, whose words the vocabulary
//! covers less well than English ones. No dictionary, no allocation, one pass.
//!
//! # How the prices were found
//!
//! Against `o200k_base`, on windows of 1,000 characters from about 4 MB of text: prose in forty
//! languages (declarations, quotations, manual pages, program messages), source code, JSON,
//! CSV, and the fixtures `tests/fixtures/tokens/*-1.txt`. A linear program minimised how far the
//! windows fell outside 0.97 to 1.17 times the exact count and pulled each price towards the usual
//! one of its class; the result was rounded by hand. The aim is 6 % above the exact count: a prompt
//! that is too long is refused, while one that is a little short goes unnoticed.
//!
//! # Accuracy
//!
//! `tests/tokens` checks every fixture. Those named `*-2.txt` took no part in the fit, but their
//! errors were seen while the classes were chosen. The windows are of 1,000 characters, or of half
//! a text that is shorter than two of them.
//!
//! | the estimate, compared with the exact count | whole texts | windows |
//! |---|---|---|
//! | English, German, French, Spanish, Russian | −1 to +16 % | −6 to +22 % |
//! | Chinese, Japanese, Korean, Arabic, Hindi | −4 to +17 % | −6 to +18 % |
//! | Rust, Python, JavaScript | +7 to +17 % | +4 to +20 % |
//! | CSV, JSON | +4 to +12 % | −2 to +18 % |
//! | numbers, URLs, indentation, emoji, base64 and hex | −3 to +16 % | −6 to +18 % |
//!
//! Too low by 10 to 20 %: languages in plain Latin letters that the vocabulary covers poorly
//! (Finnish, Hungarian, Swahili, Polish without its accents), lists of invented names, texts all in
//! capitals. By more: lists of rare ideographs, random lower-case letters. Other models count
//! differently: leave room.

/// Prices are in hundredths of a token.
const TOKEN: u64 = 100;

/// A cut is moved to white space if there is some within this many bytes.
const WORD_REACH: usize = 80;

/// A class of characters with prices of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum CharClass {
    Space,
    Tab,
    Line,
    Lower,
    Upper,
    Digit,
    Stop,
    Quote,
    Open,
    Close,
    Joiner,
    Operator,
    /// `é`, `ß`: West European letters.
    Accented,
    /// `ł`, `ş`: the Latin letters of Central Europe and Turkey.
    Extended,
    /// `ế`, `ộ`: letters with tones, in a language whose short words are one token each.
    Vietnamese,
    Greek,
    Cyrillic,
    CyrillicUpper,
    Hebrew,
    Arabic,
    Devanagari,
    /// Bengali to Sinhala.
    Indic,
    Thai,
    /// Armenian and Georgian.
    Caucasian,
    /// Burmese and Khmer.
    Mekong,
    Hangul,
    Hiragana,
    Katakana,
    /// An ideograph of the basic plane.
    Han,
    RareHan,
    /// `、`, `「`, full-width forms.
    Wide,
    /// `–`, `“`, `§`, invisible joiners, control characters.
    Mark,
    /// `→`, `■`, variation selectors.
    Symbol,
    Emoji,
    /// Scripts that the vocabulary spells byte by byte.
    RareScript,
}

use CharClass::*;

const CLASSES: usize = RareScript as usize + 1;
/// Inside a run the price is looked up by the characters before it, up to this many.
const RUN: usize = 8;

/// A capital that begins a new word after a small letter: `camelCase`.
const CAMEL: u16 = 120;
/// Punctuation after different punctuation: groups such as `();` are often one token.
const MIXED_PUNCTUATION: u16 = 22;
/// The same punctuation repeated, as in a ruled line.
const REPEATED: u16 = 5;
/// In the table of pairs: the run continues.
const WITHIN: u16 = u16::MAX;

/// The prices of one class.
struct Prices {
    class: CharClass,
    /// As the first of a run: after white space or at the start, after punctuation, after others.
    first: [u16; 3],
    /// Inside a run, after up to 3, up to 7, and more characters.
    within: [u16; 3],
}

const fn prices(class: CharClass, first: [u16; 3], within: [u16; 3]) -> Prices {
    Prices { class, first, within }
}

/// In the order of [`CharClass`]. A digit after a space pays for the space too, which no token joins
/// to a number; a class that is never inside a run, or always, repeats its only price.
const PRICES: [Prices; CLASSES] = [
    prices(Space, [10, 10, 10], [75, 2, 2]),
    prices(Tab, [140, 80, 80], [100, 10, 10]),
    prices(Line, [130, 10, 130], [30, 5, 5]),
    prices(Lower, [67, 23, 100], [9, 10, 30]),
    prices(Upper, [100, 46, 180], [5, 24, 24]),
    prices(Digit, [200, 133, 133], [3, 20, 20]),
    prices(Stop, [140, 113, 113], [22, 22, 22]),
    prices(Quote, [100, 142, 142], [22, 22, 22]),
    prices(Open, [130, 55, 55], [22, 22, 22]),
    prices(Close, [40, 150, 150], [22, 22, 22]),
    prices(Joiner, [160, 68, 68], [22, 22, 22]),
    prices(Operator, [50, 100, 100], [22, 22, 22]),
    prices(Accented, [50, 50, 50], [102, 102, 102]),
    prices(Extended, [50, 50, 50], [156, 156, 156]),
    prices(Vietnamese, [50, 50, 50], [5, 5, 5]),
    prices(Greek, [100, 100, 100], [18, 35, 35]),
    prices(Cyrillic, [120, 160, 160], [10, 7, 12]),
    prices(CyrillicUpper, [120, 160, 160], [60, 60, 60]),
    prices(Hebrew, [100, 100, 100], [26, 35, 35]),
    prices(Arabic, [100, 100, 100], [12, 26, 26]),
    prices(Devanagari, [100, 100, 100], [15, 10, 20]),
    prices(Indic, [70, 70, 70], [42, 42, 42]),
    prices(Thai, [100, 100, 100], [41, 41, 41]),
    prices(Caucasian, [100, 100, 100], [20, 20, 20]),
    prices(Mekong, [100, 100, 100], [60, 60, 60]),
    prices(Hangul, [108, 108, 108], [50, 50, 50]),
    prices(Hiragana, [100, 100, 100], [26, 26, 26]),
    prices(Katakana, [100, 100, 100], [44, 44, 44]),
    prices(Han, [95, 135, 135], [74, 74, 74]),
    prices(RareHan, [260, 260, 260], [260, 260, 260]),
    prices(Wide, [100, 120, 120], [70, 70, 70]),
    prices(Mark, [100, 40, 40], [100, 100, 100]),
    prices(Symbol, [160, 120, 120], [195, 195, 195]),
    prices(Emoji, [200, 200, 200], [200, 200, 200]),
    prices(RareScript, [190, 190, 190], [195, 195, 195]),
];

impl CharClass {
    const fn is_latin(self) -> bool {
        matches!(self, Lower | Upper | Accented | Extended | Vietnamese)
    }

    const fn is_blank(self) -> bool {
        matches!(self, Space | Tab | Line)
    }

    const fn is_punctuation(self) -> bool {
        matches!(self, Stop | Quote | Open | Close | Joiner | Operator)
    }

    /// Whether a repeated character of this class is nearly free.
    const fn is_mark(self) -> bool {
        self.is_punctuation() || matches!(self, Mark | Symbol | Wide)
    }

    const fn is_cyrillic(self) -> bool {
        matches!(self, Cyrillic | CyrillicUpper)
    }
}

/// The price of a character by the class before it and its own, or [`WITHIN`].
const fn pair(before: &Prices, own: &Prices) -> u16 {
    let (last, class) = (before.class, own.class);
    if last.is_latin() && class.is_latin() {
        if matches!(class, Upper) && !matches!(last, Upper) { CAMEL } else { WITHIN }
    } else if last.is_punctuation() && class.is_punctuation() {
        MIXED_PUNCTUATION
    } else if last as u8 == class as u8 || (last.is_cyrillic() && class.is_cyrillic()) {
        WITHIN
    } else if last.is_blank() {
        own.first[0]
    } else if last.is_punctuation() {
        own.first[1]
    } else {
        own.first[2]
    }
}

static PAIRS: [[u16; CLASSES]; CLASSES] = {
    let mut table = [[0; CLASSES]; CLASSES];
    let mut last = 0;
    while last < CLASSES {
        let mut class = 0;
        while class < CLASSES {
            table[last][class] = pair(&PRICES[last], &PRICES[class]);
            class += 1;
        }
        last += 1;
    }
    table
};

/// The price inside a run, by class and by the characters before it in the run, less one.
static RUNS: [[u16; RUN]; CLASSES] = {
    let mut table = [[0; RUN]; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        // White space, capitals and digits settle after one, one and two characters: their long
        // runs are cheap or are cut at once. Letters go by word length.
        let early = match PRICES[class].class {
            Space | Tab | Line | Upper => 1,
            Digit => 2,
            _ => 3,
        };
        let mut run = 0;
        while run < RUN {
            let step = if run < early { 0 } else { 1 + run / (RUN - 1) };
            table[class][run] = PRICES[class].within[step];
            run += 1;
        }
        class += 1;
    }
    table
};

static ASCII: [CharClass; 128] = {
    let mut table = [Mark; 128];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = match byte {
            b' ' => Space,
            b'\t' => Tab,
            b'\n' | b'\r' => Line,
            b'a'..=b'z' => Lower,
            b'A'..=b'Z' => Upper,
            b'0'..=b'9' => Digit,
            b'.' | b',' | b';' | b':' | b'!' | b'?' => Stop,
            b'"' | b'\'' | b'`' => Quote,
            b'(' | b'[' | b'{' | b'<' => Open,
            b')' | b']' | b'}' | b'>' => Close,
            b'_' | b'-' => Joiner,
            b'!'..=b'~' => Operator,
            _ => Mark,
        };
        byte += 1;
    }
    table
};

/// The class of a character that is not ASCII, by Unicode block.
const fn wide_class(c: char) -> CharClass {
    match c as u32 {
        ..0xC0 | 0xD7 | 0xF7 | 0x2000..=0x206F | 0x2E00..=0x2FFF => Mark,
        0xC0..=0xFF => Accented,
        0x100..=0x36F => Extended,
        0x370..=0x3FF | 0x1F00..=0x1FFF => Greek,
        0x400..=0x42F => CyrillicUpper,
        0x430..=0x52F => Cyrillic,
        0x530..=0x58F | 0x10A0..=0x10FF => Caucasian,
        0x590..=0x5FF | 0xFB00..=0xFB4F => Hebrew,
        0x600..=0x6FF | 0x750..=0x77F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Arabic,
        0x900..=0x97F => Devanagari,
        0x980..=0xDFF => Indic,
        0xE00..=0xEFF => Thai,
        0x1000..=0x109F | 0x1780..=0x17FF => Mekong,
        0x1100..=0x11FF | 0xAC00..=0xD7FF => Hangul,
        0x1E00..=0x1EFF => Vietnamese,
        0x2070..=0x2BFF | 0xFE00..=0xFE0F | 0xFFF0..=0xFFFF => Symbol,
        0x3000..=0x303F | 0xFE10..=0xFE6F | 0xFF00..=0xFFEF => Wide,
        0x3040..=0x309F => Hiragana,
        0x30A0..=0x30FF => Katakana,
        0x3100..=0x4DBF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => RareHan,
        0x4E00..=0x9FFF => Han,
        0x1F000..=0x1FAFF => Emoji,
        _ => RareScript,
    }
}

/// The state of reading a text, and the price so far.
struct Meter {
    last: char,
    class: CharClass,
    /// Characters before the next one in its run, less one; at most `RUN - 1`.
    run: usize,
    price: u64,
}

impl Meter {
    /// A text's start counts as white space.
    const fn new() -> Self {
        Self { last: '\0', class: Line, run: 0, price: 0 }
    }

    /// Adds a character. Prices are never negative and depend only on what came before, so no
    /// prefix costs more than the whole.
    #[inline]
    fn add(&mut self, c: char) {
        let class = ASCII.get(c as usize).copied().unwrap_or_else(|| wide_class(c));
        let mut price = PAIRS[self.class as usize][class as usize];
        if price == WITHIN {
            price = RUNS[class as usize][self.run];
            self.run = (self.run + 1).min(RUN - 1);
        } else {
            self.run = 0;
        }
        let repeated = c == self.last && class.is_mark();
        self.price += u64::from(if repeated { REPEATED } else { price });
        self.class = class;
        self.last = c;
    }
}

/// The price of a text in hundredths of a token.
fn price(text: &str) -> u64 {
    let mut meter = Meter::new();
    text.chars().for_each(|c| meter.add(c));
    meter.price
}

/// Hundredths of a token that a budget of whole tokens allows.
const fn allowance(budget: usize) -> u64 {
    (budget as u64).saturating_mul(TOKEN)
}

/// The estimated number of tokens of `text`, rounded up; 0 only for the empty text.
///
/// A prefix is never estimated at more than the whole. The estimate of two joined parts differs
/// from the sum of theirs by at most 4, either way. See the [module](self) for the accuracy.
pub fn estimate(text: &str) -> usize {
    usize::try_from(price(text).div_ceil(TOKEN)).unwrap_or(usize::MAX)
}

/// The longest prefix of `text` estimated at no more than `budget` tokens.
///
/// A cut is moved back to the end of a word if there is white space within 80 bytes, and the white
/// space is dropped too.
pub fn clip_end(text: &str, budget: usize) -> &str {
    let allowed = allowance(budget);
    let mut meter = Meter::new();
    let cut = text.char_indices().find_map(|(at, c)| {
        meter.add(c);
        (meter.price > allowed).then_some((at, c))
    });
    let Some((cut, next)) = cut else { return text };
    let kept = &text[..cut];
    let word_end = if next.is_whitespace() { Some(cut) } else { kept.rfind(char::is_whitespace) };
    match word_end.map(|at| text[..at].trim_end()) {
        Some(whole) if !whole.is_empty() && cut - whole.len() <= WORD_REACH => whole,
        _ => kept,
    }
}

/// The longest suffix of `text`, to within a word, estimated at no more than `budget` tokens.
///
/// A cut is moved forward to the start of a word if there is white space within 80 bytes, and the
/// white space is dropped too.
pub fn clip_start(text: &str, budget: usize) -> &str {
    let allowed = allowance(budget);
    let whole = price(text);
    if whole <= allowed {
        return text;
    }
    let mut meter = Meter::new();
    let mut excess = whole - allowed;
    for (at, c) in text.char_indices() {
        // A rest that starts in the middle of a run can cost more than it did in context.
        if meter.price >= excess {
            let rest = from_word_start(&text[at..], meter.class.is_blank());
            let over = price(rest).saturating_sub(allowed);
            if over == 0 {
                return rest;
            }
            excess = meter.price + over;
        }
        meter.add(c);
    }
    ""
}

/// `rest` without its leading partial word, unless that is long or all there is.
fn from_word_start(rest: &str, starts_word: bool) -> &str {
    let space = if starts_word { Some(0) } else { rest.find(char::is_whitespace) };
    match space.map(|at| rest[at..].trim_start()) {
        Some(words) if !words.is_empty() && rest.len() - words.len() <= WORD_REACH => words,
        _ => rest,
    }
}
