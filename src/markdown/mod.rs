//! Answers as HTML that is safe to insert as it is: the field `html` beside `response`.
//!
//! A model's text is untrusted, and none of it is ever passed through: the HTML is written here,
//! from the parser's events, with a fixed set of elements and attributes and all text escaped. No
//! sanitiser follows because it would have nothing to remove; the tests check the output against
//! one.
//!
//! - CommonMark with GFM tables, task lists, strikethrough and bare addresses as links.
//! - Raw HTML is shown as text. Only `<br>` is honoured: models use it for line breaks in table
//!   cells, where Markdown has none.
//! - A single line break becomes `<br>`, as in GitHub's comments: models write addresses and verse
//!   that way and do not wrap lines by hand.
//! - Headings start at `h3`: an answer is part of a page that has its own `h1` and `h2`.
//! - An image becomes a link to it with its alternative text; showing an answer fetches nothing.
//! - Links go to `http`, `https` and `mailto` only (see `safe_href`); others lose the link and keep
//!   their text. Titles of links and images are dropped.
//! - Emphasis beside Chinese, Japanese and Korean text is what its author meant, where CommonMark's
//!   rules expect spaces (see `emphasis`).
//! - Link reference definitions that no link uses, such as the line `[ERROR]: Timeout`, are text
//!   (see `definitions`).
//! - Table cells are aligned by `align`, which a policy without inline styles allows.
//! - There are no line breaks between elements, so `white-space: pre-wrap` around them adds none.
//!
//! The elements: `a blockquote br code del em h3 h4 h5 h6 hr input label li ol p pre strong table
//! tbody td th thead tr ul`. The attributes: `href rel target` of `a`, `start` of `ol`, `align` of
//! `td` and `th`, `class` of `code` (`language-…`) and `li` (`task-list-item`), `type checked
//! disabled` of `input`.

mod definitions;
mod emphasis;
mod escape;
mod link;
mod live;
mod renderer;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use definitions::Definitions;
use escape::push_lines;
pub use live::LiveMarkdown;
use pulldown_cmark::Options;
use renderer::Renderer;

/// What is parsed beside CommonMark.
const OPTIONS: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);
/// Signs that may mark places in a text, the first that the text does not contain: punctuation to
/// the parser, of scripts that nobody writes today (Aramaic, Phoenician, Kharoshthi, Avestan).
const MARKS: [char; 8] = [
    '\u{10857}',
    '\u{1091f}',
    '\u{10a50}',
    '\u{10a51}',
    '\u{10a52}',
    '\u{10b39}',
    '\u{10b3a}',
    '\u{10b3b}',
];

/// Longest text that is parsed, in bytes: far more than anyone reads in a chat. A longer answer is
/// shown as plain text, at the cost of a copy.
const MAX_MARKDOWN: usize = 256 * 1024;
/// Deepest column at which a list or a quote may start. The parser visits all open containers on
/// each line, so its time is linear only if their number is bounded.
const MAX_CONTAINER_COLUMN: usize = 200;
/// Lists, quotes and spans open at once; deeper ones keep their text and lose their element.
/// Browsers stop at 512 nested elements, not all of them gracefully.
const MAX_DEPTH: usize = 32;
/// Maximum size of the HTML: this many bytes, plus this many for each byte of text. Dense Markdown
/// needs about 8 per byte; a table whose missing cells the parser fills in, hundreds.
const MAX_HTML: (usize, usize) = (64 * 1024, 12);
/// Longest `language-…` class, in bytes.
const MAX_LANGUAGE: usize = 32;

/// Renders an answer's Markdown to HTML that is safe to insert with `innerHTML`, also under a
/// strict Content-Security-Policy.
///
/// Accepts any text, in time linear in its length. Text that is too long, nests too deeply or grows
/// out of proportion is returned as one paragraph of plain text.
pub fn render(markdown: &str) -> String {
    let text = normalised(markdown);
    if text.len() > MAX_MARKDOWN || nests_too_deeply(&text) {
        return plain(&text);
    }
    // Fuzzing finds a panic in the parser now and then; that must not cost the visitor the answer.
    match std::panic::catch_unwind(|| parsed(&text)) {
        Ok(Some(html)) => html,
        Ok(None) => plain(&text),
        Err(_) => {
            tracing::error!(markdown.bytes = text.len(), "the Markdown parser failed");
            plain(&text)
        }
    }
}

/// The HTML, or `None` if it grows out of proportion or there is no sign to mark places with.
fn parsed(text: &str) -> Option<String> {
    let limit = MAX_HTML.0 + MAX_HTML.1 * text.len();
    let mark = MARKS.into_iter().find(|mark| !text.contains(*mark))?;
    let mut marked = emphasis::mark(text, mark).map_or(Cow::Borrowed(text), Cow::Owned);
    let mut definitions = Definitions::default();
    if memchr::memmem::find(text.as_bytes(), b"]:").is_some() {
        definitions = definitions::mark(marked.to_mut(), mark);
    }
    Renderer::new(&marked, mark, limit).run(&definitions)
}

/// The text without marks.
fn unmarked(text: &str, mark: char) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(mark) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(mark, ""))
}

/// The text with one kind of line end and without NUL, as an HTML parser would make it.
fn normalised(markdown: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\r', b'\0', markdown.as_bytes()).is_none() {
        return Cow::Borrowed(markdown);
    }
    Cow::Owned(markdown.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}"))
}

/// The text, unparsed, as one paragraph.
fn plain(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 16 + 16);
    html.push_str("<p>");
    push_lines(&mut html, text);
    html.push_str("</p>");
    html
}

/// Whether a line starts a list or a quote beyond [`MAX_CONTAINER_COLUMN`]. A container is never
/// nested deeper than the column of its first marker, so this bounds the depth of all of them.
fn nests_too_deeply(text: &str) -> bool {
    text.split('\n').any(|line| {
        line.len() > MAX_CONTAINER_COLUMN / 4 && last_marker_column(line) > MAX_CONTAINER_COLUMN
    })
}

/// Upper bound of the column of the last list or quote marker in the line's prefix; a tab counts as
/// four columns.
fn last_marker_column(line: &str) -> usize {
    let bytes = line.as_bytes();
    let ends_marker = |at: usize| matches!(bytes.get(at), None | Some(b' ' | b'\t'));
    let (mut at, mut column, mut last) = (0, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        let width = match byte {
            b' ' => 1,
            b'\t' => {
                column += 3;
                1
            }
            b'>' => {
                last = column;
                1
            }
            b'-' | b'+' | b'*' if ends_marker(at + 1) => {
                last = column;
                1
            }
            b'0'..=b'9' => {
                let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                let dot = matches!(bytes.get(at + digits), Some(b'.' | b')'));
                if !dot || !ends_marker(at + digits + 1) {
                    break;
                }
                last = column;
                digits + 1
            }
            _ => break,
        };
        at += width;
        column += width;
    }
    last
}
