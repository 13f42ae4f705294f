//! The columns of JSON items: all keys of all items, in the order of first occurrence.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::header;
use super::json_text::{each_item, fields, invalid, leaf};
use super::notes::Notes;
use super::profile::{Profile, clip_to, dictionary_limit};
use super::refusal::IngestError;
use super::table::{ParsedTable, SAMPLE_CHARS, SAMPLE_ROWS};
use crate::domain::dataset::{Column, Layout};

/// The column of items that are not objects.
pub const VALUE: &str = "value";
/// The number of columns assumed for the size of the dictionaries; the real one is not known yet.
const FULL_DICTIONARIES: usize = 50;

/// Collects columns and their profiles item by item.
pub struct Builder<'a> {
    /// The whole file, to locate a fault in it.
    text: &'a str,
    max_columns: usize,
    places: HashMap<String, usize>,
    columns: Vec<Known>,
    rows: u64,
    /// Some item was null and contributed no column.
    nulls: bool,
    first_keys: Vec<String>,
    sample: Vec<Vec<Option<String>>>,
}

struct Known {
    key: String,
    profile: Profile,
    /// The row that last had it, counted from 1.
    seen: u64,
}

impl<'a> Builder<'a> {
    /// Starts without items. `text` is the whole file.
    pub fn new(text: &'a str, max_columns: usize) -> Self {
        Self {
            text,
            max_columns,
            places: HashMap::new(),
            columns: Vec::new(),
            rows: 0,
            nulls: false,
            first_keys: Vec::new(),
            sample: Vec::new(),
        }
    }

    /// The keys of the first item, if that is an object.
    pub fn first_keys(&self) -> Vec<String> {
        self.first_keys.clone()
    }

    /// Adds the items of an array.
    pub fn array(&mut self, json: &'a str) -> Result<(), IngestError> {
        let mut outcome = Ok(());
        let parsed = each_item(json, &mut |item| {
            outcome = self.item(item);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome?;
        parsed.map_err(|error| invalid(self.text, json, &error))
    }

    /// Adds an object, or another value as the field `value`.
    pub fn item(&mut self, json: &'a str) -> Result<(), IngestError> {
        if json.starts_with('{') {
            return self.object(json);
        }
        self.nulls |= json == "null";
        let fields: &[(&str, &str)] = if json == "null" { &[] } else { &[(VALUE, json)] };
        self.row(fields)
    }

    /// Adds an object.
    pub fn object(&mut self, json: &'a str) -> Result<(), IngestError> {
        let fields = fields(json).map_err(|error| invalid(self.text, json, &error))?;
        if self.rows == 0 {
            for (key, _) in &fields {
                if !self.first_keys.iter().any(|known| known == key) {
                    self.first_keys.push(key.clone().into_owned());
                }
                if self.first_keys.len() > self.max_columns {
                    return Err(IngestError::TooManyColumns(self.max_columns));
                }
            }
        }
        self.row(&fields)
    }

    fn row<K: AsRef<str>>(&mut self, fields: &[(K, &str)]) -> Result<(), IngestError> {
        self.rows += 1;
        // Columns in the order of this item, the last value of each.
        let mut row: Vec<(usize, &str)> = Vec::with_capacity(fields.len());
        for (hint, (key, json)) in fields.iter().enumerate() {
            let at = self.place(hint, key.as_ref())?;
            if std::mem::replace(&mut self.columns[at].seen, self.rows) != self.rows {
                row.push((at, json));
            } else if let Some(field) = row.iter_mut().find(|field| field.0 == at) {
                // Every value must be valid, even one that does not count.
                leaf(field.1).map_err(|error| invalid(self.text, field.1, &error))?;
                field.1 = json;
            }
        }
        let mut sample = (self.sample.len() < SAMPLE_ROWS).then(|| vec![None; self.columns.len()]);
        for (at, json) in row {
            let leaf = leaf(json).map_err(|error| invalid(self.text, json, &error))?;
            let Some((tag, text)) = leaf else { continue };
            self.columns[at].profile.add_json(tag, text.as_bytes());
            if let Some(sample) = &mut sample {
                sample[at] = Some(clip_to(&text, SAMPLE_CHARS));
            }
        }
        self.sample.extend(sample);
        Ok(())
    }

    /// The column of a key, which is usually at the key's position in its item.
    fn place(&mut self, hint: usize, key: &str) -> Result<usize, IngestError> {
        if self.columns.get(hint).is_some_and(|column| column.key == key) {
            return Ok(hint);
        }
        if let Some(&at) = self.places.get(key) {
            return Ok(at);
        }
        let at = self.columns.len();
        if at >= self.max_columns {
            return Err(IngestError::TooManyColumns(self.max_columns));
        }
        let profile = Profile::json(dictionary_limit(at.max(FULL_DICTIONARIES)));
        self.columns.push(Known { key: key.to_owned(), profile, seen: 0 });
        self.places.insert(key.to_owned(), at);
        Ok(at)
    }

    /// The finished table.
    pub fn finish(mut self, layout: Layout) -> ParsedTable {
        if self.columns.is_empty() && self.nulls {
            let profile = Profile::json(0);
            self.columns.push(Known { key: VALUE.to_owned(), profile, seen: 0 });
        }
        let names = header::unique(self.columns.iter().map(|column| column.key.clone()));
        let columns = names
            .into_iter()
            .zip(self.columns)
            .map(|(name, Known { key, profile, .. })| {
                let (kind, reading, stats) = profile.finish(self.rows);
                let key = (key != name).then_some(key);
                Column { name, key, kind, reading, stats }
            })
            .collect();
        let notes = Notes::default();
        ParsedTable { layout, columns, rows: self.rows, sample: self.sample, notes }
    }
}
