//! The profile of a column over all of its values: type, range, mean, distinct values.
//!
//! Values are counted in a dictionary and each distinct one is judged once, at the end. Beyond the
//! dictionary's limit every value is judged as it is read, and the number of distinct values is
//! estimated. So each cell costs either one look-up or one parse.

use std::borrow::Cow;
use std::collections::HashMap;

use super::dates;
use super::distinct::{Dictionary, Sketch};
use super::facts::{Amounts, Facts, Rules, ValueClass};
use super::values::{self, Number};
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
    rules: Rules,
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
    pub fn delimited(rules: Rules, limit: usize) -> Self {
        let counted = Some(Dictionary::default());
        Self { rules, limit, counted, streamed: None, filled: 0, tags: None }
    }

    /// A column of JSON.
    pub fn json(limit: usize) -> Self {
        let rules = Rules { long_numbers: true, ..Rules::default() };
        Self { tags: Some([0; 5]), ..Self::delimited(rules, limit) }
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
            self.streamed = Some(Box::new((sketch, self.facts(&dictionary))));
        }
        self.streamed.get_or_insert_default()
    }

    fn facts(&self, dictionary: &Dictionary) -> Facts {
        let mut facts = Facts::new(self.rules);
        dictionary.iter().for_each(|(text, times)| facts.add(text, times));
        facts
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

    /// The finished profile, for a table of `rows` rows.
    pub fn finish(self, rows: u64) -> (ColumnType, Reading, ColumnStats) {
        let facts = match (&self.counted, &self.streamed) {
            (Some(dictionary), _) => self.facts(dictionary),
            (None, Some(streamed)) => streamed.1.clone(),
            (None, None) => Facts::default(),
        };
        let (kind, reading, amounts) = self.judge(&facts);
        let mut stats =
            ColumnStats { nulls: rows.saturating_sub(self.filled), ..Default::default() };
        if !matches!(kind, ColumnType::String | ColumnType::Object | ColumnType::Array) {
            stats.nulls += facts.missing;
        }
        if let Some(amounts) = amounts {
            stats.min = Some(number_text(amounts.min, reading));
            stats.max = Some(number_text(amounts.max, reading));
            stats.mean = amounts.mean();
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
        (kind, reading, stats)
    }

    fn judge<'f>(&self, facts: &'f Facts) -> (ColumnType, Reading, Option<&'f Amounts>) {
        let plain = |kind| (kind, Reading::default(), None);
        if self.filled == 0 {
            return plain(ColumnType::Empty);
        }
        if let Some(tags) = self.tags {
            let only = |tag: JsonTag| tags[tag as usize] == self.filled;
            let none = |tag: JsonTag| tags[tag as usize] == 0;
            // JSON's types count: text that looks like a number is a number only among numbers.
            match &facts.class {
                ValueClass::Numbers(_) if none(JsonTag::Number) => {
                    return plain(ColumnType::String);
                }
                ValueClass::Booleans if none(JsonTag::Boolean) => return plain(ColumnType::String),
                ValueClass::Text if only(JsonTag::Object) => return plain(ColumnType::Object),
                ValueClass::Text if only(JsonTag::Array) => return plain(ColumnType::Array),
                _ => {}
            }
        }
        match &facts.class {
            ValueClass::Numbers(numbers) => {
                let decimal_comma = facts.decimal_comma(numbers);
                let amounts = if decimal_comma { &numbers.comma } else { &numbers.point };
                let integer = amounts.is_some_and(|amounts| amounts.whole);
                let reading = Reading { integer, decimal_comma, ..Reading::default() };
                (ColumnType::Number, reading, amounts.as_ref())
            }
            ValueClass::Dates(dates) => {
                let reading = Reading { day_first: facts.day_first(dates), ..Reading::default() };
                (ColumnType::Date, reading, None)
            }
            ValueClass::Booleans => plain(ColumnType::Boolean),
            ValueClass::Unknown | ValueClass::Text => plain(ColumnType::String),
        }
    }
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

/// Reads a number in the notation of its column.
pub fn number(text: &[u8], reading: Reading) -> Option<Number> {
    if reading.decimal_comma { values::number_with_comma(text) } else { values::number(text) }
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
