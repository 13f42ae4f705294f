//! Taking an upload in: its name, encoding and form are checked, its columns profiled.

use bytes::Bytes;

use super::{csv_text, encoding, json_text};
use crate::domain::Timestamp;
use crate::domain::dataset::{Dataset, FileKind};

/// The most characters of a file name.
const MAX_NAME: usize = 255;

/// What an upload may measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Columns of a table, keys of JSON objects.
    pub max_columns: usize,
    /// Levels of nesting in JSON.
    pub max_depth: usize,
    /// Bytes of the file.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_columns: 1000, max_depth: 64, max_bytes: 10 * 1024 * 1024 }
    }
}

/// A file that was taken in.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// What it is.
    pub dataset: Dataset,
    /// Its content as UTF-8 without a byte order mark: what is to be kept, and what the rest of
    /// this module reads.
    pub text: Bytes,
}

/// Why a file is refused. Each text is a sentence that a visitor may read; it repeats nothing of
/// the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The name has another ending, or is none.
    #[error("Only .csv and .json files can be uploaded.")]
    Name,
    /// Nothing, or nothing but white space.
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
    /// No JSON, or more than one value.
    #[error("The file is not valid JSON (line {line}, column {column}).")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
}

impl IngestError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name => "unsupported_file_type",
            Self::Empty => "empty_file",
            Self::TooLarge(_) => "file_too_large",
            Self::NotText => "not_text",
            Self::TooManyColumns(_) => "too_many_columns",
            Self::TooDeep(_) => "nested_too_deeply",
            Self::Json { .. } => "invalid_json_file",
        }
    }

    /// The HTTP status that fits: 400, 413 or 415.
    pub fn status(&self) -> u16 {
        match self {
            Self::Name | Self::NotText => 415,
            Self::TooLarge(_) => 413,
            Self::Empty | Self::TooManyColumns(_) | Self::TooDeep(_) | Self::Json { .. } => 400,
        }
    }
}

/// Takes in `bytes`, uploaded as `file_name`. It computes for some 50 ms with 10 MB, and uses a
/// second thread for long delimited text: call it off the async threads.
pub fn ingest(
    raw_name: &str,
    bytes: &Bytes,
    uploaded: Timestamp,
    limits: &Limits,
) -> Result<Ingested, IngestError> {
    let (file_name, kind) = file_name(raw_name).ok_or(IngestError::Name)?;
    if bytes.len() > limits.max_bytes {
        return Err(IngestError::TooLarge(limits.max_bytes));
    }
    if bytes.is_empty() {
        return Err(IngestError::Empty);
    }
    let text = encoding::decode(bytes)?;
    let shown = std::str::from_utf8(&text).map_err(|_| IngestError::NotText)?;
    if shown.chars().all(|c| c.is_whitespace() || c == '\u{feff}') {
        return Err(IngestError::Empty);
    }
    let csv_text::Table { layout, columns, rows, sample } = match kind {
        FileKind::Csv => csv_text::table(&text, limits.max_columns)?,
        FileKind::Json => json_text::table(shown, limits)?,
    };
    let size = bytes.len() as u64;
    let dataset = Dataset { file_name, kind, size, uploaded, layout, columns, rows, sample };
    Ok(Ingested { dataset, text })
}

/// The printable last part of a path of at most 255 characters, and what it is by its ending:
/// `.csv` or `.json` in any case. None for other endings.
pub fn file_name(raw: &str) -> Option<(String, FileKind)> {
    let base = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let printable: String = base.chars().filter(|c| is_printable(*c)).collect();
    let name = printable.trim();
    let (stem, ending) = name.rsplit_once('.')?;
    let kind = match ending.to_ascii_lowercase().as_str() {
        "csv" => FileKind::Csv,
        "json" => FileKind::Json,
        _ => return None,
    };
    let stem: String = stem.chars().take(MAX_NAME - ending.len() - 1).collect();
    Some((format!("{stem}.{ending}"), kind))
}

/// Neither a control character nor one of those that hide, or turn the text around them.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
#[path = "ingest_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod refusal_tests;
