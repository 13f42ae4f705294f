//! Creating a session.

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
