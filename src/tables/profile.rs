//! The profile of a column over all of its values: type, range, mean, distinct values.
//!
//! Values are counted in a dictionary and each distinct one is judged once, at the end. Beyond the
//! dictionary's limit every value is judged as it is read, and the number of distinct values is
//! estimated. So each cell costs either one look-up or one parse.

use std::borrow::Cow;
use std::collections::HashMap;

use super::dates;
use super::distinct::{Dictionary, Sketch};
use super::facts::{Facts, ValueClass};
use super::values::{self, Number};
use super::{amounts, number_range::Amounts};
use crate::domain::dataset::{ColumnStats, ColumnType, Reading};

/// Maximum number of distinct values counted exactly, over all columns.
const COUNTED: usize = 500_000;
/// Likewise for one column.
const COUNTED_PER_COLUMN: usize = 10_000;
/// Maximum number of frequent values listed.
const TOP: usize = 5;
/// Maximum length of a value in a profile, in characters.
const MAX_CHARS: usize = 200;

/// Maximum number of distinct values counted exactly in each of `columns` columns.
pub fn dictionary_limit(columns: usize) -> usize {
    (COUNTED / columns.max(1)).min(COUNTED_PER_COLUMN)
}

/// The JSON type of a value. Every cell of delimited text is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonTag {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object,
    /// An array.
    Array,
}

/// A column's profile while its values are read.
pub struct Profile {
    limit: usize,
    /// Until there are more than `limit` distinct values.
    counted: Option<Dictionary>,
    /// From then on.
    streamed: Option<Box<(Sketch, Facts)>>,
    /// Values so far; rows without a value are not reported.
    filled: u64,
    /// The same by JSON type, for JSON only.
    tags: Option<[u64; 5]>,
}

impl Profile {
    /// A column of delimited text, counting at most `limit` distinct values exactly.
    pub fn delimited(limit: usize) -> Self {
        let counted = Some(Dictionary::default());
        Self { limit, counted, streamed: None, filled: 0, tags: None }
    }

    /// A column of JSON.
    pub fn json(limit: usize) -> Self {
        Self { tags: Some([0; 5]), ..Self::delimited(limit) }
    }

    /// Adds a cell of delimited text. A blank cell is not a value.
    #[inline]
    pub fn add(&mut self, text: &[u8]) {
        if !is_blank(text) {
            self.count(text);
        }
    }

    /// Adds a JSON value that is not null: the content of a string, otherwise its JSON.
    pub fn add_json(&mut self, tag: JsonTag, text: &[u8]) {
        if let Some(tags) = &mut self.tags {
            tags[tag as usize] += 1;
        }
        self.count(text);
    }

    #[inline]
    fn count(&mut self, text: &[u8]) {
        self.filled += 1;
        self.put(text, 1);
    }

    #[inline]
    fn put(&mut self, text: &[u8], times: u32) {
        if let Some(dictionary) = &mut self.counted
            && dictionary.add(text, times, self.limit)
        {
            return;
        }
        let (sketch, facts) = self.stream();
        sketch.add(text);
        facts.add(text, times);
    }

    /// Switches from counting to estimating.
    fn stream(&mut self) -> &mut (Sketch, Facts) {
        if let Some(dictionary) = self.counted.take() {
            let mut sketch = Sketch::default();
            dictionary.iter().for_each(|(text, _)| sketch.add(text));
            self.streamed = Some(Box::new((sketch, facts_of(&dictionary))));
        }
        self.streamed.get_or_insert_default()
    }

    /// Adds what was learned of rows that follow these.
    pub fn merge(&mut self, other: Self) {
        self.filled += other.filled;
        if let (Some(mine), Some(theirs)) = (&mut self.tags, other.tags) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        if let Some(dictionary) = other.counted {
            dictionary.iter().for_each(|(text, times)| self.put(text, times));
        }
        if let Some(theirs) = other.streamed {
            let (sketch, facts) = self.stream();
            sketch.merge(&theirs.0);
            facts.merge(theirs.1);
        }
    }

    /// Whether there was any value.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// What the values have in common.
    pub fn facts(&self) -> Facts {
        match (&self.counted, &self.streamed) {
            (Some(dictionary), _) => facts_of(dictionary),
            (None, Some(streamed)) => streamed.1.clone(),
            (None, None) => Facts::default(),
        }
    }

    /// Whether the values are JSON's.
    pub fn is_json(&self) -> bool {
        self.tags.is_some()
    }

    /// Whether some values are JSON numbers.
    pub fn has_json_numbers(&self) -> bool {
        self.tags.is_some_and(|tags| tags[JsonTag::Number as usize] > 0)
    }

    /// The type of a column that does not depend on what its texts look like: one without values,
    /// or one of JSON objects, arrays, strings that look like truth values, and `Number` for JSON
    /// numbers of which some cannot be represented.
    pub fn kind_of_json(&self, facts: &Facts) -> Option<ColumnType> {
        if self.filled == 0 {
            return Some(ColumnType::Empty);
        }
        let tags = self.tags?;
        let only = |tag: JsonTag| tags[tag as usize] == self.filled;
        match &facts.class {
            ValueClass::Booleans if tags[JsonTag::Boolean as usize] == 0 => {
                Some(ColumnType::String)
            }
            ValueClass::Text if only(JsonTag::Object) => Some(ColumnType::Object),
            ValueClass::Text if only(JsonTag::Array) => Some(ColumnType::Array),
            ValueClass::Text if only(JsonTag::Number) => Some(ColumnType::Number),
            _ => None,
        }
    }

    /// The statistics of a column of type `kind`, for a table of `rows` rows. `facts` are its own.
    pub fn finish(
        self,
        facts: &Facts,
        kind: ColumnType,
        reading: Reading,
        rows: u64,
    ) -> ColumnStats {
        let numbers = match (kind, &facts.class) {
            (ColumnType::Number, ValueClass::Numbers(numbers)) => Some(numbers),
            _ => None,
        };
        let amounts: Option<&Amounts> =
            numbers.and_then(|numbers| numbers.amounts(reading.decimal_comma));
        let mut stats =
            ColumnStats { nulls: rows.saturating_sub(self.filled), ..Default::default() };
        if !matches!(kind, ColumnType::String | ColumnType::Object | ColumnType::Array) {
            stats.nulls += facts.missing;
        }
        if let Some(amounts) = amounts {
            stats.min = Some(number_text(amounts.min, reading));
            stats.max = Some(number_text(amounts.max, reading));
            stats.mean = amounts.mean();
            let unit = numbers.and_then(|numbers| numbers.style()).map(|style| &style.unit);
            stats.unit = unit.filter(|unit| !unit.is_empty()).cloned();
        } else if let (ColumnType::Date, ValueClass::Dates(dates)) = (kind, &facts.class) {
            let range = if reading.day_first { dates.day_first } else { dates.month_first };
            (stats.min, stats.max) = range.map(|(a, b)| (a.to_string(), b.to_string())).unzip();
        } else if kind == ColumnType::String {
            let ranges = facts.texts.as_ref().map(|(a, b)| (clip(a), clip(b)));
            (stats.min, stats.max) = ranges.unzip();
        }
        let filled = rows.saturating_sub(stats.nulls);
        if let Some(dictionary) = &self.counted {
            stats.distinct_is_exact = true;
            (stats.distinct, stats.top) = frequent(dictionary, kind, reading);
        } else if amounts.is_some_and(|amounts| amounts.ascending) {
            // Such as serial numbers, which are all distinct.
            stats.distinct_is_exact = true;
            stats.distinct = filled;
        } else if let Some(streamed) = &self.streamed {
            stats.distinct = streamed.0.estimate().min(filled);
        }
        stats
    }
}

fn facts_of(dictionary: &Dictionary) -> Facts {
    let mut facts = Facts::default();
    dictionary.iter().for_each(|(text, times)| facts.add(text, times));
    facts
}

/// A cell without visible characters.
#[inline]
pub fn is_blank(text: &[u8]) -> bool {
    match text.first() {
        None => true,
        Some(b' ' | b'\t' | b'\r' | b'\n' | 12) => text.trim_ascii().is_empty(),
        Some(_) => false,
    }
}

/// The number of distinct values, and the most frequent ones. Different notations of one value,
/// such as `1.0` and `1.00`, count as one.
fn frequent(
    dictionary: &Dictionary,
    kind: ColumnType,
    reading: Reading,
) -> (u64, Vec<(String, u64)>) {
    let mut counts: HashMap<Cow<'_, [u8]>, usize> = HashMap::new();
    let mut all: Vec<(Cow<'_, [u8]>, u64)> = Vec::new();
    for (text, times) in dictionary.iter() {
        let times = u64::from(times);
        if !matches!(kind, ColumnType::Number | ColumnType::Date | ColumnType::Boolean) {
            all.push((Cow::Borrowed(text), times));
            continue;
        }
        let Some(value) = normal(text, kind, reading) else { continue };
        let value: Cow<'_, [u8]> = Cow::Owned(value.into_bytes());
        match counts.get(&value) {
            Some(&at) => all[at].1 += times,
            None => {
                counts.insert(value.clone(), all.len());
                all.push((value, times));
            }
        }
    }
    let distinct = all.len() as u64;
    // Stable, so that equally frequent values keep their order of first occurrence.
    all.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let repeated = all.first().is_some_and(|(_, times)| *times > 1);
    all.truncate(if repeated { TOP } else { 0 });
    (distinct, all.into_iter().map(|(text, times)| (clip(&text), times)).collect())
}

/// A value as SQL shows it, but booleans as words. `None` for "no value".
fn normal(text: &[u8], kind: ColumnType, reading: Reading) -> Option<String> {
    let text = text.trim_ascii();
    match kind {
        ColumnType::Number => number(text, reading).map(|number| number_text(number, reading)),
        ColumnType::Date => Some(dates::read(text)?.date(reading.day_first)?.to_string()),
        ColumnType::Boolean => values::boolean(text).map(|value| value.to_string()),
        _ => None,
    }
}

/// Reads a number in the notation of its column, whatever its unit.
pub fn number(text: &[u8], reading: Reading) -> Option<Number> {
    let comma = reading.decimal_comma;
    let plain = if comma { values::number_with_comma(text) } else { values::number(text) };
    plain.or_else(|| {
        let amount = amounts::read(text)?;
        if comma { amount.comma } else { amount.point }
    })
}

fn number_text(number: Number, reading: Reading) -> String {
    match number.whole {
        Some(whole) if reading.integer => whole.to_string(),
        // The shortest text for the same number, with a point or an exponent.
        _ => serde_json::Number::from_f64(number.value).map(|n| n.to_string()).unwrap_or_default(),
    }
}

/// The text, truncated if it is long.
fn clip(text: &[u8]) -> String {
    clip_to(&String::from_utf8_lossy(text), MAX_CHARS)
}

/// At most `max` characters of `text`; `…` replaces the rest.
pub fn clip_to(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
