//! `/api/sessions`.

use std::sync::Arc;

use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::app::App;
use crate::http::ApiTag;
use crate::http::wire::body::{self, FromJson, JsonBody};
use crate::http::wire::refusal::Refusal;
use crate::http::wire::reply::Reply;
use crate::http::wire::types::{
    ConfigObject, EXAMPLE_ID, EXAMPLE_TIME, IdParam, MessageBody, example_config, example_messages,
    iso,
};

/// Sessions.
pub struct SessionsApi {
    pub(in crate::http) app: Arc<App>,
}

/// A new session's settings.
#[derive(Debug, Object)]
#[oai(example)]
struct CreateRequest {
    /// This session's settings, which override the operator's.
    config: Option<ConfigObject>,
}

impl Example for CreateRequest {
    fn example() -> Self {
        Self { config: Some(example_config()) }
    }
}

impl FromJson for CreateRequest {
    const OPTIONAL: bool = true;

    fn from_json(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        Ok(Self { config: Some(ConfigObject(body::config(&mut fields)?)) })
    }
}

/// A new session.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct CreatedSession {
    /// The session's id, which is also its credential: anyone who knows it can use the session.
    session_id: String,
    /// The operator's settings, overlaid with the caller's.
    config: ConfigObject,
    /// Always `created`.
    status: String,
    /// Now.
    timestamp: String,
}

impl Example for CreatedSession {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            config: example_config(),
            status: "created".to_owned(),
            timestamp: EXAMPLE_TIME.to_owned(),
        }
    }
}

/// A session with its messages.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct SessionBody {
    /// The session's id.
    session_id: String,
    /// Its messages, oldest first.
    messages: Vec<MessageBody>,
    /// The operator's settings, overlaid with the session's.
    config: ConfigObject,
    /// When it was created.
    created_at: String,
    /// When it was last used, which is now.
    last_activity: String,
}

impl Example for SessionBody {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            messages: example_messages(),
            config: example_config(),
            created_at: EXAMPLE_TIME.to_owned(),
            last_activity: EXAMPLE_TIME.to_owned(),
        }
    }
}

/// Settings to change.
#[derive(Debug, Object)]
#[oai(example)]
struct ConfigRequest {
    /// Top-level keys to replace; other keys keep their values.
    config: ConfigObject,
}

impl Example for ConfigRequest {
    fn example() -> Self {
        Self { config: example_config() }
    }
}

impl FromJson for ConfigRequest {
    fn from_json(mut fields: Map<String, Value>) -> Result<Self, Refusal> {
        if !fields.contains_key("config") {
            return Err(Refusal::BadField("`config` is missing."));
        }
        Ok(Self { config: ConfigObject(body::config(&mut fields)?) })
    }
}

/// A session's settings after a change.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct UpdatedConfig {
    /// The session's id.
    session_id: String,
    /// The operator's settings, overlaid with the session's.
    config: ConfigObject,
    /// Always `updated`.
    status: String,
}

impl Example for UpdatedConfig {
    fn example() -> Self {
        Self {
            session_id: EXAMPLE_ID.to_owned(),
            config: example_config(),
            status: "updated".to_owned(),
        }
    }
}

/// Number of sessions.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct StatsBody {
    /// Sessions that have not expired.
    total_sessions: u64,
    /// Sessions used in the last 5 minutes.
    recently_active: u64,
    /// Now.
    timestamp: String,
}

impl Example for StatsBody {
    fn example() -> Self {
        Self { total_sessions: 42, recently_active: 7, timestamp: EXAMPLE_TIME.to_owned() }
    }
}

/// The bot's appearance.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
struct BotConfigBody {
    /// The bot's name.
    bot_name: String,
    /// The line at the foot of the widget.
    powered_by: String,
    /// The accent colour.
    bot_color: String,
    /// The address of the bot's picture, or null.
    bot_icon: Option<String>,
    /// The colour of the bot's messages.
    bot_msg_bg_color: String,
    /// The greeting, or null for the widget's own greeting in the visitor's language.
    welcome: Option<String>,
    /// Questions that the widget offers.
    suggestions: Vec<String>,
    /// Maximum length of a message, in characters.
    max_message_chars: u64,
    /// Maximum size of a file, in bytes.
    max_upload_bytes: u64,
}

impl Example for BotConfigBody {
    fn example() -> Self {
        Self {
            bot_name: "Claude Assistant".to_owned(),
            powered_by: "Claude".to_owned(),
            bot_color: "#667eea".to_owned(),
            bot_icon: None,
            bot_msg_bg_color: "#667eea".to_owned(),
            welcome: Some("Hello! How can I help you?".to_owned()),
            suggestions: vec![],
            max_message_chars: 10_000,
            max_upload_bytes: 10 * 1024 * 1024,
        }
    }
}

#[OpenApi(prefix_path = "/api/sessions", tag = "ApiTag::Sessions")]
impl SessionsApi {
    /// Create a session
    ///
    /// Every conversation needs one. It expires after `CHAT_SESSION_TIMEOUT` seconds without use.
    #[oai(path = "/create", method = "post", operation_id = "createSession")]
    async fn create(
        &self,
        body: JsonBody<CreateRequest>,
    ) -> poem::Result<Reply<CreatedSession, 201>> {
        let config = body.0.config.unwrap_or_default().0;
        let session = self.app.sessions.create(config).await?;
        Ok(Reply(CreatedSession {
            session_id: session.id.to_string(),
            timestamp: iso(session.created),
            config: ConfigObject(session.config),
            status: "created".to_owned(),
        }))
    }

    /// Count sessions
    #[oai(path = "/stats/summary", method = "get", operation_id = "sessionStats")]
    async fn stats(&self) -> poem::Result<Reply<StatsBody>> {
        let stats = self.app.sessions.stats().await?;
        Ok(Reply(StatsBody {
            total_sessions: stats.total,
            recently_active: stats.recent,
            timestamp: iso(self.app.now()),
        }))
    }

    /// Read the bot's appearance
    ///
    /// The operator's settings, before any session's.
    #[oai(path = "/bot-config", method = "get", operation_id = "botConfig")]
    async fn bot_config(&self) -> Reply<BotConfigBody> {
        let bot = self.app.bots.default_bot();
        let look = &bot.look;
        Reply(BotConfigBody {
            bot_name: look.name.clone(),
            powered_by: look.powered_by.clone(),
            bot_color: look.color.clone(),
            bot_icon: look.icon.clone(),
            bot_msg_bg_color: look.msg_bg_color.clone(),
            welcome: bot.welcome.clone(),
            suggestions: bot.suggestions.clone(),
            max_message_chars: self.app.config.limits.max_message_chars as u64,
            max_upload_bytes: self.app.config.limits.max_upload_bytes as u64,
        })
    }

    /// Read a session
    ///
    /// Reading counts as use and postpones the session's expiry.
    #[oai(path = "/:id", method = "get", operation_id = "readSession")]
    async fn read(&self, id: Path<IdParam>) -> poem::Result<Reply<SessionBody>> {
        let session = self.app.sessions.transcript(id.0.0).await?;
        Ok(Reply(SessionBody {
            session_id: session.id.to_string(),
            messages: session.messages.into_iter().map(MessageBody::from).collect(),
            created_at: iso(session.created),
            last_activity: iso(session.last_activity),
            config: ConfigObject(session.config),
        }))
    }

    /// Change a session's settings
    #[oai(path = "/:id/config", method = "put", operation_id = "configureSession")]
    async fn configure(
        &self,
        id: Path<IdParam>,
        body: JsonBody<ConfigRequest>,
    ) -> poem::Result<Reply<UpdatedConfig>> {
        let session = self.app.sessions.configure(id.0.0, body.0.config.0).await?;
        Ok(Reply(UpdatedConfig {
            session_id: session.id.to_string(),
            config: ConfigObject(session.config),
            status: "updated".to_owned(),
        }))
    }
}
