//! Results of statements over table `data`, and charts of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The names of the columns, as in the statement; not necessarily unique.
    pub columns: Vec<String>,
    /// Rows with one value per column: null, integer, real or text. Blobs are returned as
    /// upper-case hexadecimal text.
    pub rows: Vec<Vec<Value>>,
    /// Number of rows returned.
    pub row_count: usize,
    /// Whether there are more: the result was cut at a limit on rows, size or time.
    pub truncated: bool,
    /// Time to prepare and run the statement, in milliseconds, without loading the table.
    pub elapsed_ms: f64,
}

/// The kind of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    /// Vertical bars, grouped if there are several series.
    Bar,
    /// One line per series.
    Line,
    /// Shares of a whole.
    Pie,
}

impl ChartKind {
    /// The word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Line => "line",
            Self::Pie => "pie",
        }
    }
}

impl fmt::Display for ChartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChartKind {
    type Err = UnknownChart;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Bar, Self::Line, Self::Pie]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or(UnknownChart)
    }
}

/// The word does not name a kind of chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chart is one of bar, line and pie")]
pub struct UnknownChart;

/// A chart of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// Its kind.
    pub kind: ChartKind,
    /// Its title, at most 80 characters.
    pub title: String,
    /// One `<svg>` element without width and height. It contains no styles, scripts or references
    /// and inherits the surrounding text colour.
    pub svg: String,
    /// A description in words, at most 300 characters.
    pub alt: String,
}
