//! `/api/chat`.

use std::sync::Arc;

use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::chat::{Answer, Delivery, Question};
use crate::domain::{SessionId, Status};
use crate::http::ApiTag;
use crate::http::wire::body::{self, FromJson, JsonBody};
use crate::http::wire::client::Client;
use crate::http::wire::error::SharedError;
use crate::http::wire::idempotency::KeyHeader;
use crate::http::wire::refusal::Refusal;
use crate::http::wire::reply::Reply;
use crate::http::wire::types::{
    ChartBody, ConfigObject, EXAMPLE_HTML, EXAMPLE_ID, EXAMPLE_TIME, EXAMPLE_USAGE, FileBody,
    IdParam, MessageBody, ToolBody, UsageBody, example_config, example_messages, iso, tools,
};

/// Conversations.
pub struct ChatApi {
    pub(in crate::http) app: Arc<App>,
}

/// A visitor's message.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", example)]
pub(super) struct MessageRequest {
    /// The session's id.
    pub(super) session_id: uuid::Uuid,
    /// The visitor's text.
    pub(super) message: String,
    /// Settings that are merged into the session's first, such as the page the visitor is on.
    pub(super) config: Option<ConfigObject>,
}

impl MessageRequest {
    /// The session and what is asked there.
    pub(super) fn question(
        self,
        delivery: Delivery,
        KeyHeader(key): KeyHeader,
        Client(client): Client,
    ) -> (SessionId, Question) {
        let patch = self.config.unwrap_or_default().0;
        let message = self.message;
        (SessionId(self.session_id), Question { message, patch, delivery, key, client })
    }
}

impl Example for MessageRequest {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.parse().unwrap_or_default(),
            message: "What does the tea cost?".to_owned(),
            config: Some(example_config()),
        }
    }
}

impl FromJson for MessageRequest {
    fn from_json(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        let session_id = match fields.get("sessionId") {
            Some(Value::String(id)) => id.parse().map_err(|_| Refusal::BadSessionId)?,
            Some(_) => return Err(Refusal::BadField("`sessionId` must be text.")),
            None => return Err(Refusal::BadField("`sessionId` is missing.")),
        };
        let message = match fields.remove("message") {
            Some(Value::String(message)) => message,
            Some(_) => return Err(Refusal::BadField("`message` must be text.")),
            None => return Err(Refusal::BadField("`message` is missing.")),
        };
        let config = Some(ConfigObject(body::config(&mut fields)?));
        Ok(Self { session_id, message, config })
    }
}

/// An answer.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerBody {
    /// The answer, Markdown.
    response: String,
    /// The same as HTML that is safe to insert into a page.
    html: String,
    /// The session's id.
    session_id: String,
    /// The answer's id in the history; absent when nothing was stored.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// Number of messages in the session now.
    message_count: u64,
    /// Who answered: `claude`, `openai` or `demo`.
    provider: String,
    /// The name that visitors see for it.
    provider_name: String,
    /// The model that answered.
    model: String,
    /// When the answer was complete.
    timestamp: String,
    /// Tokens used.
    usage: UsageBody,
    /// Absent for a complete answer; otherwise `truncated` (length limit), `refused`, or `stopped` (by the
    /// visitor).
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// The tool calls behind it, in order.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<ToolBody>>,
    /// A chart of the result.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<ChartBody>,
}

impl AnswerBody {
    pub(super) fn new(session: SessionId, answer: Answer) -> Self {
        Self {
            response: answer.text,
            html: answer.html,
            session_id: session.to_string(),
            message_id: answer.id.map(|id| id.to_string()),
            message_count: answer.message_count,
            provider: answer.provider.as_str().to_owned(),
            provider_name: answer.provider_name,
            model: answer.model,
            timestamp: iso(answer.timestamp),
            usage: answer.usage.into(),
            status: (answer.status != Status::Complete).then(|| answer.status.as_str().to_owned()),
            tools: tools(answer.tools),
            chart: answer.chart.map(ChartBody::from),
        }
    }
}

impl Example for AnswerBody {
    fn example() -> Self {
        Self {
            response: "The Sencha costs **4.90 euros**.".to_owned(),
            html: EXAMPLE_HTML.to_owned(),
            session_id: EXAMPLE_ID.to_owned(),
            message_id: Some("2".to_owned()),
            message_count: 2,
            provider: "claude".to_owned(),
            provider_name: "Claude Assistant".to_owned(),
            model: "claude-haiku-5-5".to_owned(),
            timestamp: EXAMPLE_TIME.to_owned(),
            usage: EXAMPLE_USAGE,
            status: None,
            tools: None,
            chart: None,
        }
    }
}

/// A conversation.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct HistoryBody {
    /// The session's id.
    session_id: String,
    /// Its messages, oldest first.
    messages: Vec<MessageBody>,
    /// Number of messages.
    message_count: u64,
    /// The session's file, if it has one.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileBody>,
}

impl Example for HistoryBody {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            messages: example_messages(),
            message_count: 2,
            file: None,
        }
    }
}

/// A conversation that has been cleared.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct ClearedHistory {
    /// The session's id.
    session_id: String,
    /// Always `cleared`.
    status: String,
    /// Number of messages deleted.
    messages_cleared: u64,
    /// Now.
    timestamp: String,
}

impl Example for ClearedHistory {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            status: "cleared".to_owned(),
            messages_cleared: 2,
            timestamp: EXAMPLE_TIME.to_owned(),
        }
    }
}

#[OpenApi(prefix_path = "/api/chat", tag = "ApiTag::Chat")]
impl ChatApi {
    /// Ask a question
    ///
    /// The question is stored before the model is called and the answer before it is returned. If
    /// the model fails, the question stays in the history, marked `unanswered`.
    #[oai(path = "/message", method = "post", operation_id = "sendMessage")]
    async fn message(
        &self,
        /// Identifies the question, 1 to 255 printable characters. A repeated key in the same
        /// session returns the first answer again, or joins it while it is being written.
        #[oai(name = "Idempotency-Key")]
        key: KeyHeader,
        client: Client,
        body: JsonBody<MessageRequest>,
    ) -> poem::Result<Reply<AnswerBody>> {
        let (id, question) = body.0.question(Delivery::Whole, key, client);
        let turn = self.app.chat.begin(id, question)?;
        let answer = turn.end().await.map_err(SharedError)?;
        Ok(Reply(AnswerBody::new(id, Arc::unwrap_or_clone(answer))))
    }

    /// Read a conversation
    ///
    /// Reading counts as use and postpones the session's expiry.
    #[oai(path = "/history/:id", method = "get", operation_id = "readHistory")]
    async fn history(&self, id: Path<IdParam>) -> poem::Result<Reply<HistoryBody>> {
        let view = self.app.sessions.transcript(id.0.0).await?;
        Ok(Reply(HistoryBody {
            session_id: view.id.to_string(),
            message_count: view.messages.len() as u64,
            messages: view.messages.into_iter().map(MessageBody::from).collect(),
            file: view.file.map(FileBody::from),
        }))
    }

    /// Clear a conversation
    ///
    /// The session and its settings are kept.
    #[oai(path = "/history/:id", method = "delete", operation_id = "clearHistory")]
    async fn clear(&self, id: Path<IdParam>) -> poem::Result<Reply<ClearedHistory>> {
        let messages_cleared = self.app.sessions.clear_history(id.0.0).await?;
        Ok(Reply(ClearedHistory {
            session_id: id.0.0.to_string(),
            status: "cleared".to_owned(),
            messages_cleared,
            timestamp: iso(self.app.now()),
        }))
    }
}
