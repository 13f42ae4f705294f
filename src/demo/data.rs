//! Answers about the visitor's file, by means of the tool that queries it.

use super::query::DataQuery;
use super::question::{Meaning, understand};
use super::report::TableReport;
use super::table::TableProfile;
use super::translate::translate;
use crate::domain::block::read_block;
use crate::domain::model::{Entry, ModelRequest, ToolCall, ToolChoice, ToolResult};

/// The tool that runs SQL over the file.
pub const TOOL: &str = "query_data";

/// The demo's reply to a question.
#[derive(Debug, PartialEq)]
pub enum DemoReply {
    /// A text.
    Text(String),
    /// A call of the tool.
    Call(ToolCall),
}

/// The visitor's file, if there is one that can be queried.
pub fn table(request: &ModelRequest) -> Option<TableProfile> {
    let has_tool = request.tools.iter().any(|tool| tool.name == TOOL);
    has_tool.then(|| TableProfile::read(&request.system)).flatten()
}

/// The reply to `question` if it is about `table`: a call of the tool, or what its result says.
pub fn reply(request: &ModelRequest, report: TableReport<'_>, question: &str) -> Option<DemoReply> {
    let table = report.table;
    let meaning = understand(table, &translate(table, report.language, question));
    if let Some(Entry::ToolResults(results)) = request.entries.last() {
        let query = match &meaning {
            Some(Meaning::Query(query)) => Some(query),
            _ => None,
        };
        return Some(DemoReply::Text(tell(report, query, results)));
    }
    match meaning? {
        Meaning::Columns => Some(DemoReply::Text(report.list_columns())),
        Meaning::NotNumeric { column } => Some(DemoReply::Text(report.no_amount(column))),
        Meaning::Ambiguous(columns) => Some(DemoReply::Text(report.ask_which(&columns))),
        Meaning::Query(_) if request.tool_choice == ToolChoice::None => None,
        Meaning::Query(query) => Some(DemoReply::Call(ToolCall {
            id: format!("call_{}", request.entries.len()),
            name: TOOL.to_owned(),
            arguments: query.arguments(table),
        })),
    }
}

/// The text for the results of the tool. Its error messages are written for authors of SQL, so
/// visitors do not see them.
fn tell(report: TableReport<'_>, query: Option<&DataQuery>, results: &[ToolResult]) -> String {
    let result = results.first().filter(|result| !result.is_error);
    let content = result.and_then(|result| read_block(&result.content, "result"));
    let told = query.zip(content).and_then(|(query, content)| report.tell(query, content));
    told.unwrap_or_else(|| report.language.texts.failed.to_owned())
}
