//! Behaviour through the real server, on a port of its own for every test.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; Clippy's own exception leaves helpers out"
)]

mod architecture;
mod assets;
mod chat;
mod claude;
mod connections;
mod files;
mod gate;
mod health;
mod leaks;
mod nginx;
mod openapi;
mod providers;
mod quota;
mod responses;
mod routes;
mod sessions;
mod setup;
mod shutdown;
mod store_double;
#[path = "../support/mod.rs"]
mod support;
