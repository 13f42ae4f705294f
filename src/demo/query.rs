//! What a question asks about a file, and the SQL that finds it.

use serde_json::json;

use super::table::{ColumnKind, TableProfile};
use crate::domain::ChartKind;

/// One question, in terms of the table's columns, which are given by their positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataQuery {
    /// What is looked up or computed.
    pub select: Select,
    /// What the figure is grouped by.
    pub group: Option<Group>,
    /// Which rows are considered; all if there are none.
    pub filters: Vec<Filter>,
    /// Whether the least comes first.
    pub ascending: bool,
    /// Maximum number of rows of the result.
    pub limit: Option<u32>,
    /// How to draw the result.
    pub chart: Option<ChartKind>,
}

/// What is looked up or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// One figure, of a column or of all rows.
    Figure(Figure, Option<usize>),
    /// The rows with the greatest or least values of `column`.
    Rows {
        /// The column that identifies the rows.
        label: Option<usize>,
        /// The column that orders them.
        column: usize,
    },
    /// How many rows have values in each of some equally wide ranges.
    Bins { column: usize },
}

/// A figure that is computed from many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    Count,
    Distinct,
    Average,
    Total,
    Minimum,
    Maximum,
}

/// What a figure is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    pub column: usize,
    pub unit: Unit,
}

/// The part of a date that makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The value as it is.
    Value,
    Month,
    Year,
}

/// Selects rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Those whose column is this value.
    Equals { column: usize, value: String },
    /// Those whose column compares with this number: the sign, and the number in digits.
    Compares { column: usize, sign: &'static str, number: String },
    /// Those whose date is in this year.
    InYear { column: usize, year: String },
}

impl Figure {
    /// The word for it in titles and in the column names of the result.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Distinct => "different",
            Self::Average => "average",
            Self::Total => "total",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
        }
    }
}

impl DataQuery {
    /// The tool's arguments.
    pub fn arguments(&self, table: &TableProfile) -> String {
        let mut arguments = json!({"sql": self.sql(table)});
        if let Some(chart) = self.chart {
            arguments["chart"] = chart.as_str().into();
        }
        arguments.to_string()
    }

    /// One SELECT over the table `data`.
    pub fn sql(&self, table: &TableProfile) -> String {
        let name = |column: usize| quote(name(table, column));
        let mut conditions: Vec<String> = Vec::new();
        for filter in &self.filters {
            conditions.push(match filter {
                Filter::Equals { column, value } => {
                    format!("{} = '{}'", name(*column), value.replace('\'', "''"))
                }
                Filter::Compares { column, sign, number } => {
                    format!("{} {sign} {number}", name(*column))
                }
                Filter::InYear { column, year } => {
                    format!("substr({}, 1, 4) = '{year}'", name(*column))
                }
            });
        }
        let direction = if self.ascending { "" } else { " DESC" };
        let (select, order) = match self.select {
            Select::Rows { label, column } => {
                let value = name(column);
                conditions.push(format!("{value} IS NOT NULL"));
                let label = label.map_or_else(String::new, |label| format!("{}, ", name(label)));
                (format!("{label}{value}"), Some(format!("{value}{direction}")))
            }
            Select::Bins { column } => {
                let value = name(column);
                conditions.push(format!("{value} IS NOT NULL"));
                let (start, width) = bins(table, column);
                let bin =
                    format!("{start} + {width} * CAST(({value} - {start}) / {width} AS INTEGER)");
                (format!("round({bin}, 6) AS \"from\", count(*) AS \"count\""), None)
            }
            Select::Figure(figure, column) => {
                let figure = figure_sql(table, figure, column);
                let order = self.group.map(|group| match table.columns.get(group.column) {
                    Some(column) if column.kind == ColumnKind::Date && self.limit.is_none() => {
                        "1".to_owned()
                    }
                    _ => format!("2{direction}, 1"),
                });
                let group = self.group.map_or_else(String::new, |group| match group.unit {
                    Unit::Value => format!("{}, ", name(group.column)),
                    Unit::Month => format!("substr({}, 1, 7) AS \"month\", ", name(group.column)),
                    Unit::Year => format!("substr({}, 1, 4) AS \"year\", ", name(group.column)),
                });
                (format!("{group}{figure}"), order)
            }
        };
        let mut sql = format!("SELECT {select} FROM data");
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        if let Some(group) = self.group {
            let of_name = name(group.column);
            sql.push_str(&match group.unit {
                Unit::Value => format!(" GROUP BY {of_name}"),
                Unit::Month => format!(" GROUP BY substr({of_name}, 1, 7)"),
                Unit::Year => format!(" GROUP BY substr({of_name}, 1, 4)"),
            });
        }
        if matches!(self.select, Select::Bins { .. }) {
            sql.push_str(" GROUP BY 1 ORDER BY 1");
        }
        if let Some(order) = order {
            sql.push_str(&format!(" ORDER BY {order}"));
        }
        if let Some(limit) = self.limit {
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        sql
    }
}

/// The column's name; empty if the table has no such column.
pub fn name(table: &TableProfile, column: usize) -> &str {
    table.columns.get(column).map_or("", |column| &column.name)
}

fn figure_sql(table: &TableProfile, figure: Figure, column: Option<usize>) -> String {
    let Some(column) = column else { return "count(*) AS \"count\"".to_owned() };
    let of_name = quote(name(table, column));
    let digits = digits(table, column);
    let value = match figure {
        Figure::Count => format!("count({of_name})"),
        Figure::Distinct => format!("count(DISTINCT {of_name})"),
        Figure::Average => format!("round(avg({of_name}), {digits})"),
        Figure::Total => format!("round(sum({of_name}), {digits})"),
        Figure::Minimum => format!("min({of_name})"),
        Figure::Maximum => format!("max({of_name})"),
    };
    let alias = quote(&format!("{}_{}", figure.as_str(), name(table, column)));
    format!("{value} AS {alias}")
}

/// The start of the first range and the width of all, round numbers for about ten ranges.
fn bins(table: &TableProfile, column: usize) -> (f64, f64) {
    let range = table.columns.get(column).and_then(|column| column.range.as_ref());
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    let (low, high) = range.map_or((0.0, 1.0), |(low, high)| (number(low), number(high)));
    let rough = ((high - low) / 10.0).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let width = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let width = width.into_iter().find(|width| *width >= rough * 0.999).unwrap_or(rough);
    ((low / width).floor() * width, width)
}

/// How many digits the figures of a column are rounded to: two, or more if its values are tiny.
fn digits(table: &TableProfile, column: usize) -> u8 {
    let size = |text: &str| text.replace(',', "").parse::<f64>().map_or(1.0, f64::abs);
    let range = table.columns.get(column).and_then(|column| column.range.as_ref());
    let greatest = range.map_or(1.0, |(low, high)| size(low).max(size(high)));
    match greatest {
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 4,
        _ => 8,
    }
}

/// `name` as a quoted SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
