//! Records of earlier schemas, which are only read.
//!
//! Their layouts never change. Back then a session had one turn at a time and no third party
//! spoke, so the answer to a question was the message after it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Header, RecordError, author, body, provider, read, status};
use crate::domain::{
    Author, BotId, Chart, MessageId, NewMessage, SessionState, Timestamp, ToolOutcome, ToolRun,
    Usage,
};

/// Messages with HTML, tools or a chart.
const V2: u8 = 2;
/// Messages whose usage counts cached tokens.
const V3: u8 = 3;

#[derive(Deserialize)]
struct HeaderV1 {
    created_ms: i64,
    _last_activity_ms: i64,
    message_count: u64,
    next_id: u64,
}

#[derive(Deserialize)]
struct MessageV1<'a> {
    role: u8,
    status: u8,
    timestamp_ms: i64,
    content: &'a str,
    provider: Option<u8>,
    model: Option<&'a str>,
    /// Tokens in, tokens out.
    usage: Option<(u32, u32)>,
}

#[derive(Deserialize)]
struct MessageV2<'a> {
    #[serde(borrow)]
    v1: MessageV1<'a>,
    html: Option<&'a str>,
    /// JSON of an [`EvidenceV2`], or empty.
    evidence: &'a [u8],
}

#[derive(Deserialize)]
struct MessageV3<'a> {
    #[serde(borrow)]
    v2: MessageV2<'a>,
    cached_input_tokens: u32,
}

#[derive(Default, Deserialize)]
struct EvidenceV2 {
    tools: Vec<ToolRunV2>,
    chart: Option<Chart>,
}

/// A run of the only tool of that time, which ran SQL.
#[derive(Deserialize)]
struct ToolRunV2 {
    name: String,
    sql: String,
    row_count: Option<u64>,
    #[serde(default)]
    table_rows: Option<u64>,
    elapsed_ms: f64,
    error: Option<String>,
}

impl From<ToolRunV2> for ToolRun {
    fn from(run: ToolRunV2) -> Self {
        let input = match run.sql.is_empty() {
            true => Map::new(),
            false => Map::from_iter([("sql".to_owned(), Value::from(run.sql))]),
        };
        let outcome = match (run.error, run.row_count) {
            (None, Some(row_count)) => ToolOutcome::Rows { row_count, table_rows: run.table_rows },
            (error, _) => ToolOutcome::Failed(error.unwrap_or_default()),
        };
        Self { name: run.name, input, outcome, elapsed_ms: run.elapsed_ms }
    }
}

/// Decodes a header of the first version.
pub(super) fn header(bytes: &[u8]) -> Result<Header, RecordError> {
    let v1: HeaderV1 = read(body(bytes)?)?;
    Ok(Header {
        created: Timestamp(v1.created_ms),
        message_count: v1.message_count,
        next_id: v1.next_id,
        bot: BotId::default(),
        state: SessionState::Bot,
    })
}

/// Decodes message `id` of one of the first three versions.
pub(super) fn message(id: MessageId, bytes: &[u8]) -> Result<NewMessage, RecordError> {
    let v3 = |v2| MessageV3 { v2, cached_input_tokens: 0 };
    let MessageV3 { v2: MessageV2 { v1, html, evidence }, cached_input_tokens } = match bytes {
        [V3, fields @ ..] => read(fields)?,
        [V2, fields @ ..] => v3(read(fields)?),
        _ => v3(MessageV2 { v1: read(body(bytes)?)?, html: None, evidence: &[] }),
    };
    let evidence = match evidence {
        [] => EvidenceV2::default(),
        json => serde_json::from_slice(json)?,
    };
    let author = author(v1.role)?;
    Ok(NewMessage {
        author,
        answers: (author == Author::Bot).then(|| MessageId(id.0.saturating_sub(1))),
        content: v1.content.to_owned(),
        html: html.map(str::to_owned),
        timestamp: Timestamp(v1.timestamp_ms),
        status: status(v1.status)?,
        provider: v1.provider.map(provider).transpose()?,
        model: v1.model.map(str::to_owned),
        usage: v1.usage.map(|(input_tokens, output_tokens)| Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            ..Usage::default()
        }),
        tools: evidence.tools.into_iter().map(ToolRun::from).collect(),
        chart: evidence.chart,
    })
}
