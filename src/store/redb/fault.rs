//! How an operation of the redb store fails: alone, or with all others in its transaction.

use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
use std::sync::Arc;

use redb::Error::{DatabaseClosed, Io, PreviousIo};

use super::record::RecordError;
use super::watch::LostFile;
use crate::store::StoreError;

/// A failure of the storage itself. It aborts the transaction for every operation in it.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum RedbFault {
    #[error(transparent)]
    Storage(Arc<redb::Error>),
    #[error("the database is not open")]
    NotOpen,
    #[error("the storage engine failed on the database's contents")]
    Panicked,
    #[error(transparent)]
    LostFile(#[from] LostFile),
}

impl RedbFault {
    /// Whether reopening the database may cure it.
    pub fn is_passing(&self) -> bool {
        let Self::Storage(error) = self else { return matches!(self, Self::NotOpen) };
        matches!(**error, Io(_) | PreviousIo | DatabaseClosed)
    }

    fn is_full(&self) -> bool {
        let Self::Storage(error) = self else { return false };
        let Io(error) = &**error else { return false };
        matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
    }
}

impl From<RedbFault> for StoreError {
    fn from(fault: RedbFault) -> Self {
        if fault.is_full() { Self::Full(fault.into()) } else { Self::Unavailable(fault.into()) }
    }
}

/// Why an operation has no result.
#[derive(Debug)]
pub(super) enum OpFailure {
    /// Only this operation is refused; it has changed nothing.
    Refused(StoreError),
    /// The storage has failed.
    Fault(RedbFault),
}

impl From<OpFailure> for StoreError {
    fn from(stop: OpFailure) -> Self {
        match stop {
            OpFailure::Refused(error) => error,
            OpFailure::Fault(fault) => fault.into(),
        }
    }
}

impl From<StoreError> for OpFailure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<RecordError> for OpFailure {
    fn from(error: RecordError) -> Self {
        Self::Refused(StoreError::Unavailable(error.into()))
    }
}

impl From<RedbFault> for OpFailure {
    fn from(fault: RedbFault) -> Self {
        Self::Fault(fault)
    }
}

macro_rules! faults {
    ($($error:ty),*) => { $(
        impl From<$error> for RedbFault {
            fn from(error: $error) -> Self {
                Self::Storage(Arc::new(error.into()))
            }
        }
        impl From<$error> for OpFailure {
            fn from(error: $error) -> Self {
                Self::Fault(error.into())
            }
        }
    )* };
}
faults!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
