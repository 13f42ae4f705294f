//! Answers to questions about the file, in sentences and tables.

use serde::Deserialize;
use serde_json::Value;

use super::query::{DataQuery, Figure, Select, name};
use super::table::{ColumnKind, TableProfile};
use crate::domain::text::thousands;

/// Maximum number of rows of a result that are shown.
const SHOWN: usize = 20;

/// Maximum number of columns of a file that are listed.
const LISTED: usize = 50;

/// The tool's output.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolOutput {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    row_count: u64,
    truncated: bool,
}

/// Describes the result of `query`; `None` if it cannot be parsed.
pub fn tell(table: &TableProfile, query: &DataQuery, content: &str) -> Option<String> {
    let answer: ToolOutput = serde_json::from_str(content).ok()?;
    if let (Select::Figure(figure, column), None) = (query.select, query.group) {
        let value = answer.rows.first()?.first()?;
        return Some(tell_figure(table, query, figure, column, value));
    }
    let title = upper_first(&escape(&query.title(table)));
    let measure = match query.select {
        Select::Figure(Figure::Count | Figure::Distinct, _) => None,
        Select::Figure(_, column) => column,
        Select::Rows { column, .. } => Some(column),
    };
    let scope = scope(table, query);
    if answer.rows.is_empty() {
        return Some(format!("{title}: no row has a value, {scope}."));
    }
    if let ([row], Select::Rows { label: Some(label), .. }) = (&answer.rows[..], query.select)
        && let [at, value] = &row[..]
    {
        let (at, label) = (cell(at), escape(name(table, label)));
        let amount = amount(table, measure, value);
        return Some(format!("{title}: **{amount}** ({label}: {at}), {scope}."));
    }
    let unit = measure.and_then(|column| table.columns.get(column)?.unit.as_deref());
    let title = unit.map_or(title.clone(), |unit| format!("{title}, in {}", escape(unit)));
    let mut text = format!("{title}, {scope}:\n\n{}", markdown(&answer));
    let (count, shown) = (thousands(answer.row_count), answer.rows.len().min(SHOWN));
    if answer.truncated {
        text.push_str(&format!("\nThe first {shown} of {count} or more rows are shown.\n"));
    } else if answer.rows.len() > shown {
        text.push_str(&format!("\nThe first {shown} of {count} rows are shown.\n"));
    }
    Some(text.trim_end().to_owned())
}

fn tell_figure(
    table: &TableProfile,
    query: &DataQuery,
    figure: Figure,
    column: Option<usize>,
    value: &Value,
) -> String {
    let scope = scope(table, query);
    let count = value.as_u64().map_or_else(|| cell(value), thousands);
    let name = column.map(|column| escape(name(table, column)));
    match (figure, name) {
        (Figure::Count, None) if query.filter.is_none() => {
            format!("{} has **{count}** rows.", escape(&table.file))
        }
        (_, None) => format!("The number of rows is **{count}**, {scope}."),
        (Figure::Count, Some(name)) => {
            format!("{name} has **{count}** non-empty values, {scope}.")
        }
        (Figure::Distinct, Some(name)) => {
            format!("{name} has **{count}** different values, {scope}.")
        }
        (_, Some(name)) if value.is_null() => format!("{name} has no values, {scope}."),
        (figure, Some(name)) => {
            let amount = amount(table, column, value);
            format!("The {} of {name} is **{amount}**, {scope}.", figure.as_str())
        }
    }
}

/// Which rows a figure is computed from.
fn scope(table: &TableProfile, query: &DataQuery) -> String {
    let all = table.rows.map_or_else(String::new, |rows| format!("all {} ", thousands(rows)));
    match &query.filter {
        None if all.is_empty() => "computed from all rows".to_owned(),
        None => format!("computed from {all}rows"),
        Some(filter) => {
            let of_all = if all.is_empty() { all } else { format!(", out of {}", all.trim_end()) };
            let (name, value) = (escape(name(table, filter.column)), escape(&filter.value));
            format!("computed from the rows where {name} is {value}{of_all}")
        }
    }
}

fn markdown(answer: &ToolOutput) -> String {
    let shown = &answer.rows[..answer.rows.len().min(SHOWN)];
    let is_number = |at: usize| {
        shown.iter().all(|row| row.get(at).is_none_or(|cell| cell.is_number() || cell.is_null()))
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(answer.columns.iter().map(|name| escape(name)).collect());
    let marks = (0..answer.columns.len()).map(|at| if is_number(at) { "---:" } else { "---" });
    text.push_str(&line(marks.map(str::to_owned).collect()));
    for row in shown {
        text.push_str(&line(row.iter().map(cell).collect()));
    }
    text
}

/// A value, as shown in a sentence or a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) if text.trim().is_empty() => "(empty)".to_owned(),
        Value::String(text) => escape(text),
        // SQL's `round` returns 16.0 for 16.
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
        other => escape(&other.to_string()),
    }
}

/// A value of a column, with the column's unit.
fn amount(table: &TableProfile, column: Option<usize>, value: &Value) -> String {
    let text = cell(value);
    let unit = column.and_then(|column| table.columns.get(column)?.unit.as_deref());
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

/// A list of the file's columns.
pub fn list_columns(table: &TableProfile) -> String {
    let count = thousands(u64::try_from(table.columns.len()).unwrap_or(u64::MAX));
    let rows = table.rows.map_or_else(String::new, |rows| format!("{} rows and ", thousands(rows)));
    let plural = if table.columns.len() == 1 { "" } else { "s" };
    let mut text = format!("{} has {rows}{count} column{plural}:\n", escape(&table.file));
    for column in table.columns.iter().take(LISTED) {
        let kind = match column.kind {
            ColumnKind::Number => "number",
            ColumnKind::Boolean => "true or false",
            ColumnKind::Date => "date",
            ColumnKind::Text => "text",
            ColumnKind::Empty => "empty",
        };
        text.push_str(&format!("\n- {} ({kind})", escape(&column.name)));
    }
    if table.columns.len() > LISTED {
        text.push_str(&format!("\n\nThe first {LISTED} are shown."));
    }
    text
}

/// Why the figure that was asked for does not exist.
pub fn not_numeric(table: &TableProfile, column: usize) -> String {
    let name = escape(name(table, column));
    let holds = match table.columns.get(column).map(|column| column.kind) {
        Some(ColumnKind::Text) => "holds text, not numbers",
        _ => "holds no numbers",
    };
    format!("{name} {holds}, so it has no average, total, maximum or minimum. {}", help(table))
}

/// What can be asked about the file.
pub fn help(table: &TableProfile) -> String {
    let quoted: Vec<String> =
        examples(table).iter().map(|example| format!("“{}”", escape(example))).collect();
    format!(
        "I can count the rows of {}, list its columns, compute averages, totals, minimums and \
         maximums, find the top values, and draw charts. Try {}.",
        escape(&table.file),
        quoted.join(", ")
    )
}

/// Questions that are understood, with the file's own column names.
pub fn examples(table: &TableProfile) -> Vec<String> {
    let mut examples = Vec::new();
    let number = table.first(ColumnKind::Number);
    let category = table.category();
    if let (Some(number), Some(category)) = (number, category) {
        let (number, category) = (name(table, number), name(table, category));
        examples.push(format!("What is the average {number} by {category}?"));
    } else if let Some(number) = number {
        examples.push(format!("What is the average {}?", name(table, number)));
    }
    if let Some(number) = number {
        examples.push(format!("Top 5 {}", name(table, number)));
    }
    if let Some(category) = category {
        examples.push(format!("Pie chart of {}", name(table, category)));
    }
    examples.push("How many rows are there?".to_owned());
    examples
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

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
