//! Files on the visitor's disk.

use std::path::PathBuf;

use tempfile::TempDir;
use thirtyfour::By;

use super::visitor::Visitor;

/// A file that exists until this is dropped: a browser reads it during the upload.
pub struct OnDisk {
    path: PathBuf,
    _folder: TempDir,
}

impl OnDisk {
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Self { path, _folder: folder }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

impl Visitor {
    /// Chooses a file, as in the file dialog.
    pub async fn chooses(&self, file: &OnDisk) {
        let input = self.driver().find(By::Css("#file-input")).await.unwrap();
        input.send_keys(file.path()).await.unwrap();
    }
}
