//! Opening the file of the redb store: making it, and telling it from files that are not ours.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use redb::{Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableHandle};

use super::activity::Activity;
use super::fault::Fault;
use super::ops::{Batch, Effects, META};
use super::read::Snapshot;
use crate::store::StoreError;

/// What makes a redb file ours.
const MAGIC: (&[u8], &[u8]) = (b"magic", b"chatbot-widget");
const SCHEMA_KEY: &[u8] = b"schema";
/// The version of the tables. A release reads those before it, and makes them its own: 2 added
/// those of files, and messages with tools; 3 those of idempotency keys, and cached tokens; 4 has
/// authors, answers that name their question, and sessions that name their bot.
const SCHEMA: u32 = 4;

/// Why the store cannot be opened. `Display` is one line for the user; it names the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be used.
    #[error("{file} cannot be opened for reading and writing: {source}")]
    Unwritable {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The contents are not what was written.
    #[error("{file} is damaged: {reason}; restore it from a backup or move it away")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else's file.
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
        /// Its schema.
        found: u32,
    },
    /// Another process, or another store of this one, has it open.
    #[error("{file} is open in another process")]
    InUse {
        /// The file.
        file: String,
    },
}

/// Opens the database in `backend`, or with `fresh` makes it there if nothing is.
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

/// Makes an empty file that only its owner can read, and its name as durable as what will be
/// written to it.
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

/// Makes a new database ours if it may be new, and any other prove that it is.
fn adopt(database: &Database, file: &str, fresh: bool) -> Result<(), OpenError> {
    let transaction = database.begin_read().map_err(|e| damaged(file, e))?;
    let tables = transaction.list_tables().map_err(|e| damaged(file, e))?;
    let names: Vec<_> = tables.map(|table| table.name().to_owned()).collect();
    let multimaps = transaction.list_multimap_tables().map_err(|e| damaged(file, e))?.count();
    if fresh && names.is_empty() && multimaps == 0 {
        return create_tables(database).map_err(|fault| match &fault {
            Fault::Storage(error) if matches!(**error, redb::Error::Io(_)) => {
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

fn create_tables(database: &Database) -> Result<(), Fault> {
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

/// What redb's refusal means to the user.
fn refusal(file: &str, error: DatabaseError) -> OpenError {
    let name = file.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse { file: name }
        }
        // An older redb's format, in which no release of ours has written.
        DatabaseError::UpgradeRequired(_) => OpenError::Foreign { file: name },
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::InvalidData => OpenError::Foreign { file: name },
            io::ErrorKind::UnexpectedEof => damaged(file, "it has been cut off"),
            _ => OpenError::Unwritable { file: name, source },
        },
        other => damaged(file, other),
    }
}
