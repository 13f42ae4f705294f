//! Delimited text in the form of RFC 4180: its columns, and one pass over all records.

use std::ops::ControlFlow;

use memchr::memchr_iter;

use super::header;
use super::notes::Notes;
use super::profile::{Profile, clip_to, dictionary_limit, is_blank};
use super::refusal::IngestError;
use super::table::{ParsedTable, SAMPLE_CHARS, SAMPLE_ROWS};
use super::typing::{self, Untyped};
use crate::domain::dataset::Layout;

/// Text longer than this, in bytes, is read by two threads.
const SPLIT: usize = 1024 * 1024;

/// A reader of records of any width, the header among them.
pub fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(64 * 1024)
        .from_reader(text)
}

/// Whether a record is a line of nothing but white space, which does not count as a row.
pub fn is_blank_line(record: &csv::ByteRecord) -> bool {
    record.len() == 1 && record.get(0).is_some_and(|cell| !cell.is_empty() && is_blank(cell))
}

/// Calls `f` with every row after the header, and the range of bytes it occupies including blank
/// lines before it, until `f` breaks.
pub fn for_each_record(
    text: &[u8],
    delimiter: u8,
    mut f: impl FnMut(&csv::ByteRecord, usize, usize) -> ControlFlow<()>,
) {
    let mut reader = reader(text, delimiter);
    let mut record = csv::ByteRecord::new();
    let mut header = true;
    let mut start = 0;
    while let Ok(true) = reader.read_byte_record(&mut record) {
        let end = position(&reader, text);
        let row = !is_blank_line(&record) && !std::mem::take(&mut header);
        if row && f(&record, start, end).is_break() {
            break;
        }
        start = end;
    }
}

/// The position of the first byte after the header.
pub fn header_end(text: &[u8], delimiter: u8) -> usize {
    let mut end = text.len();
    for_each_record(text, delimiter, |_, start, _| {
        end = start;
        ControlFlow::Break(())
    });
    end
}

/// How many bytes of `text` a reader has consumed.
fn position(reader: &csv::Reader<&[u8]>, text: &[u8]) -> usize {
    usize::try_from(reader.position().byte()).unwrap_or(text.len()).min(text.len())
}

/// Reads all records and profiles the columns.
pub fn table(text: &[u8], delimiter: u8, max_columns: usize) -> Result<ParsedTable, IngestError> {
    let mut reader = reader(text, delimiter);
    let mut record = csv::ByteRecord::new();
    let mut records = 0;
    loop {
        if !reader.read_byte_record(&mut record).map_err(|_| IngestError::NotText)? {
            return Err(IngestError::Empty);
        }
        records += 1;
        if !is_blank_line(&record) {
            break;
        }
    }
    let header = record.clone();
    if header.len() > max_columns {
        return Err(IngestError::TooManyColumns(max_columns));
    }
    let start = position(&reader, text);
    let pass = CsvReader { text, delimiter, width: header.len(), max_columns };
    let mut part = pass.run(start)?;
    part.records += records;
    while part.profiles.len() > header.len() && part.profiles.last().is_some_and(Profile::is_empty)
    {
        part.profiles.pop();
    }
    let names = header::names(&header, part.profiles.len());
    let untyped = names.into_iter().zip(part.profiles);
    let untyped = untyped.map(|(name, profile)| Untyped { name, key: None, profile }).collect();
    let line_rows = has_line_rows(text, part.records);
    let layout = Layout::Csv { delimiter, line_rows };
    let mut notes = Notes::default();
    let columns = typing::columns(untyped, part.rows, Some(delimiter), &mut notes);
    Ok(ParsedTable { layout, columns, rows: part.rows, sample: part.sample, notes })
}

/// Whether each of `records` is exactly one line: none has a line break within quotes. False for a
/// file with blank lines too, since these are not records.
fn has_line_rows(text: &[u8], records: u64) -> bool {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = memchr_iter(b'\n', text).count() as u64 + 1;
    let bare = |at: usize| text.get(at + 1).is_some_and(|next| *next != b'\n');
    lines == records && !memchr_iter(b'\r', text).any(bare)
}

/// One pass over the records, on two threads if the text is long.
struct CsvReader<'a> {
    text: &'a [u8],
    delimiter: u8,
    /// Columns of the header.
    width: usize,
    max_columns: usize,
}

/// What was learned of the records that begin in a range of bytes.
struct CsvSection {
    profiles: Vec<Profile>,
    rows: u64,
    /// Rows and blank lines.
    records: u64,
    sample: Vec<Vec<Option<String>>>,
    /// The start of the first record that was not read.
    end: usize,
}

impl CsvReader<'_> {
    fn run(&self, start: usize) -> Result<CsvSection, IngestError> {
        let Some(middle) = self.middle(start) else { return self.part(start, self.text.len()) };
        let (first, second) = std::thread::scope(|scope| {
            let second = std::thread::Builder::new()
                .name("ingest".to_owned())
                .spawn_scoped(scope, || self.part(middle, self.text.len()));
            (self.part(start, middle), second.ok().and_then(|thread| thread.join().ok()))
        });
        let mut first = first?;
        // The middle was a guess; only now is it known whether a record begins there.
        let rest = match second {
            Some(second) if first.end == middle => second?,
            _ => self.part(first.end, self.text.len())?,
        };
        first.append(rest, || self.profile());
        Ok(first)
    }

    /// About the middle of a long text, after a line feed that appears to be outside quotes.
    fn middle(&self, start: usize) -> Option<usize> {
        let rest = self.text.get(start..).filter(|rest| rest.len() > SPLIT)?;
        let half = rest.len() / 2;
        let mut quoted = memchr_iter(b'"', &rest[..half]).count() % 2 == 1;
        let found = memchr::memchr2_iter(b'"', b'\n', &rest[half..]).find(|at| {
            let quote = rest[half + at] == b'"';
            quoted ^= quote;
            !quote && !quoted
        });
        found.map(|at| start + half + at + 1)
    }

    fn profile(&self) -> Profile {
        Profile::delimited(dictionary_limit(self.width))
    }

    /// The records that begin in `start..end`.
    fn part(&self, start: usize, end: usize) -> Result<CsvSection, IngestError> {
        let mut profiles: Vec<Profile> = Vec::new();
        profiles.resize_with(self.width, || self.profile());
        let mut part = CsvSection { profiles, rows: 0, records: 0, sample: Vec::new(), end };
        let rest = self.text.get(start..).unwrap_or_default();
        let mut reader = reader(rest, self.delimiter);
        let mut record = csv::ByteRecord::new();
        loop {
            let at = start + position(&reader, rest);
            // The reader reports a record that ends with CR LF as ending before the LF.
            let at = at + usize::from(at + 1 == end && self.text.get(at) == Some(&b'\n'));
            if at >= end {
                part.end = at;
                break;
            }
            if !reader.read_byte_record(&mut record).map_err(|_| IngestError::NotText)? {
                part.end = self.text.len();
                break;
            }
            part.records += 1;
            if !is_blank_line(&record) {
                self.row(&record, &mut part)?;
            }
        }
        Ok(part)
    }

    #[inline]
    fn row(&self, record: &csv::ByteRecord, part: &mut CsvSection) -> Result<(), IngestError> {
        if record.len() > part.profiles.len() {
            if record.len() > self.max_columns {
                return Err(IngestError::TooManyColumns(self.max_columns));
            }
            part.profiles.resize_with(record.len(), || self.profile());
        }
        for (profile, cell) in part.profiles.iter_mut().zip(record) {
            profile.add(cell);
        }
        if part.sample.len() < SAMPLE_ROWS {
            let text = |cell| Some(clip_to(&String::from_utf8_lossy(cell), SAMPLE_CHARS));
            part.sample.push(record.iter().map(text).collect());
        }
        part.rows += 1;
        Ok(())
    }
}

impl CsvSection {
    fn append(&mut self, rest: Self, profile: impl FnMut() -> Profile) {
        if rest.profiles.len() > self.profiles.len() {
            self.profiles.resize_with(rest.profiles.len(), profile);
        }
        for (mine, theirs) in self.profiles.iter_mut().zip(rest.profiles) {
            mine.merge(theirs);
        }
        self.rows += rest.rows;
        self.records += rest.records;
        self.sample.extend(rest.sample);
        self.sample.truncate(SAMPLE_ROWS);
    }
}
