//! Requests that are rejected at the HTTP level.

use poem::http::StatusCode;
use poem::{IntoResponse, Response};

use super::status::ErrorReply;

/// A request that is rejected at the HTTP level, before any use case runs.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Unknown address.
    #[error("There is nothing at this address.")]
    NotFound,
    /// Known address, other method; holds the `Allow` header's value.
    #[error("This address does not support that method.")]
    MethodNotAllowed(String),
    /// A path segment that should be a UUID.
    #[error("The session id is not a UUID.")]
    BadSessionId,
    /// A parameter in the query or a header that cannot be used. Holds its name.
    #[error("The parameter \"{0}\" has a value that is not allowed.")]
    BadParameter(&'static str),
    /// No body where one is needed.
    #[error("The request has no body.")]
    NoBody,
    /// A body that is not JSON.
    #[error("The request body is not valid JSON ({0}).")]
    BadJson(String),
    /// A body that is JSON, but not what was asked for.
    #[error("{0}")]
    BadField(&'static str),
    /// A body of another type than JSON.
    #[error("The request body must be JSON (Content-Type: application/json).")]
    NotJson,
    /// An upload that is not a form.
    #[error("An upload must be a form (Content-Type: multipart/form-data).")]
    NotForm,
    /// A body with a content encoding.
    #[error("Encoded request bodies are not accepted.")]
    EncodedBody,
    /// A body over the limit.
    #[error("The request body is too large: at most {0} bytes are allowed.")]
    BodyTooLarge(usize),
    /// A body that does not arrive.
    #[error("The request body took too long to arrive.")]
    BodyTimeout,
    /// A body that broke off.
    #[error("The request body could not be read.")]
    BodyBroken,
    /// What is not an HTTP request, or cannot be parsed as one.
    #[error("The request is not valid HTTP.")]
    Malformed,
    /// A missing, doubled or unreadable Host.
    #[error("The Host header is missing or not valid.")]
    BadHost,
    /// A Host that ALLOWED_HOSTS does not list.
    #[error("This server does not serve that host.")]
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

impl Refusal {
    /// Its status and code.
    pub fn reply(&self) -> ErrorReply {
        match self {
            Self::NotFound => ErrorReply::new(StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed(_) => {
                ErrorReply::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
            }
            Self::BadSessionId => ErrorReply::new(StatusCode::BAD_REQUEST, "invalid_session_id"),
            Self::NoBody | Self::BadJson(_) => {
                ErrorReply::new(StatusCode::BAD_REQUEST, "invalid_json")
            }
            Self::BadField(_) | Self::BadParameter(_) => {
                ErrorReply::new(StatusCode::BAD_REQUEST, "invalid_request")
            }
            Self::NotJson | Self::NotForm | Self::EncodedBody => {
                ErrorReply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::BodyTooLarge(_) => {
                ErrorReply::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large")
            }
            Self::BodyTimeout => ErrorReply::new(StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::BodyBroken => ErrorReply::new(StatusCode::BAD_REQUEST, "invalid_body"),
            Self::Malformed => ErrorReply::new(StatusCode::BAD_REQUEST, "malformed_request"),
            Self::BadHost => ErrorReply::new(StatusCode::BAD_REQUEST, "invalid_host"),
            Self::UnknownHost => ErrorReply::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host"),
            Self::AddressTooLong => ErrorReply::new(StatusCode::URI_TOO_LONG, "address_too_long"),
            Self::HeadersTooLarge => {
                ErrorReply::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large")
            }
            Self::Panicked => ErrorReply::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

impl From<Refusal> for poem::Error {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.reply().status;
        Self::new(refusal, status)
    }
}

/// For endpoints of our own that return errors as responses.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        poem::Error::from(self).into_response()
    }
}
