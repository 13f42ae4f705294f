//! The columns of JSON items: all keys of all items, in the order of first occurrence. An object
//! gives way to its fields, whose columns have dotted names such as `customer.city`.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::header;
use super::json_fields::{VALUE, is_empty_object};
use super::json_text::{each_item, fields, invalid, leaf};
use super::notes::Notes;
use super::profile::{Profile, clip_to, dictionary_limit};
use super::refusal::IngestError;
use super::table::{ParsedTable, SAMPLE_CHARS, SAMPLE_ROWS};
use super::typing::{self, Untyped};
use crate::domain::dataset::Layout;

/// The number of columns assumed for the size of the dictionaries; the real one is not known yet.
const FULL_DICTIONARIES: usize = 50;

/// The item itself among the fields.
const ITEM: usize = 0;

/// Collects columns and their profiles item by item.
pub struct Builder<'a> {
    /// The whole file, to locate a fault in it.
    text: &'a str,
    max_columns: usize,
    /// The number of keys that may lead to a column.
    levels: usize,
    /// Each key of each object; the first is the item itself.
    fields: Vec<Field>,
    /// The number of fields that are columns.
    columns: usize,
    rows: u64,
    /// Some item was null and contributed no column.
    nulls: bool,
    first_keys: Vec<String>,
    /// Fields and values of the first rows.
    sample: Vec<Vec<(usize, String)>>,
}

/// A key. It is a column unless all its values are objects and null.
#[derive(Default)]
struct Field {
    key: String,
    /// The fields of its objects.
    children: Vec<usize>,
    places: HashMap<String, usize>,
    /// Its values other than objects with fields.
    profile: Option<Profile>,
    /// Whether some of these are not empty objects.
    has_values: bool,
    /// The row that last had it, counted from 1.
    seen: u64,
}

impl Field {
    fn is_column(&self) -> bool {
        self.children.is_empty() || self.has_values
    }
}

impl<'a> Builder<'a> {
    /// Starts without items. `text` is the whole file.
    pub fn new(text: &'a str, max_columns: usize, levels: usize) -> Self {
        Self {
            text,
            max_columns,
            levels,
            fields: vec![Field::default()],
            columns: 0,
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

    /// Whether some fields are those of an object within an item.
    pub fn has_nested(&self) -> bool {
        self.fields.len() > self.fields[ITEM].children.len() + 1
    }

    /// The number of cells of the table.
    pub fn cells(&self) -> u64 {
        self.rows.saturating_mul(self.columns as u64)
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

    fn row<K: AsRef<str>>(&mut self, fields: &[(K, &'a str)]) -> Result<(), IngestError> {
        self.rows += 1;
        let mut values = Vec::with_capacity(fields.len());
        self.collect(ITEM, 1, fields, &mut values)?;
        let mut sample = (self.sample.len() < SAMPLE_ROWS).then(Vec::new);
        for (at, json) in values {
            let leaf = leaf(json).map_err(|error| invalid(self.text, json, &error))?;
            let Some((tag, text)) = leaf else { continue };
            self.value(at, json)?.add_json(tag, text.as_bytes());
            if let Some(sample) = &mut sample {
                sample.push((at, clip_to(&text, SAMPLE_CHARS)));
            }
        }
        self.sample.extend(sample);
        Ok(())
    }

    /// Collects the values of an object's fields, and of the fields of objects within it, in the
    /// order of the object and the last one of each key. `level` is the number of keys that lead to
    /// a field.
    fn collect<K: AsRef<str>>(
        &mut self,
        object: usize,
        level: usize,
        object_fields: &[(K, &'a str)],
        values: &mut Vec<(usize, &'a str)>,
    ) -> Result<(), IngestError> {
        let first = values.len();
        for (hint, (key, json)) in object_fields.iter().enumerate() {
            let at = self.place(object, hint, key.as_ref())?;
            if std::mem::replace(&mut self.fields[at].seen, self.rows) != self.rows {
                values.push((at, json));
            } else if let Some(value) = values[first..].iter_mut().find(|value| value.0 == at) {
                // Every value must be valid, even one that does not count.
                leaf(value.1).map_err(|error| invalid(self.text, value.1, &error))?;
                value.1 = json;
            }
        }
        let is_object = |json: &str| json.starts_with('{') && !is_empty_object(json);
        if level >= self.levels || !values[first..].iter().any(|(_, json)| is_object(json)) {
            return Ok(());
        }
        for (at, json) in values.split_off(first) {
            if is_object(json) {
                let inner = fields(json).map_err(|error| invalid(self.text, json, &error))?;
                self.collect(at, level + 1, &inner, values)?;
            } else {
                values.push((at, json));
            }
        }
        Ok(())
    }

    /// The field of a key, which is usually at the key's position in its object.
    fn place(&mut self, object: usize, hint: usize, key: &str) -> Result<usize, IngestError> {
        let parent = &self.fields[object];
        if let Some(&at) = parent.children.get(hint)
            && self.fields[at].key == key
        {
            return Ok(at);
        }
        if let Some(&at) = parent.places.get(key) {
            return Ok(at);
        }
        // An object stops being a column with its first field, unless it has other values.
        let replaces = object != ITEM && parent.children.is_empty() && !parent.has_values;
        if !replaces {
            self.add_column()?;
        }
        let at = self.fields.len();
        self.fields.push(Field { key: key.to_owned(), ..Field::default() });
        let parent = &mut self.fields[object];
        parent.children.push(at);
        parent.places.insert(key.to_owned(), at);
        Ok(at)
    }

    fn add_column(&mut self) -> Result<(), IngestError> {
        if self.columns >= self.max_columns {
            return Err(IngestError::TooManyColumns(self.max_columns));
        }
        self.columns += 1;
        Ok(())
    }

    /// The profile to which a value of a field is to be added.
    fn value(&mut self, at: usize, json: &str) -> Result<&mut Profile, IngestError> {
        if !self.fields[at].has_values && !is_empty_object(json) {
            if !self.fields[at].is_column() {
                self.add_column()?;
            }
            self.fields[at].has_values = true;
        }
        let limit = dictionary_limit(self.columns.max(FULL_DICTIONARIES));
        Ok(self.fields[at].profile.get_or_insert_with(|| Profile::json(limit)))
    }

    /// The finished table.
    pub fn finish(mut self, layout: Layout) -> ParsedTable {
        if self.fields.len() == 1 && self.nulls {
            self.fields.push(Field { key: VALUE.to_owned(), ..Field::default() });
            self.fields[ITEM].children.push(1);
        }
        let mut found = Vec::new();
        self.columns_of(ITEM, &mut Vec::new(), &mut found);
        let names = header::unique(found.iter().map(|(_, path)| path.join(".")));
        // A dotted name can be a key as well, or two paths.
        let mut taken: HashSet<String> = found
            .iter()
            .filter(|(_, path)| path.len() == 1)
            .map(|(_, path)| path[0].clone())
            .collect();
        let mut places = HashMap::new();
        let mut paths = Vec::new();
        let mut untyped = Vec::new();
        for (name, (at, path)) in names.into_iter().zip(found) {
            places.insert(at, untyped.len());
            let dotted = path.join(".");
            let is_source = path.len() == 1 || taken.insert(dotted.clone());
            let key = (is_source && dotted != name).then_some(dotted);
            let profile = self.fields[at].profile.take().unwrap_or_else(|| Profile::json(0));
            untyped.push(Untyped { name, key, profile });
            paths.push(if path.len() == 1 { Vec::new() } else { path });
        }
        let sample = self.sample.into_iter().map(|values| {
            let mut row = vec![None; untyped.len()];
            for (at, text) in values {
                if let Some(&place) = places.get(&at) {
                    row[place] = Some(text);
                }
            }
            row
        });
        let sample = sample.collect();
        let mut notes = Notes::default();
        let mut columns = typing::columns(untyped, self.rows, None, &mut notes);
        columns.iter_mut().zip(paths).for_each(|(column, path)| column.path = path);
        ParsedTable { layout, columns, rows: self.rows, sample, notes }
    }

    /// Adds the columns among the fields of an object, with the keys that lead to them.
    fn columns_of(
        &self,
        object: usize,
        path: &mut Vec<String>,
        found: &mut Vec<(usize, Vec<String>)>,
    ) {
        for &at in &self.fields[object].children {
            let field = &self.fields[at];
            path.push(field.key.clone());
            if field.is_column() {
                found.push((at, path.clone()));
            }
            self.columns_of(at, path, found);
            path.pop();
        }
    }
}
