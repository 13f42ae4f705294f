//! Logging. Log lines never contain bodies, prompts, keys or whole session ids.
//!
//! Logging must never delay or fail a request: lines go to a bounded queue, and one thread writes
//! them. A line is dropped and counted if the queue is full (its reader has stopped) or if it cannot
//! be written (a closed pipe, a full disk).

use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Maximum number of lines waiting to be written.
const QUEUE_LINES: usize = 8192;

/// Lines that could not be written.
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Counts the lines that found the queue full.
static QUEUE_FULL: OnceLock<ErrorCounter> = OnceLock::new();

/// Keeps the log's thread alive; dropping it flushes the queue, for at most a second.
#[must_use = "dropping it ends the log"]
pub struct Log {
    _guard: WorkerGuard,
}

/// Lines dropped since the start.
pub fn dropped_lines() -> u64 {
    let queue_full = QUEUE_FULL.get().map_or(0, ErrorCounter::dropped_lines);
    FAILED.load(Ordering::Relaxed) + queue_full as u64
}

/// Starts logging to standard error. `filter` has the syntax of `RUST_LOG`.
///
/// # Errors
/// One line that names the setting if `filter` cannot be parsed, or the reason why logging cannot
/// start.
pub fn start(format: LogFormat, filter: &str) -> Result<Log, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE_LINES)
        .thread_name("log")
        .finish(Lossy(io::stderr()));
    QUEUE_FULL.get_or_init(|| writer.error_counter());
    let log = Log { _guard: guard };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        // A failed write must not be reported by `eprintln!`, which would panic if it fails too.
        .log_internal_errors(false);
    let done = match format {
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
        LogFormat::Text => subscriber.with_ansi(io::stderr().is_terminal()).try_init(),
    };
    done.map_err(|error| error.to_string())?;
    // A panic is logged like any other event: one line, in the log's format.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("unknown");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.message = message, panic.place = place, "panic");
    }));
    Ok(log)
}

/// A writer that never fails: a line that the inner writer rejects is counted and dropped.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            FAILED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Lines that could not be written have been counted already.
        let _ = self.0.flush();
        Ok(())
    }
}
