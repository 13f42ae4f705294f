//! How use cases fail.

use std::time::Duration;

use crate::domain::{ConfigError, ProviderKind};
use crate::provider::{Fault, ProviderError};
use crate::quota::QuotaError;
use crate::store::StoreError;
use crate::tables::ingest::IngestError;
use crate::tables::search::SearchError;
use crate::tables::sql::SqlError;

/// A use case's failure. `Display` is a sentence that a visitor may read; what stands behind it is
/// the source, for the log.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No such session, or it has expired.
    #[error("Session not found.")]
    SessionNotFound,
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
    /// A bound of the caller's or the process's has been reached.
    #[error("{}", quota_sentence(.0))]
    Quota(#[from] QuotaError),
    /// More questions of the session are waiting than may.
    #[error("Too many messages of this session are waiting for an answer. Please wait.")]
    TooManyQuestions,
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

/// What kind of failure it is, for whoever turns it into a status or an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller's input is wrong.
    Invalid,
    /// What was named does not exist, or not any more.
    NotFound,
    /// It does not go together with what is going on.
    Conflict,
    /// The input is larger than a limit.
    TooLarge,
    /// The input is of a type that is not handled.
    Unsupported,
    /// The input is well-formed and still cannot be processed.
    Unprocessable,
    /// The caller has used up their own share of something.
    RateLimited,
    /// A service that we depend on has failed.
    Upstream,
    /// The same, by not answering in time.
    UpstreamTimeout,
    /// It cannot be done now, but later.
    Unavailable,
    /// The disk is full.
    Full,
    /// A defect of ours.
    Internal,
}

/// Seconds until it is worth trying again where nothing better is known.
const SOON: Duration = Duration::from_secs(5);

impl AppError {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::SessionNotFound | Self::NoFile => ErrorKind::NotFound,
            Self::EmptyMessage
            | Self::NulInMessage
            | Self::Config(_)
            | Self::ProviderNotConfigured { .. }
            | Self::Search(SearchError::UnknownColumn) => ErrorKind::Invalid,
            Self::MessageTooLong { .. } => ErrorKind::TooLarge,
            Self::Upload(error) => match error {
                IngestError::Name | IngestError::NotText => ErrorKind::Unsupported,
                IngestError::TooLarge(_) => ErrorKind::TooLarge,
                IngestError::Empty
                | IngestError::TooManyColumns(_)
                | IngestError::TooDeep(_)
                | IngestError::Json { .. } => ErrorKind::Invalid,
            },
            Self::Sql(SqlError::Unavailable(_) | SqlError::Interrupted) | Self::Stopping => {
                ErrorKind::Unavailable
            }
            Self::Sql(_) => ErrorKind::Invalid,
            Self::Quota(QuotaError::OwnShare | QuotaError::RateLimited { .. })
            | Self::TooManyQuestions => ErrorKind::RateLimited,
            Self::Quota(QuotaError::Busy) => ErrorKind::Unavailable,
            Self::Quota(QuotaError::Lost) => ErrorKind::Internal,
            Self::TurnInProgress => ErrorKind::Conflict,
            Self::Provider(error) => provider_kind(error),
            Self::Store(StoreError::NotFound) => ErrorKind::NotFound,
            Self::Store(StoreError::Conflict) => ErrorKind::Conflict,
            Self::Store(StoreError::ConfigTooLarge(_)) => ErrorKind::TooLarge,
            Self::Store(StoreError::Full(_)) => ErrorKind::Full,
            Self::Store(StoreError::Unavailable(_)) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// A stable word for programs, as the API documents it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SessionNotFound => "session_not_found",
            Self::EmptyMessage => "empty_message",
            Self::NulInMessage => "invalid_message",
            Self::MessageTooLong { .. } => "message_too_long",
            Self::Config(ConfigError::Credentials) => "credentials_refused",
            Self::Config(_) => "invalid_config",
            Self::ProviderNotConfigured { .. } => "provider_not_configured",
            Self::NoFile => "file_not_found",
            Self::Upload(error) => error.code(),
            Self::Search(SearchError::UnknownColumn) => "unknown_column",
            Self::Sql(error) => match error {
                SqlError::Invalid(_) => "invalid_sql",
                SqlError::Refused(_) => "sql_not_allowed",
                SqlError::Timeout(_) => "sql_timeout",
                SqlError::TooLarge(_) => "sql_too_large",
                SqlError::Unavailable(_) | SqlError::Interrupted => "query_unavailable",
            },
            Self::Quota(QuotaError::OwnShare) => "too_many_requests",
            Self::Quota(QuotaError::RateLimited { .. }) => "rate_limited",
            Self::Quota(QuotaError::Busy) => "server_busy",
            Self::Quota(QuotaError::Lost) => "internal_error",
            Self::TooManyQuestions => "too_many_questions",
            Self::TurnInProgress => "turn_in_progress",
            Self::Stopping => "stopping",
            Self::Provider(error) => provider_code(error.fault),
            Self::Store(StoreError::NotFound) => "session_not_found",
            Self::Store(StoreError::Conflict) => "conflict",
            Self::Store(StoreError::ConfigTooLarge(_)) => "config_too_large",
            Self::Store(StoreError::Full(_)) => "storage_full",
            Self::Store(StoreError::Unavailable(_)) => "storage_unavailable",
            Self::Internal(_) => "internal_error",
        }
    }

    /// How long to wait before it is worth trying again; `None` if waiting does not help.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Quota(QuotaError::RateLimited { retry_after }) = self {
            return Some(*retry_after);
        }
        if !matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited) {
            return None;
        }
        let Self::Provider(error) = self else { return Some(SOON) };
        let usual = match error.fault {
            Fault::Exhausted => Duration::from_secs(300),
            _ => Duration::from_secs(10),
        };
        Some(error.retry_after.unwrap_or(usual))
    }

    /// Whether it is a fault of this server, which its operator should see in the log.
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Full(_) | StoreError::Unavailable(_))
                | Self::Internal(_)
                | Self::Quota(QuotaError::Lost)
        )
    }
}

fn provider_kind(error: &ProviderError) -> ErrorKind {
    match error.fault {
        Fault::Busy | Fault::Exhausted | Fault::Overloaded => ErrorKind::Unavailable,
        Fault::Timeout => ErrorKind::UpstreamTimeout,
        Fault::TooLong if error.status == Some(413) => ErrorKind::TooLarge,
        Fault::TooLong => ErrorKind::Unprocessable,
        Fault::UnknownModel => ErrorKind::Invalid,
        Fault::Unreachable
        | Fault::Malformed
        | Fault::Misconfigured
        | Fault::Rejected
        | Fault::Interrupted => ErrorKind::Upstream,
    }
}

fn provider_code(fault: Fault) -> &'static str {
    match fault {
        Fault::Busy => "provider_busy",
        Fault::Exhausted => "provider_unavailable",
        Fault::Overloaded => "provider_overloaded",
        Fault::Unreachable | Fault::Malformed => "provider_error",
        Fault::Timeout => "provider_timeout",
        Fault::Misconfigured => "provider_misconfigured",
        Fault::UnknownModel => "unknown_model",
        Fault::TooLong => "context_too_long",
        Fault::Rejected => "provider_rejected",
        Fault::Interrupted => "answer_interrupted",
    }
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

fn quota_sentence(error: &QuotaError) -> &'static str {
    match error {
        QuotaError::OwnShare => "Too many of your requests are being worked on. Please wait.",
        QuotaError::Busy => "The server is very busy right now. Please try again shortly.",
        QuotaError::RateLimited { .. } => "Too many requests. Please wait a moment.",
        QuotaError::Lost => "Something went wrong on the server.",
    }
}

fn store_sentence(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound => "Session not found.",
        StoreError::Conflict => {
            "Something else has changed this at the same time. Please try again."
        }
        StoreError::ConfigTooLarge(_) => "The session's settings are too large.",
        StoreError::Full(_) => "The server's storage is full.",
        StoreError::Unavailable(_) => {
            "The server's storage is not available. Please try again later."
        }
    }
}

fn provider_sentence(error: &ProviderError) -> &'static str {
    match error.fault {
        Fault::Busy => "The assistant is very busy right now. Please try again shortly.",
        Fault::Exhausted => "The assistant is not available right now.",
        Fault::Overloaded => "The assistant is overloaded right now. Please try again shortly.",
        Fault::Unreachable | Fault::Malformed => {
            "The assistant could not be reached. Please try again."
        }
        Fault::Timeout => "The assistant took too long to answer. Please try again.",
        Fault::Misconfigured => "The assistant is not set up correctly.",
        Fault::UnknownModel => "This model is not available here.",
        Fault::TooLong => "The conversation is too long for the assistant.",
        Fault::Rejected => "The assistant could not process this request.",
        Fault::Interrupted => "The answer was interrupted. Please try again.",
    }
}
