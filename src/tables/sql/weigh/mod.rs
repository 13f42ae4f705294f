//! Refuses statements that would take SQLite long to compile.
//!
//! No limit of SQLite's holds while it compiles: the progress handler is not called, and a few
//! hundred bytes can keep it busy for half a minute. What makes it slow is repetition. Each use of
//! a common table expression is a copy of it, so `b AS (SELECT … FROM a, a), c AS (SELECT … FROM
//! b, b) …` doubles with each line. Each use of a subquery's column may become a copy of its
//! expression, so `SELECT a + a AS a FROM (SELECT a + a AS a FROM …)` doubles with each level. A
//! query over a `UNION ALL` may become one query for each of its terms, and `*` stands for every
//! column.
//!
//! So the statement is weighed first: all of that is multiplied out, without doing it. This needs
//! no grammar of SQL, which would have to be exactly SQLite's, but only SQLite's tokens, its
//! reserved words and where a table's name may stand: behind `FROM`, `JOIN`, `IN` and a comma of
//! a `FROM` clause. Whatever fits no rule counts as more rather than less.

mod weight;
mod with;

use std::borrow::Borrow;
use std::rc::Rc;

use super::SqlError;
use super::tokens::{Token, tokens};
use weight::{Columns, MAX_LEVELS, Names, Weight};
use with::{Definition, Progress, Scope, definitions};

#[cfg(test)]
pub(super) use weight::MAX_REFERENCES;

/// Maximum number of columns of a result, which is also SQLite's limit here.
pub(super) const MAX_COLUMNS: u64 = 2_000;

/// Columns of a table-valued function such as `json_each`, with hidden ones.
const FUNCTION_COLUMNS: u64 = 10;

/// Words that SQLite never takes for the name of a column.
const RESERVED: &[&str] = &[
    "all", "and", "as", "between", "case", "collate", "distinct", "else", "escape", "exists",
    "from", "group", "having", "in", "is", "isnull", "join", "limit", "not", "notnull", "null",
    "on", "or", "order", "select", "then", "using", "values", "when", "where",
];

/// Words that begin a statement which is not a query.
const COMMANDS: &[&str] = &[
    "alter",
    "analyze",
    "attach",
    "begin",
    "commit",
    "create",
    "delete",
    "detach",
    "drop",
    "end",
    "explain",
    "insert",
    "pragma",
    "reindex",
    "release",
    "replace",
    "rollback",
    "savepoint",
    "update",
    "vacuum",
];

const QUERIES: &[&str] = &["select", "values", "with"];
const COMPOUND: &[&str] = &["union", "intersect", "except"];

/// Weighs `sql` over a table of `columns` columns.
///
/// # Errors
///
/// [`SqlError::Refused`] if it is too heavy or not a single query, [`SqlError::Invalid`] where
/// its structure shows a syntax error. Other syntax errors are left to SQLite.
pub(super) fn weigh(sql: &str, columns: usize) -> Result<Weight, SqlError> {
    let tokens = tokens(sql)?;
    let end = |token: &Token<'_>| matches!(token, Token::Sign(';'));
    let mut statements = tokens.split(end).filter(|statement| !statement.is_empty());
    let statement = statements.next().unwrap_or_default();
    if statements.next().is_some() {
        return Err(SqlError::Refused("only one statement is allowed".to_owned()));
    }
    match statement.first() {
        Some(first) if first.is_any(QUERIES) => {
            let columns = u64::try_from(columns).unwrap_or(u64::MAX);
            Weigher { columns, running: 0, level: 0 }.query(statement, None, 1)
        }
        Some(first) if first.is_any(COMMANDS) => {
            Err(SqlError::Refused("only a SELECT over the table `data` is allowed".to_owned()))
        }
        // A syntax error at its first word.
        _ => Ok(Weight::default()),
    }
}

struct Weigher {
    /// Columns of table `data`.
    columns: u64,
    /// Definitions that are being weighed.
    running: usize,
    /// Queries that are being weighed.
    level: u32,
}

/// The parts of a `SELECT`.
#[derive(Default)]
struct SelectParts<'t> {
    /// Result columns.
    items: Vec<Vec<&'t Token<'t>>>,
    /// Tables and subqueries of the `FROM` clause.
    sources: Vec<Weight>,
    /// What stands behind `GROUP` and `ORDER`.
    order: Vec<&'t Token<'t>>,
    /// Everything else.
    rest: Vec<&'t Token<'t>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Items,
    From,
    Order,
    Rest,
}

impl Weigher {
    /// A query with its `WITH` and all its compound terms. `outer` is the number of terms of the
    /// largest column that it can use from the queries around it.
    fn query(
        &mut self,
        tokens: &[Token<'_>],
        scope: Option<&Scope<'_>>,
        outer: u64,
    ) -> Result<Weight, SqlError> {
        self.level += 1;
        if self.level > MAX_LEVELS {
            Weight { levels: self.level, ..Weight::default() }.check()?;
        }
        let weight = if tokens.first().is_some_and(|first| first.is("with")) {
            let (definitions, rest) = definitions(&tokens[1..])?;
            self.compound(rest, Some(&Scope { definitions, outer, parent: scope }), outer)
        } else {
            self.compound(tokens, scope, outer)
        }?;
        self.level -= 1;
        Weight { levels: weight.levels + 1, ..weight }.check()
    }

    fn compound(
        &mut self,
        tokens: &[Token<'_>],
        scope: Option<&Scope<'_>>,
        outer: u64,
    ) -> Result<Weight, SqlError> {
        let mut total = Weight::default();
        for select in tokens.split(|token| token.is_any(COMPOUND)) {
            let weight = self.select(select, scope, outer)?;
            total.add(&weight);
            total.width = total.width.max(weight.width);
            total.columns = if total.arms == 0 {
                weight.columns
            } else {
                // The columns are known by the names of the first query.
                Rc::new(total.columns.unnamed().or(&weight.columns))
            };
            total.arms = total.arms.saturating_add(weight.arms);
            total = total.check()?;
        }
        Ok(total)
    }

    fn select(
        &mut self,
        tokens: &[Token<'_>],
        scope: Option<&Scope<'_>>,
        outer: u64,
    ) -> Result<Weight, SqlError> {
        let mut select = SelectParts::default();
        self.split(tokens, Clause::Rest, scope, outer, &mut select)?;
        let mut total = Weight::default();
        let mut arms: u64 = 1;
        for source in &select.sources {
            total.add(source);
            arms = arms.saturating_mul(source.arms);
        }
        let total = total.check()?;
        let mut own = Weight { arms, ..Weight::default() };
        let mut columns = Columns::default();
        let mut windows = 0;
        let names = Names { sources: &select.sources, aliases: None, outer, number: 1 };
        for item in &select.items {
            if is_wildcard(item) {
                for source in &select.sources {
                    own.width = own.width.saturating_add(source.width);
                    own.terms = own.terms.saturating_add(source.columns.total);
                    columns.total = columns.total.saturating_add(source.columns.total);
                    columns.other = columns.other.max(source.columns.other);
                    for (name, size) in &source.columns.named {
                        columns.name(name.clone(), *size);
                    }
                }
            } else {
                let weight = self.expression(item, scope, names, &mut windows)?;
                own.width = own.width.saturating_add(1);
                columns.total = columns.total.saturating_add(weight.terms);
                if let Some(name) = item.last().and_then(|last| last.name()) {
                    columns.name(name.to_ascii_lowercase(), weight.terms);
                }
                // Without an alias SQLite takes the text of an expression for its name.
                let known = match item.as_slice() {
                    [_] | [_, Token::Sign('.'), _] => true,
                    [.., before, _] => before.is("as"),
                    [] => false,
                };
                if !known {
                    columns.other = columns.other.max(weight.terms);
                }
                own.add(&weight);
            }
            own = own.check()?;
        }
        let names = Names { aliases: Some(&columns), ..names };
        let mut rest = self.expression(&select.rest, scope, names, &mut windows)?;
        // `ORDER BY 2` means the second column.
        let names = Names { number: columns.largest().max(1), ..names };
        rest.add(&self.expression(&select.order, scope, names, &mut windows)?);
        if select.items.is_empty() {
            // The rows of `VALUES`.
            own.width = select.rest.iter().map(|row| row_width(row)).max().unwrap_or_default();
            columns.other = rest.terms;
            columns.total = rest.terms;
        }
        own.add(&rest);
        own.columns = Rc::new(columns);
        // Each window but the first may become a subquery with all columns.
        own.terms = own.terms.saturating_add(1).saturating_mul(windows.max(1)).saturating_mul(arms);
        own.add(&total);
        // A query without a table counts as one.
        own.references = own.references.max(1);
        own.check()
    }

    /// Splits a `SELECT`, or from [`Clause::From`] on what stands between the parentheses of a
    /// join.
    fn split<'t>(
        &mut self,
        tokens: &'t [Token<'t>],
        begin: Clause,
        scope: Option<&Scope<'_>>,
        outer: u64,
        select: &mut SelectParts<'t>,
    ) -> Result<(), SqlError> {
        let mut clause = begin;
        let mut table_next = clause == Clause::From;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let previous = at.checked_sub(1).map(|before| &tokens[before]);
            at += 1;
            if table_next {
                table_next = false;
                if let Token::Group(inner) = token {
                    if inner.first().is_some_and(|first| first.is_any(QUERIES)) {
                        select.sources.push(self.query(inner, scope, outer)?);
                    } else {
                        self.split(inner, Clause::From, scope, outer, select)?;
                    }
                    continue;
                }
                if let Some((weight, used)) = self.table(&tokens[at - 1..], scope)? {
                    select.sources.push(weight);
                    at += used - 1;
                    continue;
                }
            }
            if token.is("select") {
                clause = Clause::Items;
                select.items.push(Vec::new());
            } else if token.is("from") && !previous.is_some_and(|it| it.is("distinct")) {
                clause = Clause::From;
                table_next = true;
            } else if token.is_any(&["group", "order"]) {
                clause = Clause::Order;
            } else if token.is_any(&["where", "having", "limit"]) {
                clause = Clause::Rest;
            } else if token.is("join")
                || (clause == Clause::From && matches!(token, Token::Sign(',')))
            {
                table_next = true;
            } else if clause == Clause::Items && matches!(token, Token::Sign(',')) {
                select.items.push(Vec::new());
            } else {
                let part = match (clause, select.items.last_mut()) {
                    (Clause::Items, Some(item)) => item,
                    (Clause::Order, _) => &mut select.order,
                    _ => &mut select.rest,
                };
                part.push(token);
            }
        }
        Ok(())
    }

    /// An expression, or a list of them. Counts `windows`.
    fn expression(
        &mut self,
        tokens: &[&Token<'_>],
        scope: Option<&Scope<'_>>,
        names: Names<'_>,
        windows: &mut u64,
    ) -> Result<Weight, SqlError> {
        let mut total = Weight::default();
        for (at, token) in tokens.iter().enumerate() {
            let previous = at.checked_sub(1).map(|before| tokens[before]);
            let next = tokens.get(at + 1).copied();
            let terms = match token {
                Token::Group(inner) if inner.first().is_some_and(|it| it.is_any(QUERIES)) => {
                    total.add(&self.query(inner, scope, names.largest())?);
                    1
                }
                Token::Group(inner) => {
                    let inner: Vec<&Token<'_>> = inner.iter().collect();
                    total.add(&self.expression(&inner, scope, names, windows)?);
                    0
                }
                Token::Word(_) | Token::Quoted(_) => {
                    *windows = windows.saturating_add(u64::from(token.is("over")));
                    if previous.is_some_and(|it| it.is("in"))
                        && let Some((weight, _)) = self.table(&tokens[at..], scope)?
                    {
                        total.add(&weight);
                    }
                    // Neither an alias, nor a table's name before a column's, nor a function.
                    let column = !token.is_any(RESERVED)
                        && !previous.is_some_and(|it| it.is("as"))
                        && !matches!(next, Some(Token::Sign('.') | Token::Group(_)));
                    let name = token.name().filter(|_| column);
                    name.map_or(1, |name| names.size(&name.to_ascii_lowercase()))
                }
                Token::Literal => names.number,
                Token::Sign(_) => 1,
            };
            total.terms = total.terms.saturating_add(terms);
            total = total.check()?;
        }
        Ok(total)
    }

    /// The table that `tokens` begin with, and how many of them are its name: one, or three with
    /// a schema. `None` if they begin with something else.
    fn table<'t>(
        &mut self,
        tokens: &[impl Borrow<Token<'t>>],
        scope: Option<&Scope<'_>>,
    ) -> Result<Option<(Weight, usize)>, SqlError> {
        let at = |at: usize| tokens.get(at).map(Borrow::borrow);
        let qualified = matches!(at(1), Some(Token::Sign('.')));
        let used = if qualified { 3 } else { 1 };
        let Some(name) = at(used - 1).and_then(Token::name) else { return Ok(None) };
        let mut scope = scope;
        while let Some(current) = scope {
            let found = current.definitions.iter().find(|it| it.name.eq_ignore_ascii_case(&name));
            if let Some(definition) = found {
                return Ok(Some((self.definition(definition, current)?, used)));
            }
            scope = current.parent;
        }
        Ok(Some((Weight::table(self.columns.max(FUNCTION_COLUMNS)), used)))
    }

    fn definition(
        &mut self,
        definition: &Definition<'_>,
        scope: &Scope<'_>,
    ) -> Result<Weight, SqlError> {
        let state = definition.state.borrow().clone();
        match state {
            Progress::Done(weight) => Ok(weight),
            // The recursive term of a recursive one reads rows that are there.
            Progress::Running(number) if number == self.running => Ok(Weight::table(MAX_COLUMNS)),
            Progress::Running(_) => {
                Err(SqlError::Invalid(format!("circular reference: {}", definition.name)))
            }
            Progress::New => {
                self.running += 1;
                definition.state.replace(Progress::Running(self.running));
                let mut weight = self.query(definition.query, Some(scope), scope.outer)?;
                if definition.renamed {
                    weight.columns = Rc::new(weight.columns.unnamed());
                }
                definition.state.replace(Progress::Done(weight.clone()));
                self.running -= 1;
                Ok(weight)
            }
        }
    }
}

/// The number of values in a row of `VALUES`.
fn row_width(row: &Token<'_>) -> u64 {
    let Token::Group(row) = row else { return 0 };
    row.iter().fold(1, |width, token| width + u64::from(matches!(token, Token::Sign(','))))
}

fn is_wildcard(item: &[&Token<'_>]) -> bool {
    let (last, before) = match item {
        [.., before, last] => (*last, Some(*before)),
        [last] => (*last, None),
        [] => return false,
    };
    matches!(last, Token::Sign('*'))
        && before.is_none_or(|it| matches!(it, Token::Sign('.')) || it.is_any(&["all", "distinct"]))
}
