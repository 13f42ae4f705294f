//! Whether the open file is still the one that the store's path names.
//!
//! A file that was deleted or replaced stays usable for the process that has it open, so writes
//! would go on to succeed, and all of them would be lost when the process ends.

use std::fs::{File, Metadata};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Why what is written now could not be found again after a restart.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum LostFile {
    #[error("the file is not under its path any more")]
    Missing(#[source] Arc<io::Error>),
    #[error("another file has taken the place of the one that is open")]
    Replaced,
    #[error("the file was cut from {expected} to {found} bytes")]
    Truncated { expected: u64, found: u64 },
}

/// Device and inode of a file; only Unix tells them.
type FileId = Option<(u64, u64)>;

/// The file that was opened under a path, and its length.
pub(super) struct FileWatch {
    path: PathBuf,
    opened: OnceLock<FileId>,
    /// In bytes, after the last write.
    length: AtomicU64,
}

impl FileWatch {
    pub fn new(path: PathBuf) -> Self {
        Self { path, opened: OnceLock::new(), length: AtomicU64::new(0) }
    }

    /// To be called with the file whenever it is opened.
    ///
    /// # Errors
    /// If an earlier opening found another file under the path.
    pub fn opened(&self, file: &File) -> io::Result<()> {
        let id = file_id(&file.metadata()?);
        if *self.opened.get_or_init(|| id) == id {
            return Ok(());
        }
        Err(io::Error::other(LostFile::Replaced))
    }

    /// Compares the path with what was opened: one `stat`.
    pub fn check(&self) -> Result<(), LostFile> {
        let found = self.look()?.len();
        let expected = self.length.load(Ordering::Relaxed);
        if found < expected {
            return Err(LostFile::Truncated { expected, found });
        }
        Ok(())
    }

    /// Remembers the file's length, which only the caller changes.
    pub fn written(&self) {
        // Otherwise the next check fails anyway.
        if let Ok(file) = self.look() {
            self.length.store(file.len(), Ordering::Relaxed);
        }
    }

    fn look(&self) -> Result<Metadata, LostFile> {
        let file = std::fs::metadata(&self.path).map_err(|e| LostFile::Missing(Arc::new(e)))?;
        match self.opened.get() {
            Some(id) if *id != file_id(&file) => Err(LostFile::Replaced),
            _ => Ok(file),
        }
    }
}

#[cfg(unix)]
fn file_id(file: &Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Metadata) -> FileId {
    None
}
