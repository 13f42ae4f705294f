//! What is left of a file that was deleted or has expired.

use serde_json::json;

use super::{query, upload};
use crate::support::Server;

#[tokio::test]
async fn a_deleted_file_is_gone() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let path = format!("/api/files/{id}");
    server.delete(&path).await.expect_error(404, "file_not_found");
    upload(&server, &id, "a.csv", b"a,b\n1,2\n").await.expect(200);
    query(&server, &id, json!({"sql": "SELECT a FROM data"})).await.expect(200);
    let deleted = server.delete(&path).await.expect(200);
    assert_eq!(deleted["success"], true);
    assert!(deleted["message"].is_string());
    for answer in [
        server.get(&format!("/api/files/info/{id}")).await,
        query(&server, &id, json!({"sql": "SELECT a FROM data"})).await,
        query(&server, &id, json!({"query": "1"})).await,
        server.delete(&path).await,
    ] {
        answer.expect_error(404, "file_not_found");
    }
    server.get(&format!("/api/sessions/{id}")).await.expect(200);
}

#[tokio::test]
async fn a_file_expires_with_its_session() {
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "a.csv", b"a\n1\n").await.expect(200);
    server.clock.advance(std::time::Duration::from_secs(60));
    server.get(&format!("/api/files/info/{id}")).await.expect_error(404, "session_not_found");
    query(&server, &id, json!({"sql": "SELECT 1"})).await.expect_error(404, "session_not_found");
}
