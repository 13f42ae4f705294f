//! Decides the types of a table's columns together: what one column proves, such as a decimal
//! comma, counts for the others.

use super::amounts::is_money;
use super::facts::{Facts, ValueClass};
use super::notes::Notes;
use super::number_range::{Conflict, Lookalike, NumberRange, Style};
use super::profile::Profile;
use crate::domain::dataset::{Column, ColumnType, Reading};

mod findings;

use findings::{Findings, TypeFinding};

/// A column whose values have been counted.
pub struct Untyped {
    /// Its name in SQL.
    pub name: String,
    /// Its key in JSON, if that differs.
    pub key: Option<String>,
    /// Its values.
    pub profile: Profile,
}

/// The columns of a table of `rows` rows; what was guessed goes into `notes`. `delimiter` divides
/// the cells of delimited text; `None` for JSON.
pub fn columns(
    untyped: Vec<Untyped>,
    rows: u64,
    delimiter: Option<u8>,
    notes: &mut Notes,
) -> Vec<Column> {
    let facts: Vec<Facts> = untyped.iter().map(|column| column.profile.facts()).collect();
    let evidence = TypeEvidence::of(&untyped, &facts, delimiter);
    let mut findings = Findings::default();
    let columns = untyped
        .into_iter()
        .zip(facts)
        .map(|(Untyped { name, key, profile }, facts)| {
            let (kind, reading) = judge(&name, &profile, &facts, &evidence, &mut findings);
            let stats = profile.finish(&facts, kind, reading, rows);
            Column { name, key, path: Vec::new(), kind, reading, stats }
        })
        .collect();
    findings.sentences().iter().for_each(|sentence| notes.add(sentence));
    columns
}

/// What the columns say about the notation of the file.
struct TypeEvidence {
    delimiter: Option<u8>,
    /// The columns that can only be read with a decimal point.
    points: Vec<String>,
    /// Likewise with a decimal comma.
    commas: Vec<String>,
    /// How much the delimiter and the dates speak for the comma (positive) or the point.
    habits: i32,
    /// Likewise for the currencies.
    money: i32,
    /// How many columns of dates can only be read with the month first, and with the day first.
    dates: [usize; 2],
}

impl TypeEvidence {
    fn of(untyped: &[Untyped], facts: &[Facts], delimiter: Option<u8>) -> Self {
        let habits = match delimiter {
            Some(b';') => 2,
            Some(b',') => -1,
            _ => 0,
        };
        let mut evidence = Self {
            delimiter,
            points: Vec::new(),
            commas: Vec::new(),
            habits,
            money: 0,
            dates: [0; 2],
        };
        let mut units: Vec<&str> = Vec::new();
        let mut dates = 0;
        for (column, facts) in untyped.iter().zip(facts) {
            if let ValueClass::Dates(range) = &facts.class {
                evidence.dates[0] += usize::from(range.day_first.is_none());
                evidence.dates[1] += usize::from(range.month_first.is_none());
            }
            match &facts.class {
                // JSON's numbers have a point in every country.
                ValueClass::Numbers(_) if column.profile.has_json_numbers() => {}
                ValueClass::Numbers(range) => {
                    match range.proof() {
                        Some(true) if evidence.is_decimal(range) => {
                            evidence.commas.push(column.name.clone());
                        }
                        Some(false) => evidence.points.push(column.name.clone()),
                        _ => {}
                    }
                    units.extend(range.style().map(|style| style.unit.as_str()));
                }
                ValueClass::Dates(range) if range.points && range.day_first.is_some() => dates = 2,
                // As in France and Spain, but also in Britain, where commas divide cells.
                ValueClass::Dates(range)
                    if range.month_first.is_none() && dates == 0 && delimiter != Some(b',') =>
                {
                    dates = 1;
                }
                ValueClass::Dates(range) if range.day_first.is_none() => {
                    dates = if dates == 0 { -2 } else { dates };
                }
                _ => {}
            }
        }
        evidence.habits += dates;
        evidence.money = units.iter().map(|unit| hint(unit)).sum::<i32>().clamp(-1, 1);
        evidence
    }

    /// Whether the commas of a column that can only be read with decimal commas are that. Where
    /// commas divide cells too, `1,5` may be a list, and two decimals look like a price.
    fn is_decimal(&self, range: &NumberRange) -> bool {
        self.delimiter != Some(b',')
            || range.style().is_none_or(|style| style.proves_comma || !style.odd_decimals)
    }

    /// Whether the day comes first in a column of dates that can be read both ways. `differs` says
    /// whether they are other dates then.
    fn is_day_first(
        &self,
        name: &str,
        has_points: bool,
        differs: bool,
        findings: &mut Findings,
    ) -> bool {
        let [month, day] = self.dates;
        if has_points || month != day {
            return has_points || day > month;
        }
        let is_day_first = self.delimiter == Some(b';');
        if differs {
            findings.add(name, TypeFinding::DateGuess { is_day_first });
        }
        is_day_first
    }

    /// The notation of a column that can be read both ways; `Some(true)` for the decimal comma.
    /// `None` if its values contradict each other.
    fn decide(
        &self,
        name: &str,
        range: &NumberRange,
        style: &Style,
        findings: &mut Findings,
    ) -> Option<bool> {
        let (points, commas) = (self.points.len(), self.commas.len());
        let is_comma = if points != commas {
            commas > points
        } else if style.by_point && style.by_comma {
            return None;
        } else if range.has_bare_thousands() {
            // `2500` has no separator, so the sign in `1.234` is not one.
            style.by_comma
        } else if !is_money(&style.unit) {
            self.habits + self.money > 0
        } else if style.by_comma {
            // Three decimals are rare among amounts of money, thousands are not.
            hint(&style.unit) > 0 && self.habits > 0
        } else {
            hint(&style.unit) > 0 || self.habits + self.money > 0
        };
        let proofs = if is_comma { &self.commas } else { &self.points };
        if commas != points
            && let Some(proof) = proofs.first()
        {
            // Where commas divide cells, the point is the rule and needs no explanation.
            if is_comma || self.delimiter != Some(b',') {
                findings.add(name, TypeFinding::Because { is_comma, proof: proof.clone() });
            }
        } else {
            let example = style.example.clone().unwrap_or_default();
            findings.add(name, TypeFinding::Guess { is_comma, example });
        }
        Some(is_comma)
    }
}

/// Which notation is usual where this currency is: 1 for the comma, -1 for the point.
fn hint(unit: &str) -> i32 {
    const COMMA: &[&str] = &[
        "€", "EUR", "Euro", "R$", "BRL", "kr", "kr.", "Kr", "Kr.", "SEK", "NOK", "DKK", "zł",
        "PLN", "Kč", "CZK", "Ft", "HUF", "lei", "Lei", "RON", "TL", "₺", "TRY", "₽", "RUB", "₫",
        "VND", "Rp", "IDR", "лв", "лв.", "BGN", "руб", "руб.", "грн", "₴", "UAH",
    ];
    const POINT: &[&str] = &[
        "$", "US$", "USD", "£", "GBP", "¥", "JPY", "₹", "INR", "Rs", "Rs.", "A$", "AUD", "C$",
        "CA$", "CAD", "HK$", "HKD", "S$", "SGD", "NZ$", "NZD", "RM", "MYR", "₩", "KRW", "₱", "PHP",
        "CHF", "฿", "THB", "₪", "ILS", "₦", "NGN", "CNY", "元", "円",
    ];
    i32::from(COMMA.contains(&unit)) - i32::from(POINT.contains(&unit))
}

fn judge(
    name: &str,
    profile: &Profile,
    facts: &Facts,
    evidence: &TypeEvidence,
    findings: &mut Findings,
) -> (ColumnType, Reading) {
    if let Some(kind) = profile.kind_of_json(facts) {
        let mut reading = Reading::default();
        if kind == ColumnType::Number {
            // JSON numbers that are no amounts for us.
            findings.add(name, TypeFinding::Long);
            reading.written = Some(kind);
            return (ColumnType::String, reading);
        }
        return (kind, reading);
    }
    match &facts.class {
        ValueClass::Numbers(range) => {
            let is_json_text = profile.is_json() && !profile.has_json_numbers();
            match numbers(name, profile, range, evidence, findings) {
                Some(mut reading) => {
                    let style = range.style();
                    if let Some(style) = style.filter(|style| !style.unit.is_empty()) {
                        findings.add(name, TypeFinding::Unit(style.unit.clone()));
                    } else if is_json_text {
                        findings.add(name, TypeFinding::JsonText);
                    }
                    reading.written = is_json_text.then_some(ColumnType::String);
                    (ColumnType::Number, reading)
                }
                None => (ColumnType::String, Reading::default()),
            }
        }
        ValueClass::Dates(dates) => {
            let day_first = match (dates.month_first, dates.day_first) {
                (Some(month), Some(day)) => {
                    evidence.is_day_first(name, dates.points, month != day, findings)
                }
                (month_first, _) => month_first.is_none(),
            };
            (ColumnType::Date, Reading { day_first, ..Reading::default() })
        }
        ValueClass::Booleans => (ColumnType::Boolean, Reading::default()),
        ValueClass::Unknown | ValueClass::Text => (ColumnType::String, Reading::default()),
    }
}

/// How the numbers of a column are to be read; `None` if it is to stay text.
fn numbers(
    name: &str,
    profile: &Profile,
    range: &NumberRange,
    evidence: &TypeEvidence,
    findings: &mut Findings,
) -> Option<Reading> {
    if let Some(style) = range.style() {
        let conflict = match &style.conflict {
            Some(Conflict::Units(a, b)) => Some(TypeFinding::Units(a.clone(), b.clone())),
            Some(Conflict::Notations) => Some(TypeFinding::Notations),
            None => match range.lookalike() {
                Some(Lookalike::Phrase) => return None,
                Some(lookalike) => Some(TypeFinding::Lookalike(lookalike)),
                None => None,
            },
        };
        if let Some(conflict) = conflict {
            findings.add(name, conflict);
            return None;
        }
    }
    let decimal_comma = if profile.has_json_numbers() {
        false
    } else if let Some(style) = range.style().filter(|_| range.is_ambiguous()) {
        let Some(decided) = evidence.decide(name, range, style, findings) else {
            findings.add(name, TypeFinding::Notations);
            return None;
        };
        decided
    } else if range.proof() == Some(true) {
        let is_decimal = evidence.is_decimal(range);
        if !is_decimal && evidence.commas.is_empty() {
            findings.add(name, TypeFinding::List);
            return None;
        }
        let proof = evidence.commas.iter().find(|other| *other != name).cloned();
        let proves_itself = range.style().is_some_and(|style| style.proves_comma);
        if evidence.delimiter == Some(b',') && !proves_itself {
            findings.add(name, TypeFinding::Comma { proof });
        }
        true
    } else {
        false
    };
    let integer = range.amounts(decimal_comma)?.whole;
    Some(Reading { integer, decimal_comma, ..Reading::default() })
}

#[cfg(test)]
mod tests;
