//! `/api/chat`.

use serde_json::json;

use super::{TEA, UNKNOWN, assert_response, assert_snapshot};
use crate::files::upload;
use crate::support::Server;

#[tokio::test]
async fn message() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    assert_response!(server.say(&id, "Hello").await, 200, @r##"
    {
      "response": "[text]",
      "html": "[html]",
      "sessionId": "[session]",
      "messageId": "2",
      "messageCount": 2,
      "provider": "demo",
      "providerName": "Assistant",
      "model": "demo",
      "timestamp": "2026-01-31T12:00:00.000Z",
      "usage": {
        "inputTokens": "[tokens]",
        "outputTokens": "[tokens]",
        "totalTokens": "[tokens]",
        "cachedInputTokens": 0,
        "cacheWriteTokens": 0,
        "reasoningTokens": 0
      }
    }
    "##);
    assert_response!(server.say(&id, "").await, 400, @r##"
    {
      "error": "The message is empty.",
      "code": "empty_message",
      "requestId": "[request]"
    }
    "##);
    assert_response!(server.say(UNKNOWN, "Hello").await, 404, @r##"
    {
      "error": "Session not found. Please create a new session.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn message_about_a_file() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "tea.csv", TEA).await.expect(200);
    let mut answer = server.say(&id, "sum of price by product").await.expect(200);
    // Charts have tests of their own.
    answer["chart"]["svg"] = json!("[svg]");
    assert_snapshot!(answer, @r##"
    {
      "response": "[text]",
      "html": "[html]",
      "sessionId": "[session]",
      "messageId": "2",
      "messageCount": 2,
      "provider": "demo",
      "providerName": "Assistant",
      "model": "demo",
      "timestamp": "2026-01-31T12:00:00.000Z",
      "usage": {
        "inputTokens": "[tokens]",
        "outputTokens": "[tokens]",
        "totalTokens": "[tokens]",
        "cachedInputTokens": 0,
        "cacheWriteTokens": 0,
        "reasoningTokens": 0
      },
      "tools": [
        {
          "name": "query_data",
          "sql": "SELECT \"product\", round(sum(\"price\"), 2) AS \"total_price\" FROM data GROUP BY \"product\" ORDER BY 2 DESC, 1",
          "status": "done",
          "rowCount": 2,
          "tableRows": 2,
          "elapsedMs": "[elapsed]"
        }
      ],
      "chart": {
        "type": "bar",
        "title": "Total price by product",
        "svg": "[svg]",
        "alt": "Bar chart of total_price by product: Sencha 4.9, Assam 3.2."
      }
    }
    "##);
}

#[tokio::test]
async fn stream() {
    let server = Server::start().await;
    let body = json!({"sessionId": UNKNOWN, "message": "Hello"});
    assert_response!(server.post("/api/chat/stream", body).await, 404, @r##"
    {
      "error": "Session not found. Please create a new session.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
    let id = server.session(json!({})).await;
    let body = json!({"sessionId": id, "message": "Hello"});
    let answer = server.post("/api/chat/stream", body).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(answer.body).unwrap();
    let mut events = Vec::new();
    for event in text.split("\n\n") {
        let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let (Some(name), Some(data)) = (line("event: "), line("data: ")) else { continue };
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        // How the text is cut differs with the machine's speed.
        if name != "delta" {
            events.push(json!({ name: data }));
        }
    }
    assert_snapshot!(events, @r##"
    [
      {
        "start": {
          "turnId": "[turn]",
          "provider": "demo",
          "model": "demo"
        }
      },
      {
        "done": {
          "response": "[text]",
          "html": "[html]",
          "sessionId": "[session]",
          "messageId": "2",
          "messageCount": 2,
          "provider": "demo",
          "providerName": "Assistant",
          "model": "demo",
          "timestamp": "2026-01-31T12:00:00.000Z",
          "usage": {
            "inputTokens": "[tokens]",
            "outputTokens": "[tokens]",
            "totalTokens": "[tokens]",
            "cachedInputTokens": 0,
            "cacheWriteTokens": 0,
            "reasoningTokens": 0
          }
        }
      }
    ]
    "##);
}

#[tokio::test]
async fn resume() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let idle = server.get(&format!("/api/chat/stream/{id}")).await;
    assert_eq!((idle.status.as_u16(), idle.body.len()), (204, 0));
    assert_response!(server.get(&format!("/api/chat/stream/{UNKNOWN}")).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn stop() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    assert_response!(server.post(&format!("/api/chat/stop/{id}"), json!({})).await, 200, @r##"
    {
      "sessionId": "[session]",
      "status": "idle",
      "timestamp": "2026-01-31T12:00:00.000Z"
    }
    "##);
    assert_response!(server.post(&format!("/api/chat/stop/{UNKNOWN}"), json!({})).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn history() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    upload(&server, &id, "tea.csv", TEA).await.expect(200);
    server.say(&id, "Hello").await.expect(200);
    assert_response!(server.get(&format!("/api/chat/history/{id}")).await, 200, @r##"
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
      "messageCount": 2,
      "file": {
        "fileName": "tea.csv",
        "fileType": "csv",
        "fileSize": 37,
        "uploadedAt": "2026-01-31T12:00:00.000Z",
        "rowCount": 2,
        "columnCount": 2,
        "notes": []
      }
    }
    "##);
    assert_response!(server.get(&format!("/api/chat/history/{UNKNOWN}")).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}

#[tokio::test]
async fn clear() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect(200);
    assert_response!(server.delete(&format!("/api/chat/history/{id}")).await, 200, @r##"
    {
      "sessionId": "[session]",
      "status": "cleared",
      "messagesCleared": 2,
      "timestamp": "2026-01-31T12:00:00.000Z"
    }
    "##);
    assert_response!(server.delete(&format!("/api/chat/history/{UNKNOWN}")).await, 404, @r##"
    {
      "error": "Session not found.",
      "code": "session_not_found",
      "requestId": "[request]"
    }
    "##);
}
