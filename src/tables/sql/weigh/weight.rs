//! How heavy a query is, and what its columns stand for.

use std::collections::HashMap;
use std::rc::Rc;

use crate::tables::sql::SqlError;

/// Maximum number of tables a statement reads when each use of a common table expression counts
/// as all tables of its query.
pub(in crate::tables::sql) const MAX_REFERENCES: u64 = 64;

/// Maximum number of names, literals, operators and result columns after expansion. SQLite
/// compiles this many in about 0.1 seconds.
const MAX_TERMS: u64 = 50_000;

/// Maximum depth of queries within queries, through common table expressions too.
pub(super) const MAX_LEVELS: u32 = 20;

/// What the compiler makes of a query.
#[derive(Clone, Debug, Default)]
pub(in crate::tables::sql) struct Weight {
    /// Tables that are read.
    pub references: u64,
    /// Names, literals, operators and result columns.
    pub terms: u64,
    /// Number of result columns.
    pub width: u64,
    /// Queries that a query over this one may be copied into: the terms of its `UNION ALL`.
    pub arms: u64,
    /// Depth of queries within queries.
    pub levels: u32,
    pub columns: Rc<Columns>,
}

/// How many terms may stand for the name of a result column.
#[derive(Clone, Debug, Default)]
pub(in crate::tables::sql) struct Columns {
    /// By names in lower case.
    pub named: HashMap<String, u64>,
    /// The most for any other name.
    pub other: u64,
    /// The sum over all columns.
    pub total: u64,
}

impl Columns {
    /// The size of the column of that name, given in lower case.
    pub fn size(&self, name: &str) -> u64 {
        self.named.get(name).copied().unwrap_or(self.other)
    }

    pub fn largest(&self) -> u64 {
        self.named.values().copied().fold(self.other, u64::max)
    }

    /// Adds a column.
    pub fn name(&mut self, name: String, size: u64) {
        let known = self.named.entry(name).or_default();
        if *known > 0 {
            // SQLite gives the second of them another name, such as `a:1`.
            self.other = self.other.max(size);
        }
        *known = size.max(*known);
    }

    /// The same columns under names that are not known.
    pub fn unnamed(&self) -> Self {
        Self { named: HashMap::new(), other: self.largest(), total: self.total }
    }

    /// These columns or as many others, whichever are larger.
    pub fn or(self, others: &Self) -> Self {
        let other = self.other.max(others.largest());
        Self { other, total: self.total.max(others.total), ..self }
    }
}

/// Where the names of an expression are looked up.
#[derive(Clone, Copy)]
pub(super) struct Names<'n> {
    pub sources: &'n [Weight],
    /// The result columns of the same query.
    pub aliases: Option<&'n Columns>,
    /// The most that a name from the queries around it may stand for.
    pub outer: u64,
    /// The most that a number may stand for.
    pub number: u64,
}

impl Names<'_> {
    pub fn size(&self, name: &str) -> u64 {
        let sources = self.sources.iter().map(|source| source.columns.size(name));
        // An alias is not hidden by the unknown names of a source.
        let alias = self.aliases.and_then(|it| it.named.get(name)).copied();
        sources.chain(alias).fold(self.outer.max(1), u64::max)
    }

    pub fn largest(&self) -> u64 {
        let sources = self.sources.iter().map(|source| source.columns.largest());
        let aliases = self.aliases.map(Columns::largest);
        sources.chain(aliases).fold(self.outer.max(1), u64::max)
    }
}

impl Weight {
    /// A table that holds its rows.
    pub fn table(width: u64) -> Self {
        let columns = Columns { named: HashMap::new(), other: 1, total: width };
        Self { references: 1, terms: 1, width, arms: 1, levels: 0, columns: Rc::new(columns) }
    }

    pub fn add(&mut self, other: &Self) {
        self.references = self.references.saturating_add(other.references);
        self.terms = self.terms.saturating_add(other.terms);
        self.levels = self.levels.max(other.levels);
    }

    /// Refuses a weight beyond the limits.
    pub fn check(self) -> Result<Self, SqlError> {
        let refused = |text: String| Err(SqlError::Refused(text));
        if self.references > MAX_REFERENCES {
            refused(format!(
                "the statement reads too many tables: at most {MAX_REFERENCES}, and each use of \
                 a common table expression counts as all tables in it"
            ))
        } else if self.terms > MAX_TERMS {
            refused(
                "the statement is too large: with its subqueries and common table expressions \
                 written out it has too many columns and terms"
                    .to_owned(),
            )
        } else if self.levels > MAX_LEVELS {
            refused(format!(
                "the statement is nested too deeply: at most {MAX_LEVELS} queries within each \
                 other, common table expressions included"
            ))
        } else {
            Ok(self)
        }
    }
}
