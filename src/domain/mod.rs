//! Plain types of the field, without I/O: what a session, a message and a question are.
//!
//! Everything else may use this module; it uses nothing of ours.

pub mod block;
pub mod check;
pub mod clock;
pub mod config;
pub mod dataset;
pub mod idempotency;
pub mod look;
pub mod message;
pub mod model;
pub mod query;
pub mod session;

pub use check::{ConfigError, Limits, check_patch};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use config::{PageField, SessionConfig};
pub use dataset::{Dataset, FileKind, StoredFile};
pub use idempotency::IdempotencyKey;
pub use message::{Message, NewMessage, Role, Status, ToolRun, Usage};
pub use query::{Chart, ChartKind, QueryResult};
pub use session::{ProviderKind, Session, SessionId, Stats};
