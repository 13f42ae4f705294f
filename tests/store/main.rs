//! Stores: one suite for every backend, and what only redb can show.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[macro_use]
mod contract;
mod crash;
mod files;
mod fixture;
mod full_disk;
mod lost_file;
mod model;
mod redb;
mod remains;
mod support;
