//! What visitors and site owners see, in real browsers driven through WebDriver: Chromium, and what
//! matters most also in Firefox and WebKit.
//!
//! `tests/run` installs what is needed. Each test has its own browser, server and website. A failure
//! leaves a screenshot and the console in `target/browser-failures`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; Clippy's own exception leaves helpers out"
)]

mod accessibility;
mod api_docs;
mod continuity;
mod conversation;
mod demo;
mod engines;
mod files;
mod foreign_pages;
mod input;
mod limits;
mod loader;
mod looks;
mod safety;
mod script;
mod support;
