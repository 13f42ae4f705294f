//! Bars and lines.

use super::ChartError;
use super::heading;
use super::labels::{LABEL, Labels, RIGHT};
use super::scale::ValueScale;
use super::series::ChartData;
use super::svg::{Drawing, HEIGHT, Horizontal, Point, TextStyle, Vertical, WIDTH};
use super::text;

const FIGURE: f64 = 11.0;

/// Maximum width of a bar, or of the bars of all series side by side.
const MAX_GROUP: f64 = 120.0;

/// Where values are in the picture.
struct Plane {
    left: f64,
    top: f64,
    bottom: f64,
    /// The width of one label.
    slot: f64,
    /// The lowest and the highest value.
    range: (f64, f64),
}

impl Plane {
    /// The horizontal place of a label, counted from the middle of the first.
    fn x(&self, at: f64) -> f64 {
        self.left + (at + 0.5) * self.slot
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        self.bottom - (value - low) / (high - low) * (self.bottom - self.top)
    }
}

/// Draws the series as lines or groups of bars.
pub(super) fn draw(
    data: &ChartData,
    title: &str,
    lines: bool,
    drawing: &mut Drawing,
) -> Result<(), ChartError> {
    let scale = ValueScale::of(data, lines)?;
    let top = heading::title(drawing, title);
    let top = heading::legend(drawing, data, title, top) + 14.0;
    let ticks: Vec<String> = scale.ticks.iter().map(|it| text::tick(*it, scale.step)).collect();
    let left = ticks.iter().map(|it| text::width(it, LABEL)).fold(0.0, f64::max) + 12.0;
    let labels = Labels::of(data, left, lines);
    let bottom = HEIGHT - labels.height;
    let plane = Plane { left, top, bottom, slot: labels.slot, range: scale.range };
    let style = TextStyle::new(LABEL, Horizontal::Right, Vertical::Center);
    for (value, text) in scale.ticks.iter().zip(&ticks) {
        let y = plane.y(*value);
        let opacity = if *value == 0.0 { 0.6 } else { 0.16 };
        drawing.rule([(left, y), (WIDTH - RIGHT, y)], opacity);
        drawing.text(text, (left - 6.0, y), style);
    }
    if lines {
        draw_lines(data, &plane, drawing);
    } else {
        draw_bars(data, &plane, drawing);
    }
    labels.draw(drawing, |at| (plane.x(at as f64), bottom));
    Ok(())
}

fn draw_lines(data: &ChartData, plane: &Plane, drawing: &mut Drawing) {
    let few = data.points() <= 25;
    let radius = if few { 3.0 } else { 1.5 };
    for (at, series) in data.series.iter().enumerate() {
        let runs = runs(&series.values, plane);
        // A line ends where a value is missing.
        for run in runs.iter().filter(|run| run.len() > 1) {
            drawing.line(run.iter().copied(), at);
        }
        if few || runs.iter().any(|run| run.len() == 1) {
            for point in runs.concat() {
                drawing.circle(point, radius, at);
            }
        }
    }
}

fn draw_bars(data: &ChartData, plane: &Plane, drawing: &mut Drawing) {
    let base = plane.y(0.0_f64.clamp(plane.range.0, plane.range.1));
    // A few bars need not fill the picture.
    let group = (MAX_GROUP / plane.slot).min(0.76);
    let width = group / data.series.len() as f64;
    let gap = if data.series.len() > 1 { width * 0.06 } else { 0.0 };
    for (at, series) in data.series.iter().enumerate() {
        for (place, value) in series.values.iter().enumerate() {
            let Some(value) = *value else { continue };
            let left = place as f64 - group / 2.0 + width * at as f64;
            let (left, right) = (plane.x(left + gap), plane.x(left + width - gap));
            drawing.rectangle((left, base), (right, plane.y(value)), at);
        }
    }
    if let [series] = data.series.as_slice() {
        draw_figures(&series.values, plane, drawing);
    }
}

/// Writes the values over their bars, if there is room for all of them.
fn draw_figures(values: &[Option<f64>], plane: &Plane, drawing: &mut Drawing) {
    let texts: Vec<String> =
        values.iter().map(|value| value.map_or_else(String::new, text::number)).collect();
    if texts.iter().any(|text| text::width(text, FIGURE) > plane.slot) {
        return;
    }
    for (at, (value, text)) in values.iter().zip(&texts).enumerate() {
        let Some(value) = *value else { continue };
        let (x, y) = (plane.x(at as f64), plane.y(value));
        let (y, edge) =
            if value < 0.0 { (y + 2.0, Vertical::Top) } else { (y - 2.0, Vertical::Bottom) };
        drawing.text(text, (x, y), TextStyle::new(FIGURE, Horizontal::Center, edge));
    }
}

/// The points of each stretch of values without a gap.
fn runs(values: &[Option<f64>], plane: &Plane) -> Vec<Vec<Point>> {
    let point = |(at, value): (usize, &Option<f64>)| {
        value.map(|value| (plane.x(at as f64), plane.y(value)))
    };
    let points: Vec<Option<Point>> = values.iter().enumerate().map(point).collect();
    let runs = points.split(Option::is_none).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().copied().flatten().collect()).collect()
}
