//! `openapi`: prints the OpenAPI document.

use std::io::{self, Write};

use crate::http::DocumentLimits;

/// Writes the document to standard output.
pub fn run() -> io::Result<()> {
    io::stdout().lock().write_all(crate::http::spec(&DocumentLimits::default()).as_bytes())
}
