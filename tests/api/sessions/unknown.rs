//! Sessions that do not exist, and ids that are not ids.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn unknown_sessions_are_not_found_anywhere() {
    let server = Server::start().await;
    let id = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";
    let sentence = server.say(id, "Hello").await.expect_error(404, "session_not_found");
    assert_eq!(sentence, "Session not found. Please create a new session.");
    for answer in [
        server.get(&format!("/api/sessions/{id}")).await,
        server.put(&format!("/api/sessions/{id}/config"), json!({"config": {}})).await,
        server.get(&format!("/api/chat/history/{id}")).await,
        server.delete(&format!("/api/chat/history/{id}")).await,
    ] {
        answer.expect_error(404, "session_not_found");
    }
}

#[tokio::test]
async fn session_ids_must_be_uuids() {
    let server = Server::start().await;
    for path in ["/api/sessions/nope", "/api/chat/history/123", "/api/sessions/%00"] {
        server.get(path).await.expect_error(400, "invalid_session_id");
    }
    let path = "/api/chat/history/%3Cscript%3E";
    let sentence = server.get(path).await.expect_error(400, "invalid_session_id");
    assert!(!sentence.contains("script"));
}
