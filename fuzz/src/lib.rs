//! Shared by the fuzz targets.

// The one oracle, whose home is beside the unit tests: a copy would come to allow other things.
#[path = "../../src/markdown/tests/sanitiser.rs"]
pub mod sanitiser;
pub mod server;
pub mod table;
