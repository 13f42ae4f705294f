//! Brings delimited text as programs and people write it into the form of RFC 4180, which is what
//! is stored and what everything else reads.
//!
//! Text in that form already is left alone. Any other reading must make the table clearly more
//! regular, and is noted.

mod audit;
mod head;
mod rewrite;
mod scan;
mod shape;

use bytes::Bytes;

use self::audit::{QuoteAudit, audit};
use self::head::{FileHead, judge};
use self::rewrite::{is_comment, rewrite};
use self::scan::{Dialect, DialectRecord, DialectScanner};
use super::notes::Notes;
use super::refusal::IngestError;

/// Delimited text whose first record is the header.
#[derive(Clone, Debug)]
pub struct PlainText {
    /// The text, in the form of RFC 4180.
    pub text: Bytes,
    /// One of `,` `;` tab `|`.
    pub delimiter: u8,
}

/// Finds the dialect of `text`, and rewrites it if necessary.
///
/// # Errors
/// A quote that is never closed, if the table is not regular with it as a plain character.
pub fn plain(text: &Bytes, notes: &mut Notes) -> Result<PlainText, IngestError> {
    let (from, fixed) = sep_line(text).map_or((0, None), |(end, byte)| (end, Some(byte)));
    let head_of = |dialect: Dialect| judge(text, dialect, from, fixed);
    let head = head_of(Dialect::plain(b','));
    let delimiter = head.dialect.delimiter;
    // All of it: the header may be found elsewhere in another dialect.
    let quotes = audit(text.get(from..).unwrap_or_default(), delimiter);
    let cr_in_cells = mixes_line_ends(text);
    let mut best = None;
    if quotes != QuoteAudit::default() || head.comments || cr_in_cells {
        let mut survey = Survey::new(text, &head);
        for dialect in variants(quotes, cr_in_cells) {
            let other = Survey::new(text, &head_of(dialect));
            if other.beats(&survey) {
                survey = other;
            }
        }
        best = Some(survey);
    }
    let above = |head: &FileHead| head.above + u64::from(from > 0);
    match best.filter(Survey::is_rewritten) {
        None => {
            passed_over(above(&head), notes);
            Ok(PlainText { text: text.slice(head.start.min(text.len())..), delimiter })
        }
        Some(survey) => {
            survey.refuse()?;
            passed_over(above(&survey.head), notes);
            survey.note(notes);
            let delimiter = survey.head.dialect.delimiter;
            Ok(PlainText { text: rewrite(text, &survey.head).into(), delimiter })
        }
    }
}

/// The end of a first line such as `sep=;`, which some spreadsheets write and read, and the
/// delimiter that it names.
fn sep_line(text: &[u8]) -> Option<(usize, u8)> {
    let end = memchr::memchr2(b'\n', b'\r', text)?;
    let line = text[..end].trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let named = line.get(..4).filter(|word| word.eq_ignore_ascii_case(b"sep=")).map(|_| &line[4..]);
    // White space at its end is the delimiter itself if that is a tab.
    let delimiter = match named? {
        [delimiter @ (b',' | b';' | b'|' | b'\t')] => *delimiter,
        [] if text[..end].ends_with(b"\t") => b'\t',
        _ => return None,
    };
    let both = text[end..].starts_with(b"\r\n");
    Some((end + 1 + usize::from(both), delimiter))
}

/// Whether most lines end in a line feed, and there are carriage returns that none follows.
fn mixes_line_ends(text: &[u8]) -> bool {
    let start = &text[..text.len().min(64 * 1024)];
    let (mut quoted, mut bare, mut feeds) = (false, 0, 0);
    for at in memchr::memchr3_iter(b'"', b'\r', b'\n', start) {
        match start[at] {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\n' => feeds += 1,
            _ => bare += u32::from(!matches!(text.get(at + 1), None | Some(b'\n' | b'\r'))),
        }
    }
    bare > 0 && feeds > bare
}

/// Dialects to try beside the plain one.
fn variants(quotes: QuoteAudit, cr_in_cells: bool) -> Vec<Dialect> {
    let plain = Dialect::plain(b',');
    let mut variants = Vec::new();
    if quotes.escape {
        variants.push(Dialect { backslash: true, ..plain });
    }
    if quotes.apostrophes {
        variants.push(Dialect { quote: b'\'', ..plain });
        if quotes.escape {
            variants.push(Dialect { quote: b'\'', backslash: true, ..plain });
        }
    }
    if cr_in_cells {
        variants.push(Dialect { cr_in_cells, ..plain });
    }
    variants
}

fn passed_over(lines: u64, notes: &mut Notes) {
    match lines {
        0 => {}
        1 => notes.add("1 line above the header was passed over."),
        _ => notes.add(&format!("{lines} lines above the header were passed over.")),
    }
}

/// Line numbers of something, of which the first few are kept.
#[derive(Clone, Debug, Default)]
struct Lines {
    count: u64,
    first: Vec<u64>,
}

impl Lines {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.first.len() < 3 {
            self.first.push(line);
        }
    }

    /// `line 3`, `lines 3 and 5`, `lines 3, 5, 9 and 12 more`.
    fn words(&self) -> String {
        let more = self.count - self.first.len() as u64;
        let mut parts: Vec<String> = self.first.iter().map(u64::to_string).collect();
        if more > 0 {
            parts.push(format!("{more} more"));
        }
        match parts.as_slice() {
            [only] => format!("line {only}"),
            [most @ .., last] => format!("lines {} and {last}", most.join(", ")),
            [] => "no line".to_owned(),
        }
    }
}

/// What was seen in one pass over all records.
#[derive(Clone, Debug)]
struct Survey {
    head: FileHead,
    rows: u64,
    /// Rows that have not the table's width.
    irregular: u64,
    /// Comments between rows.
    comments: u64,
    /// Records with quotes within quoted cells that are not escaped.
    strays: Lines,
    /// Records with a quote that is never closed.
    open: Lines,
    /// The first of them that has not the table's width.
    misfit: Option<u64>,
    /// Rows, and irregular ones, before the first record with an open quote.
    before: (u64, u64),
    padded: bool,
    /// By column: cells in quotes, and other cells with content.
    quoted: Vec<(u64, u64)>,
}

impl Survey {
    fn new(text: &[u8], head: &FileHead) -> Self {
        let mut survey = Self {
            rows: 0,
            irregular: 0,
            comments: 0,
            strays: Lines::default(),
            open: Lines::default(),
            misfit: None,
            before: (0, 0),
            padded: false,
            quoted: Vec::new(),
            head: head.clone(),
        };
        let mut scanner =
            DialectScanner::new(text, head.dialect, head.start, head.line, Some(&head.expected));
        let mut record = DialectRecord::default();
        while scanner.read(&mut record) {
            let blank = matches!(record.cells.as_slice(), [cell] if !cell.content.is_empty()
                && text[cell.content.clone()].trim_ascii().is_empty());
            if is_comment(text, head, &record) {
                survey.comments += 1;
            } else if !blank {
                survey.add(text, &record);
            }
        }
        survey
    }

    fn add(&mut self, text: &[u8], record: &DialectRecord) {
        let regular = record.cells.len() == self.head.expected.width;
        if record.open {
            if self.open.count == 0 {
                self.before = (self.rows, self.irregular);
            }
            self.open.add(record.line);
            self.misfit = self.misfit.or(Some(record.line).filter(|_| !regular));
        }
        if record.strays > 0 {
            self.strays.add(record.line);
        }
        self.rows += 1;
        self.irregular += u64::from(!regular);
        self.padded |= record.padded;
        if self.quoted.len() < record.cells.len() {
            self.quoted.resize(record.cells.len(), (0, 0));
        }
        for ((quoted, other), cell) in self.quoted.iter_mut().zip(&record.cells) {
            *quoted += u64::from(cell.quoted);
            let content = &text[cell.content.clone()];
            *other += u64::from(!cell.quoted && !content.trim_ascii().is_empty());
        }
    }

    /// How far the table is from regular.
    fn faults(&self) -> u64 {
        self.irregular + self.strays.count + self.open.count + self.head.titles
    }

    /// Whether this reading is clearly better than `other`.
    fn beats(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.faults(), other.faults());
        if self.head.dialect.cr_in_cells && theirs == other.head.titles {
            return false;
        }
        match (self.head.expected.width, other.head.expected.width) {
            // Without a delimiter everything is regular.
            (2.., ..=1) => return mine == self.head.titles && self.rows > 2,
            (..=1, 2..) => return false,
            _ => {}
        }
        if self.head.dialect.quote == b'\'' && mine == 0 && theirs == 0 {
            return self.quotes_whole_columns(other);
        }
        mine * 2 <= theirs && mine < theirs
    }

    /// Whether apostrophes enclose all cells of some columns and none of others, and no cell has
    /// other quotes.
    fn quotes_whole_columns(&self, other: &Self) -> bool {
        let whole = |(quoted, other): &(u64, u64)| *quoted > 1 && *other <= 1;
        self.quoted.iter().any(whole)
            && self.quoted.iter().all(|column| whole(column) || column.0 == 0)
            && other.quoted.iter().all(|(quoted, _)| *quoted == 0)
    }

    /// Whether the text must be rewritten for this reading.
    fn is_rewritten(&self) -> bool {
        let Dialect { quote, backslash, cr_in_cells, .. } = self.head.dialect;
        quote != b'"'
            || backslash
            || cr_in_cells
            || self.padded
            || self.strays.count > 0
            || self.open.count > 0
            || self.comments > 0
    }

    /// Refuses a table that is irregular from the first open quote on.
    fn refuse(&self) -> Result<(), IngestError> {
        if let Some(line) = self.misfit {
            return Err(IngestError::OpenQuote { line });
        }
        let (rows, irregular) = (self.rows - self.before.0, self.irregular - self.before.1);
        let ragged = self.before.1 * 10 > self.before.0;
        match self.open.first.first() {
            Some(&line) if !ragged && irregular * 10 > rows => Err(IngestError::OpenQuote { line }),
            _ => Ok(()),
        }
    }

    fn note(&self, notes: &mut Notes) {
        if self.head.dialect.quote == b'\'' {
            notes.add("Apostrophes around cells were read as quotes.");
        }
        if self.head.dialect.backslash {
            notes.add("Backslashes were read as escapes of the character behind them.");
        }
        if self.head.dialect.cr_in_cells {
            notes.add("Carriage returns within lines were read as part of their cells.");
        }
        match self.open.count {
            0 => {}
            1 => notes.add(&format!(
                "A quote in {} is never closed; it was read as a plain character.",
                self.open.words()
            )),
            _ => notes.add(&format!(
                "Quotes in {} are never closed; they were read as plain characters.",
                self.open.words()
            )),
        }
        if self.strays.count > 0 {
            notes.add(&format!(
                "Quotes within cells in {} were read as plain characters.",
                self.strays.words()
            ));
        }
        if self.padded {
            notes.add("Blanks around quoted cells were dropped.");
        }
        match self.comments {
            0 => {}
            1 => notes.add("1 comment line between rows was passed over."),
            count => notes.add(&format!("{count} comment lines between rows were passed over.")),
        }
    }
}
