//! The numbers of a column in both notations, collected value by value in constant memory.

use super::amounts::{self, Traits};
use super::values::{self, Number};

/// Numbers with a decimal point and with a decimal comma, as long as all of them can be read that
/// way, and their unit.
#[derive(Clone, Debug)]
pub struct NumberRange {
    /// With a decimal point.
    point: Option<Amounts>,
    /// With a decimal comma.
    comma: Option<Amounts>,
    /// Both notations have agreed on every value; `comma` is then not kept up to date.
    agrees: bool,
    /// Some value of four digits and more has no sign among them.
    bare_thousands: bool,
    /// No value has a unit, or anything else that [`values`] does not read.
    plain: bool,
    /// Peculiarities, if there are any: most columns hold plain numbers.
    style: Option<Box<Style>>,
}

/// How the numbers of a column are written.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The unit of all values; empty without one.
    pub unit: String,
    /// Why the values cannot be computed with, although each is a number.
    pub conflict: Option<Conflict>,
    /// A value that the two notations read differently, such as `1.234`.
    pub example: Option<String>,
    /// Some such values are divided by a point.
    pub by_point: bool,
    /// Some such values are divided by a comma.
    pub by_comma: bool,
    /// Some value leaves no doubt that a comma is a decimal sign, even where commas divide cells.
    pub proves_comma: bool,
    /// Some value with a comma has other than two decimals.
    pub odd_decimals: bool,
    /// Every value is a whole number in brackets.
    all_brackets: bool,
    /// Some value may be a grade, such as `2-`.
    grades: bool,
    /// Every value is a whole number of this many digits in groups.
    blanks: Option<u8>,
    /// The unit is a word that is not a known unit.
    unknown_unit: bool,
}

/// Why numbers are not one column of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Two units; one may be empty.
    Units(String, String),
    /// Some have a decimal comma, others a decimal point.
    Notations,
}

/// What a column of numbers is more likely to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookalike {
    /// Area codes or references, in brackets.
    Brackets,
    /// Grades, the better half of which has a minus.
    Grades,
    /// Identifiers of equal length, in groups.
    Identifiers,
    /// A text that begins with a number.
    Phrase,
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

/// Grades are below this.
const MAX_GRADE: f64 = 16.0;

/// A value in both notations, with its unit and peculiarities.
struct Numeral {
    point: Option<Number>,
    comma: Option<Number>,
    /// If it is more than a plain number.
    extra: Option<(String, Traits)>,
}

impl Numeral {
    fn new(text: &[u8]) -> Option<Self> {
        // Whole numbers beyond 64 bits are identifiers, whose digits all count.
        let fits = |number: &Number| !number.long;
        let point = values::number(text).filter(fits);
        let comma = match point {
            Some(number) if !number.marked => point,
            _ => values::number_with_comma(text).filter(fits),
        };
        let reading = Self { point, comma, extra: None };
        if reading.is_number() {
            return Some(reading);
        }
        let amounts::Amount { point, comma, unit, traits } = amounts::read(text)?;
        let (point, comma) = (point.filter(fits), comma.filter(fits));
        Some(Self { point, comma, extra: Some((unit, traits)) }).filter(Self::is_number)
    }

    fn is_number(&self) -> bool {
        self.point.is_some() || self.comma.is_some()
    }

    fn agrees(&self) -> bool {
        matches!((self.point, self.comma), (Some(a), Some(b)) if a.value == b.value)
    }
}

impl NumberRange {
    /// A value that occurs `times` times; `None` if it is not a number.
    pub fn new(text: &[u8], times: u32) -> Option<Self> {
        let reading = Numeral::new(text)?;
        let new = |number| Amounts::new(number, times);
        let mut range = Self {
            point: reading.point.map(new),
            comma: reading.comma.map(new),
            agrees: reading.agrees(),
            bare_thousands: reading.point.as_ref().is_some_and(is_bare_thousand),
            plain: reading.extra.is_none(),
            style: None,
        };
        if let Some((unit, traits)) = &reading.extra {
            let style = range.style.get_or_insert_default();
            style.unit.clone_from(unit);
            (style.all_brackets, style.blanks) = (traits.brackets, traits.blanks);
            style.add(traits);
        }
        range.look_at(text, &reading);
        Some(range)
    }

    /// Adds a value; false if it is not a number.
    #[inline]
    pub fn add(&mut self, text: &[u8], times: u32) -> bool {
        if self.plain
            && let Some(amounts) = &mut self.point
            && (self.agrees || self.comma.is_none())
            && let Some(number) = values::number(text)
            // Beyond these, the notations may disagree.
            && (!self.agrees || !number.marked)
            && !number.long
        {
            self.bare_thousands |= is_bare_thousand(&number);
            amounts.add(number, times);
            return true;
        }
        let Some(reading) = Numeral::new(text) else { return false };
        self.add_reading(text, &reading, times);
        true
    }

    fn add_reading(&mut self, text: &[u8], reading: &Numeral, times: u32) {
        if !self.plain || reading.extra.is_some() {
            self.plain = false;
            let style = self.style.get_or_insert_default();
            match &reading.extra {
                Some((unit, traits)) => style.add_unit(unit, traits),
                None => style.add_unit("", &Traits::default()),
            }
        }
        if self.agrees && !reading.agrees() {
            self.agrees = false;
            self.comma = self.point;
        }
        self.bare_thousands |= reading.point.as_ref().is_some_and(is_bare_thousand);
        self.look_at(text, reading);
        let mut readings = [(&mut self.point, reading.point), (&mut self.comma, reading.comma)];
        let both = if self.agrees { 1 } else { 2 };
        for (amounts, number) in &mut readings[..both] {
            match (amounts.as_mut(), number) {
                (Some(amounts), Some(number)) => amounts.add(*number, times),
                _ => **amounts = None,
            }
        }
        self.check_notations();
    }

    /// Notes what a value says about the notation.
    fn look_at(&mut self, text: &[u8], reading: &Numeral) {
        if reading.comma.is_none() || reading.agrees() {
            return;
        }
        let style = self.style.get_or_insert_default();
        let has_point = text.contains(&b'.');
        let decimals = memchr::memrchr(b',', text).map(|at| text.len() - at - 1);
        style.odd_decimals |= decimals.is_some_and(|decimals| decimals != 2);
        if reading.point.is_none() {
            style.proves_comma |= has_point || reading.extra.is_some();
            return;
        }
        style.by_point |= has_point;
        style.by_comma |= !has_point;
        if style.example.is_none() {
            style.example = Some(String::from_utf8_lossy(text).trim().to_owned());
        }
    }

    fn check_notations(&mut self) {
        if self.point.is_none() && self.comma.is_none() {
            let style = self.style.get_or_insert_default();
            style.conflict.get_or_insert(Conflict::Notations);
        }
    }

    /// Adds what was learned of values that follow these.
    pub fn merge(mut self, mut other: Self) -> Self {
        let agrees = self.agrees && other.agrees;
        for range in [&mut self, &mut other] {
            if range.agrees {
                range.comma = range.point;
            }
        }
        let style = match (self.style, other.style) {
            (None, None) => None,
            (mine, theirs) => {
                let mut style = mine.unwrap_or_default();
                style.merge(*theirs.unwrap_or_default());
                Some(style)
            }
        };
        let merge = |(a, b): (Amounts, Amounts)| a.merge(b);
        let mut range = Self {
            point: self.point.zip(other.point).map(merge),
            comma: self.comma.zip(other.comma).map(merge),
            agrees,
            bare_thousands: self.bare_thousands || other.bare_thousands,
            plain: self.plain && other.plain,
            style,
        };
        range.check_notations();
        range
    }

    /// The numbers with a decimal comma or a decimal point; `None` if some cannot be read that way.
    pub fn amounts(&self, comma: bool) -> Option<&Amounts> {
        if comma && !self.agrees { self.comma.as_ref() } else { self.point.as_ref() }
    }

    /// Whether both notations are possible, with different values.
    pub fn is_ambiguous(&self) -> bool {
        !self.agrees && self.point.is_some() && self.comma.is_some()
    }

    /// Whether some number of four digits and more is written without any sign among them.
    pub fn has_bare_thousands(&self) -> bool {
        self.bare_thousands
    }

    /// The notation that these numbers prove; `Some(true)` for the decimal comma.
    pub fn proof(&self) -> Option<bool> {
        (self.point.is_some() != self.comma.is_some() && !self.agrees)
            .then_some(self.comma.is_some())
    }

    /// How they are written, if that is peculiar.
    pub fn style(&self) -> Option<&Style> {
        self.style.as_deref()
    }

    /// What they probably are, if not amounts.
    pub fn lookalike(&self) -> Option<Lookalike> {
        let style = self.style()?;
        let amounts = self.point.as_ref().or(self.comma.as_ref())?;
        let is_small = amounts.min.value > -MAX_GRADE && amounts.max.value < MAX_GRADE;
        if style.all_brackets {
            Some(Lookalike::Brackets)
        } else if style.grades && amounts.whole && is_small {
            Some(Lookalike::Grades)
        } else if style.blanks.is_some() && amounts.count > 1 {
            Some(Lookalike::Identifiers)
        } else if style.unknown_unit && amounts.count == 1 {
            Some(Lookalike::Phrase)
        } else {
            None
        }
    }
}

fn is_bare_thousand(number: &Number) -> bool {
    !number.marked && number.value.abs() >= 1000.0
}

impl Style {
    fn add(&mut self, traits: &Traits) {
        self.unknown_unit |= traits.unknown_unit;
        self.grades |= traits.grade;
    }

    fn add_unit(&mut self, unit: &str, traits: &Traits) {
        self.add(traits);
        self.all_brackets &= traits.brackets;
        self.blanks = self.blanks.filter(|digits| Some(*digits) == traits.blanks);
        self.compare_unit(unit);
    }

    fn compare_unit(&mut self, unit: &str) {
        if self.conflict.is_none() && !amounts::same_unit(&self.unit, unit) {
            self.conflict = Some(Conflict::Units(self.unit.clone(), unit.to_owned()));
        }
    }

    fn merge(&mut self, other: Self) {
        self.compare_unit(&other.unit);
        self.conflict = self.conflict.take().or(other.conflict);
        self.example = self.example.take().or(other.example);
        self.by_point |= other.by_point;
        self.by_comma |= other.by_comma;
        self.proves_comma |= other.proves_comma;
        self.odd_decimals |= other.odd_decimals;
        self.all_brackets &= other.all_brackets;
        self.grades |= other.grades;
        self.blanks = self.blanks.filter(|digits| Some(*digits) == other.blanks);
        self.unknown_unit |= other.unknown_unit;
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
