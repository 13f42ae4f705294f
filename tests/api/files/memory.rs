//! Tables that are kept in memory for further statements.

use std::time::Duration;

use serde_json::json;

use super::{query, upload};
use crate::support::Server;

/// A server, and a session whose table is in memory.
async fn with_table(flags: &[&str]) -> (Server, String) {
    let server = Server::with(flags).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a\n1\n").await.expect(200);
    query(&server, &id, json!({"sql": "SELECT a FROM data"})).await.expect(200);
    assert!(server.app.files.cached_table_bytes() > 0);
    (server, id)
}

#[tokio::test]
async fn a_table_leaves_memory_with_its_file() {
    let (server, id) = with_table(&[]).await;
    server.delete(&format!("/api/files/{id}")).await.expect(200);
    assert_eq!(server.app.files.cached_table_bytes(), 0);
}

#[tokio::test]
async fn a_table_leaves_memory_when_its_file_is_replaced() {
    let (server, id) = with_table(&[]).await;
    upload(&server, &id, "b.csv", b"b\n1\n").await.expect(200);
    assert_eq!(server.app.files.cached_table_bytes(), 0);
}

#[tokio::test]
async fn a_table_leaves_memory_when_its_session_expires() {
    let (server, _) = with_table(&["--chat-session-timeout", "60"]).await;
    server.clock.advance(Duration::from_secs(60));
    server.app.sweep().await.unwrap();
    assert_eq!(server.app.files.cached_table_bytes(), 0);
}
