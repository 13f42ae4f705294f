//! Our own functions: replacements for those of SQLite whose time grows with the square of their
//! input (`instr`, `replace`, `trim` with two arguments) or that know no letters beyond ASCII
//! (`lower`, `upper`, `LIKE` and the collation `NOCASE`), and some that this build of SQLite lacks.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::guard::MAX_PATTERN;
use super::like::Pattern;
use crate::tables::fold;

/// Maximum number of values that all medians of a statement hold together: 32 MiB.
const MAX_MEDIAN: usize = 4 << 20;

type Formula = fn(f64) -> f64;
type Case = fn(&str) -> String;

/// Adds all of them. No text that they return is longer than `longest` bytes.
pub(super) fn add(connection: &Connection, longest: usize) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let scalar = |name: &str, arity, function: fn(&Context<'_>) -> Option<f64>| {
        connection.create_scalar_function(name, arity, flags, move |context| Ok(function(context)))
    };
    scalar("sqrt", 1, |it| Some(number(it, 0)?.sqrt()))?;
    scalar("exp", 1, |it| Some(number(it, 0)?.exp()))?;
    scalar("ln", 1, |it| logarithm(number(it, 0)?, f64::ln))?;
    scalar("log", 1, |it| logarithm(number(it, 0)?, f64::log10))?;
    scalar("log10", 1, |it| logarithm(number(it, 0)?, f64::log10))?;
    scalar("log2", 1, |it| logarithm(number(it, 0)?, f64::log2))?;
    scalar("log", 2, |it| {
        Some(logarithm(number(it, 1)?, f64::ln)? / logarithm(number(it, 0)?, f64::ln)?)
    })?;
    scalar("mod", 2, |it| Some(number(it, 0)? % number(it, 1)?))?;
    for name in ["pow", "power"] {
        scalar(name, 2, |it| Some(number(it, 0)?.powf(number(it, 1)?)))?;
    }
    let round: [(&str, Formula); 4] =
        [("ceil", f64::ceil), ("ceiling", f64::ceil), ("floor", f64::floor), ("trunc", f64::trunc)];
    for (name, function) in round {
        connection.create_scalar_function(name, 1, flags, move |context| {
            Ok(match context.get_raw(0) {
                ValueRef::Integer(whole) => rusqlite::types::Value::Integer(whole),
                _ => number(context, 0).map(function).into(),
            })
        })?;
    }
    connection.create_scalar_function("instr", 2, flags, |context| {
        let (Some(text), Some(part)) = (text(context, 0), text(context, 1)) else {
            return Ok(None);
        };
        let place = text.find(&*part).map_or(0, |at| text[..at].chars().count() + 1);
        Ok(i64::try_from(place).ok())
    })?;
    connection.create_scalar_function("replace", 3, flags, move |context| {
        let (Some(text), Some(from), Some(to)) =
            (text(context, 0), text(context, 1), text(context, 2))
        else {
            return Ok(None);
        };
        if from.is_empty() {
            return Ok(Some(text.into_owned()));
        }
        let grows = to.len().saturating_sub(from.len());
        // Counted first, because the result may be too large to build.
        let found = if grows > 0 { text.matches(&*from).count() } else { 0 };
        if grows.saturating_mul(found).saturating_add(text.len()) > longest {
            return Err(failure("string or blob too big"));
        }
        Ok(Some(text.replace(&*from, &to)))
    })?;
    let trims: [(&str, bool, bool); 3] =
        [("trim", true, true), ("ltrim", true, false), ("rtrim", false, true)];
    for (name, left, right) in trims {
        connection.create_scalar_function(name, 2, flags, move |context| {
            let (Some(text), Some(strip)) = (text(context, 0), text(context, 1)) else {
                return Ok(None);
            };
            let strip: HashSet<char> = strip.chars().collect();
            let mut rest = &*text;
            if left {
                rest = rest.trim_start_matches(|it| strip.contains(&it));
            }
            if right {
                rest = rest.trim_end_matches(|it| strip.contains(&it));
            }
            Ok(Some(rest.to_owned()))
        })?;
    }
    let cases: [(&str, Case); 2] = [("lower", str::to_lowercase), ("upper", str::to_uppercase)];
    for (name, function) in cases {
        connection.create_scalar_function(name, 1, flags, move |context| {
            let Some(text) = text(context, 0) else { return Ok(None) };
            let text = fold::recomposed(function(&fold::composed(&text)));
            if text.len() > longest {
                return Err(failure("string or blob too big"));
            }
            Ok(Some(text))
        })?;
    }
    // One's own `like` also keeps SQLite from replacing the operator with a comparison.
    for arguments in [2, 3] {
        connection.create_scalar_function("like", arguments, flags, like)?;
    }
    connection.create_collation("NOCASE", fold::compare)?;
    connection.create_aggregate_function("variance", 1, flags, Spread { root: false })?;
    connection.create_aggregate_function("stddev", 1, flags, Spread { root: true })?;
    connection.create_aggregate_function("median", 1, flags, Median { held: Arc::default() })
}

fn failure(text: &str) -> Error {
    Error::UserFunctionError(text.into())
}

/// `text LIKE pattern ESCAPE escape`, of which the pattern is the first argument.
fn like(context: &Context<'_>) -> Result<Option<bool>, Error> {
    let escape = match (context.len() > 2).then(|| text(context, 2)) {
        None => None,
        Some(None) => return Ok(None),
        Some(Some(escape)) => {
            let mut characters = escape.chars();
            let (Some(escape), None) = (characters.next(), characters.next()) else {
                return Err(failure("ESCAPE expression must be a single character"));
            };
            Some(escape)
        }
    };
    let (Some(pattern), Some(value)) = (text(context, 0), text(context, 1)) else {
        return Ok(None);
    };
    if pattern.len() > MAX_PATTERN {
        return Err(failure("LIKE or GLOB pattern too complex"));
    }
    // A pattern that is the same for each row is read once.
    let pattern = match escape {
        None => context.get_or_create_aux(0, |_| Ok::<_, Error>(Pattern::new(&pattern, None)))?,
        Some(_) => Arc::new(Pattern::new(&pattern, escape)),
    };
    Ok(Some(pattern.matches(&value)))
}

/// The argument as a number; `None` where SQLite's own functions return NULL too.
fn number(context: &Context<'_>, at: usize) -> Option<f64> {
    match context.get_raw(at) {
        ValueRef::Integer(whole) => Some(whole as f64),
        ValueRef::Real(real) => Some(real),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

fn logarithm(value: f64, function: Formula) -> Option<f64> {
    (value > 0.0).then(|| function(value))
}

/// The argument as text; `None` for NULL.
fn text<'a>(context: &'a Context<'_>, at: usize) -> Option<Cow<'a, str>> {
    match context.get_raw(at) {
        ValueRef::Null => None,
        ValueRef::Integer(whole) => Some(whole.to_string().into()),
        ValueRef::Real(real) => Some(format!("{real:?}").into()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
    }
}

/// Variance and standard deviation of a sample (divided by n - 1), by Welford's method.
struct Spread {
    root: bool,
}

impl Aggregate<(f64, f64, f64), Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<(f64, f64, f64), Error> {
        Ok((0.0, 0.0, 0.0))
    }

    fn step(
        &self,
        context: &mut Context<'_>,
        (count, mean, squares): &mut (f64, f64, f64),
    ) -> Result<(), Error> {
        if let Some(value) = number(context, 0) {
            *count += 1.0;
            let delta = value - *mean;
            *mean += delta / *count;
            *squares += delta * (value - *mean);
        }
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<(f64, f64, f64)>,
    ) -> Result<Option<f64>, Error> {
        Ok(state.filter(|(count, ..)| *count > 1.0).map(|(count, _, squares)| {
            let variance = squares / (count - 1.0);
            if self.root { variance.sqrt() } else { variance }
        }))
    }
}

/// The middle one of the numbers, or the mean of the two in the middle.
struct Median {
    /// Values held by all medians of the connection.
    held: Arc<AtomicUsize>,
}

/// The numbers of one group. They are outside SQLite's heap, so they are counted here.
struct MedianValues {
    values: Vec<f64>,
    held: Arc<AtomicUsize>,
}

impl Drop for MedianValues {
    fn drop(&mut self) {
        self.held.fetch_sub(self.values.len(), Ordering::Relaxed);
    }
}

impl Aggregate<MedianValues, Option<f64>> for Median {
    fn init(&self, _: &mut Context<'_>) -> Result<MedianValues, Error> {
        Ok(MedianValues { values: Vec::new(), held: self.held.clone() })
    }

    fn step(&self, context: &mut Context<'_>, numbers: &mut MedianValues) -> Result<(), Error> {
        let Some(value) = number(context, 0) else { return Ok(()) };
        if numbers.held.load(Ordering::Relaxed) >= MAX_MEDIAN {
            return Err(failure("too many values for median"));
        }
        numbers.held.fetch_add(1, Ordering::Relaxed);
        numbers.values.push(value);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        numbers: Option<MedianValues>,
    ) -> Result<Option<f64>, Error> {
        let Some(mut numbers) = numbers.filter(|numbers| !numbers.values.is_empty()) else {
            return Ok(None);
        };
        let middle = numbers.values.len() / 2;
        let even = numbers.values.len() % 2 == 0;
        let (low, upper, _) = numbers.values.select_nth_unstable_by(middle, f64::total_cmp);
        let upper = *upper;
        let lower = low.iter().copied().max_by(f64::total_cmp).filter(|_| even);
        Ok(Some(lower.map_or(upper, |lower| lower / 2.0 + upper / 2.0)))
    }
}
