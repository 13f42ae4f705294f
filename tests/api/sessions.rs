//! Create, read, configure, count.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_new_session_has_the_operators_settings_under_the_callers() {
    let server = Server::with(&["--bot-name", "Ada", "--bot-icon", "/bot.png"]).await;
    let config = json!({"botColor": "#123456", "own": {"kept": [1, 2]}, "botIcon": null});
    let created =
        server.post("/api/sessions/create", json!({ "config": config })).await.expect(201);
    assert_eq!(created["status"], "created");
    assert_eq!(created["timestamp"], "2026-01-31T12:00:00.000Z");
    assert_eq!(
        created["config"],
        json!({"botName": "Ada", "poweredBy": "", "botColor": "#123456",
            "botIcon": "/bot.png", "botMsgBgColor": "#667eea", "own": {"kept": [1, 2]}})
    );

    let path = format!("/api/sessions/{}", created["sessionId"].as_str().unwrap());
    let read = server.get(&path).await.expect(200);
    assert_eq!(read["config"], created["config"]);
    assert_eq!(read["messages"], json!([]));
    assert_eq!(read["createdAt"], "2026-01-31T12:00:00.000Z");
}

#[tokio::test]
async fn a_session_needs_no_body() {
    let server = Server::start().await;
    let bare = server.send(server.request(reqwest::Method::POST, "/api/sessions/create")).await;
    assert_eq!(bare.expect(201)["config"]["botName"], "Assistant");
    for body in [json!({}), json!({"config": null}), json!({"config": {}, "unknown": 1})] {
        server.post("/api/sessions/create", body).await.expect(201);
    }
}

#[tokio::test]
async fn settings_are_merged_key_by_key() {
    let server = Server::start().await;
    let id = server.session(json!({"pageContext": {"url": "a", "title": "b"}, "own": 1})).await;
    let path = format!("/api/sessions/{id}/config");
    let patch = json!({"config": {"pageContext": {"url": "c"}, "botName": "Bob"}});
    let updated = server.put(&path, patch).await.expect(200);
    assert_eq!(updated["status"], "updated");
    assert_eq!(updated["sessionId"], id);
    assert_eq!(updated["config"]["pageContext"], json!({"url": "c"}), "replaced whole");
    assert_eq!(updated["config"]["own"], 1, "kept");
    assert_eq!(updated["config"]["botName"], "Bob");
    let read = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(read["config"], updated["config"]);
    server.put(&path, json!({})).await.expect_error(400, "invalid_request");
}

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

#[tokio::test]
async fn the_bots_looks_can_be_read() {
    let server = Server::start().await;
    let bot = server.get("/api/sessions/bot-config").await.expect(200);
    assert_eq!(bot["botName"], "Assistant");
    assert_eq!(bot["poweredBy"], "");
    assert_eq!(bot["botColor"], "#667eea");
    assert_eq!(bot["botMsgBgColor"], "#667eea");
    assert!(bot.as_object().unwrap().contains_key("botIcon") && bot["botIcon"].is_null());
    assert!(bot["welcome"].is_null(), "the widget has one in every language");

    let server = Server::with(&["--bot-suggestions", "[\"Prices?\"]", "--bot-welcome", "Hi"]).await;
    let bot = server.get("/api/sessions/bot-config").await.expect(200);
    assert_eq!((&bot["welcome"], &bot["suggestions"]), (&json!("Hi"), &json!(["Prices?"])));
}

#[tokio::test]
async fn health_touches_no_store() {
    let server = Server::start().await;
    let health = server.get("/health").await.expect(200);
    assert_eq!(health["status"], "OK");
    assert!(health["version"].as_str().unwrap().starts_with(env!("CARGO_PKG_VERSION")));
    server.get("/health/ready").await.expect(200);
    server.app.close().await.unwrap();
    server.get("/health").await.expect(200);
    let unready = server.get("/health/ready").await;
    unready.expect_error(503, "storage_unavailable");
    assert!(unready.header("retry-after").is_some());
    let created = server.post("/api/sessions/create", json!({})).await;
    created.expect_error(503, "storage_unavailable");
}
