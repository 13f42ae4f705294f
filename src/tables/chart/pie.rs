//! Shares of a whole.

use std::f64::consts::{FRAC_PI_2, TAU};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ChartError;
use super::plot::{Area, heading, swatch, write};
use super::svg::{Drawing, HEIGHT, PALETTE, WIDTH, units};
use super::table::Table;
use super::text;

const RADIUS: f64 = 92.0;
const HOLE: f64 = 48.0;

/// Half of what lies between two slices, so that they can be told apart without their colours.
const GAP: f64 = 0.9;

/// Draws the only series as a ring, with a legend that names values and shares.
pub(super) fn draw(table: &Table, title: &str, mut drawing: Drawing) -> Result<String, ChartError> {
    let values: Vec<f64> =
        table.series.iter().flat_map(|it| &it.values).flatten().copied().collect();
    let total: f64 = values.iter().sum();
    {
        let area = drawing.backend().into_drawing_area();
        let top = heading(&area, title);
        let middle = (RADIUS + 14.0, top + (f64::from(HEIGHT) - top) / 2.0);
        let mut from = 0.0;
        for (at, value) in values.iter().enumerate() {
            let to = from + value / total;
            slice(&area, middle, (from, to), at);
            from = to;
        }
        let sum = text::number(total);
        write(&area, &sum, middle, 18.0, Pos::new(HPos::Center, VPos::Center), true);
        legend(&area, table, &values, total, middle.1);
    }
    Ok(drawing.finish())
}

/// A part of the ring between two shares of the turn, clockwise from the top.
fn slice(area: &Area<'_>, (x, y): (f64, f64), (from, to): (f64, f64), at: usize) {
    let arc = |radius: f64| {
        // A full ring has no neighbour; a sliver keeps some of its width.
        let gap =
            if to - from > 0.9999 { 0.0 } else { (GAP / radius).min((to - from) * TAU / 4.0) };
        let (start, end) = (from * TAU - FRAC_PI_2 + gap, to * TAU - FRAC_PI_2 - gap);
        let steps = ((end - start) / 0.04).ceil().max(1.0) as usize;
        (0..=steps).map(move |step| {
            let angle = start + (end - start) * step as f64 / steps as f64;
            (units(x + radius * angle.cos()), units(y + radius * angle.sin()))
        })
    };
    let inner: Vec<(i32, i32)> = arc(HOLE).collect();
    let corners: Vec<(i32, i32)> = arc(RADIUS).chain(inner.into_iter().rev()).collect();
    let _ = area.draw(&Polygon::new(corners, PALETTE[at % PALETTE.len()].filled()));
}

fn legend(area: &Area<'_>, table: &Table, values: &[f64], total: f64, middle: f64) {
    const LINE: f64 = 23.0;
    let left = RADIUS * 2.0 + 34.0;
    let right = f64::from(WIDTH) - 8.0;
    let top = middle - LINE * values.len() as f64 / 2.0;
    for (at, (label, value)) in table.labels.iter().zip(values).enumerate() {
        let y = top + LINE * (at as f64 + 0.5);
        swatch(area, (left, y - 5.0), at);
        let share = value / total * 100.0;
        let share = if share >= 1.0 { format!("{share:.0}%") } else { "<1%".to_owned() };
        let figures = format!("{} · {share}", text::number(*value));
        let room = right - left - 24.0 - text::width(&figures, 12.0);
        let label = text::fit(label, 12.0, room);
        write(area, &label, (left + 16.0, y), 12.0, Pos::new(HPos::Left, VPos::Center), false);
        write(area, &figures, (right, y), 12.0, Pos::new(HPos::Right, VPos::Center), false);
    }
}
