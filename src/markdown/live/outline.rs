//! Where the blocks of a text are.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::markdown::OPTIONS;

/// What is known about the blocks of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// The start of the last block that follows a blank line; 0 if there is none.
    pub last_block: usize,
    /// Whether there is a link reference definition.
    pub has_definitions: bool,
    /// What the text ends in.
    pub end: End,
}

/// What a text ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Code, or HTML that is shown as text: there, signs mean themselves.
    Verbatim,
    /// Text with emphasis and links, which begins here.
    Spans(usize),
}

/// The outline of `text`; `None` if the parser fails.
pub(super) fn outline(text: &str) -> Option<Outline> {
    // Fuzzing finds a panic in the parser now and then.
    std::panic::catch_unwind(|| read(text)).ok()
}

fn read(text: &str) -> Outline {
    let parser = Parser::new_ext(text, OPTIONS);
    let has_definitions = parser.reference_definitions().iter().next().is_some();
    let mut found = Outline { last_block: 0, has_definitions, end: End::Spans(0) };
    let mut depth = 0_usize;
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    found.begin(text, range.start);
                }
                depth += 1;
                found.enter(&tag, &range, text);
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => found.begin(text, range.start),
            _ => {}
        }
    }
    found
}

impl Outline {
    fn begin(&mut self, text: &str, at: usize) {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = text[..line].strip_suffix('\n').unwrap_or("");
        let line_before = before.rsplit('\n').next().unwrap_or("");
        if line > 0 && line_before.trim().is_empty() {
            self.last_block = line;
        }
        self.end = End::Spans(line);
    }

    fn enter(&mut self, tag: &Tag<'_>, range: &Range<usize>, text: &str) {
        match tag {
            Tag::CodeBlock(_) | Tag::HtmlBlock => {
                let is_last = text[range.end.min(text.len())..].trim().is_empty();
                self.end = if is_last { End::Verbatim } else { End::Spans(range.end) };
            }
            // Cells that a row lacks are made up, without a place in the text.
            Tag::Paragraph | Tag::Heading { .. } | Tag::Item | Tag::TableCell
                if !range.is_empty() =>
            {
                self.end = End::Spans(range.start);
            }
            _ => {}
        }
    }
}
