//! The backend of an embeddable AI chat: REST API, widget and demo page in one executable.
//!
//! From the ground up, and nobody uses what stands above it:
//!
//! - [`domain`]: plain types of the field, without I/O.
//! - [`store`], [`provider`], [`tables`]: where sessions live, who answers, and what tables say. They
//!   use `domain` only, and not each other.
//! - [`sessions`], [`files`], [`chat`]: the use cases. They use those through their traits, and fail with
//!   [`error::AppError`].
//! - [`http`], [`cli`]: handlers and commands. They use the use cases, never a store or a provider.
//! - [`app`]: the composition root, which alone names the concrete ones; [`server`] runs it.

pub mod app;
pub mod bots;
pub mod chat;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod error;
pub mod files;
pub mod http;
pub mod keyed_locks;
pub mod markdown;
pub mod metrics;
pub mod prompt;
pub mod provider;
pub mod quota;
pub mod server;
pub mod sessions;
pub mod store;
pub mod tables;
pub mod telemetry;
