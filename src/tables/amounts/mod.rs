//! Numbers as people write them around the world: digits in groups, a currency or another unit,
//! and the many signs for "less than zero".
//!
//! `$1,234.50`, `12,50 €`, `CHF 1'234.50`, `1 234,50`, `12,34,567`, `12 %`, `(120.50)`, `120.50-`,
//! `−5`, `12 kg`, `١٢٫٥`. Plain numbers are the business of [`values`], which is faster.

use super::values::{self, Number};

mod units;

use units::UnitName;
pub use units::{is_money, same_unit};

/// An amount read from text.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// Its value if a point divides off the decimals.
    pub point: Option<Number>,
    /// Its value if a comma does.
    pub comma: Option<Number>,
    /// Its unit as written, `%`, `€`, `CHF` or `kg`; empty without one.
    pub unit: String,
    /// What else the text shows, which matters for a column as a whole.
    pub traits: Traits,
}

/// Peculiarities of amounts that may not be amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// A whole number in brackets and nothing else: `(212)` may be an area code, `(1)` a footnote.
    pub brackets: bool,
    /// A short whole number with a minus behind it: `2-` may be a grade.
    pub grade: bool,
    /// The number of digits, at least nine, of a whole number that blanks divide into groups and
    /// that is not round: `732 829 320` may be an identifier.
    pub blanks: Option<u8>,
    /// The unit is a word that is not a known unit.
    pub unknown_unit: bool,
}

/// Longer texts, in bytes, are not amounts.
const MAX_BYTES: usize = 64;

/// Groups of nine digits and more may be identifiers.
const MIN_IDENTIFIER: u8 = 9;

/// Reads an amount. `None` for leading zeros (`007`), telephone numbers with a plus sign, and
/// everything that is not one number with at most one unit on each side.
pub fn read(text: &[u8]) -> Option<Amount> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim_matches(is_padding);
    let (front, rest) = Leading::read(text);
    if let Some(zero) = front.accounting_zero(rest) {
        return Some(zero);
    }
    let (body, rest) = Digits::read(rest)?;
    let back = Trailing::read(rest, front.is_open, &body)?;
    let has_known_unit =
        front.unit.is_some() || back.unit.as_ref().is_some_and(|unit| unit.is_known);
    if front.sign.is_some() && (front.is_open || back.minus)
        || front.is_open && back.minus
        || front.sign == Some('+') && body.blanks
        || front.has_gap && !has_known_unit
    {
        return None;
    }
    let negative = front.sign == Some('-') || front.is_open || back.minus;
    let mut readings = [body.number(false), body.number(true)];
    for number in readings.iter_mut().flatten() {
        if front.sign == Some('+') && number.value >= 1e6 {
            return None;
        }
        if negative {
            number.value = -number.value;
            number.whole = number.whole.and_then(i64::checked_neg);
        }
    }
    let [point, comma] = readings;
    let number = point.or(comma)?;
    // `CAD101` is rather a code, `EUR12.50` an amount.
    if front.is_code && !number.marked {
        return None;
    }
    let is_bare = number.whole.is_some() && !number.grouped && !body.blanks && !body.apostrophes;
    let has_unit = front.unit.is_some() || back.unit.is_some();
    let blanks = (body.blanks && number.whole.is_some() && !has_unit && !negative)
        .then_some(body.digits)
        .filter(|digits| *digits >= MIN_IDENTIFIER && !body.text.ends_with(b"000"));
    let traits = Traits {
        brackets: front.is_open && is_bare && !has_unit,
        grade: back.minus && is_bare && !has_unit && body.digits < 3,
        blanks,
        unknown_unit: back.unit.as_ref().is_some_and(|unit| !unit.is_known),
    };
    let unit = match (front.unit, back.unit) {
        (Some(front), Some(back)) if same_unit(&front, &back.name) => front,
        (Some(front), Some(back)) => format!("{front} {}", back.name),
        (front, back) => front.or(back.map(|unit| unit.name)).unwrap_or_default(),
    };
    Some(Amount { point, comma, unit, traits })
}

/// White space, and marks of the direction of writing.
fn is_padding(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{feff}' | '\u{2066}'..='\u{2069}')
}

/// What precedes the digits.
#[derive(Default)]
struct Leading {
    /// `+` or `-`.
    sign: Option<char>,
    /// There is white space between the sign and what follows.
    has_gap: bool,
    /// A bracket is open.
    is_open: bool,
    unit: Option<String>,
    /// The unit is an ISO 4217 code, and the digits follow at once.
    is_code: bool,
}

impl Leading {
    fn read(mut text: &str) -> (Self, &str) {
        let mut front = Self::default();
        loop {
            let trimmed = text.trim_start_matches(is_padding);
            let has_gap = trimmed.len() < text.len();
            text = trimmed;
            let Some(c) = text.chars().next() else { return (front, text) };
            if let Some(sign) = sign(c)
                && front.sign.is_none()
            {
                front.sign = Some(sign);
                text = &text[c.len_utf8()..];
                front.has_gap = text.starts_with(is_padding);
            } else if c == '(' && !front.is_open {
                front.is_open = true;
                text = &text[1..];
            } else if front.unit.is_none()
                && let Some((unit, rest)) = units::prefix(text)
            {
                front.is_code = unit.is_code && !rest.starts_with(is_padding);
                front.unit = Some(unit.name);
                text = rest;
            } else {
                front.has_gap |= has_gap && front.sign.is_some() && front.unit.is_none();
                return (front, text);
            }
        }
    }

    /// `$ -`, as spreadsheets show zero in the format for accounts.
    fn accounting_zero(&self, rest: &str) -> Option<Amount> {
        let unit = self.unit.clone().filter(|unit| is_money(unit) && !self.is_open)?;
        let zero = values::number(b"0");
        (rest.is_empty() && self.sign == Some('-')).then_some(Amount {
            point: zero,
            comma: zero,
            unit,
            traits: Traits::default(),
        })
    }
}

/// The minus signs of Unicode that are used before numbers, and plus.
fn sign(c: char) -> Option<char> {
    match c {
        '-' | '\u{2212}' | '\u{2013}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
        '+' | '\u{ff0b}' => Some('+'),
        _ => None,
    }
}

/// The digits, in ASCII and without those separators that can only be separators.
struct Digits {
    text: Vec<u8>,
    digits: u8,
    /// Blanks divide its groups.
    blanks: bool,
    /// Apostrophes, or the Arabic separator, do.
    apostrophes: bool,
    /// It has the Arabic decimal separator, now a point in any case.
    arabic: bool,
}

impl Digits {
    fn read(text: &str) -> Option<(Self, &str)> {
        let mut body =
            Self { text: vec![], digits: 0, blanks: false, apostrophes: false, arabic: false };
        let mut separators = Vec::new();
        let mut separator = None;
        let mut end = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            let between_digits = next.and_then(digit).is_some() && body.ends_in_digit();
            if let Some(digit) = digit(c) {
                body.digits = body.digits.checked_add(1)?;
                body.text.push(b'0' + digit);
            } else if matches!(c, '.' | '．') {
                body.text.push(b'.');
            } else if matches!(c, ',' | '，') {
                body.text.push(b',');
            } else if c == '\u{66b}' {
                body.arabic = true;
                body.text.push(b'.');
            } else if between_digits && (is_apostrophe(c) || is_blank(c)) {
                // `1 234'567` is not a number.
                if *separator.get_or_insert(is_blank(c)) != is_blank(c) {
                    return None;
                }
                separators.push(body.text.len());
            } else {
                break;
            }
            end = at + c.len_utf8();
        }
        body.blanks = separator == Some(true);
        body.apostrophes = separator == Some(false);
        body.has_groups_of_three(&separators).then_some((body, &text[end..]))
    }

    fn ends_in_digit(&self) -> bool {
        self.text.last().is_some_and(u8::is_ascii_digit)
    }

    /// Whether digits between separators, which stood at these places, are three each.
    fn has_groups_of_three(&self, separators: &[usize]) -> bool {
        let Some(&first) = separators.first() else { return !self.text.is_empty() };
        let mark = self.text.iter().position(|byte| !byte.is_ascii_digit());
        let end = mark.unwrap_or(self.text.len());
        let ends = separators.iter().skip(1).chain([&end]);
        (1..=3).contains(&first)
            && self.text[0] != b'0'
            && separators.iter().zip(ends).all(|(start, end)| end.checked_sub(*start) == Some(3))
    }

    /// Its value with a decimal comma or a decimal point.
    fn number(&self, comma: bool) -> Option<Number> {
        if !comma || self.arabic {
            values::number(&self.text)
        } else {
            values::number_with_comma(&self.text)
        }
    }
}

fn digit(c: char) -> Option<u8> {
    // The digits of ASCII, Arabic, Persian, Hindi, Bengali and full width.
    const ZEROS: [u32; 6] = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xff10];
    let code = u32::from(c);
    ZEROS.iter().find_map(|zero| u8::try_from(code.checked_sub(*zero)?).ok().filter(|d| *d < 10))
}

/// The signs between thousands in Switzerland, and the Arabic one.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{66c}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}')
}

/// What follows the digits.
struct Trailing {
    minus: bool,
    unit: Option<UnitName>,
}

impl Trailing {
    fn read(mut rest: &str, is_open: bool, body: &Digits) -> Option<Self> {
        let mut back = Self { minus: false, unit: None };
        if let Some(dashes) =
            body.text.last().filter(|last| !last.is_ascii_digit()).and(dashes(rest))
        {
            // `12,-` is a price without cents.
            rest = dashes;
        } else if body.ends_in_digit()
            && let Some(c) = rest.chars().next()
            && sign(c) == Some('-')
            && c != '\u{2013}'
        {
            back.minus = true;
            rest = &rest[c.len_utf8()..];
        }
        let mut is_closed = false;
        if is_open && let Some(after) = rest.trim_start_matches(is_padding).strip_prefix(')') {
            (is_closed, rest) = (true, after);
        }
        if is_open && !is_closed {
            (is_closed, rest) = (true, rest.strip_suffix(')')?.trim_end_matches(is_padding));
        }
        let unit = rest.trim_start_matches(is_padding);
        if !unit.is_empty() {
            back.unit = Some(units::suffix(unit, unit.len() < rest.len())?);
        }
        (is_open == is_closed).then_some(back)
    }
}

/// What follows one or two dashes that stand for "no cents".
fn dashes(text: &str) -> Option<&str> {
    let is_dash = |c| matches!(c, '-' | '\u{2013}' | '\u{2014}');
    let rest = text.trim_start_matches(is_dash);
    let dashes = text[..text.len() - rest.len()].chars().count();
    (1..=2).contains(&dashes).then_some(rest)
}

#[cfg(test)]
mod tests;
