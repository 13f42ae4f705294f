//! Which columns of a result are labels and which are series.

use serde_json::Value;

use super::{ChartError, text};
use crate::domain::query::{ChartKind, QueryResult};

/// Maximum number of series of bars or lines.
const MAX_SERIES: usize = 4;

/// Slices of a pie. If there are more, one slice stands for all others.
const MAX_SLICES: usize = 8;

/// A column of numbers.
pub(super) struct Series {
    pub name: String,
    /// One for each label. All are finite.
    pub values: Vec<Option<f64>>,
}

/// What a chart shows.
pub(super) struct ChartData {
    /// The name of the column that gives the labels, if one does.
    by: Option<String>,
    pub labels: Vec<String>,
    pub series: Vec<Series>,
}

impl ChartData {
    pub fn of(result: &QueryResult, kind: ChartKind) -> Result<Self, ChartError> {
        if result.rows.is_empty() {
            return Err(ChartError::NoRows);
        }
        let width = result.columns.len();
        let cells = |at: usize| result.rows.iter().filter_map(move |row| row.get(at));
        let by = (0..width)
            .find(|at| cells(*at).any(Value::is_string))
            .or_else(|| (width > 1).then_some(0));
        let most = if kind == ChartKind::Pie { 1 } else { MAX_SERIES };
        let series: Vec<Series> = (0..width)
            .filter(|at| Some(*at) != by)
            .filter(|at| cells(*at).all(|it| it.is_null() || it.is_number()))
            .filter(|at| cells(*at).any(Value::is_number))
            .take(most)
            .map(|at| Series {
                name: text::clean(&result.columns[at]),
                values: cells(at).map(Value::as_f64).collect(),
            })
            .collect();
        if series.is_empty() {
            return Err(ChartError::NoNumbers);
        }
        let labels = match by {
            Some(at) => cells(at).map(label).collect(),
            None if result.rows.len() == 1 => vec![String::new()],
            None => (1..=result.rows.len()).map(|row| row.to_string()).collect(),
        };
        Ok(Self { by: by.map(|at| text::clean(&result.columns[at])), labels, series })
    }

    /// How many labels there are.
    pub fn points(&self) -> usize {
        self.labels.len()
    }

    /// Whether all labels are dates or times.
    pub fn has_dates(&self) -> bool {
        let written = |it: char| it.is_ascii_digit() || "-:T Z.".contains(it);
        self.labels.iter().all(|label| label.contains('-') && label.chars().all(written))
    }

    /// `avg_max and avg_min by weather`
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.series.iter().map(|series| series.name.as_str()).collect();
        let names = match names.as_slice() {
            [before @ .., last] if !before.is_empty() => {
                format!("{} and {last}", before.join(", "))
            }
            names => names.concat(),
        };
        match &self.by {
            Some(by) => format!("{names} by {by}"),
            None => names,
        }
    }

    /// Keeps the first labels and their values.
    pub fn cut(&mut self, points: usize) {
        self.labels.truncate(points);
        for series in &mut self.series {
            series.values.truncate(points);
        }
    }

    /// Keeps only positive values, the largest first, and sums up the smallest.
    pub fn keep_slices(&mut self) -> Result<(), ChartError> {
        let Some(series) = self.series.first_mut() else { return Err(ChartError::NoNumbers) };
        let mut slices: Vec<(String, f64)> = std::mem::take(&mut self.labels)
            .into_iter()
            .zip(&series.values)
            .filter_map(|(label, value)| Some((label, value.filter(|it| *it > 0.0)?)))
            .collect();
        slices.sort_by(|a, b| b.1.total_cmp(&a.1));
        if slices.len() > MAX_SLICES {
            let rest = slices.split_off(MAX_SLICES);
            slices.push(("Other".to_owned(), rest.iter().map(|(_, value)| value).sum()));
        }
        let total: f64 = slices.iter().map(|(_, value)| value).sum();
        if slices.is_empty() {
            return Err(ChartError::NoPositive);
        }
        if !total.is_finite() {
            return Err(ChartError::TooLarge);
        }
        series.values = slices.iter().map(|(_, value)| Some(*value)).collect();
        self.labels = slices.into_iter().map(|(label, _)| label).collect();
        Ok(())
    }
}

fn label(value: &Value) -> String {
    match value {
        Value::String(text) if !text.trim().is_empty() => text::clean(text),
        Value::String(_) => "(blank)".to_owned(),
        Value::Null => "(none)".to_owned(),
        other => text::clean(&other.to_string()),
    }
}
