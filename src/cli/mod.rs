//! The commands other than `serve`, and what `serve` prints at its start.

pub mod healthcheck;
pub mod openapi;
pub mod startup;
