//! Tools that a model may call in a turn.

pub mod query_data;
