//! Stores: one suite for every backend, and tests specific to redb.

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
