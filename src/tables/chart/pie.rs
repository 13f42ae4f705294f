//! Shares of a whole.

use std::f64::consts::{FRAC_PI_2, TAU};

use super::heading::{self, swatch};
use super::series::ChartData;
use super::svg::{Drawing, Horizontal, Point, TextStyle, Vertical, WIDTH};
use super::text;

const RADIUS: f64 = 84.0;
const HOLE: f64 = 46.0;

/// Height of a line of the legend.
const LINE: f64 = 21.0;

/// Half the distance between two slices, which can so be told apart without their colours.
const GAP: f64 = 0.9;

/// Draws the only series as a ring, above a legend that names values and shares.
pub(super) fn draw(data: &ChartData, title: &str, drawing: &mut Drawing) {
    let values: Vec<f64> =
        data.series.iter().flat_map(|it| &it.values).flatten().copied().collect();
    let total: f64 = values.iter().sum();
    let top = heading::title(drawing, title);
    let middle = (WIDTH / 2.0, top + RADIUS + 6.0);
    let mut from = 0.0;
    for (at, value) in values.iter().enumerate() {
        let to = from + value / total;
        slice(drawing, middle, (from, to), at);
        from = to;
    }
    let style = TextStyle::new(18.0, Horizontal::Center, Vertical::Center).bold();
    drawing.text(&text::number(total), middle, style);
    let below = middle.1 + RADIUS + 12.0;
    legend(drawing, data, &values, total, below);
    drawing.set_height(below + LINE * values.len() as f64 + 4.0);
}

/// A part of the ring between two shares of the turn, clockwise from the top.
fn slice(drawing: &mut Drawing, (x, y): Point, (from, to): (f64, f64), at: usize) {
    let arc = |radius: f64| {
        // A full ring has no neighbour; a sliver keeps some of its width.
        let gap =
            if to - from > 0.9999 { 0.0 } else { (GAP / radius).min((to - from) * TAU / 4.0) };
        let (start, end) = (from * TAU - FRAC_PI_2 + gap, to * TAU - FRAC_PI_2 - gap);
        let steps = ((end - start) / 0.04).ceil().max(1.0) as usize;
        (0..=steps).map(move |step| {
            let angle = start + (end - start) * step as f64 / steps as f64;
            (x + radius * angle.cos(), y + radius * angle.sin())
        })
    };
    drawing.polygon(arc(RADIUS).chain(arc(HOLE).rev()), at);
}

fn legend(drawing: &mut Drawing, data: &ChartData, values: &[f64], total: f64, top: f64) {
    let left = 8.0;
    let right = WIDTH - 8.0;
    for (at, (label, value)) in data.labels.iter().zip(values).enumerate() {
        let y = top + LINE * (at as f64 + 0.5);
        swatch(drawing, (left, y - 5.0), at);
        let share = value / total * 100.0;
        let share = if share >= 1.0 { format!("{share:.0}%") } else { "<1%".to_owned() };
        let figures = format!("{} · {share}", text::number(*value));
        let room = right - left - 24.0 - text::width(&figures, 12.0);
        let label = text::fit(label, 12.0, room);
        let left_aligned = TextStyle::new(12.0, Horizontal::Left, Vertical::Center);
        drawing.text(&label, (left + 16.0, y), left_aligned);
        let right_aligned = TextStyle { horizontal: Horizontal::Right, ..left_aligned };
        drawing.text(&figures, (right, y), right_aligned);
    }
}
