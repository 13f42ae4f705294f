//! What the fuzz targets share.

pub mod server;
pub mod table;
