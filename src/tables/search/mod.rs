//! Keyword search over all values: the rows that contain a text, regardless of case.
//!
//! The bytes of the file are searched first, for the longest run of ASCII in the query. Only rows
//! that contain it are examined value by value, and not even these if each is on a line of its own
//! and the query has no characters that delimit or are escaped.

use std::ops::ControlFlow;

use memchr::{memchr, memrchr};
use serde_json::{Map, Value};

use super::json_fields::FieldColumns;
use super::needle::{Hits, Needle};
use super::{csv_text, json_text};
use crate::domain::dataset::{Column, Dataset, Layout};

/// The result of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResult {
    /// The requested rows: `{column: text}` for delimited text (null if a record is too short), the
    /// items of JSON as they are in the file.
    pub rows: Vec<Value>,
    /// The number of matching rows in the whole file.
    pub total: u64,
    /// The columns that were searched, as the file names them.
    pub searched: Vec<String>,
}

/// Why a search is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The file has no such column.
    #[error("The file has no such column.")]
    UnknownColumn,
}

/// Finds the rows that contain `query` in any value, or in one of `columns`, and returns `limit` of
/// them from the `offset`th on. An empty query matches every row. `text` is what
/// [`super::ingest::ingest`] returned with `dataset`.
pub fn search(
    dataset: &Dataset,
    text: &[u8],
    query: &str,
    columns: Option<&[String]>,
    offset: usize,
    limit: usize,
) -> Result<SearchResult, SearchError> {
    let mut wanted = vec![columns.is_none(); dataset.columns.len()];
    for name in columns.unwrap_or_default() {
        if !choose(&dataset.columns, name, &mut wanted) {
            return Err(SearchError::UnknownColumn);
        }
    }
    let needle = Needle::new(query);
    let found = Matches { offset, limit, result: SearchResult::default() };
    let mut search = Search { dataset, needle: &needle, wanted: &wanted, found };
    match dataset.layout {
        Layout::Csv { delimiter, line_rows } => {
            let plain = needle.is_plain() && !needle.has(delimiter);
            match needle.hits(text) {
                Some(hits) if line_rows && columns.is_none() && plain => {
                    search.lines(text, delimiter, hits);
                }
                hits => search.records(text, delimiter, hits),
            }
        }
        _ => {
            if let Ok(text) = std::str::from_utf8(text) {
                search.items(text, needle.hits(text.as_bytes()));
            }
        }
    }
    let mut result = search.found.result;
    result.searched = searched(&dataset.columns, &wanted);
    Ok(result)
}

/// Marks the columns of that name: a column, or all columns of a field of JSON items. Returns
/// whether there are any.
fn choose(columns: &[Column], name: &str, wanted: &mut [bool]) -> bool {
    let mut mark = |is_it: &dyn Fn(&Column) -> bool| {
        let mut any = false;
        for (_, wanted) in columns.iter().zip(&mut *wanted).filter(|(column, _)| is_it(column)) {
            *wanted = true;
            any = true;
        }
        any
    };
    mark(&|column| column.source_name() == name || column.field() == name)
        || mark(&|column| column.name == name)
}

/// The names of the columns that were searched, or of their field if all of its columns were.
fn searched(columns: &[Column], wanted: &[bool]) -> Vec<String> {
    let all: Vec<(&Column, bool)> = columns.iter().zip(wanted.iter().copied()).collect();
    let mut names = Vec::new();
    for field in all.chunk_by(|(a, _), (b, _)| a.field() == b.field()) {
        if field.iter().all(|(_, wanted)| *wanted) {
            names.extend(field.first().map(|(column, _)| column.field().to_owned()));
        } else {
            let some = field.iter().filter(|(_, wanted)| *wanted);
            names.extend(some.map(|(column, _)| column.source_name().to_owned()));
        }
    }
    names
}

struct Search<'a> {
    dataset: &'a Dataset,
    needle: &'a Needle,
    wanted: &'a [bool],
    found: Matches,
}

/// Matches so far.
struct Matches {
    offset: usize,
    limit: usize,
    result: SearchResult,
}

impl Matches {
    /// Counts a match, and keeps it if it was requested.
    fn add(&mut self, row: impl FnOnce() -> Value) {
        let skipped = self.result.total < self.offset as u64;
        self.result.total += 1;
        if !skipped && self.result.rows.len() < self.limit {
            self.result.rows.push(row());
        }
    }
}

impl Search<'_> {
    /// Each hit is a match unless a mark changes its last letter: it lies within one cell, since it
    /// has no delimiter and no quote.
    fn lines(&mut self, text: &[u8], delimiter: u8, mut hits: Hits<'_>) {
        let mut at = csv_text::header_end(text, delimiter);
        while let Some(hit) = hits.from(at) {
            if Needle::goes_on(&text[hit + self.needle.len()..]) {
                at = hit + 1;
                continue;
            }
            // With the line end, which belongs to the cell if a quote is never closed.
            let end = memchr(b'\n', &text[hit..]).map_or(text.len(), |length| hit + length + 1);
            let dataset = self.dataset;
            self.found.add(|| {
                let start = memrchr(b'\n', &text[..hit]).map_or(0, |before| before + 1);
                let mut reader = csv_text::reader(&text[start..end], delimiter);
                let mut record = csv::ByteRecord::new();
                let _ = reader.read_byte_record(&mut record);
                record_row(dataset, &record)
            });
            at = end;
        }
    }

    /// Records may span lines, or hits must be verified.
    fn records(&mut self, text: &[u8], delimiter: u8, mut hits: Option<Hits<'_>>) {
        csv_text::for_each_record(text, delimiter, |record, start, end| {
            if let Some(hits) = &mut hits {
                match hits.from(start) {
                    None => return ControlFlow::Break(()),
                    Some(hit) if hit >= end => return ControlFlow::Continue(()),
                    Some(_) => {}
                }
            }
            let matches = record
                .iter()
                .zip(self.wanted)
                .any(|(cell, wanted)| *wanted && self.needle.is_in(cell));
            // A row without cells contains the empty text too.
            if matches || (record.is_empty() && self.needle.is_in(b"")) {
                self.found.add(|| record_row(self.dataset, record));
            }
            ControlFlow::Continue(())
        });
    }

    fn items(&mut self, text: &str, mut hits: Option<Hits<'_>>) {
        let fields = FieldColumns::new(&self.dataset.columns);
        json_text::each_row(&self.dataset.layout, text, &mut |item| {
            let start = (item.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let may = hits.as_mut().is_none_or(|hits| {
                hits.from(start).is_some_and(|hit| hit < start + item.len())
                    // Escaped characters look different in the file.
                    || memchr(b'\\', item.as_bytes()).is_some()
            });
            if may && self.in_item(&fields, item) {
                self.found.add(|| serde_json::from_str(item).unwrap_or_default());
            }
            ControlFlow::Continue(())
        });
    }

    fn in_item(&self, fields: &FieldColumns, item: &str) -> bool {
        let mut values: Vec<Option<&str>> = vec![None; self.wanted.len()];
        fields.each_field(item, &mut |at, json| values[at] = Some(json));
        let wanted = values.into_iter().zip(self.wanted);
        self.needle.is_in(b"")
            || wanted.filter_map(|(json, wanted)| json.filter(|_| *wanted)).any(|json| {
                match json.as_bytes().first() {
                    Some(b'{' | b'[') => {
                        serde_json::from_str(json).is_ok_and(|value| self.in_value(&value))
                    }
                    _ => match json_text::leaf(json) {
                        Ok(Some((_, text))) => self.needle.is_in(text.as_bytes()),
                        _ => false,
                    },
                }
            })
    }

    /// Whether any value in here contains it; keys are not searched.
    fn in_value(&self, value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Bool(true) => self.needle.is_in(b"true"),
            Value::Bool(false) => self.needle.is_in(b"false"),
            Value::Number(number) => self.needle.is_in(number.to_string().as_bytes()),
            Value::String(text) => self.needle.is_in(text.as_bytes()),
            Value::Array(items) => items.iter().any(|item| self.in_value(item)),
            Value::Object(map) => map.values().any(|item| self.in_value(item)),
        }
    }
}

/// A record as `{column: text}`.
fn record_row(dataset: &Dataset, record: &csv::ByteRecord) -> Value {
    let cells = dataset.columns.iter().enumerate().map(|(at, column)| {
        let text = record.get(at).map(|cell| String::from_utf8_lossy(cell).into_owned());
        (column.name.clone(), text.into())
    });
    Value::Object(cells.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests;
