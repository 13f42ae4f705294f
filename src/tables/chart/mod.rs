//! Charts of results: bars, lines and pies as SVG.
//!
//! `series` picks labels and series, `plot`, `horizontal` and `pie` draw them, with titles from `heading` and
//! axes from `scale` and `labels`. `svg` writes the elements, `text` knows how wide words are and
//! how numbers are written.

mod heading;
mod horizontal;
mod labels;
mod pie;
mod plot;
mod scale;
mod series;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use crate::domain::query::{Chart, ChartKind, QueryResult};
use series::ChartData;

/// Maximum number of labels, and of values per series. Slices of a pie have a limit of their own.
const MAX_POINTS: usize = 50;

/// Maximum length of a title and of the alternative text, in characters.
const MAX_TITLE: usize = 80;
const MAX_ALT: usize = 300;

/// Why a result cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// There are no rows.
    #[error("a chart needs at least one row")]
    NoRows,
    /// No column consists of numbers.
    #[error("a chart needs a column of numbers beside the labels")]
    NoNumbers,
    /// A pie has no slice.
    #[error("a pie chart needs values above zero")]
    NoPositive,
    /// The distance between the values is not a finite number.
    #[error("the values are too large for a chart")]
    TooLarge,
}

/// Draws a result. The first column with text in it becomes the labels (without one, the first of
/// several columns), the columns that consist of numbers become the series: up to four for bars
/// and lines, one for a pie. Without a `title` one is made from the columns' names.
pub fn draw(result: &QueryResult, kind: ChartKind, title: &str) -> Result<Chart, ChartError> {
    let mut data = ChartData::of(result, kind)?;
    let title = text::clean(title);
    let title = if title.is_empty() { data.describe() } else { title };
    let suffix = match data.points() {
        all if all > MAX_POINTS && kind != ChartKind::Pie => {
            let more = if result.truncated { "more than " } else { "" };
            data.cut(MAX_POINTS);
            format!(" (first {MAX_POINTS} of {more}{all})")
        }
        all if result.truncated => format!(" (first {all} rows)"),
        _ => String::new(),
    };
    let title = text::shorten(&title, MAX_TITLE - suffix.len()) + &suffix;
    if kind == ChartKind::Pie {
        data.keep_slices()?;
    }
    let alt = alt(&data, kind, &suffix);
    let mut drawing = svg::Drawing::new(&title, &alt);
    match kind {
        ChartKind::Bar if horizontal::suit(&data) => horizontal::draw(&data, &title, &mut drawing)?,
        ChartKind::Bar => plot::draw(&data, &title, false, &mut drawing)?,
        ChartKind::Line => plot::draw(&data, &title, true, &mut drawing)?,
        ChartKind::Pie => pie::draw(&data, &title, &mut drawing),
    }
    Ok(Chart { kind, title, svg: drawing.finish(), alt })
}

/// `Bar chart of avg_max by weather: drizzle 15.9, fog 16.8, …`
fn alt(data: &ChartData, kind: ChartKind, suffix: &str) -> String {
    let kind = match kind {
        ChartKind::Bar => "Bar",
        ChartKind::Line => "Line",
        ChartKind::Pie => "Pie",
    };
    let mut alt = format!("{kind} chart of {}{suffix}: ", data.describe());
    for (at, label) in data.labels.iter().enumerate() {
        let values: Vec<String> = data
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
