//! What is known about models: what they cost and when they are retired.
//!
//! The table in `table.json` has a date, and operators can add to it with `PRICES`. It is never
//! needed to answer a question: a model that it does not contain is asked all the same.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::{Money, Usage};

/// The table of this version.
const TABLE: &str = include_str!("table.json");

/// Notice is given this many days before a model is retired.
const NOTICE_DAYS: i64 = 60;

/// What is known about models.
#[derive(Clone, Debug)]
pub struct ModelTable {
    as_of: Date,
    models: BTreeMap<String, ModelRecord>,
}

/// Why a table cannot be used; completes a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is not JSON of the expected shape.
    #[error("is not a table of prices: {0}")]
    Json(#[from] serde_json::Error),
    /// A price is not a number from 0 to 1 million.
    #[error("has a price of {0} that is not a number of US dollars from 0 to 1000000")]
    Price(String),
    /// A date is not one.
    #[error("has a date of {0} that is not written like 2026-12-31")]
    Date(String),
}

/// The state of a model on some day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// It was retired on the date.
    Past(Date),
    /// It will be retired on the date, within the next 60 days.
    Near(Date),
}

/// A model's entry.
#[derive(Clone, Debug, Default)]
struct ModelRecord {
    rates: Option<PriceTiers>,
    retires: Option<Date>,
    successor: Option<String>,
}

/// The prices of a model.
#[derive(Clone, Copy, Debug)]
struct PriceTiers {
    short: Rate,
    /// The rate of the whole request if its prompt has more than this number of tokens, whether
    /// cached or not.
    long: Option<(u32, Rate)>,
}

/// Prices of a token.
#[derive(Clone, Copy, Debug)]
struct Rate {
    input: Money,
    cache_read: Money,
    cache_write: Money,
    output: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TableJson {
    as_of: Option<String>,
    models: BTreeMap<String, EntryJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntryJson {
    input: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    output: Option<f64>,
    long: Option<LongJson>,
    retires: Option<String>,
    successor: Option<String>,
}

/// Prices are in US dollars per million tokens.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LongJson {
    over: u32,
    input: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    output: f64,
}

impl ModelTable {
    /// The table of this version.
    ///
    /// # Errors
    /// None: a test reads it.
    pub fn built_in() -> Result<Self, TableError> {
        Self::parse(TABLE)
    }

    /// Reads a table: `{"models": {"NAME": {"input": 0.1, "output": 0.5, …}}}`. A cached token costs
    /// as much as any other unless `cacheRead` and `cacheWrite` say otherwise.
    ///
    /// # Errors
    /// If it has another shape, or a price or date that makes no sense.
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let table: TableJson = serde_json::from_str(json)?;
        let as_of = match &table.as_of {
            Some(text) => date(text, "asOf")?,
            None => Date::ZERO,
        };
        let entries = table.models.into_iter().map(|(name, entry)| {
            let entry = entry.read(&name)?;
            Ok((name, entry))
        });
        Ok(Self { as_of, models: entries.collect::<Result<_, TableError>>()? })
    }

    /// This table with the entries of `other` over its own.
    #[must_use]
    pub fn overlaid_with(mut self, other: Self) -> Self {
        self.models.extend(other.models);
        self
    }

    /// The day for which the table was made.
    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// Whether anything is known about `model`.
    pub fn knows(&self, model: &str) -> bool {
        self.entry(model).is_some()
    }

    /// What an answer of `model` costs at list prices; `None` if its prices are not known.
    pub fn cost(&self, model: &str, usage: Usage) -> Option<Money> {
        let rates = self.entry(model)?.rates?;
        let rate = match rates.long {
            Some((over, long)) if usage.input_tokens > over => long,
            _ => rates.short,
        };
        let cached = usage.cached_input_tokens.saturating_add(usage.cache_write_tokens);
        Some(
            rate.input
                .times(usage.input_tokens.saturating_sub(cached))
                .plus(rate.cache_read.times(usage.cached_input_tokens))
                .plus(rate.cache_write.times(usage.cache_write_tokens))
                .plus(rate.output.times(usage.output_tokens)),
        )
    }

    /// Whether `model` has been retired by `today`, or soon will be.
    pub fn retirement(&self, model: &str, today: Date) -> Option<Retirement> {
        let retires = self.entry(model)?.retires?;
        if retires <= today {
            return Some(Retirement::Past(retires));
        }
        let days = (retires - today).get_days();
        (i64::from(days) <= NOTICE_DAYS).then_some(Retirement::Near(retires))
    }

    /// The model to use instead of one that is retired.
    pub fn successor(&self, model: &str) -> Option<&str> {
        self.entry(model)?.successor.as_deref()
    }

    /// The entry of `model`, by its name or by that of the model of which it is a dated snapshot;
    /// gateways put the name of a provider before a slash.
    fn entry(&self, model: &str) -> Option<&ModelRecord> {
        let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let plain = without_date(name);
        [model, name, plain].into_iter().find_map(|name| self.models.get(name))
    }
}

impl EntryJson {
    fn read(self, name: &str) -> Result<ModelRecord, TableError> {
        let price = |dollars: f64| {
            Money::from_dollars_per_million(dollars)
                .ok_or_else(|| TableError::Price(name.to_owned()))
        };
        let rate = |input: f64, read: Option<f64>, write: Option<f64>, output: f64| {
            Ok::<_, TableError>(Rate {
                input: price(input)?,
                cache_read: price(read.unwrap_or(input))?,
                cache_write: price(write.unwrap_or(input))?,
                output: price(output)?,
            })
        };
        let short = match (self.input, self.output) {
            (Some(input), Some(output)) => {
                Some(rate(input, self.cache_read, self.cache_write, output)?)
            }
            (None, None) => None,
            _ => return Err(TableError::Price(name.to_owned())),
        };
        let long = self.long.map(|long| {
            Ok::<_, TableError>((
                long.over,
                rate(long.input, long.cache_read, long.cache_write, long.output)?,
            ))
        });
        let long = long.transpose()?;
        Ok(ModelRecord {
            rates: short.map(|short| PriceTiers { short, long }),
            retires: self.retires.map(|text| date(&text, name)).transpose()?,
            successor: self.successor,
        })
    }
}

fn date(text: &str, name: &str) -> Result<Date, TableError> {
    text.parse().map_err(|_| TableError::Date(name.to_owned()))
}

/// `name` without the date of a snapshot: `-20251001` or `-2026-03-17`.
fn without_date(name: &str) -> &str {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let cut =
        |length: usize| name.len().checked_sub(length).and_then(|at| name.split_at_checked(at));
    if let Some((plain, date)) = cut(9)
        && let Some(digits) = date.strip_prefix('-')
        && is_digits(digits)
    {
        return plain;
    }
    if let Some((plain, date)) = cut(11) {
        let parts: Vec<&str> = date.split('-').collect();
        if let ["", year, month, day] = parts[..]
            && [year.len(), month.len(), day.len()] == [4, 2, 2]
            && [year, month, day].into_iter().all(is_digits)
        {
            return plain;
        }
    }
    name
}

#[cfg(test)]
mod tests;
