//! What a column's values have in common, collected value by value in constant memory.

use super::dates::{self, Date};
use super::number_range::NumberRange;
use super::values;

/// What all values so far are. The forms exclude each other.
#[derive(Clone, Debug, Default)]
pub enum ValueClass {
    /// There were only words for "no value".
    #[default]
    Unknown,
    /// Numbers.
    Numbers(NumberRange),
    /// Dates.
    Dates(Dates),
    /// `true`, `yes`, `false`, `no`.
    Booleans,
    /// Anything else, or several of these.
    Text,
}

/// Ranges of dates in both orders of day and month, as long as all can be read that way.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    /// With the month first.
    pub month_first: Option<(Date, Date)>,
    /// With the day first.
    pub day_first: Option<(Date, Date)>,
    /// Some are written with points.
    pub points: bool,
}

/// What is known of the values so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What they are.
    pub class: ValueClass,
    /// Words for "no value" among them, such as `NA`.
    pub missing: u64,
    /// The smallest and the largest text, truncated.
    pub texts: Option<(Vec<u8>, Vec<u8>)>,
}

/// Longer texts are compared and shown only up to this length, in bytes.
pub const MAX_TEXT: usize = 400;

impl Facts {
    /// Adds a value that occurs `times` times.
    #[inline]
    pub fn add(&mut self, text: &[u8], times: u32) {
        let short = &text[..text.len().min(MAX_TEXT)];
        match &mut self.texts {
            Some((min, max)) => {
                if short < min.as_slice() {
                    short.clone_into(min);
                } else if short > max.as_slice() {
                    short.clone_into(max);
                }
            }
            None => self.texts = Some((short.to_vec(), short.to_vec())),
        }
        if !matches!(self.class, ValueClass::Text) {
            self.classify(text.trim_ascii(), times);
        }
    }

    fn classify(&mut self, text: &[u8], times: u32) {
        let fits = match &mut self.class {
            ValueClass::Numbers(numbers) => numbers.add(text, times),
            ValueClass::Dates(dates) => dates.add(text),
            ValueClass::Booleans => values::boolean(text).is_some(),
            ValueClass::Unknown | ValueClass::Text => false,
        };
        if fits {
            return;
        }
        if values::is_missing(text) {
            self.missing += u64::from(times);
            return;
        }
        let first = matches!(self.class, ValueClass::Unknown);
        self.class = if !first {
            ValueClass::Text
        } else if let Some(numbers) = NumberRange::new(text, times) {
            ValueClass::Numbers(numbers)
        } else if let Some(dates) = Dates::new(text) {
            ValueClass::Dates(dates)
        } else if values::boolean(text).is_some() {
            ValueClass::Booleans
        } else {
            ValueClass::Text
        };
    }

    /// Adds what was learned of values that follow these.
    pub fn merge(&mut self, other: Self) {
        self.missing += other.missing;
        self.texts = match (self.texts.take(), other.texts) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (mine, theirs) => mine.or(theirs),
        };
        self.class = match (std::mem::take(&mut self.class), other.class) {
            (ValueClass::Unknown, class) | (class, ValueClass::Unknown) => class,
            (ValueClass::Numbers(a), ValueClass::Numbers(b)) => ValueClass::Numbers(a.merge(b)),
            (ValueClass::Dates(a), ValueClass::Dates(b)) => {
                a.merge(b).map_or(ValueClass::Text, ValueClass::Dates)
            }
            (ValueClass::Booleans, ValueClass::Booleans) => ValueClass::Booleans,
            _ => ValueClass::Text,
        };
    }
}

impl Dates {
    fn new(text: &[u8]) -> Option<Self> {
        let dates::Meanings { month_first, day_first, points } = dates::read(text)?;
        let range = |date| (date, date);
        Some(Self { month_first: month_first.map(range), day_first: day_first.map(range), points })
    }

    fn add(&mut self, text: &[u8]) -> bool {
        let merged = Self::new(text).and_then(|other| self.merge(other));
        if let Some(dates) = merged {
            *self = dates;
        }
        merged.is_some()
    }

    fn merge(self, other: Self) -> Option<Self> {
        let merge = |(a, b): ((Date, Date), (Date, Date))| (a.0.min(b.0), a.1.max(b.1));
        let month_first = self.month_first.zip(other.month_first).map(merge);
        let day_first = self.day_first.zip(other.day_first).map(merge);
        let points = self.points || other.points;
        (month_first.is_some() || day_first.is_some()).then_some(Self {
            month_first,
            day_first,
            points,
        })
    }
}
