//! Answers about the visitor's file, by way of the tool that queries it.

use super::query::Query;
use super::question::{Meaning, understand};
use super::report;
use super::table::Table;
use crate::domain::block::read_block;
use crate::domain::model::{Entry, ModelRequest, ToolCall, ToolChoice, ToolResult};

/// The tool that runs SQL over the file.
pub const TOOL: &str = "query_data";

/// What the demo does about a question.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// It says this.
    Text(String),
    /// It calls the tool.
    Call(ToolCall),
}

/// The visitor's file, if there is one that can be queried.
pub fn table(request: &ModelRequest) -> Option<Table> {
    let has_tool = request.tools.iter().any(|tool| tool.name == TOOL);
    has_tool.then(|| Table::read(&request.system)).flatten()
}

/// The reply to `question` if it is one about `table`, or the end of one that the tool has
/// answered.
pub fn reply(request: &ModelRequest, table: &Table, question: &str) -> Option<Reply> {
    let meaning = understand(table, question);
    if let Some(Entry::ToolResults(results)) = request.entries.last() {
        let query = match &meaning {
            Some(Meaning::Query(query)) => Some(query),
            _ => None,
        };
        return Some(Reply::Text(tell(table, query, results)));
    }
    match meaning? {
        Meaning::Columns => Some(Reply::Text(report::list_columns(table))),
        Meaning::NotNumeric { column } => Some(Reply::Text(report::not_numeric(table, column))),
        Meaning::Query(_) if request.tool_choice == ToolChoice::None => None,
        Meaning::Query(query) => Some(Reply::Call(ToolCall {
            id: format!("call_{}", request.entries.len()),
            name: TOOL.to_owned(),
            arguments: query.arguments(table),
        })),
    }
}

/// A failure is not shown as it is: it is written for whoever writes SQL.
fn tell(table: &Table, query: Option<&Query>, results: &[ToolResult]) -> String {
    let result = results.first().filter(|result| !result.is_error);
    let content = result.and_then(|result| read_block(&result.content, "result"));
    let told = query.zip(content).and_then(|(query, content)| report::tell(table, query, content));
    told.unwrap_or_else(|| {
        format!("I could not find that out: the query failed. {}", report::help(table))
    })
}
