//! Errors on the wire: one JSON shape, made here and nowhere else.

use std::error::Error as _;
use std::sync::Arc;

use poem::Response;
use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError};
use poem::http::{StatusCode, header};
use poem_openapi::Object;
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError as OpenApiPathError};
use serde::Serialize;

use super::refusal::Refusal;
use super::reply::JSON;
use super::status::ErrorReply;
use crate::error::AppError;

/// An error.
#[derive(Debug, Object, Serialize)]
#[oai(rename_all = "camelCase", example)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// A sentence that a visitor may read.
    pub error: String,
    /// A stable word for programs.
    pub code: String,
    /// The response's `X-Request-Id`, under which the server logged the request.
    pub request_id: String,
    /// The causes, only with `DEBUG`.
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

/// Writes `error` as our JSON, whatever it was, and logs it if it is the server's own fault.
pub fn render(error: poem::Error, request_id: &str, debug: bool) -> Response {
    let error = match as_refusal(error) {
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    };
    let sentence = error.to_string();
    let (reply, sentence): (ErrorReply, String) = if let Some(error) = app_error(&error) {
        (error.into(), sentence)
    } else if let Some(refusal) = error.downcast_ref::<Refusal>() {
        (refusal.reply(), refusal.to_string())
    } else if error.status().is_server_error() {
        (Refusal::Panicked.reply(), Refusal::Panicked.to_string())
    } else {
        let sentence = error.status().canonical_reason().unwrap_or("The request was refused.");
        (ErrorReply::new(error.status(), "invalid_request"), sentence.to_owned())
    };
    let causes = causes(&error);
    if app_error(&error)
        .map_or(reply.status == StatusCode::INTERNAL_SERVER_ERROR, AppError::is_ours)
    {
        tracing::error!(error.code = reply.code, error.causes = causes, "request failed");
    }
    let body = ErrorBody {
        error: sentence,
        code: reply.code.to_owned(),
        request_id: request_id.to_owned(),
        details: Some(causes).filter(|causes| debug && !causes.is_empty()),
    };
    let mut response = Response::builder()
        .status(reply.status)
        .content_type(JSON)
        .body(serde_json::to_vec(&body).unwrap_or_default());
    if let Some(seconds) = reply.retry_after {
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
        Ok(Refusal::NotJson)
    } else if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        Ok(Refusal::BadParameter(parameter.name))
    } else {
        Err(error)
    }
}

/// The causes of an error, outermost first.
fn causes(error: &poem::Error) -> String {
    let mut causes = Vec::new();
    let inner = match app_error(error) {
        Some(error) => error.source(),
        // A refusal's message already says everything; other errors are the framework's.
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

/// A turn's failure, which all of its readers share.
#[derive(Debug, thiserror::Error)]
#[error("{}", turn_sentence(.0))]
pub struct SharedError(pub Arc<AppError>);

/// A visitor in the middle of a conversation is told how to go on.
fn turn_sentence(error: &AppError) -> String {
    match error {
        AppError::SessionNotFound => "Session not found. Please create a new session.".to_owned(),
        other => other.to_string(),
    }
}

impl From<SharedError> for poem::Error {
    fn from(error: SharedError) -> Self {
        let status = ErrorReply::from(&*error.0).status;
        Self::new(error, status)
    }
}

/// A failure for a stream that has begun: the sentence, the code, and whether it is worth trying
/// again.
pub fn describe(error: &AppError) -> (String, &'static str, bool) {
    let ErrorReply { status, code, retry_after } = error.into();
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
        .or_else(|| error.downcast_ref::<SharedError>().map(|shared| &*shared.0))
}

impl From<AppError> for poem::Error {
    fn from(error: AppError) -> Self {
        let status = ErrorReply::from(&error).status;
        Self::new(error, status)
    }
}
