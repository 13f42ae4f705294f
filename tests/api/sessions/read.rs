//! Reading and counting sessions.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn reading_counts_as_activity() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    server.clock.advance(std::time::Duration::from_millis(61_500));
    let read = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(read["createdAt"], "2026-01-31T12:00:00.000Z");
    assert_eq!(read["lastActivity"], "2026-01-31T12:01:01.500Z");
}

#[tokio::test]
async fn sessions_are_counted() {
    let server = Server::start().await;
    let count = async || {
        let stats = server.get("/api/sessions/stats/summary").await.expect(200);
        assert!(stats["timestamp"].as_str().unwrap().ends_with('Z'));
        (stats["totalSessions"].as_u64().unwrap(), stats["recentlyActive"].as_u64().unwrap())
    };
    assert_eq!(count().await, (0, 0));
    let first = server.session(json!({})).await;
    server.session(json!({})).await;
    assert_eq!(count().await, (2, 2));
    server.clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(count().await, (2, 0));
    server.say(&first, "Hello").await.expect(200);
    assert_eq!(count().await, (2, 1));
}
