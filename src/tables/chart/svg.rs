//! A drawing backend for plotters that writes SVG for a page with a strict content policy.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{FontStyle, FontTransform, RGBAColor, RGBColor};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::text;

/// Width and height of every picture in its own units. A chat is narrow: at 360 px a text of 13
/// units still has 10 px.
pub(super) const WIDTH: u32 = 440;
pub(super) const HEIGHT: u32 = 290;

/// plotters draws on whole units, so it is given this many to one of ours.
pub(super) const SCALE: f64 = 20.0;

/// How much a turned text is slanted, in degrees.
pub(super) const SLANT: f64 = 40.0;

/// Stands for the colour of the text around the picture.
pub(super) const TEXT: RGBColor = RGBColor(0, 0, 0);

/// The colours of series and slices: each has a contrast of 3:1 or more on white and on #15171c.
pub(super) const PALETTE: [RGBColor; 9] = [
    RGBColor(0x3f, 0x7f, 0xe0),
    RGBColor(0xdb, 0x6b, 0x12),
    RGBColor(0x1f, 0x9d, 0x6a),
    RGBColor(0xa8, 0x61, 0xd6),
    RGBColor(0xdb, 0x4a, 0x60),
    RGBColor(0x16, 0x93, 0xa8),
    RGBColor(0x94, 0x83, 0x14),
    RGBColor(0xd0, 0x53, 0xa4),
    RGBColor(0x80, 0x87, 0x92),
];

/// The text colour, less of it.
pub(super) fn faint(alpha: f64) -> RGBAColor {
    RGBAColor(TEXT.0, TEXT.1, TEXT.2, alpha)
}

/// Our units in plotters'.
pub(super) fn units(length: f64) -> i32 {
    (length * SCALE).round() as i32
}

/// The picture as far as it is drawn.
pub(super) struct Drawing {
    svg: String,
}

impl Drawing {
    pub fn new(title: &str, description: &str) -> Self {
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui, sans-serif" fill="none"><title>"#
        );
        escape(&mut svg, title);
        svg.push_str("</title><desc>");
        escape(&mut svg, description);
        svg.push_str("</desc>");
        Self { svg }
    }

    /// The whole element.
    pub fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }

    /// Where plotters draws.
    pub fn backend(&mut self) -> Backend<'_> {
        Backend { svg: &mut self.svg }
    }
}

/// Writes what plotters draws.
pub(super) struct Backend<'a> {
    svg: &'a mut String,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Backend<'_> {
    /// One element, closed; `attributes` stand before its colour.
    fn element(&mut self, name: &str, attributes: &str, paint: &str, color: BackendColor) -> Drawn {
        let _ = write!(self.svg, "<{name} {attributes}");
        self.color(paint, color);
        self.svg.push_str("/>");
        Ok(())
    }

    fn color(&mut self, paint: &str, color: BackendColor) {
        let (r, g, b) = color.rgb;
        let _ = match color.rgb {
            (0, 0, 0) => write!(self.svg, r#" {paint}="currentColor""#),
            _ => write!(self.svg, r##" {paint}="#{r:02x}{g:02x}{b:02x}""##),
        };
        if color.alpha < 1.0 {
            let _ = write!(self.svg, r#" {paint}-opacity="{}""#, color.alpha);
        }
    }
}

impl DrawingBackend for Backend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (WIDTH * SCALE as u32, HEIGHT * SCALE as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Drawn {
        // Only drawing by pixels comes here, and we draw shapes.
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let attributes = format!(
            r#"x="{}" y="{}" width="{}" height="{}""#,
            length(left),
            length(top),
            length(right - left),
            length(bottom - top)
        );
        self.element("rect", &attributes, "fill", style.color())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha == 0.0 {
            return Ok(());
        }
        let attributes = format!(
            r#"points="{}" stroke-width="{}" stroke-linejoin="round""#,
            points(path),
            length(style.stroke_width() as i32)
        );
        self.element("polyline", &attributes, "stroke", style.color())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let attributes =
            format!(r#"cx="{}" cy="{}" r="{}""#, length(x), length(y), length(radius as i32));
        self.element("circle", &attributes, "fill", style.color())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        let attributes = format!(r#"points="{}""#, points(corners));
        self.element("polygon", &attributes, "fill", style.color())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => r#" text-anchor="middle""#,
            HPos::Right => r#" text-anchor="end""#,
        };
        // From the edge or the middle of the letters to the line they stand on, in ems.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.75,
            VPos::Center => 0.35,
            VPos::Bottom => -0.22,
        };
        let (size, x) = (style.size() / SCALE, length(x));
        let y = length(y + units(size * down));
        let _ = write!(self.svg, r#"<text x="{x}" y="{y}" font-size="{size}"{anchor}"#);
        if matches!(style.style(), FontStyle::Bold) {
            self.svg.push_str(r#" font-weight="600""#);
        }
        // plotters knows right angles only; ours reads easier.
        if !matches!(style.transform(), FontTransform::None) {
            let _ = write!(self.svg, r#" transform="rotate(-{SLANT} {x} {y})""#);
        }
        self.color("fill", style.color());
        self.svg.push('>');
        escape(self.svg, text);
        self.svg.push_str("</text>");
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((text::width(text, style.size()) as u32, style.size() as u32))
    }
}

/// plotters' units in ours, with two decimals at most.
fn length(units: i32) -> f64 {
    f64::from(units) / SCALE
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let points: Vec<String> =
        path.into_iter().map(|(x, y)| format!("{},{}", length(x), length(y))).collect();
    points.join(" ")
}

fn escape(out: &mut String, text: &str) {
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            it => out.push(it),
        }
    }
}
