//! The built executable: flags, environment, exit codes, signals, and what survives a kill.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking; Clippy's own exception does not cover helpers"
)]

mod commands;
mod crash;
mod log;
mod process;
mod signals;
mod start;
mod tls;
