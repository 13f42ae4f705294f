//! The domain's plain types, without I/O: sessions, messages, questions, settings, datasets.
//!
//! Every other module may use this one; it uses no other module.

pub mod block;
pub mod bot;
pub mod check;
pub mod client;
pub mod clock;
pub mod config;
pub mod dataset;
pub mod idempotency;
pub mod look;
pub mod message;
pub mod model;
pub mod money;
pub mod provider;
pub mod query;
pub mod session;
pub mod text;

pub use bot::{Bot, BotId, BotLook, ProviderNames};
pub use check::{ConfigError, ConfigLimits, MAX_NAME, check_patch};
pub use client::ClientKey;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::{PageField, SessionConfig, whole_number};
pub use dataset::{Dataset, FileKind, StoredFile};
pub use idempotency::IdempotencyKey;
pub use message::{Author, Message, MessageId, NewMessage, Status, ToolOutcome, ToolRun, Usage};
pub use money::Money;
pub use provider::{OpenAiApi, ProviderKind};
pub use query::{Chart, ChartKind, QueryResult};
pub use session::{Session, SessionId, SessionState, Stats};
