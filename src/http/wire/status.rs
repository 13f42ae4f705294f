//! From a use case's failure to a status.

use poem::http::StatusCode;

use crate::error::{AppError, ErrorKind};

/// How an error is sent: status, code, and when to try again.
#[derive(Clone, Copy, Debug)]
pub struct ErrorReply {
    /// The status.
    pub status: StatusCode,
    /// The stable word for programs.
    pub code: &'static str,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u64>,
}

impl ErrorReply {
    /// An error that does not pass by itself.
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, retry_after: None }
    }
}

impl From<&AppError> for ErrorReply {
    fn from(error: &AppError) -> Self {
        // Rounded up, so that a client that waits as told is not too early.
        let retry_after = error
            .retry_after()
            .map(|wait| u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1));
        Self { status: status(error.kind()), code: error.code(), retry_after }
    }
}

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Upstream => StatusCode::BAD_GATEWAY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
