//! The redb store's records: one version byte, then that version's fields.
//!
//! A version's layout never changes once it has been released. A new one gets a new number and its
//! own struct, and the old one stays readable; `tests/fixtures/store` holds a file of each. The
//! fields are encoded by postcard, which stores no names, so enums are written as explicit codes,
//! independent of the order in which the domain declares them. Free-form parts (a config with the
//! caller's keys, a file's profile, an answer's evidence) are JSON text.

mod legacy;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::{
    Author, BotId, Chart, MessageId, NewMessage, ProviderKind, Session, SessionConfig, SessionId,
    SessionState, Status, StoredFile, Timestamp, ToolRun, Usage,
};

/// The first version of each record.
const V1: u8 = 1;
/// Headers that name a bot and a state.
const HEADER_V2: u8 = 2;
/// Messages that name their author and the question that they answer.
const MESSAGE_V4: u8 = 4;

/// Why bytes could not be decoded as a record, or a record not encoded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No bytes at all.
    #[error("a record is empty")]
    Empty,
    /// Written by a later release.
    #[error("a record has the unknown version {0}")]
    Version(u8),
    /// The fields cannot be read.
    #[error("a record cannot be read: {0}")]
    Fields(#[from] postcard::Error),
    /// There are bytes after the last field.
    #[error("a record is longer than its fields")]
    Trailing,
    /// An unknown code of an enum.
    #[error("a record has the unknown {0} {1}")]
    Code(&'static str, u8),
    /// A malformed bot id.
    #[error("a record has a malformed bot id")]
    Bot,
    /// JSON that is malformed or has the wrong shape.
    #[error("the JSON of a record cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// The part of a session that is rewritten with every message, so it is small. The last activity
/// is in the `activity` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// When the session was created.
    pub created: Timestamp,
    /// How many messages it holds.
    pub message_count: u64,
    /// The id of its next message.
    pub next_id: u64,
    /// The bot it belongs to.
    pub bot: BotId,
    /// Who its visitor is talking to.
    pub state: SessionState,
}

impl Header {
    /// The header of a session that is stored for the first time.
    pub fn new(session: &Session) -> Self {
        Self {
            created: session.created,
            message_count: 0,
            next_id: 1,
            bot: session.bot.clone(),
            state: session.state,
        }
    }

    /// The session with this header.
    pub fn session(
        self,
        id: SessionId,
        last_activity: Timestamp,
        config: SessionConfig,
    ) -> Session {
        let Self { created, message_count, bot, state, .. } = self;
        Session { id, bot, state, created, last_activity, message_count, config }
    }
}

#[derive(Serialize, Deserialize)]
struct HeaderV2<'a> {
    created_ms: i64,
    message_count: u64,
    next_id: u64,
    bot: &'a str,
    state: u8,
}

#[derive(Serialize, Deserialize)]
struct MessageV4<'a> {
    author: u8,
    answers: Option<u64>,
    status: u8,
    timestamp_ms: i64,
    content: &'a str,
    html: Option<&'a str>,
    provider: Option<u8>,
    model: Option<&'a str>,
    /// Input tokens, output tokens, cached input tokens.
    usage: Option<(u32, u32, u32)>,
    /// JSON of an [`Evidence`], or empty.
    evidence: &'a [u8],
}

/// The tools and the chart behind an answer, and the token counts that [`MessageV4`] has no fields
/// for.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Evidence {
    tools: Vec<ToolRun>,
    chart: Option<Chart>,
    #[serde(default, skip_serializing_if = "is_zero")]
    cache_write_tokens: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    reasoning_tokens: u32,
}

/// Serde passes references.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Encodes a header.
///
/// # Errors
/// Only if postcard fails, which is not expected.
pub fn encode_header(header: &Header) -> Result<Vec<u8>, RecordError> {
    write(
        HEADER_V2,
        &HeaderV2 {
            created_ms: header.created.0,
            message_count: header.message_count,
            next_id: header.next_id,
            bot: header.bot.as_str(),
            state: state_code(header.state),
        },
    )
}

/// Decodes a header.
pub fn decode_header(bytes: &[u8]) -> Result<Header, RecordError> {
    let [HEADER_V2, fields @ ..] = bytes else { return legacy::header(bytes) };
    let v2: HeaderV2<'_> = read(fields)?;
    Ok(Header {
        created: Timestamp(v2.created_ms),
        message_count: v2.message_count,
        next_id: v2.next_id,
        bot: BotId::new(v2.bot).ok_or(RecordError::Bot)?,
        state: state(v2.state)?,
    })
}

/// Encodes a message, without its id, which is the key.
///
/// # Errors
/// Only if postcard or serde_json fails, which is not expected.
pub fn encode_message(message: &NewMessage) -> Result<Vec<u8>, RecordError> {
    let usage = message.usage.unwrap_or_default();
    let evidence = Evidence {
        tools: message.tools.clone(),
        chart: message.chart.clone(),
        cache_write_tokens: usage.cache_write_tokens,
        reasoning_tokens: usage.reasoning_tokens,
    };
    let evidence = match evidence == Evidence::default() {
        true => Vec::new(),
        false => serde_json::to_vec(&evidence)?,
    };
    write(
        MESSAGE_V4,
        &MessageV4 {
            author: author_code(message.author),
            answers: message.answers.map(|question| question.0),
            status: status_code(message.status),
            timestamp_ms: message.timestamp.0,
            content: &message.content,
            html: message.html.as_deref(),
            provider: message.provider.map(provider_code),
            model: message.model.as_deref(),
            usage: message
                .usage
                .map(|usage| (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens)),
            evidence: &evidence,
        },
    )
}

/// Decodes message `id`.
pub fn decode_message(id: MessageId, bytes: &[u8]) -> Result<NewMessage, RecordError> {
    let [MESSAGE_V4, fields @ ..] = bytes else { return legacy::message(id, bytes) };
    let v4: MessageV4<'_> = read(fields)?;
    let evidence = match v4.evidence {
        [] => Evidence::default(),
        json => serde_json::from_slice(json)?,
    };
    Ok(NewMessage {
        author: author(v4.author)?,
        answers: v4.answers.map(MessageId),
        content: v4.content.to_owned(),
        html: v4.html.map(str::to_owned),
        timestamp: Timestamp(v4.timestamp_ms),
        status: status(v4.status)?,
        provider: v4.provider.map(provider).transpose()?,
        model: v4.model.map(str::to_owned),
        usage: v4.usage.map(|(input_tokens, output_tokens, cached_input_tokens)| Usage {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            cache_write_tokens: evidence.cache_write_tokens,
            reasoning_tokens: evidence.reasoning_tokens,
        }),
        tools: evidence.tools,
        chart: evidence.chart,
    })
}

/// Encodes a file without its text.
///
/// # Errors
/// Only if serde_json fails, which is not expected.
pub fn encode_file(file: &StoredFile) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![V1];
    serde_json::to_writer(&mut bytes, file)?;
    Ok(bytes)
}

/// Decodes a file without its text.
pub fn decode_file(bytes: &[u8]) -> Result<StoredFile, RecordError> {
    Ok(serde_json::from_slice(body(bytes)?)?)
}

/// Encodes a config.
///
/// # Errors
/// Only if serde_json fails, which is not expected.
pub fn encode_config(config: &SessionConfig) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![V1];
    serde_json::to_writer(&mut bytes, config.as_map())?;
    Ok(bytes)
}

/// Decodes a config.
pub fn decode_config(bytes: &[u8]) -> Result<SessionConfig, RecordError> {
    let map: Map<String, Value> = serde_json::from_slice(body(bytes)?)?;
    Ok(SessionConfig::new(map))
}

fn write(version: u8, fields: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    Ok(postcard::to_extend(fields, vec![version])?)
}

fn read<'a, T: Deserialize<'a>>(fields: &'a [u8]) -> Result<T, RecordError> {
    match postcard::take_from_bytes(fields)? {
        (fields, []) => Ok(fields),
        _ => Err(RecordError::Trailing),
    }
}

/// The bytes after the version byte of a [`V1`] record.
fn body(bytes: &[u8]) -> Result<&[u8], RecordError> {
    match bytes {
        [V1, body @ ..] => Ok(body),
        [version, ..] => Err(RecordError::Version(*version)),
        [] => Err(RecordError::Empty),
    }
}

fn author_code(author: Author) -> u8 {
    match author {
        Author::Visitor => 0,
        Author::Bot => 1,
        Author::Agent => 2,
        Author::System => 3,
    }
}

/// Codes 0 and 1 are the roles of earlier versions.
fn author(code: u8) -> Result<Author, RecordError> {
    match code {
        0 => Ok(Author::Visitor),
        1 => Ok(Author::Bot),
        2 => Ok(Author::Agent),
        3 => Ok(Author::System),
        _ => Err(RecordError::Code("author", code)),
    }
}

fn state_code(state: SessionState) -> u8 {
    match state {
        SessionState::Bot => 0,
        SessionState::Waiting => 1,
        SessionState::Human => 2,
        SessionState::Closed => 3,
    }
}

fn state(code: u8) -> Result<SessionState, RecordError> {
    match code {
        0 => Ok(SessionState::Bot),
        1 => Ok(SessionState::Waiting),
        2 => Ok(SessionState::Human),
        3 => Ok(SessionState::Closed),
        _ => Err(RecordError::Code("state", code)),
    }
}

fn status_code(status: Status) -> u8 {
    match status {
        Status::Complete => 0,
        Status::Incomplete => 1,
        Status::Stopped => 2,
        Status::Truncated => 3,
        Status::Refused => 4,
        Status::Unanswered => 5,
    }
}

fn status(code: u8) -> Result<Status, RecordError> {
    match code {
        0 => Ok(Status::Complete),
        1 => Ok(Status::Incomplete),
        2 => Ok(Status::Stopped),
        3 => Ok(Status::Truncated),
        4 => Ok(Status::Refused),
        5 => Ok(Status::Unanswered),
        _ => Err(RecordError::Code("status", code)),
    }
}

fn provider_code(provider: ProviderKind) -> u8 {
    match provider {
        ProviderKind::Claude => 0,
        ProviderKind::OpenAi => 1,
        ProviderKind::Demo => 2,
    }
}

fn provider(code: u8) -> Result<ProviderKind, RecordError> {
    match code {
        0 => Ok(ProviderKind::Claude),
        1 => Ok(ProviderKind::OpenAi),
        2 => Ok(ProviderKind::Demo),
        _ => Err(RecordError::Code("provider", code)),
    }
}

#[cfg(test)]
mod tests;
