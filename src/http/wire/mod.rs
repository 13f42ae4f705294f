//! What goes over the wire: bodies in and out, and errors.

pub mod body;
pub mod client;
pub mod error;
pub mod idempotency;
pub mod refusal;
pub mod reply;
mod status;
pub mod types;
pub mod upload;
