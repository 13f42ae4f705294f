//! The model's tool `query_data`: SQL over the visitor's file, with a picture if one is asked for.

use serde_json::{Value, json};

use crate::domain::{Chart, ChartKind, QueryResult, SessionId, ToolRun};
use crate::error::AppError;
use crate::files::Files;
use crate::prompt::tokens::estimate;
use crate::provider::{ToolCall, ToolResult, ToolSpec};

/// The tool's name.
pub const QUERY_DATA: &str = "query_data";

/// How many rows a statement may give: more than these no model reads.
const ROWS: usize = 200;

/// Tokens that a result may have in the prompt.
const RESULT_TOKENS: usize = 3000;

/// The tool as it is offered.
pub fn query_data() -> ToolSpec {
    ToolSpec {
        name: QUERY_DATA,
        description: "Runs one SQLite SELECT over table `data`, which holds every row of the \
                      visitor's file, and answers with the rows. Quote column names with double \
                      quotes. Dates are ISO text, booleans 1 and 0, empty cells NULL. Aggregate \
                      in SQL; at most 200 rows come back. With `chart` the visitor also sees the \
                      result as a picture: the first column gives the labels, the others numbers."
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

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// For the model.
    pub result: ToolResult,
    /// For the record.
    pub run: ToolRun,
    /// The picture, if one was asked for and could be drawn.
    pub chart: Option<Chart>,
}

/// Runs a call. Whatever is wrong with it goes back to the model, never to the visitor.
pub async fn run(files: &Files, id: SessionId, call: ToolCall) -> Outcome {
    let sql = match arguments(&call) {
        Ok((sql, kind)) => match files.query(id, sql.clone(), ROWS).await {
            Ok((file, result)) => return done(files, call, sql, file.rows, &result, kind),
            Err(error) => return failed(call, sql, &in_words(&error)),
        },
        Err(error) => error,
    };
    failed(call, String::new(), sql)
}

/// The statement that a call is about to run, if it has one.
pub fn statement(call: &ToolCall) -> Option<String> {
    arguments(call).ok().map(|(sql, _)| sql)
}

/// The call's result when no more calls are allowed.
pub fn refused(call: ToolCall) -> Outcome {
    failed(call, String::new(), "No more calls in this answer: use the results that you have.")
}

fn arguments(call: &ToolCall) -> Result<(String, Option<ChartKind>), &'static str> {
    if call.name != QUERY_DATA {
        return Err("There is no such tool. The only tool is query_data.");
    }
    let Ok(Value::Object(mut arguments)) = serde_json::from_str(&call.arguments) else {
        return Err("The arguments are not a JSON object.");
    };
    let Some(Value::String(sql)) = arguments.remove("sql") else {
        return Err("The argument `sql` is missing or no text.");
    };
    match arguments.remove("chart") {
        None | Some(Value::Null) => Ok((sql, None)),
        Some(Value::String(word)) if word.is_empty() => Ok((sql, None)),
        Some(Value::String(word)) => match word.parse() {
            Ok(kind) => Ok((sql, Some(kind))),
            Err(_) => Err("The argument `chart` must be bar, line or pie."),
        },
        Some(_) => Err("The argument `chart` must be bar, line or pie."),
    }
}

/// An error as the model may read it: SQLite's own words, or ours without what stands behind them.
fn in_words(error: &AppError) -> String {
    match error {
        AppError::NoFile => "The file is not there any more.".to_owned(),
        other => other.to_string(),
    }
}

fn done(
    files: &Files,
    call: ToolCall,
    sql: String,
    table_rows: u64,
    result: &QueryResult,
    kind: Option<ChartKind>,
) -> Outcome {
    let (chart, note) = match kind.map(|kind| files.draw(result, kind, &title(result))) {
        None => (None, None),
        Some(Ok(chart)) => (Some(chart), Some("The visitor sees the chart.".to_owned())),
        Some(Err(error)) => (None, Some(format!("No chart could be drawn: {error}"))),
    };
    let run = ToolRun {
        name: call.name,
        sql,
        row_count: Some(result.row_count as u64),
        table_rows: Some(table_rows),
        elapsed_ms: result.elapsed_ms,
        error: None,
    };
    let content = content(result, note);
    Outcome { result: ToolResult { call_id: call.id, content, is_error: false }, run, chart }
}

fn failed(call: ToolCall, sql: String, error: &str) -> Outcome {
    let run = ToolRun {
        name: call.name,
        sql,
        row_count: None,
        table_rows: None,
        elapsed_ms: 0.0,
        error: Some(error.to_owned()),
    };
    let content = error.to_owned();
    Outcome { result: ToolResult { call_id: call.id, content, is_error: true }, run, chart: None }
}

/// What a picture of `result` shows, in words: `Average price, count by region`.
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

/// The result for the model, as many rows of it as fit.
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

    fn call(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: "c".into(), name: name.into(), arguments: arguments.into() }
    }

    #[test]
    fn arguments_are_read_strictly() {
        let ok = |text: &str| arguments(&call(QUERY_DATA, text)).unwrap();
        assert_eq!(ok(r#"{"sql":"select 1"}"#), ("select 1".to_owned(), None));
        assert_eq!(ok(r#"{"sql":"s","chart":"pie"}"#).1, Some(ChartKind::Pie));
        assert_eq!(ok(r#"{"sql":"s","chart":null,"other":1}"#).1, None);
        for broken in ["", "{", "[]", "{}", r#"{"sql":1}"#, r#"{"sql":"s","chart":"cake"}"#] {
            assert!(arguments(&call(QUERY_DATA, broken)).is_err(), "{broken}");
        }
        assert!(arguments(&call("rm", r#"{"sql":"s"}"#)).is_err());
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
