//! The top of a file: which delimiter, and what stands above the header.

use super::scan::{Dialect, DialectRecord, DialectScanner};
use super::shape::{Expected, is_numeric, is_year};

/// Delimiters to try; the first wins if several fit equally well.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How much text is examined: bytes and records.
const PROBE_BYTES: usize = 64 * 1024;
const PROBE_RECORDS: usize = 200;
/// Maximum number of records above a header.
const MAX_ABOVE: usize = 50;

/// Where the table begins, and its shape.
#[derive(Clone, Debug)]
pub struct FileHead {
    /// How cells are delimited and quoted.
    pub dialect: Dialect,
    /// First byte of the header.
    pub start: usize,
    /// Number of the header's line, from 1.
    pub line: u64,
    /// Lines with content above the header.
    pub above: u64,
    /// Those of them that are neither comments nor empty cells.
    pub titles: u64,
    /// Comments that start with `#` stand above the header.
    pub comments: bool,
    /// The shape of a record.
    pub expected: Expected,
}

/// A record of the sample.
struct Row<'a> {
    cells: Vec<&'a [u8]>,
    start: usize,
    line: u64,
    lines: u64,
    filled: usize,
    /// A blank line, or a row of empty cells, stands before it.
    gap: bool,
    comment: bool,
    whole: bool,
}

impl Row<'_> {
    /// A sentence: each comma has a blank behind it.
    fn is_prose(&self) -> bool {
        self.cells.iter().skip(1).all(|cell| cell.starts_with(b" "))
    }
}

/// One way to read the top of a file.
struct HeadReading {
    head: FileHead,
    /// Share of the records that have the header's width.
    share: f64,
    /// The same with titles above the header counted as records of another width.
    weighed: f64,
    width: usize,
    /// The header has words above a column of numbers.
    typed: bool,
}

/// Judges the text from `from`, which is the start of a line, with the delimiter `fixed` if the
/// file names one. `dialect` tells how cells are quoted.
pub fn judge(text: &[u8], dialect: Dialect, from: usize, fixed: Option<u8>) -> FileHead {
    let first = Dialect { delimiter: fixed.unwrap_or(b','), ..dialect };
    let mut plain: Option<HeadReading> = None;
    let mut below: Vec<HeadReading> = Vec::new();
    for delimiter in DELIMITERS {
        if fixed.is_some_and(|fixed| fixed != delimiter) {
            continue;
        }
        let dialect = Dialect { delimiter, ..dialect };
        let rows = sample(text, dialect, from);
        let reading = reading(&rows, 0, dialect);
        if let Some(at) = header_below(&rows, delimiter) {
            below.extend(self::reading(&rows, at, dialect));
        }
        let Some(reading) = reading else { continue };
        let (best_share, best_width) =
            plain.as_ref().map_or((0.0, 1), |best| (best.share, best.width));
        let better = reading.share > best_share
            || (reading.share >= best_share && reading.width > best_width);
        if fixed.is_some() || (reading.width > 1 && better) {
            plain = Some(reading);
        }
    }
    let clear = |reading: &HeadReading| {
        plain.as_ref().is_none_or(|plain| {
            (reading.weighed >= plain.share
                && (plain.share + 0.2 <= reading.share
                    || (reading.typed && plain.share < reading.share)))
                || plain.head.dialect.delimiter == reading.head.dialect.delimiter
        })
    };
    below.retain(clear);
    let best = below.into_iter().reduce(|best, other| {
        let rank = |reading: &HeadReading| (reading.width > 1, reading.weighed, reading.width);
        if rank(&other) > rank(&best) { other } else { best }
    });
    best.or(plain).or_else(|| reading(&sample(text, first, from), 0, first)).map_or_else(
        || FileHead {
            dialect: first,
            start: from,
            line: 1,
            above: 0,
            titles: 0,
            comments: false,
            expected: Expected::default(),
        },
        |reading| reading.head,
    )
}

/// The first records; lines of white space are left out.
fn sample(text: &[u8], dialect: Dialect, from: usize) -> Vec<Row<'_>> {
    let line = 1 + u64::from(from > 0);
    let mut scanner = DialectScanner::new(text, dialect, from, line, None);
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut record = DialectRecord::default();
    let (mut end, mut gap) = (from, false);
    while rows.len() < PROBE_RECORDS && end < from + PROBE_BYTES && scanner.read(&mut record) {
        gap |= record.bytes.start > end;
        end = record.bytes.end;
        let cells: Vec<&[u8]> =
            record.cells.iter().map(|cell| &text[cell.content.clone()]).collect();
        let filled = cells.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
        let blank = matches!(cells.as_slice(), [cell] if !cell.is_empty());
        if filled == 0 && blank {
            gap = true;
            continue;
        }
        rows.push(Row {
            comment: text[record.bytes.start..].starts_with(b"#"),
            start: record.bytes.start,
            line: record.line,
            lines: record.breaks + 1,
            gap: gap && !rows.is_empty(),
            whole: record.breaks == 0 && !record.open,
            filled,
            cells,
        });
        gap = filled == 0;
    }
    rows
}

/// The table whose header is row `at`.
fn reading(rows: &[Row<'_>], at: usize, dialect: Dialect) -> Option<HeadReading> {
    let header = rows.get(at)?;
    let width = header.cells.len();
    let body = &rows[at..];
    let even = body.iter().filter(|row| row.cells.len() == width).count();
    let above = || rows[..at].iter().filter(|row| row.filled > 0 || row.cells.len() > 1);
    let titles = above().filter(|row| row.filled > 0 && !row.comment).count();
    Some(HeadReading {
        share: even as f64 / body.len() as f64,
        weighed: even as f64 / (body.len() + titles) as f64,
        width,
        typed: at > 0 && is_typed_header(rows, at),
        head: FileHead {
            dialect,
            start: header.start,
            line: header.line,
            titles: titles as u64,
            above: above().map(|row| row.lines).sum(),
            comments: rows[..at].iter().any(|row| row.comment),
            expected: expected(body),
        },
    })
}

/// The most frequent width of `body`, whose first row is the header, and its columns of numbers.
fn expected(body: &[Row<'_>]) -> Expected {
    let header = body.first().map_or(0, |row| row.cells.len());
    let count = |width| body.iter().filter(|row| row.cells.len() == width).count();
    let width = match most_frequent(body.iter().filter(|row| row.filled > 0)) {
        Some(width) if count(width) > count(header) => width,
        _ => header,
    };
    let rows: Vec<&Row<'_>> =
        body.iter().skip(1).filter(|row| row.cells.len() == width && row.whole).collect();
    let numeric = if rows.len() < 2 {
        Vec::new()
    } else {
        (0..width).map(|at| is_column_of_numbers(rows.iter().map(|row| row.cells[at]))).collect()
    };
    Expected { width, numeric }
}

/// The most frequent width, the greater one of two.
fn most_frequent<'a>(rows: impl Iterator<Item = &'a Row<'a>>) -> Option<usize> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(width, _)| *width == row.cells.len()) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.cells.len(), 1)),
        }
    }
    counts.into_iter().max_by_key(|(width, count)| (*count, *width)).map(|(width, _)| width)
}

/// Nine of ten cells that are not blank, and at least one.
fn is_column_of_numbers<'a>(cells: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut filled, mut numbers) = (0, 0);
    for cell in cells.filter(|cell| !cell.trim_ascii().is_empty()) {
        filled += 1;
        numbers += usize::from(is_numeric(cell));
    }
    filled > 0 && numbers * 10 >= filled * 9
}

/// The header's row, if clearly there is something else above it.
fn header_below(rows: &[Row<'_>], delimiter: u8) -> Option<usize> {
    let widths: Vec<&Row<'_>> = rows.iter().filter(|row| row.cells.len() > 1).collect();
    if widths.is_empty() {
        return below_comments(rows);
    }
    below_titles(rows, delimiter).or_else(|| below_gap(rows))
}

/// A single column below comments; `#name` may be its header, `# exported at noon` is not.
fn below_comments(rows: &[Row<'_>]) -> Option<usize> {
    let at = rows.iter().take(MAX_ABOVE).position(|row| !row.comment).filter(|at| *at > 0)?;
    let sentence = |row: &Row<'_>| row.cells[0].trim_ascii().contains(&b' ');
    rows[..at].iter().all(sentence).then_some(at)
}

/// Below titles, comments and empty rows: the first row that fills the table's width.
fn below_titles(rows: &[Row<'_>], delimiter: u8) -> Option<usize> {
    let width = most_frequent(rows.iter().filter(|row| row.cells.len() > 1))?;
    let at = rows.iter().take(MAX_ABOVE).enumerate().find_map(|(at, row)| {
        let full = row.cells.len() == width && row.filled * 5 >= width * 3;
        let comment = row.comment && (!full || is_typed_header(rows, at + 1));
        if row.filled == 0 || comment {
            return None;
        }
        if full && row.filled > 1 && is_header(row) {
            return Some(Some(at));
        }
        let title =
            row.filled <= (width / 2).max(1) || (row.cells.len() != width && row.is_prose());
        let apart = rows[at + 1..].iter().take(20).any(|row| row.gap);
        let label = || row.cells.iter().any(|cell| is_numeric(cell) || cell.ends_with(b":"));
        if title || (apart && (row.filled < width || label())) { None } else { Some(None) }
    })??;
    let (above, body) = (&rows[..at], rows.get(at + 1..).filter(|body| !body.is_empty())?);
    let even = body.iter().filter(|row| row.cells.len() == width).count();
    // Nothing but comments and empty rows needs no other proof.
    let share = if above.iter().all(|row| row.comment || row.filled == 0) { 2 } else { 4 };
    if above.is_empty() || even * 5 < body.len() * share {
        return None;
    }
    let titles = above.iter().all(|row| row.filled <= 1 || row.comment || row.is_prose());
    let prose = rows[at].is_prose();
    let shape = titles && (delimiter != b',' || (width > 2 && !prose));
    let apart = rows[at].gap || above.iter().any(|row| row.gap || row.comment || row.filled == 0);
    (shape || apart || is_typed_header(rows, at)).then_some(at)
}

/// Below a block of rows as wide as the table, such as `Account;12345`, and a blank line.
fn below_gap(rows: &[Row<'_>]) -> Option<usize> {
    let at = rows.iter().take(MAX_ABOVE).position(|row| row.gap)?;
    let (above, row, body) = (&rows[..at], &rows[at], &rows[at + 1..]);
    let width = row.cells.len();
    let even = body.iter().filter(|row| row.cells.len() == width).count();
    let fits = row.filled > 1
        && is_header(row)
        && body.len() >= above.len().max(2)
        && even * 10 >= body.len() * 9
        && above.iter().all(|row| row.filled <= width);
    if !fits {
        return None;
    }
    // A column of numbers here, but not above.
    let typed = (0..width).any(|column| {
        let cell = |row: &Row<'_>| row.cells.get(column).is_some_and(|cell| is_numeric(cell));
        let numbers =
            is_column_of_numbers(body.iter().filter_map(|row| row.cells.get(column).copied()));
        numbers && above.iter().filter(|row| cell(row)).count() * 2 <= above.len()
    });
    typed.then_some(at)
}

/// Whether the cells could be the names of columns: distinct, and no numbers but years.
fn is_header(row: &Row<'_>) -> bool {
    let mut names: Vec<&[u8]> =
        row.cells.iter().map(|cell| cell.trim_ascii()).filter(|name| !name.is_empty()).collect();
    let first = row.cells.first().is_some_and(|cell| !is_numeric(cell));
    let words = names.iter().all(|name| !is_numeric(name) || is_year(name));
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    first && words && names.len() == count
}

/// Whether row `at` could be a header and has a column of numbers below.
fn is_typed_header(rows: &[Row<'_>], at: usize) -> bool {
    let Some(header) = rows.get(at).filter(|row| row.filled > 1 && is_header(row)) else {
        return false;
    };
    let body: Vec<&Row<'_>> =
        rows[at + 1..].iter().filter(|row| row.cells.len() == header.cells.len()).collect();
    header.cells.iter().enumerate().any(|(column, name)| {
        !name.trim_ascii().is_empty()
            && !is_numeric(name)
            && is_column_of_numbers(body.iter().map(|row| row.cells[column]))
    })
}
