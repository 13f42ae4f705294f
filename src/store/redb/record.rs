//! What the redb store keeps as bytes: one version byte, then that version's fields.
//!
//! A version's layout never changes once it has been released. A new one gets a new number and its
//! own struct, and the old one stays readable; `tests/fixtures/store` holds a file of each. The
//! fields are written by postcard, which names nothing, so enums are written as numbers that do
//! not depend on the order in which the domain declares them. What has a shape of its own (a
//! config with the caller's keys, a file's profile, an answer's evidence) is JSON text.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::{
    Chart, NewMessage, ProviderKind, Role, Session, SessionConfig, SessionId, Status, StoredFile,
    Timestamp, ToolRun, Usage,
};

const V1: u8 = 1;
/// Messages with HTML, tools or a chart; those without are written as before.
const V2: u8 = 2;
/// Messages whose usage counts cached tokens.
const V3: u8 = 3;

/// Why bytes are no record of ours.
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
    /// A number that stands for nothing.
    #[error("a record has {0} {1}, which stands for nothing")]
    Code(&'static str, u8),
    /// JSON that is not what it should be.
    #[error("the JSON of a record cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// What is kept of a session and rewritten with every message, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// When the session was created.
    pub created: Timestamp,
    /// Its last activity when this was written. Later activity that wrote nothing else is in the
    /// `activity` table only, which is what counts.
    pub last_activity: Timestamp,
    /// How many messages it holds.
    pub message_count: u64,
    /// The place of its next message.
    pub next_seq: u64,
}

impl Header {
    /// The header of a session that is stored for the first time.
    pub fn new(session: &Session) -> Self {
        Self {
            created: session.created,
            last_activity: session.last_activity,
            message_count: 0,
            next_seq: 1,
        }
    }

    /// The session with this header.
    pub fn session(
        self,
        id: SessionId,
        last_activity: Timestamp,
        config: SessionConfig,
    ) -> Session {
        let Self { created, message_count, .. } = self;
        Session { id, created, last_activity, message_count, config }
    }
}

#[derive(Serialize, Deserialize)]
struct HeaderV1 {
    created_ms: i64,
    last_activity_ms: i64,
    message_count: u64,
    next_seq: u64,
}

#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
struct MessageV2<'a> {
    #[serde(borrow)]
    v1: MessageV1<'a>,
    html: Option<&'a str>,
    /// JSON, or nothing.
    evidence: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct MessageV3<'a> {
    #[serde(borrow)]
    v2: MessageV2<'a>,
    cached_input_tokens: u32,
}

/// What an answer was made with.
#[derive(Serialize, Deserialize)]
struct Evidence {
    tools: Vec<ToolRun>,
    chart: Option<Chart>,
}

/// A header as bytes.
///
/// # Errors
/// Only if postcard fails, which it has no reason to.
pub fn encode_header(header: &Header) -> Result<Vec<u8>, RecordError> {
    write(
        V1,
        &HeaderV1 {
            created_ms: header.created.0,
            last_activity_ms: header.last_activity.0,
            message_count: header.message_count,
            next_seq: header.next_seq,
        },
    )
}

/// The header in `bytes`.
pub fn decode_header(bytes: &[u8]) -> Result<Header, RecordError> {
    let v1: HeaderV1 = read(body(bytes)?)?;
    Ok(Header {
        created: Timestamp(v1.created_ms),
        last_activity: Timestamp(v1.last_activity_ms),
        message_count: v1.message_count,
        next_seq: v1.next_seq,
    })
}

/// A message as bytes. Its place is the key.
///
/// # Errors
/// Only if postcard fails, which it has no reason to.
pub fn encode_message(message: &NewMessage) -> Result<Vec<u8>, RecordError> {
    let v1 = MessageV1 {
        role: role_code(message.role),
        status: status_code(message.status),
        timestamp_ms: message.timestamp.0,
        content: &message.content,
        provider: message.provider.map(provider_code),
        model: message.model.as_deref(),
        usage: message.usage.map(|usage| (usage.input_tokens, usage.output_tokens)),
    };
    let html = message.html.as_deref();
    let evidence = if message.tools.is_empty() && message.chart.is_none() {
        Vec::new()
    } else {
        let evidence = Evidence { tools: message.tools.clone(), chart: message.chart.clone() };
        serde_json::to_vec(&evidence)?
    };
    let cached_input_tokens = message.usage.map_or(0, |usage| usage.cached_input_tokens);
    if html.is_none() && evidence.is_empty() && cached_input_tokens == 0 {
        return write(V1, &v1);
    }
    let v2 = MessageV2 { v1, html, evidence: &evidence };
    if cached_input_tokens == 0 {
        return write(V2, &v2);
    }
    write(V3, &MessageV3 { v2, cached_input_tokens })
}

/// The message in `bytes`.
pub fn decode_message(bytes: &[u8]) -> Result<NewMessage, RecordError> {
    let v3 = |v2| MessageV3 { v2, cached_input_tokens: 0 };
    let MessageV3 { v2: MessageV2 { v1, html, evidence }, cached_input_tokens } = match bytes {
        [V3, fields @ ..] => read(fields)?,
        [V2, fields @ ..] => v3(read(fields)?),
        _ => v3(MessageV2 { v1: read(body(bytes)?)?, html: None, evidence: &[] }),
    };
    let evidence = match evidence {
        [] => Evidence { tools: Vec::new(), chart: None },
        json => serde_json::from_slice(json)?,
    };
    Ok(NewMessage {
        role: role(v1.role)?,
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
        }),
        tools: evidence.tools,
        chart: evidence.chart,
    })
}

/// What is known of a file as bytes.
///
/// # Errors
/// Only if serde_json fails, which it has no reason to.
pub fn encode_file(file: &StoredFile) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![V1];
    serde_json::to_writer(&mut bytes, file)?;
    Ok(bytes)
}

/// What is known of a file, from `bytes`.
pub fn decode_file(bytes: &[u8]) -> Result<StoredFile, RecordError> {
    Ok(serde_json::from_slice(body(bytes)?)?)
}

/// A config as bytes.
///
/// # Errors
/// Only if serde_json fails, which it has no reason to.
pub fn encode_config(config: &SessionConfig) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![V1];
    serde_json::to_writer(&mut bytes, config.as_map())?;
    Ok(bytes)
}

/// The config in `bytes`.
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

/// What follows the version byte of a record that has one version.
fn body(bytes: &[u8]) -> Result<&[u8], RecordError> {
    match bytes {
        [V1, body @ ..] => Ok(body),
        [version, ..] => Err(RecordError::Version(*version)),
        [] => Err(RecordError::Empty),
    }
}

fn role_code(role: Role) -> u8 {
    match role {
        Role::User => 0,
        Role::Assistant => 1,
    }
}

fn role(code: u8) -> Result<Role, RecordError> {
    match code {
        0 => Ok(Role::User),
        1 => Ok(Role::Assistant),
        _ => Err(RecordError::Code("role", code)),
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
mod tests {
    use super::*;
    use crate::domain::ChartKind;
    use serde_json::json;

    fn answer() -> NewMessage {
        NewMessage {
            role: Role::Assistant,
            content: "Grüße \u{1f600}".to_owned(),
            html: None,
            timestamp: Timestamp(-5),
            status: Status::Truncated,
            provider: Some(ProviderKind::OpenAi),
            model: Some("gpt".to_owned()),
            usage: Some(Usage { input_tokens: u32::MAX, ..Usage::default() }),
            tools: Vec::new(),
            chart: None,
        }
    }

    #[test]
    fn an_answer_keeps_its_tools_and_its_chart() {
        let run = ToolRun {
            name: "query_data".to_owned(),
            sql: "SELECT 1".to_owned(),
            row_count: Some(1),
            table_rows: Some(2),
            elapsed_ms: 0.25,
            error: None,
        };
        let failed =
            ToolRun { row_count: None, error: Some("no such column".to_owned()), ..run.clone() };
        let chart = Chart {
            kind: ChartKind::Line,
            title: "t".to_owned(),
            svg: "<svg/>".to_owned(),
            alt: "a".to_owned(),
        };
        let html = Some("<p>Grüße</p>".to_owned());
        for (html, tools, chart) in [
            (html.clone(), vec![], None),
            (None, vec![run.clone()], None),
            (None, vec![], Some(chart.clone())),
            (html, vec![failed, run], Some(chart)),
        ] {
            let message = NewMessage { html, tools, chart, ..answer() };
            let bytes = encode_message(&message).unwrap();
            assert_eq!(bytes[0], V2);
            assert_eq!(decode_message(&bytes).unwrap(), message);
            for end in 1..bytes.len() {
                assert!(decode_message(&bytes[..end]).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn cached_tokens_make_a_record_of_the_third_version() {
        let usage = Usage { input_tokens: 9, output_tokens: 1, cached_input_tokens: 8 };
        let message = NewMessage { usage: Some(usage), html: Some("<p/>".to_owned()), ..answer() };
        let bytes = encode_message(&message).unwrap();
        assert_eq!(bytes[0], V3);
        assert_eq!(decode_message(&bytes).unwrap(), message);
        for end in 1..bytes.len() {
            assert!(decode_message(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn every_enum_value_comes_back() {
        for role in [Role::User, Role::Assistant] {
            for provider in ProviderKind::ALL.map(Some).into_iter().chain([None]) {
                for status in (0..6).map(|code| super::status(code).unwrap()) {
                    let message = NewMessage { role, provider, status, ..answer() };
                    let bytes = encode_message(&message).unwrap();
                    assert_eq!(decode_message(&bytes).unwrap(), message);
                }
            }
        }
    }

    #[test]
    fn the_first_version_is_written_as_it_was_released() {
        let header = Header {
            created: Timestamp(1),
            last_activity: Timestamp(2),
            message_count: 3,
            next_seq: 300,
        };
        assert_eq!(encode_header(&header).unwrap(), [1, 2, 4, 3, 172, 2]);
        let question = NewMessage::question("hi".to_owned(), Timestamp(1));
        assert_eq!(encode_message(&question).unwrap(), [1, 0, 5, 2, 2, b'h', b'i', 0, 0, 0]);
    }

    #[test]
    fn a_config_keeps_unknown_keys_and_their_order() {
        let map = json!({"z": null, "a": {"deep": [1, 2.5, "x"]}}).as_object().cloned().unwrap();
        let config = SessionConfig::new(map);
        let bytes = encode_config(&config).unwrap();
        assert_eq!(bytes, b"\x01{\"z\":null,\"a\":{\"deep\":[1,2.5,\"x\"]}}");
        assert_eq!(decode_config(&bytes).unwrap(), config);
    }

    #[test]
    fn what_is_no_record_is_refused_and_never_panics() {
        let good = encode_message(&answer()).unwrap();
        for end in 1..good.len() {
            assert!(decode_message(&good[..end]).is_err(), "cut at {end}");
        }
        assert!(matches!(decode_header(&[]), Err(RecordError::Empty)));
        assert!(matches!(decode_header(&[2, 0]), Err(RecordError::Version(2))));
        assert!(matches!(decode_config(b"\x02{}"), Err(RecordError::Version(2))));
        assert!(matches!(decode_config(b"\x01[]"), Err(RecordError::Json(_))));
        let longer = [good.as_slice(), &[0]].concat();
        assert!(matches!(decode_message(&longer), Err(RecordError::Trailing)));
        assert!(matches!(decode_message(&[4, 0]), Err(RecordError::Version(4))));
        let strange = [1, 9, 0, 0, 0, 0, 0, 0];
        assert!(matches!(decode_message(&strange), Err(RecordError::Code("role", 9))));
    }
}
