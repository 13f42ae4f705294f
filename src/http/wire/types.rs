//! Shapes that several operations share.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{
    Example, ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type,
};
use poem_openapi::{Enum, Object};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::{self, SessionId, Timestamp};

/// A session's id in a path.
#[derive(Clone, Copy, Debug)]
pub struct IdParam(pub SessionId);

impl Type for IdParam {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        uuid::Uuid::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        uuid::Uuid::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromParameter for IdParam {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let id = value.parse().map_err(|_| ParseError::custom("not a UUID"))?;
        Ok(Self(SessionId(id)))
    }
}

/// A session's settings: any JSON object, in which the keys of [`ConfigKeys`] have a meaning.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct ConfigObject(pub Map<String, Value>);

impl Type for ConfigObject {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        ConfigKeys::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        ConfigKeys::schema_ref()
    }

    fn register(registry: &mut Registry) {
        ConfigKeys::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for ConfigObject {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::Object(map)) => Ok(Self(map)),
            _ => Err(ParseError::custom("must be an object")),
        }
    }
}

impl ToJSON for ConfigObject {
    fn to_json(&self) -> Option<Value> {
        Some(Value::Object(self.0.clone()))
    }
}

impl ConfigObject {
    /// Settings for an example, from a JSON object.
    pub fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self::default(),
        }
    }
}

/// A session's settings. Every key is optional, null means unset, and keys beyond these are kept
/// as they are. Keys of a provider or other credentials are refused.
#[derive(Debug, Default, Object)]
#[oai(rename = "SessionConfig", rename_all = "camelCase", example)]
pub struct ConfigKeys {
    /// The bot's name, to visitors and to the model.
    bot_name: Option<String>,
    /// The line at the foot of the widget.
    powered_by: Option<String>,
    /// The accent colour, any CSS colour.
    bot_color: Option<String>,
    /// The address of the bot's picture: http(s), a relative path or `data:image/…`.
    bot_icon: Option<String>,
    /// The colour of the bot's messages, any CSS colour.
    bot_msg_bg_color: Option<String>,
    /// Who answers: `claude`, `openai` or `demo`.
    ai_provider: Option<String>,
    /// The model, by its provider's name for it.
    model: Option<String>,
    /// Maximum length of an answer, in tokens.
    max_tokens: Option<u32>,
    /// Randomness, 0 to 2.
    temperature: Option<f64>,
    /// The page's instructions for the bot, which the server treats as untrusted text.
    custom_instructions: Option<String>,
    /// The page that the visitor is on.
    page_context: Option<PageContext>,
    /// The same, as the earlier widget sends it.
    page_data: Option<PageData>,
    /// Any JSON that the bot may answer from; arrays of objects become tables.
    json_data: Option<Value>,
}

/// The visitor's page. Values that are not text are kept and not used.
#[derive(Debug, Default, Object)]
pub struct PageContext {
    /// Its address.
    url: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Its main text.
    content: Option<String>,
    /// Its description.
    description: Option<String>,
}

/// The visitor's page, as the earlier widget sends it. Values that are not text are kept and not used.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct PageData {
    /// Its address.
    url: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Its main text.
    page_content: Option<String>,
    /// The host that it is on.
    hostname: Option<String>,
    /// Its language, such as `en`.
    language: Option<String>,
}

impl Example for ConfigKeys {
    fn example() -> Self {
        Self {
            bot_name: Some("Ada".to_owned()),
            bot_color: Some("#667eea".to_owned()),
            page_context: Some(PageContext {
                url: Some("https://shop.example.com/tea".to_owned()),
                title: Some("Green tea".to_owned()),
                content: Some("Sencha costs 4.90 euros. Delivery is free.".to_owned()),
                description: None,
            }),
            ..Self::default()
        }
    }
}

/// An example of settings, for the objects that hold some.
pub fn example_config() -> ConfigObject {
    ConfigObject::of(json!({
        "botName": "Ada",
        "pageContext": {
            "url": "https://shop.example.com/tea",
            "title": "Green tea",
            "content": "Sencha costs 4.90 euros. Delivery is free.",
        },
    }))
}

/// The session id of the examples.
pub const EXAMPLE_ID: &str = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";

/// The time of the examples.
pub const EXAMPLE_TIME: &str = "2026-01-31T12:00:00.123Z";

/// What the answer of the examples cost.
pub const EXAMPLE_USAGE: UsageBody = UsageBody {
    input_tokens: 212,
    output_tokens: 14,
    total_tokens: 226,
    cached_input_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
};

/// The answer of the examples as HTML.
pub const EXAMPLE_HTML: &str = "<p>The Sencha costs <strong>4.90 euros</strong>.</p>";

/// Who wrote a message.
#[derive(Debug, Clone, Copy, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// The visitor.
    User,
    /// The bot.
    Assistant,
}

/// Tokens that an answer used.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub struct UsageBody {
    /// Tokens read.
    pub input_tokens: u32,
    /// Tokens written, thoughts included.
    pub output_tokens: u32,
    /// Their sum.
    pub total_tokens: u32,
    /// Those of the tokens read that came from the provider's cache.
    pub cached_input_tokens: u32,
    /// Those of the tokens read that were written to the provider's cache.
    pub cache_write_tokens: u32,
    /// Those of the tokens written that the model spent on thoughts.
    pub reasoning_tokens: u32,
}

impl From<domain::Usage> for UsageBody {
    fn from(usage: domain::Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
            cached_input_tokens: usage.cached_input_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            reasoning_tokens: usage.reasoning_tokens,
        }
    }
}

/// A call of a tool that an answer was made with.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
#[serde(rename_all = "camelCase")]
pub struct ToolBody {
    /// The tool's name: `query_data`.
    pub name: String,
    /// The SQL statement that it ran.
    pub sql: String,
    /// `done` or `failed`.
    pub status: String,
    /// Number of rows returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Number of rows of the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_rows: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
}

impl From<domain::ToolRun> for ToolBody {
    fn from(run: domain::ToolRun) -> Self {
        let (status, row_count, table_rows) = match run.outcome {
            domain::ToolOutcome::Rows { row_count, table_rows } => {
                ("done", Some(row_count), table_rows)
            }
            domain::ToolOutcome::Failed(_) => ("failed", None, None),
        };
        Self {
            sql: sql_of(&run.input).to_owned(),
            name: run.name,
            status: status.to_owned(),
            row_count,
            table_rows,
            elapsed_ms: millis(run.elapsed_ms),
        }
    }
}

/// The SQL statement among a tool's arguments; empty for a tool that runs none. Every tool is shown
/// with this field, since clients read it without a check.
pub fn sql_of(input: &Map<String, Value>) -> &str {
    input.get("sql").and_then(Value::as_str).unwrap_or_default()
}

/// Milliseconds with as many digits as mean something.
pub fn millis(ms: f64) -> f64 {
    (ms * 100.0).round() / 100.0
}

/// A chart of a result.
#[derive(Debug, Object, Serialize)]
pub struct ChartBody {
    /// `bar`, `line` or `pie`.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// Its title.
    pub title: String,
    /// One `<svg>` element, without script, style or reference; it takes the colour of the text
    /// around it.
    pub svg: String,
    /// A description of it in words.
    pub alt: String,
}

impl From<domain::Chart> for ChartBody {
    fn from(chart: domain::Chart) -> Self {
        let domain::Chart { kind, title, svg, alt } = chart;
        Self { kind: kind.as_str().to_owned(), title, svg, alt }
    }
}

/// The file of a session, in short.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub struct FileBody {
    /// Its name.
    pub file_name: String,
    /// `csv` or `json`.
    pub file_type: String,
    /// Its size in bytes.
    pub file_size: u64,
    /// When it was uploaded.
    pub uploaded_at: String,
    /// How many rows it has as table `data`.
    pub row_count: u64,
    /// How many columns it has as table `data`.
    pub column_count: u64,
    /// Sentences on what was guessed or passed over while reading it; none for a plain file.
    pub notes: Vec<String>,
}

impl From<domain::Dataset> for FileBody {
    fn from(dataset: domain::Dataset) -> Self {
        Self {
            file_type: dataset.kind.as_str().to_owned(),
            file_size: dataset.size,
            uploaded_at: iso(dataset.uploaded),
            row_count: dataset.rows,
            column_count: dataset.columns.len() as u64,
            notes: dataset.notes,
            file_name: dataset.file_name,
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// Its id, unique in its session.
    pub id: String,
    /// Who wrote it.
    pub role: RoleName,
    /// Its text, Markdown in an answer.
    pub content: String,
    /// The same as HTML that is safe to insert into a page (answers only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub timestamp: i64,
    /// Absent for a complete message; otherwise `incomplete` (interrupted), `stopped`, `truncated` (length
    /// limit), `refused`, and on a question `unanswered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Who answered: `claude`, `openai` or `demo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens that the answer used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageBody>,
    /// The tool calls behind the answer, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolBody>>,
    /// A chart of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartBody>,
}

/// Tools for an answer, absent when none was called.
pub fn tools(runs: Vec<domain::ToolRun>) -> Option<Vec<ToolBody>> {
    (!runs.is_empty()).then(|| runs.into_iter().map(ToolBody::from).collect())
}

impl From<domain::Message> for MessageBody {
    fn from(message: domain::Message) -> Self {
        let body = message.body;
        Self {
            id: message.id.to_string(),
            role: match body.author {
                domain::Author::Visitor => RoleName::User,
                domain::Author::Bot | domain::Author::Agent | domain::Author::System => {
                    RoleName::Assistant
                }
            },
            content: body.content,
            html: body.html,
            timestamp: body.timestamp.0,
            status: (body.status != domain::Status::Complete)
                .then(|| body.status.as_str().to_owned()),
            provider: body.provider.map(|kind| kind.as_str().to_owned()),
            model: body.model,
            usage: body.usage.map(UsageBody::from),
            tools: tools(body.tools),
            chart: body.chart.map(ChartBody::from),
        }
    }
}

/// A short conversation for the examples.
pub fn example_messages() -> Vec<MessageBody> {
    vec![
        MessageBody {
            id: "1".to_owned(),
            role: RoleName::User,
            content: "What does the tea cost?".to_owned(),
            html: None,
            timestamp: 1_769_860_799_000,
            status: None,
            provider: None,
            model: None,
            usage: None,
            tools: None,
            chart: None,
        },
        MessageBody {
            id: "2".to_owned(),
            role: RoleName::Assistant,
            content: "The Sencha costs **4.90 euros**.".to_owned(),
            html: Some(EXAMPLE_HTML.to_owned()),
            timestamp: 1_769_860_800_123,
            status: None,
            provider: Some("claude".to_owned()),
            model: Some("claude-haiku-5-5".to_owned()),
            usage: Some(EXAMPLE_USAGE),
            tools: None,
            chart: None,
        },
    ]
}

/// A time in an answer: ISO 8601 in UTC.
pub fn iso(time: Timestamp) -> String {
    time.to_string()
}
