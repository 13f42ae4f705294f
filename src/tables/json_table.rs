//! Profiles the table that a JSON text holds.

use std::collections::HashMap;

use serde_json::Value;

use super::json_columns::Builder;
use super::json_fields::MAX_LEVELS;
use super::json_text::{check_depth, fields, invalid, is_lines, lines, table_rows};
use super::profile::clip_to;
use super::refusal::{IngestError, IngestLimits};
use super::table::ParsedTable;
use crate::domain::dataset::{self, Layout};

/// Maximum length of a bare string in a summary, in characters.
const MAX_SCALAR: usize = 10_000;

/// Number of keys that may lead to the array that is the table.
const MAX_PATH: usize = 3;

/// An array is clearly the table among others if it has at least this many rows and this many times
/// the rows of the next.
const CLEARLY: (u64, u64) = (10, 5);

/// Maximum number of arrays that a note names.
const MAX_NAMED: usize = 4;

/// Maximum number of cells of a table with columns for fields of objects. Fields that are different
/// in every row, such as dates, make a table that is large and empty.
const MAX_CELLS: u64 = 8_000_000;

/// Reads all items and profiles the columns.
pub fn table(text: &str, limits: &IngestLimits) -> Result<ParsedTable, IngestError> {
    check_depth(text, limits.max_depth)?;
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => flattened(text, limits, |builder| {
            builder.array(text)?;
            Ok(Layout::JsonArray { first_keys: builder.first_keys() })
        }),
        Some(b'{') if is_lines(text) => flattened(text, limits, |builder| {
            for line in lines(text) {
                builder.object(line)?;
            }
            Ok(Layout::JsonLines { first_keys: builder.first_keys() })
        }),
        Some(b'{') => object(text, limits),
        _ => {
            let value = serde_json::from_str(text).map_err(|error| invalid(text, text, &error))?;
            let value = match value {
                Value::String(text) => Value::String(clip_to(&text, MAX_SCALAR)),
                other => other,
            };
            flattened(text, limits, |builder| {
                builder.item(text.trim_ascii())?;
                Ok(Layout::JsonScalar { value: value.to_string() })
            })
        }
    }
}

/// The table that `read` adds to a builder, with columns for the fields of objects as far as there
/// can be so many.
fn flattened<'a>(
    text: &'a str,
    limits: &IngestLimits,
    read: impl Fn(&mut Builder<'a>) -> Result<Layout, IngestError>,
) -> Result<ParsedTable, IngestError> {
    let mut levels = MAX_LEVELS;
    loop {
        let mut builder = Builder::new(text, limits.max_columns, levels);
        let layout = read(&mut builder);
        let too_many = match &layout {
            Ok(_) => builder.cells() > MAX_CELLS,
            Err(error) => matches!(error, IngestError::TooManyColumns(_)),
        };
        if too_many && builder.has_nested() {
            levels -= 1;
            continue;
        }
        let mut table = builder.finish(layout?);
        let kept = match levels {
            MAX_LEVELS => return Ok(table),
            1 => "Objects",
            _ => "Objects within objects",
        };
        table
            .notes
            .add(&format!("{kept} were kept as JSON text: their fields are too many columns."));
        return Ok(table);
    }
}

/// An object: the array of objects in it is the table, if there is one; otherwise the object is the
/// only row.
fn object(text: &str, limits: &IngestLimits) -> Result<ParsedTable, IngestError> {
    let mut whole = flattened(text, limits, |builder| {
        builder.object(text)?;
        Ok(Layout::JsonObject { keys: Vec::new(), table: None, within: Vec::new() })
    })?;
    let keys = dataset::fields(&whole.columns);
    let mut arrays = arrays(text);
    // What is nearest to the beginning of the object counts.
    let depth = arrays.iter().map(|array| array.path.len()).min().unwrap_or_default();
    arrays.retain(|array| array.path.len() == depth);
    arrays.sort_by_key(|array| std::cmp::Reverse(array.rows));
    let is_clear = match arrays.as_slice() {
        [] => false,
        [_] => true,
        [first, second, ..] => first.rows >= CLEARLY.0.max(second.rows.saturating_mul(CLEARLY.1)),
    };
    let names: Vec<String> =
        arrays.iter().map(|array| format!("\"{}\"", array.path.join("."))).collect();
    let name = |names: &[String]| {
        let more = if names.len() > MAX_NAMED { " and others" } else { "" };
        format!("{}{more}", names[..names.len().min(MAX_NAMED)].join(", "))
    };
    let mut path = match arrays.first() {
        Some(array) if is_clear => array.path.clone(),
        _ => {
            if !names.is_empty() {
                whole.notes.add(&format!(
                    "The file is one row, since none of its arrays is clearly the table: {}.",
                    name(&names)
                ));
            }
            whole.layout = Layout::JsonObject { keys, table: None, within: Vec::new() };
            return Ok(whole);
        }
    };
    let items = arrays.first().map_or("[]", |array| array.items);
    let mut table = flattened(text, limits, |builder| {
        builder.array(items)?;
        Ok(Layout::JsonObject { keys: Vec::new(), table: None, within: Vec::new() })
    })?;
    let (used, others) = names.split_at(1);
    let mut note = format!("The rows are the items of the array {}", name(used));
    if !others.is_empty() {
        note.push_str(&format!("; other arrays are not part of the table: {}", name(others)));
    }
    note.push('.');
    table.notes.add(&note);
    let last = path.pop();
    table.layout = Layout::JsonObject { keys, table: last, within: path };
    Ok(table)
}

/// An array of objects within an object.
struct Array<'a> {
    /// The keys that lead to it.
    path: Vec<String>,
    items: &'a str,
    rows: u64,
}

/// The arrays of objects within an object, in the order of the file.
fn arrays(object: &str) -> Vec<Array<'_>> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), object)];
    while let Some((path, object)) = open.pop() {
        let fields = fields(object).unwrap_or_default();
        // Of a duplicate key the last value counts.
        let last: HashMap<&str, usize> =
            fields.iter().enumerate().map(|(at, (key, _))| (key.as_ref(), at)).collect();
        let mut inner = Vec::new();
        for (at, (key, json)) in fields.iter().enumerate() {
            if last.get(key.as_ref()) != Some(&at) {
                continue;
            }
            let path = || [path.as_slice(), &[key.clone().into_owned()]].concat();
            if let Some(rows) = table_rows(json) {
                found.push(Array { path: path(), items: json, rows });
            } else if json.starts_with('{') && path().len() < MAX_PATH {
                inner.push((path(), *json));
            }
        }
        open.extend(inner.into_iter().rev());
    }
    found
}
