//! What a statement over table `data` gave, and the picture of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rows that a statement gave.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The names of the columns, as the statement has them; not always different.
    pub columns: Vec<String>,
    /// Rows of as many values as there are columns: null, integers, reals, texts. Blobs come as
    /// upper-case hexadecimal text.
    pub rows: Vec<Vec<Value>>,
    /// How many rows are here.
    pub row_count: usize,
    /// There are more: the result was cut at a limit on rows, size or time.
    pub truncated: bool,
    /// What preparing and running the statement took, in milliseconds. Loading is not counted.
    pub elapsed_ms: f64,
}

/// What a chart looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    /// Upright bars, grouped where there are several series.
    Bar,
    /// One line a series.
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

/// The word for a kind of chart is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chart is one of bar, line, pie")]
pub struct UnknownChart;

/// A picture of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// What it looks like.
    pub kind: ChartKind,
    /// What stands above it, at most 80 characters.
    pub title: String,
    /// One `<svg>` element without width and height. It has no style, script or reference, and
    /// takes the colour of the text around it.
    pub svg: String,
    /// What it shows in words, at most 300 characters.
    pub alt: String,
}
