//! `/api/chat`: questions, answers, history.

mod data_answers;
mod demo_questions;
mod history;
mod idempotency;
mod live;
mod message;
mod prompt;
mod queue;
pub mod reader;
mod stop;
mod stream;
mod thinking;
mod turns;
