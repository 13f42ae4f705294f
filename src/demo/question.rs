//! Interprets questions about a file, in the planner's words. A question is understood only if every word of
//! it is: an exact answer to a different question would be worse than none.

use super::asked::Asked;
use super::columns::Selection;
use super::find::QuestionWords;
use super::query::{DataQuery, Figure, Filter, Select};
use super::table::{ColumnKind, TableProfile};
use crate::domain::ChartKind;

/// What a question asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// What the file contains.
    Columns,
    /// Something that SQL can find.
    Query(DataQuery),
    /// A figure of a column that is not an amount.
    NotNumeric { column: usize },
    /// These columns are meant equally well.
    Ambiguous(Vec<usize>),
}

/// Interprets a question; `None` if it is not one about `table`.
pub fn understand(table: &TableProfile, words: &[String]) -> Option<Meaning> {
    if asks_for_columns(&mut QuestionWords::read(table, words.to_vec())?) {
        return Some(Meaning::Columns);
    }
    let mut asked = Asked::read(QuestionWords::read(table, words.to_vec())?);
    let meaning = read(&mut asked);
    let ambiguous = std::mem::take(&mut asked.question.ambiguous);
    // Other words may be unknown as well, but the choice is the first thing to settle.
    match meaning {
        _ if !ambiguous.is_empty() => Some(Meaning::Ambiguous(ambiguous)),
        other => other,
    }
}

fn asks_for_columns(question: &mut QuestionWords<'_>) -> bool {
    const COLUMNS: &str =
        "column columns fields header headers variables attributes schema structure";
    const FILE: &str = "file data dataset table csv json spreadsheet";
    let is_about = question.take(COLUMNS) || question.find(FILE).is_some();
    question.take(
        "many name names called describe summary summarize overview contain contains about \
                   number",
    );
    is_about && question.is_understood()
}

fn read(asked: &mut Asked<'_>) -> Option<Meaning> {
    let (select, mut group, limit) = match asked.columns()? {
        Selection::Query(select, group, limit) => (select, group, limit),
        Selection::NotNumeric(column) => {
            return asked.question.is_understood().then_some(Meaning::NotNumeric { column });
        }
    };
    let mut filters = std::mem::take(&mut asked.filters);
    let mut taken = Vec::new();
    while let Some((column, value)) = asked.question.value(&taken) {
        taken.push(column);
        filters.push(Filter::Equals { column, value });
    }
    if asked.counts_things && select == Select::Figure(Figure::Count, None) && !asked.has_rows {
        asked.has_rows = asked.question.take_file_name();
    }
    // "How many?" alone asks for nothing.
    let counts_rows = select == Select::Figure(Figure::Count, None) && group.is_none();
    if counts_rows && !asked.has_rows && filters.is_empty() {
        return None;
    }
    if asked.wants_chart && group.is_none() && matches!(select, Select::Figure(..)) {
        group = asked.usual_group();
    }
    if !asked.question.is_understood() {
        return None;
    }
    let has_points = match select {
        Select::Figure(..) => group.is_some(),
        Select::Rows { label, .. } => label.is_some() && limit != Some(1),
        Select::Bins { .. } => true,
    };
    let group_column = group.and_then(|group| asked.question.table.columns.get(group.column));
    let chart = match group_column {
        Some(column) if column.kind == ColumnKind::Date && limit.is_none() => ChartKind::Line,
        _ => ChartKind::Bar,
    };
    // A word for the least either is the figure itself or sorts the result.
    let is_sorted = asked.top.is_some()
        || !matches!(select, Select::Figure(Figure::Minimum | Figure::Maximum, _));
    Some(Meaning::Query(DataQuery {
        select,
        group,
        filters,
        ascending: is_sorted && asked.extreme.is_some_and(|(_, is_least)| is_least),
        limit,
        chart: has_points.then_some(asked.chart.unwrap_or(chart)),
    }))
}
