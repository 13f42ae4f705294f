//! Refuses sums over text.
//!
//! SQLite adds up the numbers that texts begin with: `sum` of "1.5K" and "2M" is 3.5, that of "$10"
//! is 0. Whoever writes the statement may not know that the column is text, and nothing in the
//! result says so.

use super::SqlError;
use super::tokens::{Token, tokens};
use crate::domain::dataset::{ColumnType, Dataset};

/// Aggregate functions that calculate.
const CALCULATE: &[&str] = &["avg", "median", "stddev", "sum", "total", "variance"];

/// The columns of `dataset` that hold text.
pub(super) fn texts(dataset: &Dataset) -> Vec<String> {
    let is_text = |kind: ColumnType| match kind {
        ColumnType::Number | ColumnType::Boolean | ColumnType::Empty => false,
        ColumnType::Date | ColumnType::String | ColumnType::Object | ColumnType::Array => true,
    };
    let columns = dataset.columns.iter().filter(|column| is_text(column.kind));
    columns.map(|column| column.name.clone()).collect()
}

/// Checks that `sql` calculates with none of the columns `texts` as they are.
///
/// # Errors
///
/// [`SqlError::Invalid`] if it does, and those of [`tokens`].
pub(super) fn check(sql: &str, texts: &[String]) -> Result<(), SqlError> {
    let tokens = tokens(sql)?;
    // In a subquery, a name may stand for something that was made of the column.
    if count(&tokens, &|token| token.is("select")) > 1 {
        return Ok(());
    }
    walk(&tokens, texts)
}

fn count(tokens: &[Token<'_>], is: &dyn Fn(&Token<'_>) -> bool) -> usize {
    let inside = |token: &Token<'_>| match token {
        Token::Group(group) => count(group, is),
        other => usize::from(is(other)),
    };
    tokens.iter().map(inside).sum()
}

fn walk(tokens: &[Token<'_>], texts: &[String]) -> Result<(), SqlError> {
    for (at, token) in tokens.iter().enumerate() {
        let Token::Group(group) = token else { continue };
        let function = at.checked_sub(1).map(|before| &tokens[before]);
        if let Some(function) = function.filter(|before| before.is_any(CALCULATE))
            && let Some(name) = argument(group)
            && let Some(column) = texts.iter().find(|text| text.eq_ignore_ascii_case(&name))
        {
            let function = function.name().unwrap_or_default().to_ascii_lowercase();
            return Err(SqlError::Invalid(format!(
                "column \"{column}\" is text and has no {function}; make numbers of its values first"
            )));
        }
        walk(group, texts)?;
    }
    Ok(())
}

/// The column that is the only argument: `price`, `data.price` or `DISTINCT price`.
fn argument(group: &[Token<'_>]) -> Option<String> {
    let group = match group {
        [first, rest @ ..] if first.is("distinct") || first.is("all") => rest,
        all => all,
    };
    match group {
        [name] | [_, Token::Sign('.'), name] => name.name(),
        _ => None,
    }
}
