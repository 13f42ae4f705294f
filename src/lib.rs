//! The backend of an embeddable AI chat in one executable: a REST API with streamed answers, the
//! chat widget that sites include with one script tag, and demo pages. Visitors ask about the page
//! they are on or about a file they upload; a model of Anthropic, OpenAI or a compatible server
//! answers, or without a key a built-in demo. Sessions and files are stored in a single redb file.
//!
//! The modules, lowest layer first; no module uses one that comes later:
//!
//! - [`domain`]: plain types without I/O. [`keyed_locks`]: locks by key with bounded queues.
//! - [`models`]: what models cost and when they are retired.
//! - [`config`]: the settings, parsed once and checked. [`telemetry`]: logging.
//! - [`store`], [`provider`], [`demo`], [`tables`], [`markdown`], [`prompt`]: sessions and files on
//!   disk, model APIs, the built-in model, uploaded data, answers as HTML, and what a model is sent.
//!   None of them uses another, and they know nothing of the settings.
//! - [`metrics`]: counters and gauges for Prometheus. [`quota`]: every limit that holds in total,
//!   with its queue. [`error`]: how use cases fail.
//! - [`bots`], [`sessions`], [`files`], [`chat`]: the use cases. They reach stores and providers
//!   through traits and fail with [`error::AppError`].
//! - [`app`]: the composition root, the only module that names concrete stores and providers.
//! - [`http`], [`cli`]: handlers and commands. They call use cases, never a store or a provider.
//! - [`server`]: accepts connections, and drains them at shutdown.
//!
//! `tests/api/architecture` enforces these layers; `docs/architecture.md` explains them further
//! and follows a question from the request to the stored answer.

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
pub mod models;
pub mod prompt;
pub mod provider;
pub mod quota;
pub mod server;
pub mod sessions;
pub mod store;
pub mod tables;
pub mod telemetry;
