//! Titles and legends.

use super::series::ChartData;
use super::svg::{Drawing, Horizontal, Point, TextStyle, Vertical, WIDTH};
use super::text;

const TITLE: f64 = 14.0;
const NAME: f64 = 12.0;

/// Writes the title on up to two lines. Returns how far down it reaches.
pub(super) fn title(drawing: &mut Drawing, title: &str) -> f64 {
    let style = TextStyle::new(TITLE, Horizontal::Left, Vertical::Top).bold();
    let mut y = 4.0;
    for line in text::wrap(title, TITLE * 1.05, WIDTH - 16.0, 2) {
        drawing.text(&line, (8.0, y + 2.0), style);
        y += TITLE + 5.0;
    }
    y
}

/// Names the series beside their colours, below `top`; a single one only if a word of its name is
/// missing in the title. Returns how far down it reaches.
pub(super) fn legend(drawing: &mut Drawing, data: &ChartData, title: &str, top: f64) -> f64 {
    let style = TextStyle::new(NAME, Horizontal::Left, Vertical::Center);
    if let [only] = data.series.as_slice() {
        let name = text::words(&only.name);
        let title = text::words(title).to_lowercase();
        if name.to_lowercase().split(' ').all(|word| title.contains(word)) {
            return top;
        }
        let name = text::fit(&name, NAME, WIDTH - 16.0);
        drawing.text(&name, (8.0, top + 7.0), style);
        return top + 18.0;
    }
    let width = (WIDTH - 16.0) / data.series.len() as f64;
    for (at, series) in data.series.iter().enumerate() {
        let x = 8.0 + width * at as f64;
        swatch(drawing, (x, top + 2.0), at);
        let name = text::fit(&text::words(&series.name), NAME, width - 22.0);
        drawing.text(&name, (x + 15.0, top + 7.0), style);
    }
    top + 18.0
}

/// A square of the colour of a series or slice.
pub(super) fn swatch(drawing: &mut Drawing, (x, y): Point, at: usize) {
    drawing.rectangle((x, y), (x + 10.0, y + 10.0), at);
}
