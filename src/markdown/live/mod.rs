//! An answer as HTML while it is being written: blocks as they are finished, and the one that is
//! still open.
//!
//! A block is finished once no later text can change it: a later one has begun after a blank line.
//! Finished blocks are rendered by themselves, so the HTML of all of them is that of the whole
//! answer. Only link reference definitions reach across blocks. From the first one on, all text
//! stays in the open block; a link that was finished before it stays text until the end.

mod outline;
mod preview;
mod spans;

#[cfg(test)]
mod tests;

use super::{MAX_MARKDOWN, nests_too_deeply, render};
use outline::outline;

/// Open blocks whose HTML is longer are not shown until they are finished, in bytes.
const MAX_TAIL: usize = 32 * 1024;

/// Up to this length, in bytes, an open block is searched for its end with every line. A longer one
/// must have grown by a sixteenth since the last search, so that the time of all searches together
/// is linear.
const OFTEN: usize = 2 * 1024;

/// An answer's Markdown as it grows.
#[derive(Debug, Default)]
pub struct LiveMarkdown {
    /// The text that is not finished, with one kind of line end.
    open: String,
    /// Whether the last piece ended with a carriage return, which may be half of a line end.
    has_half_line_end: bool,
    /// HTML of finished blocks that has not been taken.
    finished: String,
    /// Length of the whole text, in bytes.
    len: usize,
    /// Length of the part whose lines are known at which it is searched again.
    search_at: usize,
    /// Nothing is finished any more before the end.
    is_held: bool,
    /// The answer is shown only when it is complete: it is too long, or nests too deeply.
    is_given_up: bool,
}

impl LiveMarkdown {
    /// Adds the next piece of the text.
    pub fn push(&mut self, piece: &str) {
        self.len += piece.len();
        if self.is_given_up || piece.is_empty() {
            return;
        }
        let mut piece = piece;
        if self.has_half_line_end {
            self.open.push('\n');
            piece = piece.strip_prefix('\n').unwrap_or(piece);
        }
        let whole = piece.strip_suffix('\r');
        self.has_half_line_end = whole.is_some();
        self.open.push_str(&super::normalised(whole.unwrap_or(piece)));
        if self.len > MAX_MARKDOWN {
            self.give_up();
        } else {
            self.search();
        }
    }

    /// The HTML of the blocks that have been finished since the last call.
    pub fn take_finished(&mut self) -> String {
        std::mem::take(&mut self.finished)
    }

    /// The HTML of the open block, as it looks if nothing follows, without the signs of Markdown that
    /// only what follows would explain. `None` if it is too long.
    pub fn tail(&self) -> Option<String> {
        // HTML is hardly ever shorter than its Markdown.
        if self.is_given_up || self.open.len() > MAX_TAIL {
            return None;
        }
        let html = render(&preview::preview(&self.open));
        (html.len() <= MAX_TAIL).then_some(html)
    }

    /// The HTML of all that has not been taken. The text is complete.
    pub fn end(mut self) -> String {
        if self.has_half_line_end {
            self.open.push('\n');
        }
        let mut html = self.take_finished();
        if !self.is_given_up {
            html.push_str(&render(&self.open));
        }
        html
    }

    fn give_up(&mut self) {
        self.is_given_up = true;
        self.open = String::new();
    }

    /// Moves the blocks that have been finished from the text to the HTML.
    fn search(&mut self) {
        let known = self.known();
        if self.is_held || known < self.search_at {
            return;
        }
        let text = &self.open[..known];
        if nests_too_deeply(text) {
            return self.give_up();
        }
        let Some(found) = outline(text) else { return self.give_up() };
        if found.has_definitions {
            self.is_held = true;
            return;
        }
        if found.last_block > 0 {
            self.finished.push_str(&render(&text[..found.last_block]));
            self.open.drain(..found.last_block);
        }
        let known = known - found.last_block;
        self.search_at = known + 1 + if known < OFTEN { 0 } else { known / 16 };
    }

    /// The length of the part that is known to be in blocks as it is: whole lines, and the beginning
    /// of the last one if it can only be a paragraph's.
    fn known(&self) -> usize {
        let line = self.open.rfind('\n').map_or(0, |at| at + 1);
        match self.open[line..].chars().next() {
            Some(first) if first.is_alphabetic() => line + first.len_utf8(),
            _ => line,
        }
    }
}
