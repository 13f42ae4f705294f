//! The tool `query_data`: SQL over the visitor's file, with a chart on request.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{Tool, ToolReply};
use crate::domain::model::ToolSpec;
use crate::domain::{Chart, ChartKind, QueryResult, ToolOutcome};
use crate::error::AppError;
use crate::files::Files;
use crate::prompt::tokens::estimate;
use crate::quota::Caller;

/// The tool's name.
const NAME: &str = "query_data";

/// Maximum number of rows in a result; more are of no use to a model.
const ROWS: usize = 200;

/// Maximum size of a result in the prompt, in tokens.
const RESULT_TOKENS: usize = 3000;

/// The tool for one session's file.
pub struct QueryData {
    files: Files,
    caller: Caller,
}

impl QueryData {
    /// The tool for the file of the caller's session.
    pub fn new(files: Files, caller: Caller) -> Self {
        Self { files, caller }
    }
}

#[async_trait]
impl Tool for QueryData {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME,
            description: "Runs one SQLite SELECT over table `data`, which holds every row of the \
                          visitor's file, and returns the rows. Quote column names with double \
                          quotes, dotted ones such as \"customer.city\" as a whole, and texts with \
                          single quotes. Dates are ISO \
                          text, booleans 1 and 0, empty cells NULL. Columns of \
                          type number hold plain numbers without their unit: name the unit of the \
                          column in answers. Columns of type string compare and sort as text, even \
                          if they contain digits: their MIN, MAX, SUM and AVG are not those of \
                          amounts. Aggregate in SQL; at most 200 rows are returned. With `chart` the visitor also sees \
                          the result as a picture: the first column holds the labels, the others \
                          numbers."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "sql": {"type": "string", "description": "One SELECT statement"},
                    "chart": {"type": "string", "enum": ["bar", "line", "pie"]},
                },
                "required": ["sql"],
            }),
        }
    }

    async fn run(&self, input: &Map<String, Value>) -> ToolReply {
        let (sql, kind) = match arguments(input) {
            Ok(arguments) => arguments,
            Err(reason) => return ToolReply::failed(reason),
        };
        match self.files.query(self.caller, sql.to_owned(), ROWS).await {
            Ok((file, result)) => self.reply(file.rows, &result, kind),
            Err(AppError::NoFile) => ToolReply::failed("The file does not exist any more."),
            // SQLite's message, or ours without its source.
            Err(error) => ToolReply::failed(error.to_string()),
        }
    }
}

impl QueryData {
    fn reply(&self, table_rows: u64, result: &QueryResult, kind: Option<ChartKind>) -> ToolReply {
        let drawn = kind.map(|kind| self.files.draw(result, kind, &title(result)));
        let (chart, note): (Option<Chart>, _) = match drawn {
            None => (None, None),
            Some(Ok(chart)) => (Some(chart), Some("The visitor sees the chart.".to_owned())),
            Some(Err(error)) => (None, Some(format!("No chart could be drawn: {error}"))),
        };
        ToolReply {
            outcome: ToolOutcome::Rows {
                row_count: result.row_count as u64,
                table_rows: Some(table_rows),
            },
            content: content(result, note),
            chart,
            elapsed_ms: Some(result.elapsed_ms),
        }
    }
}

fn arguments(input: &Map<String, Value>) -> Result<(&str, Option<ChartKind>), &'static str> {
    let Some(Value::String(sql)) = input.get("sql") else {
        return Err("The argument `sql` is missing or not a string.");
    };
    const NOT_A_CHART: &str = "The argument `chart` must be bar, line or pie.";
    match input.get("chart") {
        None | Some(Value::Null) => Ok((sql, None)),
        Some(Value::String(word)) if word.is_empty() => Ok((sql, None)),
        Some(Value::String(word)) => match word.parse() {
            Ok(kind) => Ok((sql, Some(kind))),
            Err(_) => Err(NOT_A_CHART),
        },
        Some(_) => Err(NOT_A_CHART),
    }
}

/// A title for a chart of `result`: `Average price, count by region`.
fn title(result: &QueryResult) -> String {
    let title = match result.columns.as_slice() {
        [label, values @ ..] if !values.is_empty() => format!("{} by {label}", values.join(", ")),
        columns => columns.join(", "),
    };
    let mut words = title.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// The result for the model, with as many rows as fit.
fn content(result: &QueryResult, chart: Option<String>) -> String {
    let mut rows = Vec::new();
    let mut tokens = 0;
    for row in &result.rows {
        let row = json!(row).to_string();
        tokens += estimate(&row) + 1;
        if tokens > RESULT_TOKENS {
            break;
        }
        rows.push(row);
    }
    let truncated = result.truncated || rows.len() < result.rows.len();
    let mut text = format!(
        "{{\"columns\":{},\"rows\":[{}],\"rowCount\":{},\"truncated\":{truncated}",
        json!(result.columns),
        rows.join(","),
        result.row_count,
    );
    if let Some(chart) = chart {
        text.push_str(&format!(",\"chart\":{}", json!(chart)));
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_strictly() {
        let read = |value: Value| {
            let Value::Object(input) = value else { unreachable!("the test passes objects only") };
            arguments(&input).map(|(sql, kind)| (sql.to_owned(), kind))
        };
        let ok = |value: Value| read(value).unwrap();
        assert_eq!(ok(json!({"sql": "select 1"})), ("select 1".to_owned(), None));
        assert_eq!(ok(json!({"sql": "s", "chart": "pie"})).1, Some(ChartKind::Pie));
        assert_eq!(ok(json!({"sql": "s", "chart": null, "other": 1})).1, None);
        for wrong in [json!({}), json!({"sql": 1}), json!({"sql": "s", "chart": "cake"})] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_long_result_is_cut_between_rows_and_says_so() {
        let row = |n: usize| vec![json!(n), json!("a text of some length, with \"quotes\"")];
        let result = QueryResult {
            columns: vec!["n".into(), "text".into()],
            rows: (0..1000).map(row).collect(),
            row_count: 1000,
            truncated: false,
            elapsed_ms: 1.0,
        };
        let text = content(&result, None);
        let read: Value = serde_json::from_str(&text).unwrap();
        let shown = read["rows"].as_array().unwrap().len();
        assert!(shown > 50 && shown < 1000, "{shown}");
        assert_eq!((&read["rowCount"], &read["truncated"]), (&json!(1000), &json!(true)));
        assert!(estimate(&text) < RESULT_TOKENS + 200);
    }

    #[test]
    fn titles_name_the_columns() {
        let result = |columns: &[&str]| QueryResult {
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: vec![],
            row_count: 0,
            truncated: false,
            elapsed_ms: 0.0,
        };
        assert_eq!(title(&result(&["region", "avg_price", "n"])), "Avg price, n by region");
        assert_eq!(title(&result(&["n"])), "N");
        assert_eq!(title(&result(&["länder", "größe"])), "Größe by länder");
        assert_eq!(title(&result(&[])), "");
    }
}
