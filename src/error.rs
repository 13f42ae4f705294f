//! What a use case can answer instead of what was asked for.

use crate::data::ingest::IngestError;
use crate::data::search::SearchError;
use crate::data::sql::SqlError;
use crate::domain::{ConfigError, ProviderKind};
use crate::provider::ProviderError;
use crate::store::StoreError;

/// A use case's failure. `Display` is a sentence that a visitor may read; what stands behind it is
/// the source, for the log.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No such session, or it has expired.
    #[error("Session not found.")]
    SessionNotFound,
    /// The same, where the visitor was talking.
    #[error("Session not found. Please create a new session.")]
    SessionGone,
    /// A message without visible text.
    #[error("The message is empty.")]
    EmptyMessage,
    /// A message with a NUL character in it.
    #[error("The message contains a NUL character.")]
    NulInMessage,
    /// A message that is longer than the operator allows.
    #[error("The message is too long: at most {limit} characters are allowed.")]
    MessageTooLong {
        /// The most characters that a message may have.
        limit: usize,
    },
    /// Settings that a caller may not make.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A provider that was asked for and has no key here.
    #[error("The provider {asked} is not configured. Available: {}.", list(available))]
    ProviderNotConfigured {
        /// The one that was asked for.
        asked: ProviderKind,
        /// Those that there are.
        available: Vec<ProviderKind>,
    },
    /// The session has no file.
    #[error("This session has no file.")]
    NoFile,
    /// A file that cannot be taken in.
    #[error(transparent)]
    Upload(#[from] IngestError),
    /// A keyword search that cannot be made.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A statement that gave no result. The words are SQLite's.
    #[error("{0}")]
    Sql(#[source] SqlError),
    /// The session is still busy with an earlier question.
    #[error("Another message of this session is still being answered. Please try again shortly.")]
    TurnInProgress,
    /// The server is going down and takes no new work.
    #[error("The server is restarting. Please try again shortly.")]
    Stopping,
    /// A provider has failed.
    #[error("{}", provider_sentence(.0))]
    Provider(#[source] ProviderError),
    /// The store has failed.
    #[error("{}", store_sentence(.0))]
    Store(#[source] StoreError),
    /// A defect of ours.
    #[error("Something went wrong on the server.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::SessionNotFound,
            other => Self::Store(other),
        }
    }
}

fn list(kinds: &[ProviderKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

fn store_sentence(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound => "Session not found.",
        StoreError::Full(_) => "The server's storage is full.",
        StoreError::Unavailable(_) => {
            "The server's storage is not available. Please try again later."
        }
    }
}

fn provider_sentence(error: &ProviderError) -> &'static str {
    use crate::provider::Fault;
    match error.fault {
        Fault::Busy => "The assistant is very busy right now. Please try again shortly.",
        Fault::Exhausted => "The assistant is not available right now.",
        Fault::Overloaded => "The assistant is overloaded right now. Please try again shortly.",
        Fault::Unreachable | Fault::Malformed => {
            "The assistant could not be reached. Please try again."
        }
        Fault::Timeout => "The assistant took too long to answer. Please try again.",
        Fault::Misconfigured => "The assistant is not set up correctly.",
        Fault::TooLong => "The conversation is too long for the assistant.",
        Fault::Rejected => "The assistant could not process this request.",
        Fault::Interrupted => "The answer was interrupted. Please try again.",
    }
}
