//! The open block as it is shown: without signs whose meaning is not known yet.

use super::outline::{End, outline};
use super::spans::close_spans;

/// `open` without what would be shown as signs of Markdown and become something else with the next
/// characters: the beginnings of lists, headings, fences and tables, and half of a link or a span.
pub(super) fn preview(open: &str) -> String {
    let mut text = open;
    let mut end = end_of(text);
    let line_start = text.rfind('\n').map_or(0, |at| at + 1);
    if is_undecided(&text[line_start..], end) {
        text = &text[..line_start];
        end = end_of(text);
    }
    if end != End::Verbatim {
        let table = unconfirmed_table(text);
        if table < text.len() {
            text = &text[..table];
            end = end_of(text);
        }
    }
    match end {
        End::Verbatim => text.to_owned(),
        End::Spans(start) => {
            let start = start.min(text.len());
            format!("{}{}", &text[..start], close_spans(&text[start..]))
        }
    }
}

fn end_of(text: &str) -> End {
    outline(text).map_or(End::Verbatim, |outline| outline.end)
}

/// Whether the last line, which is incomplete, may still become the beginning or the end of a block.
fn is_undecided(line: &str, end: End) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return false;
    }
    if end == End::Verbatim {
        return line.bytes().all(|byte| byte == b'`') || line.bytes().all(|byte| byte == b'~');
    }
    let line = line.trim_start_matches(['>', ' ', '\t']);
    let item = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let item = match line.len() - item.len() {
        1..=9 => item.strip_prefix(['.', ')']).unwrap_or(item),
        _ => line,
    };
    // A task's box, as far as it has come.
    let item = item.trim_end_matches("[x]").trim_end_matches("[X]");
    item.bytes().all(|byte| b"#*+-=_|:`~[] \t>".contains(&byte))
}

/// Where the rows at the end begin if it is not known yet whether they are a table; else the length
/// of the text.
fn unconfirmed_table(text: &str) -> usize {
    let is_row = |line: &&str| line.trim_start_matches(['>', ' ', '\t']).starts_with('|');
    let rows: Vec<&str> = text.split_inclusive('\n').rev().take_while(is_row).collect();
    let is_unconfirmed = match rows[..] {
        [] => false,
        [_header] => true,
        [delimiters, _header] => !delimiters.ends_with('\n'),
        _ => false,
    };
    match is_unconfirmed {
        true => text.len() - rows.iter().map(|row| row.len()).sum::<usize>(),
        false => text.len(),
    }
}
