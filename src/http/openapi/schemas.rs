//! What the shapes of the API say about their values: bounds, formats, and what may be null.

use serde_json::{Value, json};

use super::DocumentLimits;
use crate::domain::{IdempotencyKey, MAX_NAME};
use crate::http::visitor::files::{MAX_QUERY_CHARS, MAX_ROWS, MAX_SQL_CHARS};

/// A UUID in the form that the server writes.
const UUID: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/// At least one character that shows.
const VISIBLE: &str = "[^\\s\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\
    \\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\
    \\ufe00-\\ufe0f\\ufeff\\uffa0]";

/// No control characters.
const ONE_LINE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";

/// Keywords for the properties of each schema, over those that come from the types.
pub fn keywords(limits: &DocumentLimits) -> Value {
    let id = json!({"format": "uuid", "pattern": UUID});
    let time = json!({"format": "date-time"});
    let file_type = json!({"enum": ["csv", "json"]});
    let name = json!({"maxLength": MAX_NAME, "pattern": ONE_LINE});
    let color = json!({"format": "color", "maxLength": 100});
    json!({
        "SessionConfig": {
            "botName": name,
            "poweredBy": name,
            "botColor": color,
            "botMsgBgColor": color,
            "botIcon": {"format": "uri-reference"},
            "aiProvider": {"enum": ["claude", "openai", "demo", ""]},
            "model": name,
            "maxTokens": {"minimum": 1, "maximum": limits.max_tokens},
            "temperature": {"minimum": 0, "maximum": 2},
        },
        "MessageRequest": {
            "sessionId": id,
            "message": {
                "minLength": 1, "maxLength": limits.max_message_chars, "pattern": VISIBLE,
            },
        },
        "UploadRequest": {"sessionId": id},
        "QueryRequest": {
            "query": {"minLength": 1, "maxLength": MAX_QUERY_CHARS, "pattern": "\\S"},
            "sql": {"minLength": 1, "maxLength": MAX_SQL_CHARS},
            "limit": {"minimum": 1, "maximum": MAX_ROWS},
        },
        "CreatedSession": {
            "sessionId": id, "timestamp": time, "status": {"const": "created"},
        },
        "SessionBody": {"sessionId": id, "createdAt": time, "lastActivity": time},
        "UpdatedConfig": {"sessionId": id, "status": {"const": "updated"}},
        "StatsBody": {"timestamp": time},
        "AnswerBody": {"sessionId": id, "timestamp": time},
        "HistoryBody": {"sessionId": id},
        "ClearedHistory": {
            "sessionId": id, "timestamp": time, "status": {"const": "cleared"},
        },
        "StopBody": {
            "sessionId": id, "timestamp": time, "status": {"enum": ["stopped", "idle"]},
        },
        "UploadedFile": {"sessionId": id, "fileType": file_type, "success": {"const": true}},
        "FileInfo": {"fileType": file_type, "uploadedAt": time},
        "FileBody": {"fileType": file_type, "uploadedAt": time},
        "FileQueryResult": {"fileType": file_type},
        "DeletedFile": {"success": {"const": true}},
        "ChartBody": {"type": {"enum": ["bar", "line", "pie"]}},
        "ToolBody": {"status": {"enum": ["done", "failed"]}},
        "Health": {"status": {"const": "OK"}, "timestamp": time},
    })
}

/// Properties that may be null: by schema, `*` for all of one. In requests null means absent, and
/// settings are returned as they were given.
pub const NULLABLE: &[(&str, &str)] = &[
    ("SessionConfig", "*"),
    ("CreateRequest", "config"),
    ("ConfigRequest", "config"),
    ("MessageRequest", "config"),
    ("QueryRequest", "*"),
    ("BotConfigBody", "botIcon"),
    ("BotConfigBody", "welcome"),
];

/// Properties that are always there, although null.
pub const ALSO_REQUIRED: &[(&str, &str)] =
    &[("BotConfigBody", "botIcon"), ("BotConfigBody", "welcome")];

/// Properties that take any JSON. Earlier clients send what they find on a page: what is not text
/// is kept and not used.
pub const UNTYPED: &[&str] = &["PageContext", "PageData"];

/// Keywords for parameters, by name.
pub fn parameter(name: &str) -> Value {
    match name {
        "sessionId" => json!({
            "description": "The session's id, as `createSession` returned it.",
            "schema": {"pattern": UUID},
            "example": crate::http::wire::types::EXAMPLE_ID,
        }),
        "Idempotency-Key" => json!({
            "schema": {
                "minLength": 1, "maxLength": IdempotencyKey::MAX_BYTES, "pattern": "^[ -~]*[!-~][ -~]*$",
            },
            "example": "question-1",
        }),
        "Last-Event-ID" => json!({"example": "7f3a-3"}),
        _ => json!({}),
    }
}
