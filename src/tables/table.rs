//! The result of every reader of uploads.

use super::notes::Notes;
use crate::domain::dataset::{Column, Layout};

/// Number of rows in a table's sample.
pub const SAMPLE_ROWS: usize = 3;

/// Maximum length of a cell of the sample, in characters.
pub const SAMPLE_CHARS: usize = 1000;

/// A table whose rows have all been read once.
pub struct ParsedTable {
    /// How to read the text again.
    pub layout: Layout,
    /// Its columns with their profiles.
    pub columns: Vec<Column>,
    /// Number of rows, without the header.
    pub rows: u64,
    /// The first rows.
    pub sample: Vec<Vec<Option<String>>>,
    /// What was guessed or passed over.
    pub notes: Notes,
}
