//! Reads records of delimited text as people and programs write it.
//!
//! It differs from RFC 4180 where that would lose rows or tear cells apart: blanks may surround a
//! quoted cell, a quote within one only ends it before a delimiter or a line end, and a quote that
//! is never closed is a plain character. Text that follows the RFC is read as the RFC says, but for
//! one case: see [`DialectScanner::lines_fit_better`].

use std::ops::Range;

use memchr::{memchr2, memchr3};

use super::shape::{Expected, is_numeric};

/// Further cells of a record are not kept; such a record is too wide for a table anyway.
const MAX_CELLS: usize = 2000;

/// Longest quoted cell, in bytes, once so many searches for closing quotes have been in vain that the
/// text is hardly a table. It keeps the time linear also where all is one line.
const MAX_CELL_AT_LAST: usize = 256;

/// How cells are delimited and quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// One of `,` `;` tab `|`.
    pub delimiter: u8,
    /// `"` or `'`.
    pub quote: u8,
    /// A backslash escapes quotes, delimiters and itself.
    pub backslash: bool,
    /// A carriage return without a line feed is part of a cell.
    pub cr_in_cells: bool,
}

impl Dialect {
    /// As RFC 4180 has it, with this delimiter.
    pub fn plain(delimiter: u8) -> Self {
        Self { delimiter, quote: b'"', backslash: false, cr_in_cells: false }
    }

    /// Blanks that may surround a quoted cell.
    pub fn is_blank(&self, byte: u8) -> bool {
        byte == b' ' || (byte == b'\t' && self.delimiter != b'\t')
    }

    /// Whether `at` is the start of a cell of `text`, apart from blanks.
    pub fn opens_cell(&self, text: &[u8], at: usize) -> bool {
        let before = text[..at].iter().rev().find(|byte| !self.is_blank(**byte));
        before.is_none_or(|byte| *byte == self.delimiter || matches!(byte, b'\n' | b'\r'))
    }
}

/// A cell: where its content is, without surrounding quotes.
#[derive(Clone, Debug)]
pub struct DialectCell {
    /// Bytes of the text.
    pub content: Range<usize>,
    /// It stood in quotes.
    pub quoted: bool,
}

/// A record and what was odd about it.
#[derive(Clone, Debug, Default)]
pub struct DialectRecord {
    /// Its cells.
    pub cells: Vec<DialectCell>,
    /// Its first byte, and the first byte after its line end.
    pub bytes: Range<usize>,
    /// The number of its first line, from 1.
    pub line: u64,
    /// Line breaks within its cells.
    pub breaks: u64,
    /// Quotes within quoted cells that are not escaped.
    pub strays: u64,
    /// It has a quote at the start of a cell that is never closed.
    pub open: bool,
    /// It has blanks between a quote and a delimiter.
    pub padded: bool,
}

/// Iterates over the records of a text. Empty lines are not records.
pub struct DialectScanner<'a> {
    text: &'a [u8],
    dialect: Dialect,
    expected: Option<&'a Expected>,
    at: usize,
    line: u64,
    /// How many bytes may still be read in vain, so that the work stays proportional to the text.
    spare: usize,
}

/// The end of a quoted cell.
struct Closing {
    quote: usize,
    after: usize,
    breaks: u64,
    strays: u64,
}

impl<'a> DialectScanner<'a> {
    /// Reads `text` from `at`, which is the start of line number `line`. `expected` decides whether
    /// a quote at the start of a cell opens one of several lines.
    pub fn new(
        text: &'a [u8],
        dialect: Dialect,
        at: usize,
        line: u64,
        expected: Option<&'a Expected>,
    ) -> Self {
        let spare = 4 * text.len() + 4096;
        Self { text, dialect, expected, at, line, spare }
    }

    /// The next record; false at the end of the text.
    pub fn read(&mut self, record: &mut DialectRecord) -> bool {
        while let Some(length) = self.break_at(self.at) {
            self.at += length;
            self.line += 1;
        }
        if self.at >= self.text.len() {
            return false;
        }
        self.parse(self.at, true, record);
        if record.breaks > 0 && self.lines_fit_better(record) {
            self.parse(self.at, false, record);
            record.open = true;
        }
        record.line = self.line;
        self.at = record.bytes.end;
        self.line += record.breaks + 1;
        true
    }

    /// Length of the line break at `at`.
    #[inline]
    fn break_at(&self, at: usize) -> Option<usize> {
        match self.text.get(at)? {
            b'\n' => Some(1),
            b'\r' if self.text.get(at + 1) == Some(&b'\n') => Some(2),
            b'\r' if !self.dialect.cr_in_cells => Some(1),
            _ => None,
        }
    }

    /// The first byte from `at` on that is not blank.
    fn after_blanks(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| self.dialect.is_blank(**byte)).count()
    }

    /// Reads the record at `start`; with `across`, its cells may contain line breaks.
    fn parse(&mut self, start: usize, across: bool, record: &mut DialectRecord) {
        let Dialect { delimiter, quote, .. } = self.dialect;
        record.cells.clear();
        (record.breaks, record.strays, record.open, record.padded) = (0, 0, false, false);
        let mut at = start;
        loop {
            let first = self.after_blanks(at);
            let mut closing = None;
            if self.text.get(first) == Some(&quote) {
                closing = self.closing(first, across);
                // By RFC 4180 a blank before it keeps a quote from opening a cell.
                record.open |= closing.is_none() && first == at;
            }
            let (content, end) = match &closing {
                Some(closing) => {
                    record.breaks += closing.breaks;
                    record.strays += closing.strays;
                    record.padded |= first > at || closing.after > closing.quote + 1;
                    (first + 1..closing.quote, closing.after)
                }
                None => {
                    let end = self.bare_end(at);
                    (at..end, end)
                }
            };
            if record.cells.len() < MAX_CELLS {
                record.cells.push(DialectCell { content, quoted: closing.is_some() });
            }
            at = end;
            if self.text.get(at) != Some(&delimiter) {
                break;
            }
            at += 1;
        }
        record.bytes = start..at + self.break_at(at).unwrap_or(0);
    }

    /// The end of a cell without quotes.
    fn bare_end(&self, start: usize) -> usize {
        let delimiter = self.dialect.delimiter;
        let mut at = start;
        if self.dialect.backslash {
            while let Some(byte) = self.text.get(at) {
                if *byte == delimiter || self.break_at(at).is_some() {
                    return at;
                }
                let escape = *byte == b'\\' && self.break_at(at + 1).is_none();
                at += if escape { 2 } else { 1 };
            }
            return self.text.len();
        }
        while let Some(found) = memchr3(delimiter, b'\n', b'\r', self.text.get(at..).unwrap_or(&[]))
        {
            at += found;
            if self.text.get(at) == Some(&delimiter) || self.break_at(at).is_some() {
                return at;
            }
            at += 1;
        }
        self.text.len()
    }

    /// The end of the quoted cell that opens at `open`, if it has one.
    fn closing(&mut self, open: usize, across: bool) -> Option<Closing> {
        let across = across && self.spare > 0;
        let end = match self.spare {
            0 => self.text.len().min(open + MAX_CELL_AT_LAST),
            _ => self.text.len(),
        };
        let mut at = open + 1;
        let (mut breaks, mut strays) = (0, 0);
        while let Some(byte) = self.next_mark(&mut at, end) {
            if byte == b'\\' {
                at += 2;
            } else if byte != self.dialect.quote {
                let length = self.break_at(at);
                if length.is_some() && !across {
                    break;
                }
                breaks += u64::from(length.is_some());
                at += length.unwrap_or(1);
            } else if self.text.get(at + 1) == Some(&byte) {
                at += 2;
            } else {
                let after = self.after_blanks(at + 1);
                if after >= self.text.len()
                    || self.text[after] == self.dialect.delimiter
                    || self.break_at(after).is_some()
                {
                    return Some(Closing { quote: at, after, breaks, strays });
                }
                // Another cell opens, so this one was never closed.
                if breaks > 0 && self.dialect.opens_cell(self.text, at) {
                    break;
                }
                strays += 1;
                at += 1;
            }
        }
        self.spare = self.spare.saturating_sub(at - open);
        None
    }

    /// Moves `at` to the next quote, line end or escape before `end`, and returns that byte.
    fn next_mark(&self, at: &mut usize, end: usize) -> Option<u8> {
        let rest = self.text.get(*at..end)?;
        let quote = self.dialect.quote;
        let found = if self.dialect.backslash {
            rest.iter().position(|b| *b == quote || matches!(b, b'\n' | b'\r' | b'\\'))
        } else {
            memchr3(quote, b'\n', b'\r', rest)
        };
        *at = found.map_or(end, |found| *at + found);
        self.text.get(*at).filter(|_| found.is_some()).copied()
    }

    /// Whether a record of several lines is more likely several records, the first of which has a
    /// stray quote that pairs with a later one: each line has the table's width, and the record has
    /// not, or each line has numbers where the table has them.
    fn lines_fit_better(&mut self, whole: &DialectRecord) -> bool {
        let Some(expected) = self.expected.filter(|expected| expected.width > 1) else {
            return false;
        };
        if self.spare == 0 {
            return false;
        }
        self.spare = self.spare.saturating_sub(whole.bytes.len());
        let (mut at, mut lines, mut fitting, mut typed) = (whole.bytes.start, 0_u64, 0, 0);
        // The column of the cell in question tells nothing.
        let broken =
            |cell: &&DialectCell| memchr2(b'\n', b'\r', &self.text[cell.content.clone()]).is_some();
        let column = whole.cells.iter().position(|cell| broken(&cell));
        let mut numeric = vec![true; expected.width];
        let mut others = expected.clone();
        for numeric in [&mut numeric, &mut others.numeric] {
            if let Some(numeric) = column.and_then(|column| numeric.get_mut(column)) {
                *numeric = false;
            }
        }
        let mut line = DialectRecord::default();
        while at < whole.bytes.end {
            self.parse(at, false, &mut line);
            at = line.bytes.end;
            let cell = |cell: &DialectCell| &self.text[cell.content.clone()];
            if matches!(line.cells.as_slice(), [only] if cell(only).trim_ascii().is_empty()) {
                continue;
            }
            lines += 1;
            if line.cells.len() != expected.width {
                if lines == 1 {
                    return false;
                }
                continue;
            }
            fitting += 1;
            for (numeric, of) in numeric.iter_mut().zip(&line.cells) {
                *numeric &= is_numeric(cell(of));
            }
            typed += u64::from(others.fits(line.cells.iter().map(cell)));
        }
        if whole.cells.len() != expected.width {
            return fitting * 10 >= lines * 9;
        }
        let table_is_typed = others.numeric.contains(&true) && typed == lines;
        let lines_are_typed = lines > 2 && numeric.contains(&true);
        fitting == lines && (table_is_typed || (expected.numeric.is_empty() && lines_are_typed))
    }
}
