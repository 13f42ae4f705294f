//! `/api/sessions`.

use serde_json::json;

use super::{UNKNOWN, assert_response};
use crate::support::Server;

#[tokio::test]
async fn create() {
    let server = Server::start().await;
    let config = json!({"config": {"botName": "Ada", "own": [1]}});
    assert_response!(server.post("/api/sessions/create", config).await, 201, @r##"
    {
      "sessionId": "[session]",
      "config": {
        "botName": "Ada",
        "poweredBy": "",
        "botColor": "#667eea",
        "botIcon": null,
        "botMsgBgColor": "#667eea",
        "own": [
          1
        ]
      },
      "status": "created",
      "timestamp": "2026-01-31T12:00:00.000Z"
    }
    "##);
    let config = json!({"config": {"botColor": "no colour"}});
    assert_response!(server.post("/api/sessions/create", config).await, 400, @r##"
    {
      "error": "botColor must be a CSS colour such as #667eea.",
      "code": "invalid_config",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn read() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect(200);
    let answer = server.get(&format!("/api/sessions/{id}")).await;
    assert_response!(answer, 200, @r##"
    {
      "sessionId": "[session]",
      "messages": [
        {
          "id": "1",
          "role": "user",
          "content": "Hello",
          "timestamp": 1769860800000
        },
        {
          "id": "2",
          "role": "assistant",
          "content": "[text]",
          "html": "[html]",
          "timestamp": 1769860800000,
          "provider": "demo",
          "model": "demo",
          "usage": {
            "inputTokens": "[tokens]",
            "outputTokens": "[tokens]",
            "totalTokens": "[tokens]",
            "cachedInputTokens": 0,
            "cacheWriteTokens": 0,
            "reasoningTokens": 0
          }
        }
      ],
      "config": {
        "botName": "Assistant",
        "poweredBy": "",
        "botColor": "#667eea",
        "botIcon": null,
        "botMsgBgColor": "#667eea"
      },
      "createdAt": "2026-01-31T12:00:00.000Z",
      "lastActivity": "2026-01-31T12:00:00.000Z"
    }
    "##);
    assert_response!(server.get(&format!("/api/sessions/{UNKNOWN}")).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
    assert_response!(server.get("/api/sessions/nothing").await, 400, @r##"
    {
      "error": "The session id is not a UUID.",
      "code": "invalid_session_id",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn configure() {
    let server = Server::start().await;
    let path = format!("/api/sessions/{}/config", server.session(json!({})).await);
    let config = json!({"config": {"maxTokens": 100, "botIcon": null}});
    assert_response!(server.put(&path, config).await, 200, @r##"
    {
      "sessionId": "[session]",
      "config": {
        "botName": "Assistant",
        "poweredBy": "",
        "botColor": "#667eea",
        "botIcon": null,
        "botMsgBgColor": "#667eea",
        "maxTokens": 100
      },
      "status": "updated"
    }
    "##);
    assert_response!(server.put(&path, json!({})).await, 400, @r##"
    {
      "error": "`config` is missing.",
      "code": "invalid_request",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn stats() {
    let server = Server::start().await;
    server.session(json!({})).await;
    assert_response!(server.get("/api/sessions/stats/summary").await, 200, @r##"
    {
      "totalSessions": 1,
      "recentlyActive": 1,
      "timestamp": "2026-01-31T12:00:00.000Z"
    }
    "##);
    server.app.close().await.unwrap();
    assert_response!(server.get("/api/sessions/stats/summary").await, 503, @r##"
    {
      "error": "The server's storage is not available. Please try again later.",
      "code": "storage_unavailable",
      "requestId": "[request]",
      "details": "the store is unavailable: the store is closed"
    }
    "##);
}

/// Two colours, so that neither can stand in the other's place.
#[tokio::test]
async fn bot_config() {
    let flags = ["--bot-color", "#112233", "--bot-msg-bg-color", "#445566"];
    let server = Server::with(&flags).await;
    assert_response!(server.get("/api/sessions/bot-config").await, 200, @r##"
    {
      "botName": "Assistant",
      "poweredBy": "",
      "botColor": "#112233",
      "botIcon": null,
      "botMsgBgColor": "#445566",
      "welcome": null,
      "suggestions": [],
      "maxMessageChars": 10000,
      "maxUploadBytes": 10485760
    }
    "##);
}
