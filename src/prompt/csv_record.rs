//! Rows of tables in a prompt.

/// One CSV record as in RFC 4180, but ended by a bare line feed: a carriage return would only cost
/// tokens.
pub fn record(fields: impl Iterator<Item = String>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Necessary)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    // Writing to memory cannot fail, and every field is UTF-8.
    let _ = writer.write_record(fields.map(String::into_bytes));
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
