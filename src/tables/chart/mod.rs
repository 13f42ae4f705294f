//! Pictures of results: bar, line and pie charts as SVG.
//!
//! `table` picks labels and series, `plot` and `pie` draw them with plotters, `svg` is the
//! drawing backend: plotters' own writes fixed sizes, whole units and colours, and ours a picture
//! that scales, takes the colour of the text around it and needs no style sheet. `text` knows how
//! wide words are and how numbers are written.

mod pie;
mod plot;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod text;

use crate::domain::query::{Chart, ChartKind, QueryResult};
use table::Table;

/// Labels and values that a chart shows at most. Slices of a pie have a limit of their own.
const MAX_POINTS: usize = 50;

/// Characters of a title and of the words for it.
const MAX_TITLE: usize = 80;
const MAX_ALT: usize = 300;

/// Why a result has no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// There are no rows.
    #[error("a chart needs at least one row")]
    NoRows,
    /// No column has numbers only.
    #[error("a chart needs a column of numbers beside the labels")]
    NoNumbers,
    /// A pie has no slice.
    #[error("a pie chart needs values above zero")]
    NoPositive,
    /// The distance between the values is not a number.
    #[error("the values are too large for a chart")]
    TooLarge,
}

/// Draws a result. The first column with text in it gives the labels (else the first of several),
/// the columns with numbers only give the series: four for bars and lines, one for a pie. Without
/// a `title` one is made from the columns' names.
pub fn draw(result: &QueryResult, kind: ChartKind, title: &str) -> Result<Chart, ChartError> {
    let mut table = Table::of(result, kind)?;
    let title = text::clean(title);
    let title = if title.is_empty() { table.describe() } else { title };
    let suffix = match table.points() {
        all if all > MAX_POINTS && kind != ChartKind::Pie => {
            let more = if result.truncated { "more than " } else { "" };
            table.cut(MAX_POINTS);
            format!(" (first {MAX_POINTS} of {more}{all})")
        }
        all if result.truncated => format!(" (first {all} rows)"),
        _ => String::new(),
    };
    let title = text::shorten(&title, MAX_TITLE - suffix.len()) + &suffix;
    if kind == ChartKind::Pie {
        table.keep_slices()?;
    }
    let alt = alt(&table, kind, &suffix);
    let drawing = svg::Drawing::new(&title, &alt);
    let svg = match kind {
        ChartKind::Bar => plot::draw(&table, &title, false, drawing),
        ChartKind::Line => plot::draw(&table, &title, true, drawing),
        ChartKind::Pie => pie::draw(&table, &title, drawing),
    }?;
    Ok(Chart { kind, title, svg, alt })
}

/// `Bar chart of avg_max by weather: drizzle 15.9, fog 16.8, …`
fn alt(table: &Table, kind: ChartKind, suffix: &str) -> String {
    let kind = match kind {
        ChartKind::Bar => "Bar",
        ChartKind::Line => "Line",
        ChartKind::Pie => "Pie",
    };
    let mut alt = format!("{kind} chart of {}{suffix}: ", table.describe());
    for (at, label) in table.labels.iter().enumerate() {
        let values: Vec<String> = table
            .series
            .iter()
            .map(|series| series.values[at].map_or_else(|| "no value".to_owned(), text::number))
            .collect();
        let label = text::shorten(label, 40);
        let point = format!("{label} {}", values.join(" / "));
        let comma = if at == 0 { "" } else { ", " };
        if alt.chars().count() + point.chars().count() > MAX_ALT - 10 {
            alt.push_str(comma);
            alt.push('…');
            return text::shorten(&alt, MAX_ALT);
        }
        alt.push_str(comma);
        alt.push_str(point.trim_start());
    }
    alt.push('.');
    text::shorten(&alt, MAX_ALT)
}
