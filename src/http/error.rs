//! Errors on the wire: one JSON shape, made here and nowhere else.

use std::error::Error as _;
use std::sync::Arc;

use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError};
use poem::http::{StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::error::{ContentTypeError, ParsePathError as OpenApiPathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use super::reply::JSON;
use crate::data::search::SearchError;
use crate::data::sql::SqlError;
use crate::error::AppError;
use crate::provider::{Fault, ProviderError};
use crate::store::StoreError;

/// What every error looks like.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// A sentence that a visitor may read.
    pub error: String,
    /// A stable word for programs.
    pub code: String,
    /// The answer's `X-Request-Id`, which the server's log names too.
    pub request_id: String,
    /// What stands behind it, only with `DEBUG`.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl poem_openapi::types::Example for ErrorBody {
    fn example() -> Self {
        Self {
            error: "Session not found.".to_owned(),
            code: "session_not_found".to_owned(),
            request_id: "5f0c2a9e6b7d4c31".to_owned(),
            details: None,
        }
    }
}

/// What HTTP itself makes us refuse, before any use case is reached.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Unknown address.
    #[error("There is nothing at this address.")]
    NotFound,
    /// Known address, other method; holds the `Allow` header's value.
    #[error("This address does not take that method.")]
    MethodNotAllowed(String),
    /// A path segment that should be a UUID.
    #[error("The session id is not a UUID.")]
    BadSessionId,
    /// No body where one is needed.
    #[error("The request has no body.")]
    NoBody,
    /// A body that is not JSON.
    #[error("The request body is not valid JSON ({0}).")]
    BadJson(String),
    /// A body that is JSON, but not what was asked for.
    #[error("{0}")]
    BadField(&'static str),
    /// A body of another type than JSON, or encoded.
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    /// A body over the limit.
    #[error("The request body is too large: at most {0} bytes are allowed.")]
    BodyTooLarge(usize),
    /// A body that does not arrive.
    #[error("The request body took too long to arrive.")]
    BodyTimeout,
    /// A body that broke off.
    #[error("The request body could not be read.")]
    BodyBroken,
    /// A missing, doubled or unreadable Host.
    #[error("The Host header is missing or not valid.")]
    BadHost,
    /// A Host that ALLOWED_HOSTS does not list.
    #[error("This server does not answer for that host.")]
    UnknownHost,
    /// An address of over 8 KiB.
    #[error("The address is too long.")]
    AddressTooLong,
    /// Headers of over 64 KiB.
    #[error("The request headers are too large.")]
    HeadersTooLarge,
    /// A handler panicked.
    #[error("Something went wrong on the server.")]
    Panicked,
}

/// An error's status and code.
struct Kind {
    status: StatusCode,
    code: &'static str,
    /// Seconds after which it is worth trying again.
    retry_after: Option<u64>,
}

fn kind(status: StatusCode, code: &'static str) -> Kind {
    Kind { status, code, retry_after: None }
}

impl Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => kind(StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed(_) => kind(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BadSessionId => kind(StatusCode::BAD_REQUEST, "invalid_session_id"),
            Self::NoBody | Self::BadJson(_) => kind(StatusCode::BAD_REQUEST, "invalid_json"),
            Self::BadField(_) => kind(StatusCode::BAD_REQUEST, "invalid_request"),
            Self::UnsupportedMediaType(_) => {
                kind(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::BodyTooLarge(_) => kind(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::BodyTimeout => kind(StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::BodyBroken => kind(StatusCode::BAD_REQUEST, "invalid_body"),
            Self::BadHost => kind(StatusCode::BAD_REQUEST, "invalid_host"),
            Self::UnknownHost => kind(StatusCode::MISDIRECTED_REQUEST, "unknown_host"),
            Self::AddressTooLong => kind(StatusCode::URI_TOO_LONG, "address_too_long"),
            Self::HeadersTooLarge => {
                kind(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large")
            }
            Self::Panicked => kind(StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

impl From<Refusal> for poem::Error {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.kind().status;
        Self::new(refusal, status)
    }
}

impl AppError {
    fn kind(&self) -> Kind {
        match self {
            Self::SessionNotFound | Self::SessionGone => {
                kind(StatusCode::NOT_FOUND, "session_not_found")
            }
            Self::EmptyMessage => kind(StatusCode::BAD_REQUEST, "empty_message"),
            Self::NulInMessage => kind(StatusCode::BAD_REQUEST, "invalid_message"),
            Self::MessageTooLong { .. } => kind(StatusCode::PAYLOAD_TOO_LARGE, "message_too_long"),
            Self::Config(error) => kind(StatusCode::BAD_REQUEST, error.code()),
            Self::ProviderNotConfigured { .. } => {
                kind(StatusCode::BAD_REQUEST, "provider_not_configured")
            }
            Self::NoFile => kind(StatusCode::NOT_FOUND, "file_not_found"),
            Self::Upload(error) => kind(
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST),
                error.code(),
            ),
            Self::Search(SearchError::UnknownColumn) => {
                kind(StatusCode::BAD_REQUEST, "unknown_column")
            }
            Self::Sql(error) => match error {
                SqlError::Invalid(_) => kind(StatusCode::BAD_REQUEST, "invalid_sql"),
                SqlError::Refused(_) => kind(StatusCode::BAD_REQUEST, "sql_not_allowed"),
                SqlError::Timeout(_) => kind(StatusCode::BAD_REQUEST, "sql_timeout"),
                SqlError::TooLarge(_) => kind(StatusCode::BAD_REQUEST, "sql_too_large"),
                SqlError::Unavailable(_) => busy("query_unavailable", 5),
            },
            Self::TurnInProgress => kind(StatusCode::CONFLICT, "turn_in_progress"),
            Self::Stopping => busy("stopping", 5),
            Self::Provider(error) => provider_kind(error),
            Self::Store(StoreError::NotFound) => kind(StatusCode::NOT_FOUND, "session_not_found"),
            Self::Store(StoreError::Full(_)) => {
                kind(StatusCode::INSUFFICIENT_STORAGE, "storage_full")
            }
            Self::Store(StoreError::Unavailable(_)) => busy("storage_unavailable", 5),
            Self::Internal(_) => kind(StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

fn busy(code: &'static str, retry_after: u64) -> Kind {
    Kind { status: StatusCode::SERVICE_UNAVAILABLE, code, retry_after: Some(retry_after) }
}

/// The table of provider faults.
fn provider_kind(error: &ProviderError) -> Kind {
    // Rounded up, so that who waits as told does not come too early.
    let named = error.retry_after.map(|wait| wait.as_millis().div_ceil(1000));
    let named = named.map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX).max(1));
    let wait = |usual| named.unwrap_or(usual);
    match error.fault {
        Fault::Busy => busy("provider_busy", wait(10)),
        Fault::Exhausted => busy("provider_unavailable", wait(300)),
        Fault::Overloaded => busy("provider_overloaded", wait(10)),
        Fault::Unreachable | Fault::Malformed => kind(StatusCode::BAD_GATEWAY, "provider_error"),
        Fault::Timeout => kind(StatusCode::GATEWAY_TIMEOUT, "provider_timeout"),
        Fault::Misconfigured => kind(StatusCode::BAD_GATEWAY, "provider_misconfigured"),
        Fault::TooLong if error.status == Some(413) => {
            kind(StatusCode::PAYLOAD_TOO_LARGE, "context_too_long")
        }
        Fault::TooLong => kind(StatusCode::UNPROCESSABLE_ENTITY, "context_too_long"),
        Fault::Rejected => kind(StatusCode::BAD_GATEWAY, "provider_rejected"),
        Fault::Interrupted => kind(StatusCode::BAD_GATEWAY, "answer_interrupted"),
    }
}

/// Writes `error` as our JSON, whatever it was, and logs it if it is the server's own fault.
pub fn render(error: poem::Error, request_id: &str, debug: bool) -> Response {
    let error = match as_refusal(error) {
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    };
    let (kind, sentence) = if let Some(error) = app_error(&error) {
        (error.kind(), error.to_string())
    } else if let Some(refusal) = error.downcast_ref::<Refusal>() {
        (refusal.kind(), refusal.to_string())
    } else if error.status().is_server_error() {
        (Refusal::Panicked.kind(), Refusal::Panicked.to_string())
    } else {
        let sentence = error.status().canonical_reason().unwrap_or("The request was refused.");
        (kind(error.status(), "invalid_request"), sentence.to_owned())
    };
    let causes = causes(&error);
    if kind.status == StatusCode::INTERNAL_SERVER_ERROR
        || matches!(app_error(&error), Some(AppError::Store(_)))
    {
        tracing::error!(error.code = kind.code, error.causes = causes, "request failed");
    }
    let body = ErrorBody {
        error: sentence,
        code: kind.code.to_owned(),
        request_id: request_id.to_owned(),
        details: Some(causes).filter(|causes| debug && !causes.is_empty()),
    };
    let mut response = Response::builder()
        .status(kind.status)
        .content_type(JSON)
        .body(serde_json::to_vec(&body).unwrap_or_default());
    if let Some(seconds) = kind.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(Refusal::MethodNotAllowed(allow)) = error.downcast_ref()
        && let Ok(allow) = allow.parse()
    {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The framework's own errors as ours; others come back as they are.
fn as_refusal(error: poem::Error) -> Result<Refusal, poem::Error> {
    if error.is::<NotFoundError>() {
        Ok(Refusal::NotFound)
    } else if error.is::<MethodNotAllowedError>() {
        Ok(Refusal::MethodNotAllowed(String::new()))
    } else if error.is::<ParsePathError>() || error.is::<OpenApiPathError>() {
        Ok(Refusal::BadSessionId)
    } else if error.is::<ContentTypeError>() {
        Ok(Refusal::UnsupportedMediaType(super::body::NOT_JSON))
    } else {
        Err(error)
    }
}

/// What stands behind an error, outermost first.
fn causes(error: &poem::Error) -> String {
    let mut causes = Vec::new();
    let inner = match app_error(error) {
        Some(error) => error.source(),
        // What a refusal says stands in its sentence; other errors are the framework's.
        None if error.is::<Refusal>() => None,
        None => error.source(),
    };
    let mut next = inner;
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

/// A use case's failure in an operation. The kinds differ only in the statuses that they put into the
/// OpenAPI document.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $($status:literal)+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(poem::Error);

        impl<E: Into<poem::Error>> From<E> for $name
        where
            E: FaultSource,
        {
            fn from(error: E) -> Self {
                Self(error.into())
            }
        }

        impl From<$name> for poem::Error {
            fn from(fault: $name) -> Self {
                fault.0
            }
        }

        impl ApiResponse for $name {
            fn meta() -> MetaResponses {
                MetaResponses { responses: vec![$(documented($status)),+] }
            }

            fn register(registry: &mut Registry) {
                ErrorBody::register(registry);
            }
        }
    )+};
}

/// What may become a fault of an operation: a use case's failure or a refusal of ours.
pub trait FaultSource {}
impl FaultSource for AppError {}
impl FaultSource for Refusal {}

/// A turn's failure, which belongs to all who read it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Shared(pub Arc<AppError>);

impl FaultSource for Shared {}

impl From<Shared> for poem::Error {
    fn from(error: Shared) -> Self {
        let status = error.0.kind().status;
        Self::new(error, status)
    }
}

/// A failure for a stream that has begun: the sentence, the code, and whether it is worth trying
/// again.
pub fn describe(error: &AppError) -> (String, &'static str, bool) {
    let Kind { status, code, retry_after } = error.kind();
    let retryable = retry_after.is_some()
        || matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT | StatusCode::CONFLICT
        );
    (error.to_string(), code, retryable)
}

/// The use case's failure in `error`, its own or shared.
fn app_error(error: &poem::Error) -> Option<&AppError> {
    error
        .downcast_ref::<AppError>()
        .or_else(|| error.downcast_ref::<Shared>().map(|shared| &*shared.0))
}

impl From<AppError> for poem::Error {
    fn from(error: AppError) -> Self {
        let status = error.kind().status;
        Self::new(error, status)
    }
}

faults! {
    /// Of an operation that reads without naming a session.
    PlainFault: 503;
    /// Of an operation that reads a session.
    ReadFault: 400 404 503;
    /// Of an operation that makes a session.
    CreateFault: 400 413 415 503 507;
    /// Of an operation that changes a session without a body.
    ClearFault: 400 404 503 507;
    /// Of an operation that changes a session.
    ChangeFault: 400 404 413 415 503 507;
    /// Of an operation that takes in a file.
    UploadFault: 400 404 413 415 503 507;
    /// Of an operation that asks a file with a body.
    QueryFault: 400 404 413 415 503;
    /// Of an operation that asks a model.
    TurnFault: 400 404 409 413 415 422 502 503 504 507;
}

fn documented(status: u16) -> MetaResponse {
    MetaResponse {
        description: match status {
            400 => "The request is not valid; nothing has changed.",
            404 => {
                "The session does not exist or has expired, or what is asked of it is not there."
            }
            409 => "The session is still busy with an earlier message.",
            413 => "The message or the body is too large.",
            415 => "The body is not JSON, or is encoded.",
            422 => "The conversation is too long for the model.",
            502 => "The model's provider failed, or refused the call.",
            503 => "Not available right now; `Retry-After` says when to try again.",
            504 => "The model's provider took too long.",
            507 => "The server's disk is full.",
            _ => "The request failed.",
        },
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema: ErrorBody::schema_ref() }],
        headers: vec![],
    }
}

/// For endpoints of our own that answer errors as responses.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        poem::Error::from(self).into_response()
    }
}
