//! Splits a statement into tokens as SQLite does, and nests them by their parentheses.

use super::SqlError;

/// Maximum depth of parentheses.
const MAX_NESTING: usize = 40;

/// One token, or what stands between two parentheses.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in `""`, ` `` ` or `[]`, or a text in `''`, which SQLite takes for a name where it
    /// needs one. With its quotes.
    Quoted(&'a str),
    /// A number, or a blob.
    Literal,
    /// Any other character: an operator, a comma, a full stop, a semicolon.
    Sign(char),
    /// The tokens between `(` and `)`.
    Group(Vec<Token<'a>>),
}

impl Token<'_> {
    /// Whether this is the keyword `word`, given in lower case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether this is one of the keywords `words`, given in lower case.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// The name that SQLite reads where it expects one, without quotes.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Word(text) => Some((*text).to_owned()),
            Self::Quoted(text) => {
                let inner = text.get(1..text.len() - 1)?;
                let quote = &text[..1];
                Some(if quote == "[" {
                    inner.to_owned()
                } else {
                    inner.replace(&format!("{quote}{quote}"), quote)
                })
            }
            Self::Literal | Self::Sign(_) | Self::Group(_) => None,
        }
    }
}

/// The tokens of a statement.
///
/// # Errors
///
/// [`SqlError::Invalid`] if a quote or a parenthesis is not closed, which SQLite would not accept
/// either. [`SqlError::Refused`] for parameters and for too many parentheses within each other.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token<'_>>, SqlError> {
    let mut open: Vec<Vec<Token<'_>>> = Vec::new();
    let mut current = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let length = match first {
            // SQLite skips a byte order mark between tokens.
            '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ' | '\u{feff}' => first.len_utf8(),
            '-' if after.starts_with('-') => rest.find('\n').unwrap_or(rest.len()),
            // At the very end of a statement these two characters are no comment.
            '/' if after.starts_with('*') && after.len() > 1 => {
                rest[2..].find("*/").map_or(rest.len(), |at| at + 4)
            }
            '\'' | '"' | '`' | '[' => {
                let length = quoted(rest, first)?;
                current.push(Token::Quoted(&rest[..length]));
                length
            }
            'x' | 'X' if after.starts_with('\'') => {
                current.push(Token::Literal);
                1 + quoted(after, '\'')?
            }
            '?' | '@' | ':' | '$' | '#' => {
                return Err(SqlError::Refused(
                    "parameters are not allowed: there are no values for them".to_owned(),
                ));
            }
            '(' if open.len() == MAX_NESTING => {
                return Err(SqlError::Refused(format!(
                    "the statement has more than {MAX_NESTING} parentheses within each other"
                )));
            }
            '(' => {
                open.push(std::mem::take(&mut current));
                1
            }
            ')' => {
                let outer = open.pop().ok_or_else(unbalanced)?;
                let group = std::mem::replace(&mut current, outer);
                current.push(Token::Group(group));
                1
            }
            '0'..='9' => {
                current.push(Token::Literal);
                number(rest)
            }
            '.' if after.starts_with(|next: char| next.is_ascii_digit()) => {
                current.push(Token::Literal);
                number(rest)
            }
            _ if in_word(first) => {
                let length = rest.find(|next| !in_word(next)).unwrap_or(rest.len());
                current.push(Token::Word(&rest[..length]));
                length
            }
            _ => {
                current.push(Token::Sign(first));
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    if open.is_empty() { Ok(current) } else { Err(unbalanced()) }
}

fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

/// The length of the quoted text that `rest` begins with. A doubled quote does not end it, except
/// for brackets, which cannot be escaped.
fn quoted(rest: &str, open: char) -> Result<usize, SqlError> {
    let close = if open == '[' { ']' } else { open };
    let mut at = 1;
    while let Some(found) = rest[at..].find(close) {
        at += found + 1;
        if open == '[' || !rest[at..].starts_with(close) {
            return Ok(at);
        }
        at += 1;
    }
    Err(SqlError::Invalid(format!("a quote is not closed: {open}")))
}

/// The length of the number that `rest` begins with. SQLite accepts fewer spellings and none that
/// is longer.
fn number(rest: &str) -> usize {
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut previous = ' ';
    rest.find(|next: char| {
        let sign = matches!(next, '+' | '-') && matches!(previous, 'e' | 'E') && !hexadecimal;
        previous = next;
        !(in_word(next) || next == '.' || sign)
    })
    .unwrap_or(rest.len())
}

fn unbalanced() -> SqlError {
    SqlError::Invalid("the parentheses of the statement do not match".to_owned())
}
