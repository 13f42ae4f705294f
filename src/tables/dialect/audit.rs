//! One quick pass that tells whether quotes are used as RFC 4180 says.

use memchr::{memchr2, memchr3_iter};

use super::scan::Dialect;

/// What the quotes, apostrophes and backslashes of a text call for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteAudit {
    /// A quote is not where the RFC allows one, or is never closed.
    pub odd_quote: bool,
    /// A quoted cell contains a line break.
    pub quoted_break: bool,
    /// A backslash stands before a quote, an apostrophe or anything that may delimit.
    pub escape: bool,
    /// More than one cell starts with an apostrophe, whatever delimits.
    pub apostrophes: bool,
}

/// Examines all of `text`.
pub fn audit(text: &[u8], delimiter: u8) -> QuoteAudit {
    let dialect = Dialect::plain(delimiter);
    let mut audit = QuoteAudit::default();
    let mut apostrophes = 0;
    // The start of the quoted cell, and the second of two quotes.
    let (mut open, mut skip) = (None, usize::MAX);
    for at in memchr3_iter(b'"', b'\\', b'\'', text) {
        let next = text.get(at + 1).copied();
        match (text[at], open) {
            (b'"', Some(start)) => {
                if at == skip {
                    continue;
                }
                match next {
                    Some(b'"') => skip = at + 1,
                    None | Some(b'\n' | b'\r') => close(text, start, at, &mut open, &mut audit),
                    Some(byte) if byte == delimiter => {
                        close(text, start, at, &mut open, &mut audit);
                    }
                    Some(_) => audit.odd_quote = true,
                }
            }
            (b'"', None) => match at.checked_sub(1).map(|before| text[before]) {
                None | Some(b'\n' | b'\r') => open = Some(at),
                Some(byte) if byte == delimiter => open = Some(at),
                Some(byte) if dialect.is_blank(byte) => {
                    audit.odd_quote |= dialect.opens_cell(text, at);
                }
                Some(_) => {}
            },
            (b'\\', _) => {
                audit.escape |= matches!(next, Some(b'"' | b'\'' | b',' | b';' | b'\t' | b'|'));
            }
            _ => apostrophes += u32::from(starts_any_cell(text, at)),
        }
    }
    audit.odd_quote |= open.is_some();
    audit.apostrophes = apostrophes > 1;
    audit
}

#[inline]
fn close(text: &[u8], start: usize, end: usize, open: &mut Option<usize>, audit: &mut QuoteAudit) {
    *open = None;
    audit.quoted_break = audit.quoted_break || memchr2(b'\n', b'\r', &text[start..end]).is_some();
}

/// Whether only blanks are between `at` and a line break or anything that may delimit.
fn starts_any_cell(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rev().find(|byte| **byte != b' ');
    before.is_none_or(|byte| matches!(byte, b',' | b';' | b'\t' | b'|' | b'\n' | b'\r'))
}
