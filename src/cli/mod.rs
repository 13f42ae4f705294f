//! The commands other than `serve`.

pub mod healthcheck;
pub mod openapi;
