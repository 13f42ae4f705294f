//! The built executable: flags, environment, exit codes, signals, and what survives a kill.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; Clippy's own exception leaves helpers out"
)]

mod commands;
mod crash;
mod log;
mod process;
mod signals;
mod start;
mod tls;
