//! Keyword search over all values: which rows contain a text, in any case?
//!
//! The bytes of the file are searched first, for the longest run of ASCII in the query. Only rows
//! in which that occurs are looked at value by value; not even these where each stands on a line
//! of its own and the query has nothing that delimits or is escaped.

use std::ops::ControlFlow;

use memchr::{memchr, memrchr};
use serde_json::{Map, Value};

use super::needle::{Hits, Needle};
use super::rows::Keys;
use super::{csv_text, json_text};
use crate::domain::dataset::{Column, Dataset, Layout};

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchResult {
    /// The rows asked for: `{column: text}` of delimited text (null where a record is too short),
    /// the items of JSON as they are in the file.
    pub rows: Vec<Value>,
    /// How many rows match in the whole file.
    pub total: u64,
    /// The columns that were searched, as the file names them.
    pub searched: Vec<String>,
}

/// Why a search cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A column is named that the file does not have.
    #[error("The file has no such column.")]
    UnknownColumn,
}

/// Finds the rows that contain `query` in any value, or in one of `columns`, and gives back `limit`
/// of them from the `offset`th on. An empty query is in every row. `text` is what
/// [`super::ingest::ingest`] gave back with `dataset`.
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
        let at = place(&dataset.columns, name).ok_or(SearchError::UnknownColumn)?;
        wanted[at] = true;
    }
    let needle = Needle::new(query);
    let found = Found { offset, limit, result: SearchResult::default() };
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
    let searched = dataset.columns.iter().zip(wanted).filter(|(_, wanted)| *wanted);
    result.searched = searched.map(|(column, _)| column.source_name().to_owned()).collect();
    Ok(result)
}

fn place(columns: &[Column], name: &str) -> Option<usize> {
    let by_key = columns.iter().position(|column| column.source_name() == name);
    by_key.or_else(|| columns.iter().position(|column| column.name == name))
}

struct Search<'a> {
    dataset: &'a Dataset,
    needle: &'a Needle,
    wanted: &'a [bool],
    found: Found,
}

/// Matches so far.
struct Found {
    offset: usize,
    limit: usize,
    result: SearchResult,
}

impl Found {
    /// Counts a match, and keeps it if it was asked for.
    fn add(&mut self, row: impl FnOnce() -> Value) {
        let skipped = self.result.total < self.offset as u64;
        self.result.total += 1;
        if !skipped && self.result.rows.len() < self.limit {
            self.result.rows.push(row());
        }
    }
}

impl Search<'_> {
    /// Each hit is a match: it is within one cell, since it has no delimiter and no quote.
    fn lines(&mut self, text: &[u8], delimiter: u8, mut hits: Hits<'_>) {
        let mut at = csv_text::header_end(text, delimiter);
        while let Some(hit) = hits.from(at) {
            // With the line's end: a quote that is never closed takes it into its cell.
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

    /// Records may span lines, or a hit must be looked at.
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
            // Also a row without cells contains the empty text.
            if matches || (record.is_empty() && self.needle.is_in(b"")) {
                self.found.add(|| record_row(self.dataset, record));
            }
            ControlFlow::Continue(())
        });
    }

    fn items(&mut self, text: &str, mut hits: Option<Hits<'_>>) {
        let keys = Keys::new(&self.dataset.columns);
        json_text::each_row(&self.dataset.layout, text, &mut |item| {
            let start = (item.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let may = hits.as_mut().is_none_or(|hits| {
                hits.from(start).is_some_and(|hit| hit < start + item.len())
                    // What is escaped looks different in the file.
                    || memchr(b'\\', item.as_bytes()).is_some()
            });
            if may && self.in_item(&keys, item) {
                self.found.add(|| serde_json::from_str(item).unwrap_or_default());
            }
            ControlFlow::Continue(())
        });
    }

    fn in_item(&self, keys: &Keys<'_>, item: &str) -> bool {
        let mut values: Vec<Option<&str>> = vec![None; self.wanted.len()];
        keys.each_field(item, |at, json| values[at] = Some(json));
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

    /// Whether it is in any value in here; keys are not searched.
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
