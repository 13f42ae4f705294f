//! Sessions expire when they have not been used.

use std::time::Duration;

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_session_expires_after_its_timeout_without_activity() {
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    let (used, unused) = (server.session(json!({})).await, server.session(json!({})).await);
    server.say(&unused, "Hello").await.expect(200);
    server.clock.advance(Duration::from_secs(40));
    server.get(&format!("/api/sessions/{used}")).await.expect(200);
    server.clock.advance(Duration::from_secs(20));

    for answer in [
        server.get(&format!("/api/sessions/{unused}")).await,
        server.get(&format!("/api/chat/history/{unused}")).await,
        server.say(&unused, "Hello?").await,
    ] {
        answer.expect_error(404, "session_not_found");
    }
    server.get(&format!("/api/sessions/{used}")).await.expect(200);
    let stats = server.get("/api/sessions/stats/summary").await.expect(200);
    assert_eq!(stats["totalSessions"], 1, "gone before any sweep");

    assert_eq!(server.app.sessions.sweep().await.unwrap().len(), 1);
    assert_eq!(server.app.sessions.sweep().await.unwrap().len(), 0);
    server.get(&format!("/api/sessions/{used}")).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    server.get(&format!("/api/sessions/{used}")).await.expect_error(404, "session_not_found");
}

#[tokio::test]
async fn every_use_keeps_a_session_alive() {
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    let id = server.session(json!({})).await;
    let half = Duration::from_secs(50);
    server.clock.advance(half);
    server.say(&id, "Hello").await.expect(200);
    server.clock.advance(half);
    server.get(&format!("/api/chat/history/{id}")).await.expect(200);
    server.clock.advance(half);
    server.put(&format!("/api/sessions/{id}/config"), json!({"config": {}})).await.expect(200);
    server.clock.advance(half);
    server.delete(&format!("/api/chat/history/{id}")).await.expect(200);
    server.clock.advance(half);
    server.get(&format!("/api/sessions/{id}")).await.expect(200);
}

#[tokio::test]
async fn a_sweep_of_many_leaves_none() {
    let server = Server::with(&["--chat-session-timeout", "60"]).await;
    for _ in 0..450 {
        server.session(json!({})).await;
    }
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.app.sessions.sweep().await.unwrap().len(), 450);
}
