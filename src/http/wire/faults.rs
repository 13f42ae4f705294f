//! Which statuses an operation can fail with, for the OpenAPI document.

use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use super::error::{ErrorBody, SharedError};
use super::refusal::Refusal;
use super::reply::JSON;
use crate::error::AppError;

/// A use case's failure in an operation. The kinds differ only in the statuses that they put into the
/// OpenAPI document.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $($status:literal)+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(poem::Error);

        impl<E: Into<poem::Error>> From<E> for $name
        where
            E: IntoFault,
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
pub trait IntoFault {}
impl IntoFault for AppError {}
impl IntoFault for Refusal {}
impl IntoFault for SharedError {}

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
