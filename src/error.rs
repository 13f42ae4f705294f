//! The errors of the use cases.

use std::time::Duration;

use crate::domain::{ConfigError, ProviderKind};
use crate::provider::{Fault, ProviderError};
use crate::quota::QuotaError;
use crate::store::StoreError;
use crate::tables::ingest::IngestError;
use crate::tables::search::SearchError;
use crate::tables::sql::SqlError;

/// A use case's error. `Display` is a sentence that a visitor may read; the cause is the source,
/// for the log.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No such session, or it has expired.
    #[error("Session not found.")]
    SessionNotFound,
    /// A message without visible text.
    #[error("The message is empty.")]
    EmptyMessage,
    /// A message that contains a NUL character.
    #[error("The message contains a NUL character.")]
    NulInMessage,
    /// A message longer than the operator allows.
    #[error("The message is too long: at most {limit} characters are allowed.")]
    MessageTooLong {
        /// Maximum length of a message, in characters.
        limit: usize,
    },
    /// Settings that a caller may not set.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The requested provider is not configured.
    #[error("The provider {asked} is not configured. Available: {}.", list(available))]
    ProviderNotConfigured {
        /// The requested provider.
        asked: ProviderKind,
        /// The configured providers.
        available: Vec<ProviderKind>,
    },
    /// The session has no file.
    #[error("This session has no file.")]
    NoFile,
    /// A file that cannot be ingested.
    #[error(transparent)]
    Upload(#[from] IngestError),
    /// A keyword search that cannot be run.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A statement that failed. The message is SQLite's.
    #[error("{0}")]
    Sql(#[source] SqlError),
    /// A limit of the caller or of the process has been reached.
    #[error("{}", quota_sentence(.0))]
    Quota(#[from] QuotaError),
    /// Too many questions of the session are waiting.
    #[error("Too many messages in this session are waiting for an answer. Please wait.")]
    TooManyQuestions,
    /// The session is still busy with an earlier question.
    #[error("Another message in this session is still being answered. Please try again shortly.")]
    TurnInProgress,
    /// The server is shutting down and accepts no new work.
    #[error("The server is restarting. Please try again shortly.")]
    Stopping,
    /// A provider failed.
    #[error("{}", provider_sentence(.0))]
    Provider(#[source] ProviderError),
    /// The store failed.
    #[error("{}", store_sentence(.0))]
    Store(#[source] StoreError),
    /// A bug in this program.
    #[error("Something went wrong on the server.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The kind of an error, from which a status or an exit code is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller's input is wrong.
    Invalid,
    /// What was named does not exist, or no longer does.
    NotFound,
    /// The request conflicts with the current state.
    Conflict,
    /// The input exceeds a limit.
    TooLarge,
    /// The input's type is not supported.
    Unsupported,
    /// The input is well-formed but cannot be processed.
    Unprocessable,
    /// The caller has used up its own share.
    RateLimited,
    /// A service that this one depends on failed.
    Upstream,
    /// A service that this one depends on did not respond in time.
    UpstreamTimeout,
    /// Temporarily unavailable.
    Unavailable,
    /// The disk is full.
    Full,
    /// A bug in this program.
    Internal,
}

/// When to retry if nothing better is known.
const SOON: Duration = Duration::from_secs(5);

impl AppError {
    /// The kind of this error.
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
                | IngestError::OpenQuote { .. }
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

    /// The stable code documented in the API.
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

    /// How long to wait before retrying; `None` if waiting does not help.
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

    /// Whether the cause lies in this server, so that its operator should see it in the log.
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
        QuotaError::OwnShare => "Too many of your requests are still being processed. Please wait.",
        QuotaError::Busy => "The server is very busy right now. Please try again shortly.",
        QuotaError::RateLimited { .. } => "Too many requests. Please wait a moment.",
        QuotaError::Lost => "Something went wrong on the server.",
    }
}

fn store_sentence(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound => "Session not found.",
        StoreError::Conflict => "Something else changed this at the same time. Please try again.",
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
