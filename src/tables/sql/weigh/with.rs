//! Common table expressions.

use std::cell::RefCell;

use super::weight::Weight;
use crate::tables::sql::SqlError;
use crate::tables::sql::tokens::Token;

/// The common table expressions of one `WITH`, which all see each other.
pub(super) struct Scope<'s> {
    pub definitions: Vec<Definition<'s>>,
    /// Terms of the largest column that the queries can use from around the `WITH`.
    pub outer: u64,
    pub parent: Option<&'s Scope<'s>>,
}

pub(super) struct Definition<'s> {
    pub name: String,
    /// Whether it names its columns itself.
    pub renamed: bool,
    pub query: &'s [Token<'s>],
    pub state: RefCell<Progress>,
}

#[derive(Clone)]
pub(super) enum Progress {
    New,
    /// Being weighed, as the definition of this number among those that are.
    Running(usize),
    Done(Weight),
}

/// The definitions that stand behind `WITH`, and what follows them.
pub(super) fn definitions<'t>(
    tokens: &'t [Token<'t>],
) -> Result<(Vec<Definition<'t>>, &'t [Token<'t>]), SqlError> {
    let invalid = || SqlError::Invalid("syntax error in WITH".to_owned());
    let mut rest = tokens;
    if let [recursive, after @ ..] = rest
        && recursive.is("recursive")
    {
        rest = after;
    }
    let mut definitions = Vec::new();
    loop {
        let (name, after) = rest.split_first().ok_or_else(invalid)?;
        let name = name.name().ok_or_else(invalid)?;
        let (renamed, after) = match after {
            [Token::Group(_), after @ ..] => (true, after),
            after => (false, after),
        };
        rest = match after {
            [r#as, not, materialized, after @ ..]
                if r#as.is("as") && not.is("not") && materialized.is("materialized") =>
            {
                after
            }
            [r#as, materialized, after @ ..]
                if r#as.is("as") && materialized.is("materialized") =>
            {
                after
            }
            [r#as, after @ ..] if r#as.is("as") => after,
            _ => return Err(invalid()),
        };
        let Some((Token::Group(query), after)) = rest.split_first() else { return Err(invalid()) };
        definitions.push(Definition { name, renamed, query, state: RefCell::new(Progress::New) });
        match after {
            [Token::Sign(','), after @ ..] => rest = after,
            after => return Ok((definitions, after)),
        }
    }
}
