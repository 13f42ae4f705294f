//! Uploaded tables: ingesting and profiling files, keyword search, SQL and charts.
//!
//! [`ingest`](ingest::ingest) turns the bytes of an upload into UTF-8 and a
//! [`Dataset`](crate::domain::dataset::Dataset); [`for_each_row`](rows::for_each_row) and
//! [`search`](search::search()) read that text again. It uses `domain` only.

mod amounts;
pub mod chart;
mod csv_text;
mod dates;
mod dialect;
mod distinct;
mod encoding;
mod facts;
pub mod fold;
mod header;
pub mod ingest;
mod json_columns;
mod json_fields;
mod json_table;
mod json_text;
mod needle;
mod notes;
mod number_range;
mod profile;
mod refusal;
pub mod rows;
pub mod search;
pub mod sql;
mod table;
mod typing;
mod values;
