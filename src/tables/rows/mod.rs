//! The rows of table `data`, with each value converted by its column's type.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::json_fields::FieldColumns;
use super::profile::{is_blank, number};
use super::{csv_text, dates, json_text, values};
use crate::domain::dataset::{Column, ColumnType, Dataset, Layout};

/// A value of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value: a blank or missing cell, JSON's null, and `NA`, `n/a`, `null`, `-` and the like
    /// in a column whose other values are numbers, dates or booleans.
    Null,
    /// A number of a column of whole numbers.
    Int(i64),
    /// A number of any other number column.
    Real(f64),
    /// `true` or `yes`, `false` or `no`.
    Bool(bool),
    /// Text; dates as ISO 8601 (`2012-01-31`, `2012-01-31T12:00:00`, in UTC with `Z` where an
    /// offset was given), nested JSON as compact JSON.
    Text(Cow<'a, str>),
}

/// Calls `f` with every row, one cell per column of `dataset`, until it breaks. `text` is what
/// [`super::ingest::ingest`] returned with `dataset`.
pub fn for_each_row(
    dataset: &Dataset,
    text: &[u8],
    f: &mut dyn FnMut(&[Cell<'_>]) -> ControlFlow<()>,
) {
    if let Layout::Csv { delimiter, .. } = dataset.layout {
        let mut spare = Vec::with_capacity(dataset.columns.len());
        csv_text::for_each_record(text, delimiter, |record, _, _| {
            let mut row = recycle(std::mem::take(&mut spare));
            row.extend(
                dataset.columns.iter().enumerate().map(|(at, column)| cell(column, record.get(at))),
            );
            let flow = f(&row);
            spare = recycle(row);
            flow
        });
        return;
    }
    let Ok(text) = std::str::from_utf8(text) else { return };
    let fields = FieldColumns::new(&dataset.columns);
    json_text::each_row(&dataset.layout, text, &mut |item| {
        let mut row = vec![Cell::Null; dataset.columns.len()];
        fields.each_field(item, &mut |at, json| row[at] = json_cell(&dataset.columns[at], json));
        f(&row)
    });
}

/// Reuses the memory of a vector for cells with another lifetime.
fn recycle<'b>(mut row: Vec<Cell<'_>>) -> Vec<Cell<'b>> {
    row.clear();
    row.into_iter().map(|_| Cell::Null).collect()
}

/// A cell of delimited text; `None` where the record is too short.
fn cell<'a>(column: &Column, bytes: Option<&'a [u8]>) -> Cell<'a> {
    let Some(bytes) = bytes.filter(|bytes| !is_blank(bytes)) else { return Cell::Null };
    typed(column, bytes).unwrap_or_else(|| Cell::Text(String::from_utf8_lossy(bytes)))
}

/// The value by the type of its column; `None` for plain text.
fn typed<'a>(column: &Column, bytes: &'a [u8]) -> Option<Cell<'a>> {
    let text = bytes.trim_ascii();
    match column.kind {
        ColumnType::Number => Some(match number(text, column.reading) {
            Some(values::Number { whole: Some(whole), .. }) if column.reading.integer => {
                Cell::Int(whole)
            }
            Some(number) => Cell::Real(number.value),
            // Only words for "no value" remain, or JSON numbers that underflow.
            None => json_number(text).map_or(Cell::Null, Cell::Real),
        }),
        ColumnType::Boolean => Some(values::boolean(text).map_or(Cell::Null, Cell::Bool)),
        ColumnType::Date => {
            let date = dates::read(text).and_then(|date| date.date(column.reading.day_first));
            Some(match date {
                // Most are already in this form and need no new text.
                Some(_) if is_iso_date(text) => Cell::Text(String::from_utf8_lossy(text)),
                Some(date) => Cell::Text(date.to_string().into()),
                None => Cell::Null,
            })
        }
        ColumnType::Empty => Some(Cell::Null),
        ColumnType::String | ColumnType::Object | ColumnType::Array => None,
    }
}

fn is_iso_date(text: &[u8]) -> bool {
    matches!(text, [_, _, _, _, b'-', _, _, b'-', _, _])
}

fn json_number(text: &[u8]) -> Option<f64> {
    serde_json::from_slice(text).ok().filter(|number: &f64| number.is_finite())
}

fn json_cell<'a>(column: &Column, json: &'a str) -> Cell<'a> {
    match json_text::leaf(json) {
        Ok(Some((_, Cow::Borrowed(text)))) => {
            typed(column, text.as_bytes()).unwrap_or(Cell::Text(Cow::Borrowed(text)))
        }
        Ok(Some((_, Cow::Owned(text)))) => match typed(column, text.as_bytes()) {
            Some(Cell::Text(typed)) => Cell::Text(Cow::Owned(typed.into_owned())),
            Some(Cell::Int(number)) => Cell::Int(number),
            Some(Cell::Real(number)) => Cell::Real(number),
            Some(Cell::Bool(value)) => Cell::Bool(value),
            Some(Cell::Null) => Cell::Null,
            None => Cell::Text(Cow::Owned(text)),
        },
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests;
