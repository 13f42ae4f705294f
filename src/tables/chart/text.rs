//! Words and numbers in a picture, without a font at hand.

/// A trimmed line of text, without control characters and characters that XML does not allow.
pub(super) fn clean(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|it| if it.is_control() || matches!(it, '\u{fffe}' | '\u{ffff}') { ' ' } else { it })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A column's name as people write it: `total_revenue` is `total revenue`.
pub(super) fn words(name: &str) -> String {
    clean(&name.replace('_', " "))
}

/// A text as it stands between the tags of XML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            it => out.push(it),
        }
    }
    out
}

/// At most `most` characters, with an ellipsis if some are left out.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// As much of the text as fits into `width` at a font size of `size`, likewise.
pub(super) fn fit(text: &str, size: f64, width: f64) -> String {
    let mut most = text.chars().count();
    while most > 1 && self::width(&shorten(text, most), size) > width {
        most -= 1;
    }
    shorten(text, most)
}

/// The words of a text on at most `lines` lines of `width`.
pub(super) fn wrap(text: &str, size: f64, width: f64, lines: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while out.len() + 1 < lines && self::width(rest, size) > width {
        let fits = rest
            .match_indices(' ')
            .map(|(at, _)| at)
            .take_while(|at| self::width(&rest[..*at], size) <= width)
            .last();
        let Some(at) = fits else { break };
        out.push(rest[..at].to_owned());
        rest = &rest[at + 1..];
    }
    out.push(fit(rest, size, width));
    out
}

/// The approximate width of a text, rather too large than too small, by the widths of common
/// sans-serif fonts.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let em = |it: char| match it {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!'
        | '(' | ')' | '[' | ']' | ' ' | '/' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.92,
        'A'..='Z' => 0.7,
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        it if it < '\u{1100}' => 0.58,
        // East Asian letters and emoji are square.
        _ => 1.1,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// A number as people read it: `15.94`, `12.3k`, `3.4M`, `1.2e-7`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(0.001..1e15).contains(&size) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    // By the number as it is shown: 999,950 is 1M.
    let (unit, letter) = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")]
        .into_iter()
        .find(|(least, _)| size >= least * 0.99995)
        .map_or((1.0, ""), |(least, letter)| (if least == 1e4 { 1e3 } else { least }, letter));
    let value = value / unit;
    let digits = match value.abs() {
        it if it < 0.1 => 4,
        it if it < 1.0 => 3,
        it if it < 10.0 => 2,
        it if it < 1_000.0 => 1,
        _ => 0,
    };
    let digits = if letter.is_empty() && (10.0..100.0).contains(&size) { 2 } else { digits };
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{letter}")
}

/// The same for a tick of an axis: as many decimals as its steps need.
pub(super) fn tick(value: f64, step: f64) -> String {
    let short = number(value);
    let large = value.abs() >= 1e4;
    // Large ticks that are close together would look alike.
    let alike = short == number(value + step) || short == number(value - step);
    if value == 0.0 || step < 1e-6 || value.abs() >= 1e15 || (large && !alike) {
        return short;
    }
    let whole = |digits: &usize| {
        let shifted = step * 10_f64.powi(*digits as i32);
        (shifted - shifted.round()).abs() < 1e-6
    };
    let digits = (0..=7).find(whole).unwrap_or(7);
    format!("{value:.digits$}")
}
