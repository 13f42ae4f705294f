//! Server-Sent Events, decoded from bytes that may be split anywhere.
//!
//! Source of the rules: WHATWG HTML, "Server-sent events", "Parsing an event stream". Only the
//! fields `event` and `data` are used: model APIs do not resume streams. As the standard requires,
//! bytes that are not UTF-8 become U+FFFD, and an event is dropped if the stream ends before its
//! blank line.

use std::ops::Range;

/// Maximum length of a line and of an event, in bytes.
pub const MAX_LEN: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// Its `event` field, empty if it has none.
    pub name: &'a str,
    /// Its `data` lines, joined with line feeds.
    pub data: &'a str,
}

/// The stream exceeds a limit and will not be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line or an event longer than {MAX_LEN} bytes")]
pub struct TooLong;

/// The decoder: [`feed`](Self::feed) it what has arrived, then call
/// [`next_event`](Self::next_event) until it returns `None`. Every byte is examined once, however
/// the stream is split, and no more than one line and one event are kept.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where the current line starts.
    start: usize,
    /// Up to where that line has been searched for its end.
    scanned: usize,
    /// The last line ended in CR, so a LF that follows belongs to it.
    after_cr: bool,
    past_first_line: bool,
    name: String,
    data: String,
    has_data: bool,
    /// The event in `name` and `data` has been returned.
    taken: bool,
    failed: bool,
}

impl Decoder {
    /// Adds what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            // The rest is the start of one line, no longer than the last piece fed.
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete event, or `None` if more bytes are needed.
    pub fn next_event(&mut self) -> Result<Option<SseEvent<'_>>, TooLong> {
        if std::mem::take(&mut self.taken) {
            self.reset();
        }
        while let Some(line) = self.line()? {
            if !line.is_empty() {
                self.field(line)?;
            } else if self.has_data {
                self.taken = true;
                return Ok(Some(SseEvent { name: &self.name, data: &self.data }));
            } else {
                self.reset();
            }
        }
        Ok(None)
    }

    fn reset(&mut self) {
        self.name.clear();
        self.data.clear();
        self.has_data = false;
    }

    /// The next complete line without its line end, as a range of the buffer.
    fn line(&mut self) -> Result<Option<Range<usize>>, TooLong> {
        if self.after_cr && self.start < self.buffer.len() {
            self.after_cr = false;
            if self.buffer[self.start] == b'\n' {
                self.start += 1;
                self.scanned = self.start;
            }
        }
        let rest = &self.buffer[self.scanned..];
        let found = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r');
        let end = found.map_or(self.buffer.len(), |at| self.scanned + at);
        self.failed |= end - self.start > MAX_LEN;
        if self.failed {
            return Err(TooLong);
        }
        if found.is_none() {
            self.scanned = end;
            return Ok(None);
        }
        let mut line = self.start..end;
        self.after_cr = self.buffer[end] == b'\r';
        self.start = end + 1;
        self.scanned = self.start;
        if !std::mem::replace(&mut self.past_first_line, true)
            && self.buffer[line.clone()].starts_with(b"\xEF\xBB\xBF")
        {
            line.start += 3;
        }
        Ok(Some(line))
    }

    /// Processes a line that is not blank.
    fn field(&mut self, line: Range<usize>) -> Result<(), TooLong> {
        let line = &self.buffer[line];
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(&String::from_utf8_lossy(value));
                self.failed |= self.data.len() > MAX_LEN;
            }
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            // A comment (an empty field name), `id`, `retry`, or a field of a later standard.
            _ => {}
        }
        if self.failed { Err(TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
