//! What each operation returns: its successes, and the errors that it may fail with.

/// An operation of the API, in the order of the document.
pub struct Operation {
    /// Its `operationId`.
    pub id: &'static str,
    /// Statuses of success and what they mean.
    pub successes: &'static [(u16, &'static str)],
    /// Codes of the errors that it may fail with, in groups.
    pub errors: &'static [&'static [&'static str]],
}

/// An error that callers may see.
pub struct DocumentedError {
    /// The stable word for programs.
    pub code: &'static str,
    /// The status that it is sent with.
    pub status: u16,
    /// The sentence for visitors, of which there may be others for the same code.
    pub sentence: &'static str,
}

/// The operations with the errors of each, in the order in which a client needs them.
pub const OPERATIONS: &[Operation] = &[
    operation("createSession", &[(201, "The new session.")], &[BODY, CONFIG, WRITE, RATE]),
    operation("readSession", &[(200, "The session with its messages.")], &[SESSION]),
    operation(
        "configureSession",
        &[(200, "The session's settings after the change.")],
        &[SESSION, BODY, CONFIG, WRITE],
    ),
    operation("botConfig", &[(200, "The bot's name, colours, texts and limits.")], &[]),
    operation("sessionStats", &[(200, "The number of sessions.")], &[STORE]),
    operation(
        "sendMessage",
        &[(200, "The complete answer.")],
        &[SESSION, BODY, CONFIG, WRITE, RATE, COMPUTE, TURN],
    ),
    operation(
        "streamMessage",
        &[(200, "The answer as it is written, one event after the other.")],
        &[SESSION, BODY, CONFIG, WRITE, RATE, COMPUTE, TURN],
    ),
    operation(
        "resumeStream",
        &[(200, "The rest of the answer."), (204, "No answer is being written.")],
        &[SESSION],
    ),
    operation(
        "stopAnswer",
        &[(200, "Whether an answer was being written and has been stopped.")],
        &[SESSION, WRITE],
    ),
    operation("readHistory", &[(200, "The conversation.")], &[SESSION]),
    operation("clearHistory", &[(200, "The number of deleted messages.")], &[SESSION, WRITE]),
    operation(
        "uploadFile",
        &[(200, "What was found in the file.")],
        &[SESSION, FORM, WRITE, RATE, COMPUTE, UPLOAD],
    ),
    operation("fileInfo", &[(200, "What is known about the file.")], &[SESSION, FILE]),
    operation(
        "queryFile",
        &[(200, "The rows that were found.")],
        &[SESSION, BODY, FILE, RATE, COMPUTE, QUERY],
    ),
    operation("deleteFile", &[(200, "The file was deleted.")], &[SESSION, FILE, WRITE]),
    operation("health", &[(200, "The server is running.")], &[]),
    operation("ready", &[(200, "The server is ready for requests.")], &[STORE, &["stopping"]]),
];

const fn operation(
    id: &'static str,
    successes: &'static [(u16, &'static str)],
    errors: &'static [&'static [&'static str]],
) -> Operation {
    Operation { id, successes, errors }
}

/// Of operations that need the store.
const STORE: &[&str] = &["storage_unavailable"];

/// Of operations that change something.
const WRITE: &[&str] = &["storage_full", "conflict"];

/// Of operations that name a session.
const SESSION: &[&str] = &["invalid_session_id", "session_not_found", "storage_unavailable"];

/// Of operations with a JSON body.
const BODY: &[&str] = &[
    "invalid_json",
    "invalid_request",
    "invalid_body",
    "body_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "server_busy",
    "storage_unavailable",
];

/// Of operations with a form as their body.
const FORM: &[&str] = &[
    "invalid_request",
    "invalid_body",
    "body_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "server_busy",
];

/// Of operations that take settings.
const CONFIG: &[&str] = &["invalid_config", "credentials_refused", "config_too_large"];

/// Of operations with a limit per minute.
const RATE: &[&str] = &["rate_limited"];

/// Operations that may compute for a long time.
const COMPUTE: &[&str] = &["too_many_requests", "server_busy"];

/// Of operations that need the session's file.
const FILE: &[&str] = &["file_not_found"];

const UPLOAD: &[&str] = &[
    "unsupported_file_type",
    "not_text",
    "empty_file",
    "invalid_json_file",
    "unclosed_quote",
    "too_many_columns",
    "nested_too_deeply",
    "file_too_large",
];

const QUERY: &[&str] = &[
    "invalid_sql",
    "sql_not_allowed",
    "sql_timeout",
    "sql_too_large",
    "unknown_column",
    "query_unavailable",
];

/// Of operations that call a model.
const TURN: &[&str] = &[
    "empty_message",
    "invalid_message",
    "message_too_long",
    "provider_not_configured",
    "unknown_model",
    "turn_in_progress",
    "too_many_questions",
    "context_too_long",
    "provider_error",
    "provider_rejected",
    "provider_misconfigured",
    "answer_interrupted",
    "provider_busy",
    "provider_overloaded",
    "provider_unavailable",
    "provider_timeout",
    "stopping",
];

/// Every error that the document names.
pub const ERRORS: &[DocumentedError] = &[
    error(400, "invalid_session_id", "The session id is not a UUID."),
    error(400, "invalid_json", "The request has no body."),
    error(400, "invalid_request", "`config` must be an object."),
    error(400, "invalid_body", "The request body could not be read."),
    error(400, "invalid_config", "maxTokens must be a whole number from 1 to 4096."),
    error(400, "credentials_refused", "Keys, passwords and provider addresses cannot be set here."),
    error(400, "empty_message", "The message is empty."),
    error(400, "invalid_message", "The message contains a NUL character."),
    error(
        400,
        "provider_not_configured",
        "The provider openai is not configured. Available: claude.",
    ),
    error(400, "unknown_model", "This model is not available here."),
    error(400, "empty_file", "The file is empty."),
    error(400, "invalid_json_file", "The file is not valid JSON (line 1, column 10)."),
    error(400, "unclosed_quote", "A quote in line 12 is never closed."),
    error(400, "too_many_columns", "The file has too many columns: at most 1000 are allowed."),
    error(
        400,
        "nested_too_deeply",
        "The file is nested too deeply: at most 64 levels are allowed.",
    ),
    error(400, "invalid_sql", "no such column: prise"),
    error(400, "sql_not_allowed", "only one statement is allowed"),
    error(400, "sql_timeout", "the statement took more than 2 seconds"),
    error(400, "sql_too_large", "the statement needs more memory than is allowed"),
    error(400, "unknown_column", "The file has no such column."),
    error(404, "session_not_found", "Session not found."),
    error(404, "file_not_found", "This session has no file."),
    error(
        409,
        "turn_in_progress",
        "Another message in this session is still being answered. Please try again shortly.",
    ),
    error(409, "conflict", "Something else changed this at the same time. Please try again."),
    error(
        413,
        "body_too_large",
        "The request body is too large: at most 1048576 bytes are allowed.",
    ),
    error(413, "config_too_large", "The session's settings are too large."),
    error(
        413,
        "message_too_long",
        "The message is too long: at most 10000 characters are allowed.",
    ),
    error(413, "file_too_large", "The file is too large: at most 10485760 bytes are allowed."),
    error(
        415,
        "unsupported_media_type",
        "The request body must be JSON (Content-Type: application/json).",
    ),
    error(415, "unsupported_file_type", "Only .csv and .json files can be uploaded."),
    error(415, "not_text", "The file is not text. Please upload a CSV or JSON file."),
    error(422, "context_too_long", "The conversation is too long for the assistant."),
    error(429, "rate_limited", "Too many requests. Please wait a moment."),
    error(
        429,
        "too_many_requests",
        "Too many of your requests are still being processed. Please wait.",
    ),
    error(
        429,
        "too_many_questions",
        "Too many messages in this session are waiting for an answer. Please wait.",
    ),
    error(502, "provider_error", "The assistant could not be reached. Please try again."),
    error(502, "provider_rejected", "The assistant could not process this request."),
    error(502, "provider_misconfigured", "The assistant is not set up correctly."),
    error(502, "answer_interrupted", "The answer was interrupted. Please try again."),
    error(
        503,
        "storage_unavailable",
        "The server's storage is not available. Please try again later.",
    ),
    error(503, "stopping", "The server is restarting. Please try again shortly."),
    error(503, "server_busy", "The server is very busy right now. Please try again shortly."),
    error(503, "query_unavailable", "the table cannot be queried now"),
    error(503, "provider_busy", "The assistant is very busy right now. Please try again shortly."),
    error(
        503,
        "provider_overloaded",
        "The assistant is overloaded right now. Please try again shortly.",
    ),
    error(503, "provider_unavailable", "The assistant is not available right now."),
    error(504, "provider_timeout", "The assistant took too long to answer. Please try again."),
    error(507, "storage_full", "The server's storage is full."),
];

const fn error(status: u16, code: &'static str, sentence: &'static str) -> DocumentedError {
    DocumentedError { code, status, sentence }
}

/// What errors of one status have in common.
pub fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is not valid; nothing has changed.",
        404 => "Not found, or expired.",
        409 => "The session is busy with something else.",
        413 => "Something in the request is too large.",
        415 => "The body or the file has a type that is not supported.",
        422 => "The conversation is too long for the model.",
        429 => "Too many requests; `Retry-After` says when to try again.",
        502 => "The model's provider failed or refused the call.",
        503 => "Not available right now; `Retry-After` says when to try again.",
        504 => "The model's provider took too long.",
        507 => "The server's disk is full.",
        _ => "The request failed.",
    }
}
