//! Logs. What is written never holds bodies, prompts, keys or whole session ids.
//!
//! A log line is never worth a request: lines go to a bounded queue, and one thread writes them. A
//! line that finds the queue full (a reader that has stopped) or cannot be written (a closed pipe,
//! a full disk) is dropped and counted.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Lines that may wait to be written.
const QUEUE_LINES: usize = 8192;

/// Lines that could not be written.
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Keeps the log's thread; dropping it writes what is still in the queue, for at most a second.
#[must_use = "dropping it ends the log"]
pub struct Log {
    _guard: WorkerGuard,
    queue_full: ErrorCounter,
}

impl Log {
    /// Lines that were dropped since the start.
    pub fn dropped_lines(&self) -> u64 {
        FAILED.load(Ordering::Relaxed) + self.queue_full.dropped_lines() as u64
    }
}

/// Starts logging to standard error. `filter` is RUST_LOG's syntax.
///
/// # Errors
/// One line that names the setting, if `filter` cannot be read.
pub fn start(format: LogFormat, filter: &str) -> Result<Log, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE_LINES)
        .thread_name("log")
        .finish(Lossy(io::stderr()));
    let log = Log { _guard: guard, queue_full: writer.error_counter() };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        // A failed write must not be reported by `eprintln!`, which panics when that fails too.
        .log_internal_errors(false);
    let done = match format {
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
        LogFormat::Text => subscriber.with_ansi(io::stderr().is_terminal()).try_init(),
    };
    done.map_err(|error| error.to_string())?;
    // A panic is an event like others: one line, in the log's format.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("unknown");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.message = message, panic.place = place, "panic");
    }));
    Ok(log)
}

/// A writer that never fails: what its inner one refuses is counted and forgotten.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            FAILED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What could not be written has been counted.
        let _ = self.0.flush();
        Ok(())
    }
}
