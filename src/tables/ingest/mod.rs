//! Ingesting an upload: checks its name, encoding and format, and profiles its columns.

use bytes::Bytes;

use super::notes::Notes;
pub use super::refusal::{IngestError, IngestLimits};
use super::table::ParsedTable;
use super::{csv_text, dialect, encoding, json_table};
use crate::domain::Timestamp;
use crate::domain::dataset::{Dataset, FileKind};
use crate::domain::text::is_invisible;

/// Maximum length of a file name, in characters.
const MAX_NAME: usize = 255;

/// A file that was accepted.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// What it is.
    pub dataset: Dataset,
    /// Its content as UTF-8 without a byte order mark; delimited text begins with its header and
    /// is quoted as in RFC 4180. This is what is stored, and what searches and queries read.
    pub text: Bytes,
}

/// Reads `bytes`, uploaded as `file_name`. Takes about 50 ms for 10 MB, and a second thread for
/// long delimited text, so it must not run on async threads.
pub fn ingest(
    raw_name: &str,
    bytes: &Bytes,
    uploaded: Timestamp,
    limits: &IngestLimits,
) -> Result<Ingested, IngestError> {
    let (file_name, kind) = file_name(raw_name).ok_or(IngestError::Name)?;
    if bytes.len() > limits.max_bytes {
        return Err(IngestError::TooLarge(limits.max_bytes));
    }
    if bytes.is_empty() {
        return Err(IngestError::Empty);
    }
    let mut notes = Notes::default();
    let mut text = encoding::decode(bytes, &mut notes)?;
    let shown = std::str::from_utf8(&text).map_err(|_| IngestError::NotText)?;
    if shown.chars().all(|c| c.is_whitespace() || c == '\u{feff}') {
        return Err(IngestError::Empty);
    }
    let ParsedTable { layout, columns, rows, sample, notes: later } = match kind {
        FileKind::Csv => {
            let plain = dialect::plain(&text, &mut notes)?;
            text = plain.text;
            csv_text::table(&text, plain.delimiter, limits.max_columns)?
        }
        FileKind::Json => json_table::table(shown, limits)?,
    };
    notes.append(later);
    let size = bytes.len() as u64;
    let dataset = Dataset {
        file_name,
        kind,
        size,
        uploaded,
        layout,
        columns,
        rows,
        sample,
        notes: notes.into_sentences(),
    };
    Ok(Ingested { dataset, text })
}

/// The printable last component of a path, at most 255 characters, and its kind by its extension:
/// `.csv` or `.json` in any case. `None` for other extensions.
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

/// Neither invisible nor a separator of lines, which would break the text around the name.
fn is_printable(c: char) -> bool {
    !is_invisible(c) && !matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
