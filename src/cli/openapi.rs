//! `openapi`: prints the OpenAPI document.

use std::io::{self, Write};

/// Writes the document to standard output.
pub fn run() -> io::Result<()> {
    io::stdout().lock().write_all(crate::http::spec().as_bytes())
}
