//! What every reader of an upload returns.

use crate::domain::dataset::{Column, Layout};

/// Rows of a table's sample.
pub const SAMPLE_ROWS: usize = 3;

/// Characters that a cell of the sample is cut to.
pub const SAMPLE_CHARS: usize = 1000;

/// A table whose rows have all been read once.
pub struct ParsedTable {
    /// How the text is to be read again.
    pub layout: Layout,
    /// Its columns with their profiles.
    pub columns: Vec<Column>,
    /// Rows without the header.
    pub rows: u64,
    /// The first rows.
    pub sample: Vec<Vec<Option<String>>>,
}
