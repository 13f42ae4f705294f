//! Whole responses of every route, success and typical error, as snapshots: a field that comes or
//! goes is seen. Ids and request ids are redacted; the tests' clock stands still.

mod chat;
mod files;
mod health;
mod sessions;

/// Compares JSON with a snapshot, without what differs each time, and without the demo's words and
/// their number, which have tests of their own.
macro_rules! assert_snapshot {
    ($json:expr, @$snapshot:literal) => {
        insta::assert_json_snapshot!($json, {
            ".**.sessionId" => "[session]",
            ".**.turnId" => "[turn]",
            ".**.requestId" => "[request]",
            ".**.elapsedMs" => "[elapsed]",
            ".**.response" => "[text]",
            ".**.html" => "[html]",
            ".messages[1].content" => "[text]",
            ".**.inputTokens" => "[tokens]",
            ".**.outputTokens" => "[tokens]",
            ".**.totalTokens" => "[tokens]",
        }, @$snapshot);
    };
}
use assert_snapshot;

/// Compares a response with its status and a snapshot of its JSON.
macro_rules! assert_response {
    ($answer:expr, $status:literal, @$snapshot:literal) => {
        super::assert_snapshot!($answer.expect($status), @$snapshot);
    };
}
use assert_response;

/// A session's id that no server knows.
const UNKNOWN: &str = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";

/// A small table.
const TEA: &[u8] = b"product,price\nSencha,4.90\nAssam,3.20\n";
