//! Answers to questions about the file, in sentences and tables.

use serde::Deserialize;
use serde_json::Value;

use super::language::{Language, fill};
use super::query::{DataQuery, Figure, Filter, Select, Unit, name};
use super::table::{ColumnKind, TableProfile};

/// Maximum number of rows of a result that are shown.
const SHOWN: usize = 20;

/// Maximum number of columns of a file that are listed.
const LISTED: usize = 50;

/// The tool's output.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolOutput {
    rows: Vec<Vec<Value>>,
    row_count: u64,
    truncated: bool,
}

/// A report on a table in a language.
#[derive(Clone, Copy, Debug)]
pub struct TableReport<'a> {
    pub table: &'a TableProfile,
    pub language: &'a Language,
}

impl TableReport<'_> {
    /// Describes the result of `query`; `None` if it cannot be parsed.
    pub fn tell(self, query: &DataQuery, content: &str) -> Option<String> {
        let answer: ToolOutput = serde_json::from_str(content).ok()?;
        let texts = &self.language.texts;
        let scope = self.scope(query);
        if let (Select::Figure(figure, column), None) = (query.select, query.group) {
            let value = answer.rows.first()?.first()?;
            return Some(self.figure(query, figure, column, value));
        }
        let measure = match query.select {
            Select::Figure(Figure::Count | Figure::Distinct, _) | Select::Bins { .. } => None,
            Select::Figure(_, column) => column,
            Select::Rows { column, .. } => Some(column),
        };
        let title = self.title(query);
        if answer.rows.is_empty() {
            let column = measure.map_or_else(|| title.clone(), |column| self.name(column));
            return Some(fill(texts.no_values, &[("column", &column), ("where", &scope)]));
        }
        if let ([row], Select::Rows { label, column }) = (&answer.rows[..], query.select) {
            let template = if query.ascending { texts.lowest_row } else { texts.highest_row };
            let place = usize::from(label.is_some());
            let shown = label.and_then(|label| Some(self.cell(row.first()?, Some(label))));
            let amount = self.amount(Some(column), row.get(place)?);
            return Some(fill(
                template,
                &[
                    ("column", &self.name(column)),
                    ("n", &amount),
                    ("row", &shown.unwrap_or_default()),
                    ("where", &scope),
                ],
            ));
        }
        let unit = measure.and_then(|column| self.table.columns.get(column)?.unit.as_deref());
        let title = unit.map_or(title.clone(), |unit| format!("{title} ({})", escape(unit)));
        let mut text = format!("{title}{scope}:\n\n");
        if let (Some(_), Select::Figure(..), [first, ..]) =
            (query.limit, query.select, &answer.rows[..])
            && let [row, value] = &first[..]
        {
            let row = self.cell(row, query.group.map(|group| group.column));
            let leader = fill(texts.leader, &[("row", &row), ("n", &self.amount(measure, value))]);
            text.insert_str(0, &format!("{leader} "));
        }
        text.push_str(&self.markdown(query, &answer));
        let shown = answer.rows.len().min(SHOWN);
        if answer.truncated || answer.rows.len() > shown {
            let template = if answer.truncated { texts.shown_of_more } else { texts.shown };
            let (n, all) = (shown.to_string(), self.count(answer.row_count));
            text.push_str(&format!("\n{}\n", fill(template, &[("n", &n), ("all", &all)])));
        }
        Some(text.trim_end().to_owned())
    }

    fn figure(
        self,
        query: &DataQuery,
        figure: Figure,
        column: Option<usize>,
        value: &Value,
    ) -> String {
        let texts = &self.language.texts;
        let (scope, name) = (self.scope(query), column.map(|column| self.name(column)));
        let name = name.unwrap_or_default();
        let n = self.amount(column.filter(|_| figure > Figure::Distinct), value);
        let filter = self.conditions(query, false);
        let file = escape(&self.table.file);
        let template = match figure {
            Figure::Count if column.is_none() && query.filters.is_empty() => texts.all_rows,
            Figure::Count if filter.is_empty() => texts.rows,
            Figure::Count => texts.rows_with,
            Figure::Distinct => texts.different,
            _ if value.is_null() => texts.no_values,
            Figure::Average => texts.figures[0],
            Figure::Total => texts.figures[1],
            Figure::Minimum => texts.figures[2],
            Figure::Maximum => texts.figures[3],
        };
        // The sentence itself names the rows that are counted, apart from the year.
        let scope =
            if figure == Figure::Count { bracketed(&self.conditions(query, true)) } else { scope };
        fill(
            template,
            &[
                ("column", &name),
                ("n", &n),
                ("where", &scope),
                ("filter", &filter),
                ("file", &file),
            ],
        )
    }

    /// The conditions on the rows: years, or all others.
    fn conditions(self, query: &DataQuery, years: bool) -> String {
        let parts =
            query.filters.iter().filter(|filter| matches!(filter, Filter::InYear { .. }) == years);
        let parts: Vec<String> = parts
            .map(|filter| match filter {
                Filter::Equals { value, .. } => escape(value),
                Filter::InYear { year, .. } => year.clone(),
                Filter::Compares { column, sign, number } => {
                    let sign = match *sign {
                        ">=" => "≥",
                        "<=" => "≤",
                        ">" => "\\>",
                        _ => "\\<",
                    };
                    format!("{} {sign} {}", self.name(*column), self.language.number(number, false))
                }
            })
            .collect();
        parts.join(", ")
    }

    fn scope(self, query: &DataQuery) -> String {
        let parts = [self.conditions(query, false), self.conditions(query, true)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        bracketed(&parts.join(", "))
    }

    /// A title for the result, such as `Average temp_max by weather`.
    fn title(self, query: &DataQuery) -> String {
        let texts = &self.language.texts;
        let heading = match query.select {
            Select::Rows { column, .. } => {
                let template = if query.ascending { texts.lowest } else { texts.highest };
                fill(template, &[("column", &self.name(column))])
            }
            Select::Bins { column } => fill(texts.spread, &[("column", &self.name(column))]),
            Select::Figure(figure, column) => self.heading(figure, column),
        };
        match query.group {
            None => heading,
            Some(_) => fill(texts.by, &[("figure", &heading), ("group", &self.group(query))]),
        }
    }

    fn heading(self, figure: Figure, column: Option<usize>) -> String {
        let name = column.map(|column| self.name(column)).unwrap_or_default();
        let template = self.language.texts.headings[figure as usize];
        fill(template, &[("column", &name)])
    }

    fn group(self, query: &DataQuery) -> String {
        match query.group {
            None => String::new(),
            Some(group) => match group.unit {
                Unit::Value => self.name(group.column),
                Unit::Month => self.language.texts.month.to_owned(),
                Unit::Year => self.language.texts.year.to_owned(),
            },
        }
    }

    fn markdown(self, query: &DataQuery, answer: &ToolOutput) -> String {
        let shown = &answer.rows[..answer.rows.len().min(SHOWN)];
        let (names, columns): (Vec<String>, [Option<usize>; 2]) = match query.select {
            Select::Figure(figure, column) => (
                vec![self.group(query), self.heading(figure, column)],
                [query.group.map(|group| group.column), None],
            ),
            Select::Bins { column } => (
                vec![
                    fill(self.language.texts.from, &[("column", &self.name(column))]),
                    self.heading(Figure::Count, None),
                ],
                [Some(column), None],
            ),
            Select::Rows { label: Some(label), column } => {
                (vec![self.name(label), self.name(column)], [Some(label), Some(column)])
            }
            Select::Rows { label: None, column } => (vec![self.name(column)], [Some(column), None]),
        };
        let is_number = |at: usize| {
            shown
                .iter()
                .all(|row| row.get(at).is_none_or(|cell| cell.is_number() || cell.is_null()))
        };
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let marks = (0..names.len()).map(|at| if is_number(at) { "---:" } else { "---" });
        let marks = marks.map(str::to_owned).collect();
        let mut text = line(names) + &line(marks);
        for row in shown {
            let cells = row.iter().enumerate();
            let cells =
                cells.map(|(at, value)| self.cell(value, columns.get(at).copied().flatten()));
            text.push_str(&line(cells.collect()));
        }
        text
    }

    /// A value of a column, as shown in a sentence or a table.
    fn cell(self, value: &Value, column: Option<usize>) -> String {
        let empty = self.language.texts.empty;
        match value {
            Value::Null => empty.to_owned(),
            Value::String(text) if text.trim().is_empty() => empty.to_owned(),
            Value::String(text) => escape(text),
            Value::Number(number) => {
                let is_code = |column: usize| {
                    self.table.columns.get(column).is_some_and(|column| column.is_code())
                };
                self.language.number(&number.to_string(), column.is_some_and(is_code))
            }
            other => escape(&other.to_string()),
        }
    }

    /// A value of a column, with the column's unit.
    fn amount(self, column: Option<usize>, value: &Value) -> String {
        let text = self.cell(value, column);
        let unit = column.and_then(|column| self.table.columns.get(column)?.unit.as_deref());
        match unit.filter(|_| value.is_number()) {
            None => text,
            Some(unit) if unit.ends_with(['$', '£', '¥', '₹', '₩']) => {
                match text.strip_prefix('-') {
                    Some(text) => format!("-{}{text}", escape(unit)),
                    None => format!("{}{text}", escape(unit)),
                }
            }
            Some(unit) => format!("{text} {}", escape(unit)),
        }
    }

    fn name(self, column: usize) -> String {
        escape(name(self.table, column))
    }

    fn count(self, n: u64) -> String {
        self.language.number(&n.to_string(), false)
    }

    /// A list of the file's columns.
    pub fn list_columns(self) -> String {
        let texts = &self.language.texts;
        let (file, n) = (escape(&self.table.file), self.table.columns.len().to_string());
        let rows = self.table.rows.map_or_else(|| "?".to_owned(), |rows| self.count(rows));
        let mut text = fill(texts.columns, &[("file", &file), ("rows", &rows), ("n", &n)]);
        text.push('\n');
        for (at, column) in self.table.columns.iter().take(LISTED).enumerate() {
            let kind = match column.kind {
                ColumnKind::Number => 0,
                ColumnKind::Boolean => 1,
                ColumnKind::Date => 2,
                ColumnKind::Text => 3,
                ColumnKind::Empty => 4,
            };
            text.push_str(&format!("\n- {} ({})", self.name(at), texts.kinds[kind]));
        }
        if self.table.columns.len() > LISTED {
            text.push_str("\n- …");
        }
        text
    }

    /// Why the figure that was asked for does not exist.
    pub fn no_amount(self, column: usize) -> String {
        fill(self.language.texts.no_amount, &[("column", &self.name(column))])
    }

    /// Asks which of the columns is meant.
    pub fn ask_which(self, columns: &[usize]) -> String {
        let names: Vec<String> = columns.iter().map(|&column| self.name(column)).collect();
        let texts = &self.language.texts;
        fill(texts.do_you_mean, &[("columns", &names.join(texts.or))])
    }

    /// Questions that are understood, with the file's own column names.
    pub fn examples(self) -> Vec<String> {
        let [average_by, average, top, rows_by, rows, _] = self.language.texts.examples;
        let mut examples = Vec::new();
        let (amount, category) = (self.table.amount(), self.table.category());
        let amount = amount.map(|column| name(self.table, column));
        let category = category.map(|column| name(self.table, column));
        match (amount, category) {
            (Some(amount), Some(category)) => {
                examples.push(fill(average_by, &[("column", amount), ("group", category)]));
            }
            (Some(amount), None) => examples.push(fill(average, &[("column", amount)])),
            _ => {}
        }
        examples.extend(amount.map(|amount| fill(top, &[("column", amount)])));
        examples.extend(category.map(|category| fill(rows_by, &[("group", category)])));
        if examples.len() < 3 {
            examples.push(rows.to_owned());
        }
        examples
    }
}

fn bracketed(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

/// `text` on one line, escaped for Markdown.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' => {
                safe.extend(['\\', c]);
            }
            // Inside a word, `_` has no meaning.
            '_' if !(before.is_alphanumeric() && next.is_alphanumeric()) => safe.push_str("\\_"),
            c if c.is_whitespace() || c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
        before = c;
    }
    safe.trim().to_owned()
}
