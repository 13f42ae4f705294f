//! Writes SVG for a page with a strict content policy: no styles, no scripts, nothing from
//! elsewhere. The picture scales, and its words take the colour of the text around it. What is
//! drawn for a series has a class (`series-1` for the first), by which a page may recolour it.

use std::fmt::Write as _;

use super::text::escape;

/// Width of every picture in its own units: just under that of a bubble in a panel of 384 px, so
/// that texts are not drawn smaller than their size says.
pub(super) const WIDTH: f64 = 320.0;

/// Height of pictures whose height does not depend on the number of labels.
pub(super) const HEIGHT: f64 = 240.0;

/// How much a turned text is slanted, in degrees.
pub(super) const SLANT: f64 = 40.0;

/// A place in the picture: right and down from its upper left corner.
pub(super) type Point = (f64, f64);

/// Red, green and blue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rgb(pub u8, pub u8, pub u8);

/// The colours of series and slices: each has a contrast of 3:1 or more on white and on #15171c.
pub(super) const PALETTE: [Rgb; 9] = [
    Rgb(0x3f, 0x7f, 0xe0),
    Rgb(0xdb, 0x6b, 0x12),
    Rgb(0x1f, 0x9d, 0x6a),
    Rgb(0xa8, 0x61, 0xd6),
    Rgb(0xdb, 0x4a, 0x60),
    Rgb(0x16, 0x93, 0xa8),
    Rgb(0x94, 0x83, 0x14),
    Rgb(0xd0, 0x53, 0xa4),
    Rgb(0x80, 0x87, 0x92),
];

/// Class and colour of the series or slice at a position, as attributes. `property` is `fill` or
/// `stroke`.
fn paint(at: usize, property: &str) -> String {
    let place = at % PALETTE.len();
    format!(r#"class="series-{}" {property}="{}""#, place + 1, hex(PALETTE[place]))
}

/// Which point of a text its place is.
#[derive(Clone, Copy)]
pub(super) enum Horizontal {
    Left,
    Center,
    Right,
}

/// Likewise.
#[derive(Clone, Copy)]
pub(super) enum Vertical {
    Top,
    Center,
    Bottom,
}

/// How a text is written.
#[derive(Clone, Copy)]
pub(super) struct TextStyle {
    pub size: f64,
    pub bold: bool,
    /// Rising to the right by [`SLANT`].
    pub slanted: bool,
    pub horizontal: Horizontal,
    pub vertical: Vertical,
}

impl TextStyle {
    /// An upright text that is not bold.
    pub fn new(size: f64, horizontal: Horizontal, vertical: Vertical) -> Self {
        Self { size, bold: false, slanted: false, horizontal, vertical }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn slanted(self) -> Self {
        Self { slanted: true, ..self }
    }
}

/// The picture as far as it is drawn.
pub(super) struct Drawing {
    head: String,
    elements: String,
    height: f64,
}

impl Drawing {
    pub fn new(title: &str, description: &str) -> Self {
        let (title, description) = (escape(title), escape(description));
        let head = format!("<title>{title}</title><desc>{description}</desc>");
        Self { head, elements: String::new(), height: HEIGHT }
    }

    /// For pictures that grow with the number of their labels.
    pub fn set_height(&mut self, height: f64) {
        self.height = short(height);
    }

    /// The whole element.
    pub fn finish(self) -> String {
        let Self { head, elements, height } = self;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="system-ui, sans-serif" fill="none">{head}{elements}</svg>"#
        )
    }

    /// A filled rectangle with these opposite corners.
    pub fn rectangle(&mut self, a: Point, b: Point, series: usize) {
        let ((left, right), (top, bottom)) =
            ((a.0.min(b.0), a.0.max(b.0)), (a.1.min(b.1), a.1.max(b.1)));
        self.add(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" {}/>"#,
            short(left),
            short(top),
            short(right - left),
            short(bottom - top),
            paint(series, "fill")
        ));
    }

    pub fn circle(&mut self, (x, y): Point, radius: f64, series: usize) {
        let (x, y, paint) = (short(x), short(y), paint(series, "fill"));
        self.add(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" {paint}/>"#));
    }

    pub fn polygon(&mut self, corners: impl IntoIterator<Item = Point>, series: usize) {
        let (corners, paint) = (points(corners), paint(series, "fill"));
        self.add(format_args!(r#"<polygon points="{corners}" {paint}/>"#));
    }

    pub fn line(&mut self, path: impl IntoIterator<Item = Point>, series: usize) {
        let (path, paint) = (points(path), paint(series, "stroke"));
        self.add(format_args!(
            r#"<polyline points="{path}" stroke-width="2" stroke-linejoin="round" {paint}/>"#
        ));
    }

    /// A thin line in the colour of the text.
    pub fn rule(&mut self, path: [Point; 2], opacity: f64) {
        let path = points(path);
        self.add(format_args!(
            r#"<polyline points="{path}" stroke-width="1" stroke="currentColor" stroke-opacity="{opacity}"/>"#
        ));
    }

    pub fn text(&mut self, text: &str, (x, y): Point, style: TextStyle) {
        let anchor = match style.horizontal {
            Horizontal::Left => "",
            Horizontal::Center => r#" text-anchor="middle""#,
            Horizontal::Right => r#" text-anchor="end""#,
        };
        // From the edge or the middle of the letters to the line they stand on, in ems.
        let down = match style.vertical {
            Vertical::Top => 0.75,
            Vertical::Center => 0.35,
            Vertical::Bottom => -0.22,
        };
        let (x, y, size) = (short(x), short(y + style.size * down), style.size);
        let weight = if style.bold { r#" font-weight="600""# } else { "" };
        let turn = if style.slanted {
            format!(r#" transform="rotate(-{SLANT} {x} {y})""#)
        } else {
            String::new()
        };
        let text = escape(text);
        self.add(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{size}"{anchor}{weight}{turn} fill="currentColor">{text}</text>"#
        ));
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.elements.write_fmt(element);
    }
}

/// A length with two decimals at most.
fn short(length: f64) -> f64 {
    // Without the sign of a zero.
    (length * 100.0).round() / 100.0 + 0.0
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn points(path: impl IntoIterator<Item = Point>) -> String {
    let points: Vec<String> =
        path.into_iter().map(|(x, y)| format!("{},{}", short(x), short(y))).collect();
    points.join(" ")
}
