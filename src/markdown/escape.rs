//! Escaping text for HTML.

/// Writes text as the content of an element, its line breaks as `<br>`.
pub(super) fn push_lines(out: &mut String, text: &str) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push_str("<br>");
        }
        escape(out, line);
    }
}

/// Writes text as the content of an element.
pub(super) fn escape(out: &mut String, text: &str) {
    escape_with(out, text, |byte| matches!(byte, b'&' | b'<' | b'>'));
}

/// Writes text as the value of an attribute in double quotes.
pub(super) fn escape_attribute(out: &mut String, text: &str) {
    escape_with(out, text, |byte| matches!(byte, b'&' | b'<' | b'>' | b'"'));
}

fn escape_with(out: &mut String, text: &str, special: impl Fn(u8) -> bool) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(&special) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(match after.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            _ => "&quot;",
        });
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}
