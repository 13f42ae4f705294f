//! Writes records as RFC 4180 has them.

use memchr::memchr3;

use super::head::FileHead;
use super::scan::{Dialect, DialectCell, DialectRecord, DialectScanner};

/// The table of `head`, each record on a line of its own that ends in a line feed.
pub fn rewrite(text: &[u8], head: &FileHead) -> Vec<u8> {
    let mut scanner =
        DialectScanner::new(text, head.dialect, head.start, head.line, Some(&head.expected));
    let mut record = DialectRecord::default();
    let mut out = Vec::with_capacity(text.len() - head.start.min(text.len()) + 64);
    while scanner.read(&mut record) {
        if !is_comment(text, head, &record) {
            write(text, &record, head.dialect, &mut out);
        }
    }
    out
}

/// Whether a record is a comment between rows.
pub fn is_comment(text: &[u8], head: &FileHead, record: &DialectRecord) -> bool {
    head.comments
        && record.bytes.start > head.start
        && record.cells.len() != head.expected.width
        && text.get(record.bytes.start) == Some(&b'#')
}

fn write(text: &[u8], record: &DialectRecord, dialect: Dialect, out: &mut Vec<u8>) {
    let mut unescaped = Vec::new();
    for (at, cell) in record.cells.iter().enumerate() {
        if at > 0 {
            out.push(dialect.delimiter);
        }
        let raw = &text[cell.content.clone()];
        let content = if needs_unescaping(raw, cell, dialect) {
            unescape(raw, cell, dialect, &mut unescaped);
            &unescaped
        } else {
            raw
        };
        let special = memchr3(b'"', b'\n', b'\r', content).is_some()
            || content.contains(&dialect.delimiter)
            || (cell.quoted && content.trim_ascii().len() < content.len());
        // A lone empty cell would be an empty line, which is not a record.
        if special || (content.is_empty() && record.cells.len() == 1) {
            out.push(b'"');
            for part in content.split_inclusive(|byte| *byte == b'"') {
                out.extend_from_slice(part);
                if part.ends_with(b"\"") {
                    out.push(b'"');
                }
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(content);
        }
    }
    out.push(b'\n');
}

fn needs_unescaping(raw: &[u8], cell: &DialectCell, dialect: Dialect) -> bool {
    (cell.quoted && raw.contains(&dialect.quote)) || (dialect.backslash && raw.contains(&b'\\'))
}

fn unescape(raw: &[u8], cell: &DialectCell, dialect: Dialect, out: &mut Vec<u8>) {
    out.clear();
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek().copied();
        let doubled = cell.quoted && byte == dialect.quote && next == Some(byte);
        let escaped = dialect.backslash
            && byte == b'\\'
            && next.is_some_and(|next| {
                matches!(next, b'\\' | b'"' | b'\'') || next == dialect.delimiter
            });
        match bytes.next_if(|_| doubled || escaped) {
            Some(second) => out.push(second),
            None => out.push(byte),
        }
    }
}
