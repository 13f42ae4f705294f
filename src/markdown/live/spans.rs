//! The end of a text that is cut anywhere: spans are closed, half of a link is its text.

/// Brackets that stay open longer than this, in bytes, are no links.
const MAX_LABEL: usize = 500;

/// Longest tag or entity that is waited for, in bytes.
const MAX_WAIT: usize = 200;

/// A run of `*`, `_` or `~` that may open emphasis.
struct OpenSpan {
    sign: u8,
    length: usize,
    /// Where it ends in the output.
    end: usize,
}

struct SpanCloser<'a> {
    text: &'a str,
    out: String,
    spans: Vec<OpenSpan>,
    /// The places in the output of brackets that are open.
    brackets: Vec<usize>,
}

/// `text`, the part of a block that is there, so that it can be shown: what is open at its end is
/// closed or left out.
pub(super) fn close_spans(text: &str) -> String {
    let mut closer = SpanCloser {
        text,
        out: String::with_capacity(text.len() + 8),
        spans: vec![],
        brackets: vec![],
    };
    let mut at = 0;
    while at < text.len() {
        match closer.step(at) {
            Some(next) => at = next,
            None => break,
        }
    }
    closer.end()
}

impl SpanCloser<'_> {
    /// Reads what is at `at`, and returns where to go on; `None` if the rest is not shown.
    fn step(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let next = match rest.as_bytes()[0] {
            b'\\' => 1 + rest[1..].chars().next()?.len_utf8(),
            b'`' => return self.code(at),
            b'*' | b'_' | b'~' => return self.run(at),
            b'[' => {
                self.brackets.push(self.out.len());
                1
            }
            b']' => return self.bracket(at),
            // An image may begin.
            b'!' if rest.len() == 1 => return None,
            b'<' if is_half_a_tag(rest) => return None,
            b'&' if is_half_an_entity(rest) => return None,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        self.out.push_str(&rest[..next]);
        Some(at + next)
    }

    fn code(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let ticks = run_length(rest, b'`');
        let mut from = ticks;
        while let Some(start) = rest[from..].find('`').map(|start| from + start) {
            let length = run_length(&rest[start..], b'`');
            from = start + length;
            if length == ticks {
                self.out.push_str(&rest[..from]);
                return Some(at + from);
            }
        }
        let code = rest[ticks..].trim_end_matches('`').trim_end();
        if !code.trim_start().is_empty() {
            self.out.push_str(&rest[..ticks]);
            self.out.push_str(code);
            self.out.push_str(&rest[..ticks]);
        }
        None
    }

    /// A run of signs that open or close emphasis.
    fn run(&mut self, at: usize) -> Option<usize> {
        let sign = self.text.as_bytes()[at];
        let length = run_length(&self.text[at..], sign);
        let end = at + length;
        // What follows decides whether the run opens or closes, and whether it is whole.
        let after = self.text[end..].chars().next()?;
        let before = self.text[..at].chars().next_back().unwrap_or(' ');
        let opens = !after.is_whitespace() && (!is_sign(after) || !before.is_alphanumeric());
        let closes = !before.is_whitespace() && (!is_sign(before) || !after.is_alphanumeric());
        let is_word = sign == b'_' && before.is_alphanumeric() && after.is_alphanumeric();
        // Without spaces between words, emphasis ends where CommonMark's rules see a beginning.
        let beside_wide = !before.is_ascii() || !after.is_ascii();
        let mut left = length;
        if !is_word && !before.is_whitespace() && (closes || beside_wide) {
            left = self.close(sign, length);
        }
        if left == length && opens && !is_word && !(sign == b'~' && length > 2) {
            let end = self.out.len() + length;
            self.spans.push(OpenSpan { sign, length, end });
        }
        self.out.push_str(&self.text[at..end]);
        Some(end)
    }

    /// Closes what a run of this length can close; returns the length that is left of it.
    fn close(&mut self, sign: u8, mut length: usize) -> usize {
        while length > 0 {
            let Some(place) = self.spans.iter().rposition(|span| span.sign == sign) else {
                break;
            };
            self.spans.truncate(place + 1);
            let span = &mut self.spans[place];
            let closed = span.length.min(length);
            span.length -= closed;
            length -= closed;
            if span.length == 0 {
                self.spans.pop();
            }
        }
        length
    }

    /// The end of a label, after which the target of a link may come.
    fn bracket(&mut self, at: usize) -> Option<usize> {
        let Some(label) = self.brackets.pop() else {
            self.out.push(']');
            return Some(at + 1);
        };
        let rest = &self.text[at + 1..];
        let length = match rest.as_bytes().first() {
            Some(b'(') => target_length(rest),
            Some(b'[') => rest.find(']').map(|end| end + 1),
            Some(_) => Some(0),
            None => None,
        };
        match length {
            Some(length) => {
                self.out.push(']');
                self.out.push_str(&rest[..length]);
                Some(at + 1 + length)
            }
            None => {
                self.unwrap(label);
                None
            }
        }
    }

    /// Takes an open bracket out of the output, with the sign of an image before it.
    fn unwrap(&mut self, bracket: usize) {
        let start = match self.out[..bracket].ends_with('!') {
            true => bracket - 1,
            false => bracket,
        };
        let removed = bracket + 1 - start;
        self.out.drain(start..=bracket);
        for span in self.spans.iter_mut().filter(|span| span.end > bracket) {
            span.end -= removed;
        }
    }

    fn end(mut self) -> String {
        while let Some(bracket) = self.brackets.pop() {
            if self.out.len() - bracket <= MAX_LABEL {
                self.unwrap(bracket);
            }
        }
        self.out.truncate(self.out.trim_end().len());
        while let Some(OpenSpan { sign, length, end }) = self.spans.pop() {
            if end >= self.out.len() {
                // There is nothing in it yet.
                self.out.truncate(end.saturating_sub(length));
                self.out.truncate(self.out.trim_end().len());
            } else {
                self.out.extend(std::iter::repeat_n(char::from(sign), length));
            }
        }
        self.out
    }
}

fn run_length(text: &str, sign: u8) -> usize {
    text.bytes().take_while(|&byte| byte == sign).count()
}

/// Whether CommonMark counts it as punctuation.
fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// The length of a link's target in parentheses; `None` if it is not complete.
fn target_length(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            // It is no target.
            b'\n' if rest[at + 1..].starts_with('\n') => return Some(0),
            _ => {}
        }
    }
    None
}

fn is_half_a_tag(rest: &str) -> bool {
    let name = rest.as_bytes().get(1);
    name.is_none_or(|&byte| byte.is_ascii_alphabetic() || byte == b'/' || byte == b'!')
        && rest.len() < MAX_WAIT
        && !rest.contains('>')
}

fn is_half_an_entity(rest: &str) -> bool {
    rest.len() < 12 && rest[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
}
