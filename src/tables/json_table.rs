//! Profiles the table that a JSON text holds.

use serde_json::Value;

use super::json_columns::Builder;
use super::json_text::{check_depth, fields, invalid, is_lines, is_table, last, lines};
use super::profile::clip_to;
use super::refusal::{IngestError, IngestLimits};
use super::table::ParsedTable;
use crate::domain::dataset::{Column, ColumnType, Layout};

/// Maximum length of a bare string in a summary, in characters.
const MAX_SCALAR: usize = 10_000;

/// Reads all items and profiles the columns.
pub fn table(text: &str, limits: &IngestLimits) -> Result<ParsedTable, IngestError> {
    check_depth(text, limits.max_depth)?;
    let mut builder = Builder::new(text, limits.max_columns);
    let layout = match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => {
            builder.array(text)?;
            Layout::JsonArray { first_keys: builder.first_keys() }
        }
        Some(b'{') if is_lines(text) => {
            for line in lines(text) {
                builder.object(line)?;
            }
            Layout::JsonLines { first_keys: builder.first_keys() }
        }
        Some(b'{') => return object(text, limits),
        _ => {
            let value = serde_json::from_str(text).map_err(|error| invalid(text, text, &error))?;
            builder.item(text.trim_ascii())?;
            let value = match value {
                Value::String(text) => Value::String(clip_to(&text, MAX_SCALAR)),
                other => other,
            };
            Layout::JsonScalar { value: value.to_string() }
        }
    };
    Ok(builder.finish(layout))
}

/// An object: its only array of objects is the table, otherwise the object is the only row.
fn object(text: &str, limits: &IngestLimits) -> Result<ParsedTable, IngestError> {
    let mut builder = Builder::new(text, limits.max_columns);
    builder.object(text)?;
    let mut whole = builder.finish(Layout::JsonObject { keys: Vec::new(), table: None });
    let written = |column: &Column| column.reading.written.unwrap_or(column.kind);
    let keys = whole.columns.iter().map(|c| (c.source_name().to_owned(), written(c)));
    let keys: Vec<(String, ColumnType)> = keys.collect();
    let fields = fields(text).map_err(|error| invalid(text, text, &error))?;
    let mut tables = keys.iter().filter_map(|(key, kind)| {
        let items = if *kind == ColumnType::Array { last(&fields, key)? } else { return None };
        is_table(items).then_some((key.clone(), items))
    });
    if let (Some((key, items)), None) = (tables.next(), tables.next()) {
        let mut builder = Builder::new(text, limits.max_columns);
        builder.array(items)?;
        return Ok(builder.finish(Layout::JsonObject { keys, table: Some(key) }));
    }
    whole.layout = Layout::JsonObject { keys, table: None };
    Ok(whole)
}
