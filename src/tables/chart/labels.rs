//! The words below the horizontal axis.

use super::series::ChartData;
use super::svg::{Drawing, Horizontal, Point, SLANT, TextStyle, Vertical, WIDTH};
use super::text;

/// Font size of the labels on both axes.
pub(super) const LABEL: f64 = 12.0;

/// Room to the right of the plot.
pub(super) const RIGHT: f64 = 12.0;

/// The labels: side by side where they fit, otherwise slanted under bars, and thinned out where
/// there are too many.
pub(super) struct Labels {
    /// Place and text of each.
    texts: Vec<(usize, String)>,
    slanted: bool,
    pub height: f64,
    /// The width that belongs to one bar or point.
    pub slot: f64,
}

impl Labels {
    /// `left` is the width of the vertical axis.
    pub fn of(data: &ChartData, left: f64, lines: bool) -> Self {
        let width = WIDTH - left - RIGHT;
        let slot = width / data.points() as f64;
        let each = |step: usize, room: &dyn Fn(usize) -> f64| {
            // From the end, so that the last one, mostly the latest, is named.
            let texts = data.labels.iter().enumerate().rev().step_by(step);
            texts.map(|(at, label)| (at, text::fit(label, LABEL, room(at)))).collect()
        };
        let widest = data.labels.iter().map(|it| text::width(it, LABEL)).fold(0.0, f64::max);
        // The outer labels are moved inwards, and must not meet their neighbours there.
        let moved = ((widest - slot) / 2.0 - RIGHT + 2.0).max(0.0);
        let step = ((widest + moved + 14.0) / slot).ceil().max(1.0) as usize;
        let slot_takes_some = slot > 60.0;
        if step == 1 || slot_takes_some || ((lines || data.has_dates()) && widest < width / 3.0) {
            let (step, room) = if slot_takes_some { (1, slot - 6.0) } else { (step, widest) };
            return Self { texts: each(step, &|_| room), slanted: false, height: 22.0, slot };
        }
        let lean = SLANT.to_radians();
        let step = ((LABEL + 1.0) / lean.sin() / slot).ceil() as usize;
        // The first ones must not leave the picture on the left.
        let texts: Vec<(usize, String)> =
            each(step, &|at| ((left + (at as f64 + 0.5) * slot) / lean.cos()).min(92.0));
        let longest = texts.iter().map(|(_, text)| text::width(text, LABEL)).fold(0.0, f64::max);
        let height = longest * lean.sin() + LABEL + 8.0;
        Self { texts, slanted: true, height, slot }
    }

    /// Writes the labels. `place` is the point of the axis below a bar or point.
    pub fn draw(&self, drawing: &mut Drawing, place: impl Fn(usize) -> Point) {
        let slanted = TextStyle::new(LABEL, Horizontal::Right, Vertical::Center).slanted();
        let straight = TextStyle::new(LABEL, Horizontal::Center, Vertical::Top);
        for (at, text) in &self.texts {
            let (x, y) = place(*at);
            if self.slanted {
                drawing.text(text, (x + 4.0, y + 8.0), slanted);
                continue;
            }
            // The outer ones must not leave the picture.
            let half = text::width(text, LABEL) / 2.0;
            let x = x.min(WIDTH - 2.0 - half).max(2.0 + half);
            drawing.text(text, (x, y + 6.0), straight);
        }
    }
}
