//! The API that visitors' browsers use.

pub mod chat;
pub mod files;
pub mod sessions;
pub mod stream;
