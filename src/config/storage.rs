//! `DATA_DIR` and `DATABASE_URL`.

use std::path::{Path, PathBuf};

use clap::Args;
use url::Url;

use super::Secret;
use super::values::Parsed;

/// What is kept, and where.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Storage")]
pub struct StorageConfig {
    /// Folder for all data; created if missing
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// Database file, as redb://FILE; PostgreSQL is not supported by this version
    #[arg(
        long = "database-url",
        value_name = "URL",
        default_value = "redb://{DATA_DIR}/chatbot.redb",
        value_parser = Database::parse
    )]
    pub database: Database,
}

impl StorageConfig {
    /// With `{DATA_DIR}` in the database's path replaced by the folder.
    pub fn complete(mut self) -> Self {
        self.database = self.database.within(&self.data_dir);
        self
    }
}

/// Where sessions are kept (`DATABASE_URL`).
#[derive(Clone, Debug)]
pub enum Database {
    /// A redb file.
    Redb(PathBuf),
    /// A PostgreSQL server: its URL, password included.
    Postgres(Secret),
}

impl Database {
    /// Parses `redb://FILE` or `postgresql://…` (`postgres://` is the same).
    fn parse(text: &str) -> Parsed<Self> {
        let wrong = || "must be redb://FILE or postgresql://USER:PASS@HOST/DB".to_owned();
        let text = text.trim();
        if let Some(file) = text.strip_prefix("redb://") {
            let is_file = !file.is_empty() && !file.ends_with('/') && !file.contains('\0');
            return if is_file { Ok(Self::Redb(file.into())) } else { Err(wrong()) };
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "postgresql" | "postgres") && url.has_authority() => {
                Ok(Self::Postgres(text.into()))
            }
            _ => Err(wrong()),
        }
    }

    fn within(self, data_dir: &Path) -> Self {
        match self {
            Self::Redb(file) => Self::Redb(match file.strip_prefix("{DATA_DIR}") {
                Ok(rest) => data_dir.join(rest),
                Err(_) => file,
            }),
            server @ Self::Postgres(_) => server,
        }
    }
}
