//! `/api/chat/stream` and `/api/chat/stop`: answers as they are written.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse, Response};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Example, Type};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;
use serde_json::{Value, json};

use super::chat::{AnswerBody, MessageRequest};
use crate::app::App;
use crate::chat::Delivery;
use crate::chat::feed::{Follower, RunningTurn, TurnEvent};
use crate::chat::live::{LiveEvent, LiveFollower};
use crate::http::ApiTag;
use crate::http::wire::body::JsonBody;
use crate::http::wire::client::Client;
use crate::http::wire::error::{SharedError, describe};
use crate::http::wire::idempotency::KeyHeader;
use crate::http::wire::reply::Reply;
use crate::http::wire::types::{EXAMPLE_ID, EXAMPLE_TIME, IdParam, ToolBody, iso, sql_of};

/// How often a comment keeps an idle line open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams.
pub struct StreamApi {
    pub(in crate::http) app: Arc<App>,
}

/// One event of a stream, with an id and one of these names:
///
/// - `thinking {}`: the model has been thinking for a second and has not said a word yet. It may
///   come before `start`, and again in the same answer
/// - `start {turnId, provider, model}`
/// - `delta {text, html?, tail?}`: the next piece of the answer; with `?html=1` also the HTML of the
///   blocks that are finished, to be appended, and of the one that is open, which replaces the last one
/// - `replace {text, html?, tail?}`: the answer so far, instead of all text and HTML before (rare: the
///   model's thoughts had been taken for its answer)
/// - `tool {name, sql, status, rowCount?, elapsedMs?}`, with the status `running`, `done` or `failed`
/// - `done {…}`: everything that `POST /api/chat/message` returns
/// - `error {error, code, retryable}`
#[derive(Debug, Object)]
#[oai(rename = "StreamEvent", example)]
struct StreamEvent {
    /// The event's data, JSON in one line.
    data: Value,
}

impl Example for StreamEvent {
    fn example() -> Self {
        Self { data: json!({"text": "The Sencha costs "}) }
    }
}

/// Whether an answer was stopped.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct StopBody {
    /// The session's id.
    session_id: String,
    /// `stopped`, or `idle` when no answer was being written.
    status: String,
    /// Now.
    timestamp: String,
}

impl Example for StopBody {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            status: "stopped".to_owned(),
            timestamp: EXAMPLE_TIME.to_owned(),
        }
    }
}

/// A stream of a turn's events, or 204 when none is running.
struct EventReply(Option<Response>);

impl IntoResponse for EventReply {
    fn into_response(self) -> Response {
        self.0.unwrap_or_else(|| Response::builder().status(StatusCode::NO_CONTENT).finish())
    }
}

impl ApiResponse for EventReply {
    fn meta() -> MetaResponses {
        let content =
            MetaMediaType { content_type: "text/event-stream", schema: StreamEvent::schema_ref() };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "",
                status: Some(200),
                status_range: None,
                content: vec![content],
                headers: vec![],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        StreamEvent::register(registry);
    }
}

#[OpenApi(prefix_path = "/api/chat", tag = "ApiTag::Chat")]
impl StreamApi {
    /// Ask a question and read the answer as it is written
    ///
    /// Works like `/message`. Errors before the first event are plain HTTP errors; later ones are an
    /// `error` event. The answer is completed and stored even if the client disconnects.
    #[oai(path = "/stream", method = "post", operation_id = "streamMessage")]
    async fn stream(
        &self,
        /// Identifies the question, 1 to 255 printable characters. A repeated key in the same
        /// session returns the first answer again, or joins it while it is being written.
        #[oai(name = "Idempotency-Key")]
        key: KeyHeader,
        /// 1 for the answer as sanitised HTML while it is written, beside its text.
        #[oai(validator(minimum(value = "0"), maximum(value = "1")))]
        html: Query<Option<u8>>,
        client: Client,
        body: JsonBody<MessageRequest>,
    ) -> poem::Result<EventReply> {
        let (id, question) = body.0.question(Delivery::Streamed, key, client);
        let turn = self.app.chat.begin(id, question)?;
        if let Some(TurnEvent::Failed(error)) = turn.event(0).await {
            return Err(SharedError(error).into());
        }
        Ok(EventReply(Some(events(Follower::from_start(turn), has_html(&html)))))
    }

    /// Resume reading an answer
    ///
    /// Starts after the event `Last-Event-ID`, or at the beginning; with `?html=1` always at the
    /// beginning.
    #[oai(path = "/stream/:id", method = "get", operation_id = "resumeStream")]
    async fn resume(
        &self,
        id: Path<IdParam>,
        /// The id of the last event received.
        #[oai(name = "Last-Event-ID")]
        last: Header<Option<String>>,
        /// 1 for the answer as sanitised HTML while it is written, beside its text.
        #[oai(validator(minimum(value = "0"), maximum(value = "1")))]
        html: Query<Option<u8>>,
    ) -> poem::Result<EventReply> {
        let with_html = has_html(&html);
        let last = last.0.as_deref().filter(|_| !with_html);
        let follower = self.app.chat.follow(id.0.0, last).await?;
        Ok(EventReply(follower.map(|follower| events(follower, with_html))))
    }

    /// Stop the running answer
    ///
    /// The text so far is kept, marked `stopped`.
    #[oai(path = "/stop/:id", method = "post", operation_id = "stopAnswer")]
    async fn stop(&self, id: Path<IdParam>) -> poem::Result<Reply<StopBody>> {
        let stopped = self.app.chat.stop(id.0.0).await?;
        Ok(Reply(StopBody {
            session_id: id.0.0.to_string(),
            status: if stopped { "stopped" } else { "idle" }.to_owned(),
            timestamp: iso(self.app.now()),
        }))
    }
}

fn has_html(html: &Query<Option<u8>>) -> bool {
    html.0 == Some(1)
}

fn events(follower: Follower, with_html: bool) -> Response {
    let follower = LiveFollower::new(follower, with_html);
    let events = stream::unfold(follower, |mut follower| async move {
        let LiveEvent { id, event, html, tail } = follower.next().await?;
        let (name, mut data) = body(follower.turn(), event);
        for (key, html) in [("html", html), ("tail", tail)] {
            if let Some(html) = html {
                data[key] = Value::String(html);
            }
        }
        let event = Event::message(data.to_string()).event_type(name).id(id);
        Some((event, follower))
    });
    let mut response = SSE::new(events).keep_alive(KEEP_ALIVE).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event's name and data.
fn body(turn: &RunningTurn, event: TurnEvent) -> (&'static str, Value) {
    match event {
        TurnEvent::Started { provider, model } => {
            ("start", json!({"turnId": turn.id, "provider": provider.as_str(), "model": model}))
        }
        TurnEvent::Thinking => ("thinking", json!({})),
        TurnEvent::Replaced(text) => ("replace", json!({ "text": text })),
        TurnEvent::Text(text) => ("delta", json!({ "text": text })),
        TurnEvent::ToolRunning { name, input } => {
            ("tool", json!({"name": name, "sql": sql_of(&input), "status": "running"}))
        }
        TurnEvent::ToolRan(run) => ("tool", json!(ToolBody::from(run))),
        TurnEvent::Done(answer) => {
            let answer = Arc::unwrap_or_clone(answer);
            ("done", json!(AnswerBody::new(turn.session, answer)))
        }
        TurnEvent::Failed(error) => {
            let (sentence, code, retryable) = describe(&error);
            ("error", json!({"error": sentence, "code": code, "retryable": retryable}))
        }
    }
}
