//! Opens the redb store's file: creates it, or recognises it among files of other programs.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableHandle};

use super::activity::Activity;
use super::fault::RedbFault;
use super::ops::{Batch, Effects, META};
use super::read::Snapshot;
use crate::store::StoreError;

/// The entry that marks a redb file as this program's.
const MAGIC: (&[u8], &[u8]) = (b"magic", b"chatbot-widget");
const SCHEMA_KEY: &[u8] = b"schema";
/// The schema version. A release reads all earlier ones and upgrades them when it opens the file:
/// 2 added files and messages with tools; 3 idempotency keys and cached tokens; 4 authors, answers
/// that name their question, and sessions that name their bot.
const SCHEMA: u32 = 4;

/// Why the store cannot be opened. `Display` is one line for the user; it names the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be used.
    #[error("{file} cannot be opened for reading and writing: {source}")]
    Unwritable {
        /// The file.
        file: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The contents are corrupt.
    #[error("{file} is damaged: {reason}; restore it from a backup or move it away")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file belongs to another program.
    #[error("{file} is not a database of this program")]
    Foreign {
        /// The file.
        file: String,
    },
    /// Written by a later release.
    #[error("{file} was written by a newer release (schema {found}, this one knows {SCHEMA})")]
    Newer {
        /// The file.
        file: String,
        /// Its schema version.
        found: u32,
    },
    /// Another process, or another store of this one, has it open.
    #[error("{file} is open in another process")]
    InUse {
        /// The file.
        file: String,
    },
}

/// Opens the database in `backend`; with `fresh`, creates it if the storage is empty.
pub(super) fn open_database<B: StorageBackend>(
    file: &str,
    backend: &impl Fn() -> Result<B, DatabaseError>,
    cache_bytes: usize,
    fresh: bool,
) -> Result<Database, OpenError> {
    let open = || {
        let mut builder = redb::Builder::new();
        builder.set_cache_size(cache_bytes);
        let database = backend().and_then(|backend| builder.create_with_backend(backend));
        let database = database.map_err(|error| refusal(file, error))?;
        adopt(&database, file, fresh).map(|()| database)
    };
    // redb can panic on a file that was damaged from outside.
    catch_unwind(AssertUnwindSafe(open))
        .unwrap_or_else(|_| Err(damaged(file, "its pages contradict each other")))
}

/// Creates an empty file that only its owner can read, and syncs its folder, so that the name is
/// as durable as the contents.
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.sync_all()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Initialises an empty database if `fresh` permits; any other must prove that it is this
/// program's.
fn adopt(database: &Database, file: &str, fresh: bool) -> Result<(), OpenError> {
    let transaction = database.begin_read().map_err(|e| damaged(file, e))?;
    let tables = transaction.list_tables().map_err(|e| damaged(file, e))?;
    let names: Vec<_> = tables.map(|table| table.name().to_owned()).collect();
    let multimaps = transaction.list_multimap_tables().map_err(|e| damaged(file, e))?.count();
    if fresh && names.is_empty() && multimaps == 0 {
        return create_tables(database).map_err(|fault| match &fault {
            RedbFault::Storage(error) if matches!(**error, redb::Error::Io(_)) => {
                OpenError::Unwritable { file: file.to_owned(), source: io::Error::other(fault) }
            }
            _ => damaged(file, fault),
        });
    }
    let foreign = || OpenError::Foreign { file: file.to_owned() };
    let snapshot = Snapshot(&transaction);
    if !names.iter().any(|name| name == META.name())
        || snapshot.meta(MAGIC.0).map_err(|_| foreign())?.as_deref() != Some(MAGIC.1)
    {
        return Err(foreign());
    }
    let schema = snapshot.meta(SCHEMA_KEY).map_err(|e| damaged(file, StoreError::from(e)))?;
    match schema.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes) {
        Some(SCHEMA) => Ok(()),
        Some(1..SCHEMA) => create_tables(database).map_err(|fault| damaged(file, fault)),
        Some(found) if found > SCHEMA => Err(OpenError::Newer { file: file.to_owned(), found }),
        _ => Err(damaged(file, "it has no schema version")),
    }
}

fn create_tables(database: &Database) -> Result<(), RedbFault> {
    let transaction = database.begin_write()?;
    let mut effects = Effects::default();
    let activity = Activity::new(Duration::ZERO);
    let mut batch = Batch::open(&transaction, &activity, &mut effects)?;
    batch.put_meta(MAGIC.0, MAGIC.1)?;
    batch.put_meta(SCHEMA_KEY, &SCHEMA.to_le_bytes())?;
    batch.finish()?;
    Ok(transaction.commit()?)
}

pub(super) fn damaged(file: &str, reason: impl Display) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), reason: reason.to_string().replace('\n', " ") }
}

/// Translates redb's error for the user.
fn refusal(file: &str, error: DatabaseError) -> OpenError {
    let name = file.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse { file: name }
        }
        // The format of an older redb, which no release of this program has used.
        DatabaseError::UpgradeRequired(_) => OpenError::Foreign { file: name },
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::InvalidData => OpenError::Foreign { file: name },
            io::ErrorKind::UnexpectedEof => damaged(file, "it is truncated"),
            _ => OpenError::Unwritable { file: name, source },
        },
        other => damaged(file, other),
    }
}
