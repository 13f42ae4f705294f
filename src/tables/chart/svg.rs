//! Writes SVG for a page with a strict content policy: no styles, no scripts, nothing from
//! elsewhere. The picture scales, and its words take the colour of the text around it.

use std::fmt::Write as _;

use super::text::escape;

/// Width and height of every picture in its own units. A chat is narrow: at 360 px a text of 13
/// units still has 10 px.
pub(super) const WIDTH: f64 = 440.0;
pub(super) const HEIGHT: f64 = 290.0;

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

/// The colour of the series or slice at a position.
pub(super) fn color(at: usize) -> Rgb {
    PALETTE[at % PALETTE.len()]
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
    svg: String,
}

impl Drawing {
    pub fn new(title: &str, description: &str) -> Self {
        let (title, description) = (escape(title), escape(description));
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui, sans-serif" fill="none"><title>{title}</title><desc>{description}</desc>"#
        );
        Self { svg }
    }

    /// The whole element.
    pub fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }

    /// A filled rectangle with these opposite corners.
    pub fn rectangle(&mut self, a: Point, b: Point, color: Rgb) {
        let ((left, right), (top, bottom)) =
            ((a.0.min(b.0), a.0.max(b.0)), (a.1.min(b.1), a.1.max(b.1)));
        self.add(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>"#,
            short(left),
            short(top),
            short(right - left),
            short(bottom - top),
            hex(color)
        ));
    }

    pub fn circle(&mut self, (x, y): Point, radius: f64, color: Rgb) {
        let (x, y, color) = (short(x), short(y), hex(color));
        self.add(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{color}"/>"#));
    }

    pub fn polygon(&mut self, corners: impl IntoIterator<Item = Point>, color: Rgb) {
        let (corners, color) = (points(corners), hex(color));
        self.add(format_args!(r#"<polygon points="{corners}" fill="{color}"/>"#));
    }

    pub fn line(&mut self, path: impl IntoIterator<Item = Point>, color: Rgb) {
        let (path, color) = (points(path), hex(color));
        self.add(format_args!(
            r#"<polyline points="{path}" stroke-width="2" stroke-linejoin="round" stroke="{color}"/>"#
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
        let _ = self.svg.write_fmt(element);
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
