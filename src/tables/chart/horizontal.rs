//! Horizontal bars, for names that would not fit below upright ones.

use super::ChartError;
use super::heading;
use super::labels::LABEL;
use super::scale::ValueScale;
use super::series::ChartData;
use super::svg::{Drawing, Horizontal, TextStyle, Vertical, WIDTH};
use super::text;

const BAR: f64 = 14.0;
const FIGURE: f64 = 11.0;

/// Height of a name, which stands above its bars and so has the whole width.
const NAME: f64 = 16.0;

/// Distance between the bars of two labels.
const GAP: f64 = 8.0;

const MARGIN: f64 = 8.0;

/// Names longer than this, in characters, get horizontal bars.
const LONG_NAME: usize = 8;

/// Whether the labels are long names. Dates are not: time runs from left to right.
pub(super) fn suit(data: &ChartData) -> bool {
    data.labels.iter().any(|it| it.chars().count() > LONG_NAME) && !data.has_dates()
}

/// Draws the series as groups of bars, each with its value at its end.
pub(super) fn draw(data: &ChartData, title: &str, drawing: &mut Drawing) -> Result<(), ChartError> {
    let (low, high) = ValueScale::of(data, false)?.range;
    let top = heading::title(drawing, title);
    let mut y = heading::legend(drawing, data, title, top) + 6.0;
    let figure = |value: f64| text::number(value);
    let figures = data.series.iter().flat_map(|it| &it.values).flatten().copied();
    let widest = figures.map(|it| text::width(&figure(it), FIGURE)).fold(0.0, f64::max) + 6.0;
    // Values stand at the far end of their bars, on the left too where bars go there.
    let left = if low < 0.0 { MARGIN + widest } else { MARGIN };
    let right = WIDTH - MARGIN - widest;
    let x = |value: f64| left + (value - low) / (high - low) * (right - left);
    let base = x(0.0);
    let name = TextStyle::new(LABEL, Horizontal::Left, Vertical::Top);
    for (at, label) in data.labels.iter().enumerate() {
        drawing.text(&text::fit(label, LABEL, WIDTH - 2.0 * MARGIN), (MARGIN, y), name);
        y += NAME;
        for (series, column) in data.series.iter().enumerate() {
            if let Some(value) = column.values[at] {
                let end = x(value);
                drawing.rectangle((base, y), (end, y + BAR - 2.0), series);
                let (place, side) = if value < 0.0 {
                    (end - 4.0, Horizontal::Right)
                } else {
                    (end + 4.0, Horizontal::Left)
                };
                let style = TextStyle::new(FIGURE, side, Vertical::Center);
                drawing.text(&figure(value), (place, y + BAR / 2.0 - 1.0), style);
            }
            y += BAR;
        }
        y += GAP;
    }
    drawing.set_height(y);
    Ok(())
}
