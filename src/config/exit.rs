//! Ends of the program before it starts.

use std::io::{self, Write};
use std::process::ExitCode;

/// Why the program exits before it starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// The text of `--help` or `--version`, for stdout.
    #[error("{0}")]
    Info(String),
    /// Wrong usage or configuration: one line for stderr, such as `error: PORT: must be …`.
    #[error("error: {0}")]
    Usage(String),
}

impl Exit {
    /// Wrong usage. Control characters in `text` are dropped, so that it stays one line.
    pub(super) fn usage(text: &str) -> Self {
        Self::Usage(text.chars().filter(|c| !c.is_control()).collect())
    }

    /// A wrong setting, named by its variable.
    pub(super) fn setting(variable: &str, reason: &str) -> Self {
        Self::usage(&format!("{variable}: {reason}"))
    }

    /// The program's exit code: 0 or 2.
    pub fn code(&self) -> u8 {
        match self {
            Self::Info(_) => 0,
            Self::Usage(_) => 2,
        }
    }

    /// Prints the text to stdout or stderr and returns the exit code. A closed pipe is not a
    /// failure.
    pub fn finish(&self) -> ExitCode {
        let _ = match self {
            Self::Info(text) => writeln!(io::stdout(), "{}", text.trim_end()),
            Self::Usage(_) => writeln!(io::stderr(), "{self}"),
        };
        ExitCode::from(self.code())
    }
}
