//! What a column's values have in common, collected value by value in constant memory.

use super::dates::{self, Date};
use super::values::{self, Number};

/// How values are to be judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Numbers may be written with a decimal comma: the cells are not divided by commas.
    pub decimal_comma: bool,
    /// If a number or a date can be read both ways, the decimal comma and the day before the month
    /// win, as is usual where cells are divided by semicolons.
    pub continental: bool,
    /// Numbers may have more digits than 64 bits hold: JSON says that they are numbers.
    pub long_numbers: bool,
}

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

/// Numbers in both notations, as long as all of them can be read that way.
#[derive(Clone, Copy, Debug)]
pub struct NumberRange {
    /// With a decimal point.
    pub point: Option<Amounts>,
    /// With a decimal comma.
    pub comma: Option<Amounts>,
    /// Some have thousands separators when read with a point.
    grouped: bool,
}

/// Sum and range of numbers.
#[derive(Clone, Copy, Debug)]
pub struct Amounts {
    /// The smallest.
    pub min: Number,
    /// The largest.
    pub max: Number,
    /// All are whole and within 64 bits.
    pub whole: bool,
    /// Each is greater than the one before, so no two are equal.
    pub ascending: bool,
    first: f64,
    last: f64,
    count: u64,
    sum: f64,
    /// What rounding has lost from `sum` (Neumaier summation).
    lost: f64,
}

/// Ranges of dates in both orders of day and month, as long as all can be read that way.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    /// With the month first.
    pub month_first: Option<(Date, Date)>,
    /// With the day first.
    pub day_first: Option<(Date, Date)>,
    points: bool,
}

/// What is known of the values so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    rules: Rules,
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
    /// No values yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

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
            ValueClass::Numbers(numbers) => numbers.add(text, times, self.rules),
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
        } else if let Some(numbers) = NumberRange::new(text, times, self.rules) {
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
            (ValueClass::Numbers(a), ValueClass::Numbers(b)) => {
                a.merge(b).map_or(ValueClass::Text, ValueClass::Numbers)
            }
            (ValueClass::Dates(a), ValueClass::Dates(b)) => {
                a.merge(b).map_or(ValueClass::Text, ValueClass::Dates)
            }
            (ValueClass::Booleans, ValueClass::Booleans) => ValueClass::Booleans,
            _ => ValueClass::Text,
        };
    }

    /// Whether numbers are to be read with a decimal comma.
    pub fn decimal_comma(&self, numbers: &NumberRange) -> bool {
        match (numbers.point, numbers.comma) {
            (Some(_), Some(_)) => self.rules.continental && numbers.grouped,
            (point, _) => point.is_none(),
        }
    }

    /// Whether dates are to be read with the day first.
    pub fn day_first(&self, dates: &Dates) -> bool {
        match (dates.month_first, dates.day_first) {
            (Some(_), Some(_)) => self.rules.continental || dates.points,
            (month_first, _) => month_first.is_none(),
        }
    }
}

impl NumberRange {
    fn new(text: &[u8], times: u32, rules: Rules) -> Option<Self> {
        let new = |number: Number| Amounts::new(number, times);
        let (point, comma) = Self::read(text, rules, true, rules.decimal_comma);
        let grouped = point.is_some_and(|number| number.grouped);
        (point.is_some() || comma.is_some()).then_some(Self {
            point: point.map(new),
            comma: comma.map(new),
            grouped,
        })
    }

    #[inline]
    fn read(
        text: &[u8],
        rules: Rules,
        point: bool,
        comma: bool,
    ) -> (Option<Number>, Option<Number>) {
        let fits = |number: &Number| rules.long_numbers || !number.long;
        let with_point = if point { values::number(text).filter(fits) } else { None };
        let with_comma = if comma { values::number_with_comma(text).filter(fits) } else { None };
        (with_point, with_comma)
    }

    #[inline]
    fn add(&mut self, text: &[u8], times: u32, rules: Rules) -> bool {
        let (point, comma) = Self::read(text, rules, self.point.is_some(), self.comma.is_some());
        if point.is_none() && comma.is_none() {
            return false;
        }
        self.grouped |= point.is_some_and(|number| number.grouped);
        for (amounts, number) in [(&mut self.point, point), (&mut self.comma, comma)] {
            match (amounts.as_mut(), number) {
                (Some(amounts), Some(number)) => amounts.add(number, times),
                _ => *amounts = None,
            }
        }
        true
    }

    fn merge(self, other: Self) -> Option<Self> {
        let merge = |(a, b): (Amounts, Amounts)| a.merge(b);
        let point = self.point.zip(other.point).map(merge);
        let comma = self.comma.zip(other.comma).map(merge);
        let grouped = self.grouped || other.grouped;
        (point.is_some() || comma.is_some()).then_some(Self { point, comma, grouped })
    }
}

impl Amounts {
    fn new(number: Number, times: u32) -> Self {
        let mut amounts = Self {
            min: number,
            max: number,
            whole: true,
            ascending: true,
            first: number.value,
            last: f64::NEG_INFINITY,
            count: 0,
            sum: 0.0,
            lost: 0.0,
        };
        amounts.add(number, times);
        amounts
    }

    #[inline]
    fn add(&mut self, number: Number, times: u32) {
        if below(number, self.min) {
            self.min = number;
        } else if below(self.max, number) {
            self.max = number;
        }
        self.whole &= number.whole.is_some();
        self.ascending &= number.value > self.last && times == 1;
        self.last = number.value;
        self.count += u64::from(times);
        self.plus(number.value * f64::from(times));
    }

    #[inline]
    fn plus(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    fn merge(mut self, other: Self) -> Self {
        if below(other.min, self.min) {
            self.min = other.min;
        }
        if below(self.max, other.max) {
            self.max = other.max;
        }
        self.whole &= other.whole;
        self.ascending &= other.ascending && self.last < other.first;
        self.last = other.last;
        self.count += other.count;
        self.plus(other.sum);
        self.lost += other.lost;
        self
    }

    /// The mean; `None` if the sum exceeds the range of an `f64`.
    pub fn mean(&self) -> Option<f64> {
        let mean = (self.sum + self.lost) / self.count as f64;
        mean.is_finite().then_some(mean)
    }
}

/// Whether `a` is less than `b`, even if only their last digits differ.
#[inline]
fn below(a: Number, b: Number) -> bool {
    a.value < b.value || (a.value == b.value && a.whole < b.whole)
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
