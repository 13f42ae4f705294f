//! Limits of an upload, and why one is refused.

/// Limits of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngestLimits {
    /// Columns of a table, keys of JSON objects.
    pub max_columns: usize,
    /// Levels of nesting in JSON.
    pub max_depth: usize,
    /// Bytes of the file.
    pub max_bytes: usize,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self { max_columns: 1000, max_depth: 64, max_bytes: 10 * 1024 * 1024 }
    }
}

/// Why a file is refused. Each message is a sentence that visitors may read; it quotes nothing from
/// the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The name is missing or has another extension.
    #[error("Only .csv and .json files can be uploaded.")]
    Name,
    /// Empty, or only white space.
    #[error("The file is empty.")]
    Empty,
    /// Larger than this many bytes.
    #[error("The file is too large: at most {0} bytes are allowed.")]
    TooLarge(usize),
    /// NUL bytes, an image, an archive.
    #[error("The file is not text. Please upload a CSV or JSON file.")]
    NotText,
    /// More columns than this.
    #[error("The file has too many columns: at most {0} are allowed.")]
    TooManyColumns(usize),
    /// More levels of JSON than this.
    #[error("The file is nested too deeply: at most {0} levels are allowed.")]
    TooDeep(usize),
    /// Delimited text with a quote that is never closed.
    #[error("A quote in line {line} is never closed.")]
    OpenQuote {
        /// Counted from 1.
        line: u64,
    },
    /// Not JSON, or more than one value.
    #[error("The file is not valid JSON (line {line}, column {column}).")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
}

impl IngestError {
    /// A stable identifier for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "unsupported_file_type",
            Self::Empty => "empty_file",
            Self::TooLarge(_) => "file_too_large",
            Self::NotText => "not_text",
            Self::TooManyColumns(_) => "too_many_columns",
            Self::TooDeep(_) => "nested_too_deeply",
            Self::OpenQuote { .. } => "unclosed_quote",
            Self::Json { .. } => "invalid_json_file",
        }
    }
}
