//! The answer to a question about the file, in words and tables.

use serde::Deserialize;
use serde_json::Value;

use super::query::{Figure, Query, Select, name};
use super::table::{Kind, Table};

/// How many rows of a result are shown.
const SHOWN: usize = 20;

/// How many columns of a file are listed.
const LISTED: usize = 50;

/// What the tool answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    row_count: u64,
    truncated: bool,
}

/// Puts the result of `query` into words; `None` if it cannot be read.
pub fn tell(table: &Table, query: &Query, content: &str) -> Option<String> {
    let answer: Answer = serde_json::from_str(content).ok()?;
    if let (Select::Figure(figure, column), None) = (query.select, query.group) {
        let value = answer.rows.first()?.first()?;
        return Some(tell_figure(table, query, figure, column, value));
    }
    let title = upper_first(&escape(&query.title(table)));
    let scope = scope(table, query);
    if answer.rows.is_empty() {
        return Some(format!("{title}: no row has a value, {scope}."));
    }
    if let ([row], Select::Rows { label: Some(label), .. }) = (&answer.rows[..], query.select)
        && let [at, value] = &row[..]
    {
        let (at, label) = (cell(at), escape(name(table, label)));
        return Some(format!("{title}: **{}** ({label}: {at}), {scope}.", cell(value)));
    }
    let mut text = format!("{title}, {scope}:\n\n{}", markdown(&answer));
    let (count, shown) = (thousands(answer.row_count), answer.rows.len().min(SHOWN));
    if answer.truncated {
        text.push_str(&format!("\nThe first {shown} rows are shown, of {count} or more.\n"));
    } else if answer.rows.len() > shown {
        text.push_str(&format!("\nThe first {shown} of {count} rows are shown.\n"));
    }
    Some(text.trim_end().to_owned())
}

fn tell_figure(
    table: &Table,
    query: &Query,
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
            format!("{name} has **{count}** values that are not empty, {scope}.")
        }
        (Figure::Distinct, Some(name)) => {
            format!("{name} has **{count}** different values, {scope}.")
        }
        (_, Some(name)) if value.is_null() => format!("{name} has no values, {scope}."),
        (figure, Some(name)) => {
            format!("The {} of {name} is **{}**, {scope}.", figure.as_str(), cell(value))
        }
    }
}

/// Which rows a figure is computed over.
fn scope(table: &Table, query: &Query) -> String {
    let all = match table.rows {
        Some(rows) => format!("all {} rows", thousands(rows)),
        None => "all rows".to_owned(),
    };
    match &query.filter {
        None => format!("computed over {all}"),
        Some(filter) => format!(
            "computed over those of {all} where {} is {}",
            escape(name(table, filter.column)),
            escape(&filter.value)
        ),
    }
}

fn markdown(answer: &Answer) -> String {
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

/// A value as it stands in a sentence or a table.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) if text.trim().is_empty() => "(empty)".to_owned(),
        Value::String(text) => escape(text),
        // SQL rounds to a fraction where there is none.
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
        other => escape(&other.to_string()),
    }
}

/// What the file holds.
pub fn list_columns(table: &Table) -> String {
    let count = thousands(u64::try_from(table.columns.len()).unwrap_or(u64::MAX));
    let rows = table.rows.map_or_else(String::new, |rows| format!("{} rows and ", thousands(rows)));
    let plural = if table.columns.len() == 1 { "" } else { "s" };
    let mut text = format!("{} has {rows}{count} column{plural}:\n", escape(&table.file));
    for column in table.columns.iter().take(LISTED) {
        let kind = match column.kind {
            Kind::Number => "number",
            Kind::Boolean => "true or false",
            Kind::Date => "date",
            Kind::Text => "text",
            Kind::Empty => "empty",
        };
        text.push_str(&format!("\n- {} ({kind})", escape(&column.name)));
    }
    if table.columns.len() > LISTED {
        text.push_str(&format!("\n\nThe first {LISTED} are shown."));
    }
    text
}

/// Why there is no such figure.
pub fn not_numeric(table: &Table, column: usize) -> String {
    let name = escape(name(table, column));
    format!("{name} holds no numbers, so it has neither an average nor a total. {}", help(table))
}

/// What may be asked of the file.
pub fn help(table: &Table) -> String {
    let quoted: Vec<String> =
        examples(table).iter().map(|example| format!("“{}”", escape(example))).collect();
    format!(
        "I can count the rows of {}, list its columns, and find averages, totals, minimums, \
         maximums, tops and charts of them. Try {}.",
        escape(&table.file),
        quoted.join(", ")
    )
}

/// Questions that are understood, in the file's own words.
pub fn examples(table: &Table) -> Vec<String> {
    let mut examples = Vec::new();
    let number = table.first(Kind::Number);
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

/// `text` on one line, without a meaning to Markdown.
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
            // Within a word it means nothing.
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

/// `n` with commas: 1,461.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
