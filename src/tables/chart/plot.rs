//! Bars and lines.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ChartError;
use super::svg::{Backend, Drawing, PALETTE, SCALE, SLANT, TEXT, WIDTH, faint, units};
use super::table::Table;
use super::text;

const RIGHT: f64 = 12.0;
const LABEL: f64 = 12.0;
const HEADING: f64 = 14.0;
const FIGURE: f64 = 11.0;

/// How wide a bar, or bars side by side, may be.
const MAX_GROUP: f64 = 120.0;

pub(super) type Area<'a> = DrawingArea<Backend<'a>, Shift>;

/// Draws the series of a table as lines or groups of bars.
pub(super) fn draw(
    table: &Table,
    title: &str,
    lines: bool,
    mut drawing: Drawing,
) -> Result<String, ChartError> {
    let scale = Scale::of(table, lines)?;
    {
        let area = drawing.backend().into_drawing_area();
        let top = heading(&area, title) + legend(table, title, &area, heading_height(title));
        // Our backend has no errors, and the ranges are checked.
        let _ = plot(table, &scale, lines, &area, top);
    }
    Ok(drawing.finish())
}

/// The title on up to two lines; gives back the height it takes.
pub(super) fn heading(area: &Area<'_>, title: &str) -> f64 {
    let mut y = 4.0;
    for line in heading_lines(title) {
        write(area, &line, (8.0, y + 2.0), HEADING, Pos::new(HPos::Left, VPos::Top), true);
        y += HEADING + 5.0;
    }
    y
}

fn heading_lines(title: &str) -> Vec<String> {
    text::wrap(title, HEADING * 1.05, f64::from(WIDTH) - 16.0, 2)
}

fn heading_height(title: &str) -> f64 {
    4.0 + heading_lines(title).len() as f64 * (HEADING + 5.0)
}

/// Writes one text of ours; `bold` for headings.
pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    (x, y): (f64, f64),
    size: f64,
    pos: Pos,
    bold: bool,
) {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::SansSerif, size * SCALE, style);
    let style = TextStyle::from(font).color(&TEXT).pos(pos);
    let _ = area.draw_text(text, &style, (units(x), units(y)));
}

/// Names of the series beside their colours, two or more to a line; gives back the height.
fn legend(table: &Table, title: &str, area: &Area<'_>, top: f64) -> f64 {
    let [only] = table.series.as_slice() else {
        let width = (f64::from(WIDTH) - 16.0) / table.series.len() as f64;
        for (at, series) in table.series.iter().enumerate() {
            let x = 8.0 + width * at as f64;
            swatch(area, (x, top + 2.0), at);
            let name = text::fit(&series.name, LABEL, width - 22.0);
            write(
                area,
                &name,
                (x + 15.0, top + 7.0),
                LABEL,
                Pos::new(HPos::Left, VPos::Center),
                false,
            );
        }
        return 18.0;
    };
    if title.contains(&only.name) {
        return 0.0;
    }
    let name = text::fit(&only.name, LABEL, f64::from(WIDTH) - 16.0);
    write(area, &name, (8.0, top + 7.0), LABEL, Pos::new(HPos::Left, VPos::Center), false);
    18.0
}

/// A square of a series' colour.
pub(super) fn swatch(area: &Area<'_>, (x, y): (f64, f64), at: usize) {
    let corners = [(units(x), units(y)), (units(x + 10.0), units(y + 10.0))];
    let _ = area.draw(&Rectangle::new(corners, PALETTE[at % PALETTE.len()].filled()));
}

type Plane<'c, 'a> = ChartContext<'c, Backend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

type Faults<'a> = DrawingAreaErrorKind<<Backend<'a> as DrawingBackend>::ErrorType>;

fn plot<'a>(
    table: &Table,
    scale: &Scale,
    lines: bool,
    area: &Area<'a>,
    top: f64,
) -> Result<(), Faults<'a>> {
    let count = table.points();
    let ticks: Vec<String> = scale.ticks.iter().map(|it| text::tick(*it, scale.step)).collect();
    let axis = ticks.iter().map(|it| text::width(it, LABEL)).fold(0.0, f64::max) + 12.0;
    let labels = Labels::of(table, axis, lines);
    let mut builder = ChartBuilder::on(area);
    builder
        .margin_top(units(top + 14.0))
        .margin_right(units(RIGHT))
        .set_label_area_size(LabelAreaPosition::Left, units(axis))
        .set_label_area_size(LabelAreaPosition::Bottom, units(labels.height));
    let (low, high) = scale.range;
    let edges = (-0.5, count as f64 - 0.5);
    let mut chart = builder.build_cartesian_2d(edges.0..edges.1, low..high)?;
    let place = |chart: &Plane<'_, 'a>, x: f64, y: f64| {
        let (x, y) = chart.backend_coord(&(x, y));
        (f64::from(x) / SCALE, f64::from(y) / SCALE)
    };
    // plotters' own mesh chooses ticks of its own; these stand where the scale ends too.
    for (value, text) in scale.ticks.iter().zip(&ticks) {
        let strength = if *value == 0.0 { 0.6 } else { 0.16 };
        let style = faint(strength).stroke_width(units(1.0) as u32);
        chart.draw_series([PathElement::new([(edges.0, *value), (edges.1, *value)], style)])?;
        let (x, y) = place(&chart, edges.0, *value);
        write(area, text, (x - 6.0, y), LABEL, Pos::new(HPos::Right, VPos::Center), false);
    }
    if lines {
        for (at, series) in table.series.iter().enumerate() {
            let color = PALETTE[at % PALETTE.len()];
            // A line ends where a value is missing.
            for run in runs(&series.values) {
                chart.draw_series(LineSeries::new(run, color.stroke_width(units(2.0) as u32)))?;
            }
            let dots = count <= 25 || runs(&series.values).iter().any(|run| run.len() == 1);
            if dots {
                let radius = units(if count <= 25 { 3.0 } else { 1.5 });
                let points = runs(&series.values).concat();
                chart.draw_series(
                    points.into_iter().map(|point| Circle::new(point, radius, color.filled())),
                )?;
            }
        }
    } else {
        let base = 0.0_f64.clamp(low, high);
        // A few bars need not fill the picture.
        let group = (MAX_GROUP / labels.slot).min(0.76);
        let width = group / table.series.len() as f64;
        for (at, series) in table.series.iter().enumerate() {
            let color = PALETTE[at % PALETTE.len()];
            chart.draw_series(series.values.iter().enumerate().filter_map(|(place, value)| {
                let left = place as f64 - group / 2.0 + width * at as f64;
                let gap = if table.series.len() > 1 { width * 0.06 } else { 0.0 };
                let corners = [(left + gap, base), (left + width - gap, (*value)?)];
                Some(Rectangle::new(corners, color.filled()))
            }))?;
        }
    }
    if let [series] = table.series.as_slice()
        && !lines
    {
        figures(area, &series.values, labels.slot, |at, value| place(&chart, at as f64, value));
    }
    labels.draw(area, |at| place(&chart, at as f64, low));
    Ok(())
}

/// Writes the values over their bars, if there is room for all of them.
fn figures(
    area: &Area<'_>,
    values: &[Option<f64>],
    slot: f64,
    place: impl Fn(usize, f64) -> (f64, f64),
) {
    let texts: Vec<String> =
        values.iter().map(|value| value.map_or_else(String::new, text::number)).collect();
    if texts.iter().any(|text| text::width(text, FIGURE) > slot) {
        return;
    }
    for (at, (value, text)) in values.iter().zip(&texts).enumerate() {
        let Some(value) = *value else { continue };
        let (x, y) = place(at, value);
        let (y, edge) = if value < 0.0 { (y + 2.0, VPos::Top) } else { (y - 2.0, VPos::Bottom) };
        write(area, text, (x, y), FIGURE, Pos::new(HPos::Center, edge), false);
    }
}

/// The stretches of values without a gap, as points.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let points: Vec<Option<(f64, f64)>> = values
        .iter()
        .enumerate()
        .map(|(at, value)| value.map(|value| (at as f64, value)))
        .collect();
    let runs = points.split(Option::is_none).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().copied().flatten().collect()).collect()
}

/// The words under the axis: side by side where they fit, else slanted under bars, and thinned
/// out where there are too many.
struct Labels {
    /// Place and text of each.
    texts: Vec<(usize, String)>,
    slanted: bool,
    height: f64,
    /// The width that belongs to one bar or point.
    slot: f64,
}

impl Labels {
    /// `left` is what the axis takes.
    fn of(table: &Table, left: f64, lines: bool) -> Self {
        let width = f64::from(WIDTH) - left - RIGHT;
        let slot = width / table.points() as f64;
        let each = |step: usize, room: &dyn Fn(usize) -> f64| {
            let texts = table.labels.iter().enumerate().step_by(step);
            texts.map(|(at, label)| (at, text::fit(label, LABEL, room(at)))).collect()
        };
        let widest = table.labels.iter().map(|it| text::width(it, LABEL)).fold(0.0, f64::max);
        let step = ((widest + 14.0) / slot).ceil().max(1.0) as usize;
        let slot_takes_some = slot > 60.0;
        if step == 1 || slot_takes_some || (lines && widest < width / 3.0) {
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

    /// `place` is where the axis is under a bar or point.
    fn draw(&self, area: &Area<'_>, place: impl Fn(usize) -> (f64, f64)) {
        let font = TextStyle::from((FontFamily::SansSerif, LABEL * SCALE)).color(&TEXT);
        let slanted = font.pos(Pos::new(HPos::Right, VPos::Center));
        let slanted = slanted.transform(FontTransform::Rotate270);
        let straight = font.pos(Pos::new(HPos::Center, VPos::Top));
        for (at, text) in &self.texts {
            let (x, y) = place(*at);
            if self.slanted {
                let _ = area.draw_text(text, &slanted, (units(x + 4.0), units(y + 8.0)));
                continue;
            }
            // The outer ones must not leave the picture.
            let half = text::width(text, LABEL) / 2.0;
            let x = x.min(f64::from(WIDTH) - 2.0 - half).max(2.0 + half);
            let _ = area.draw_text(text, &straight, (units(x), units(y + 6.0)));
        }
    }
}

/// The upright axis.
struct Scale {
    range: (f64, f64),
    step: f64,
    ticks: Vec<f64>,
}

impl Scale {
    /// Whole steps around all values; bars stand on zero, lines where that does not flatten them.
    fn of(table: &Table, lines: bool) -> Result<Self, ChartError> {
        let values = || table.series.iter().flat_map(|series| &series.values).flatten().copied();
        let (mut low, mut high) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if !low.is_finite() || !high.is_finite() {
            return Err(ChartError::NoNumbers);
        }
        if !lines || (low > 0.0 && low < high * 0.4) || (high < 0.0 && high > low * 0.4) {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        // Values that are alike to ten digits get a range around them.
        let least = low.abs().max(high.abs()) * 1e-9;
        if high - low <= least {
            let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (low - around, high + around);
        }
        let span = high - low;
        if !(span * 2.0).is_finite() || span < 1e-300 {
            return Err(ChartError::TooLarge);
        }
        let rough = span / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 2.5, 5.0].into_iter().find(|nice| nice * power >= rough * 0.9);
        let step = nice.unwrap_or(10.0) * power;
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Times a whole number: sums of steps would drift.
        let ticks = (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect();
        Ok(Self { range: (first * step, last * step), step, ticks })
    }
}
