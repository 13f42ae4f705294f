//! Reading and clearing a conversation.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn history_is_kept_and_cleared() {
    let server = Server::start().await;
    let id = server.session(json!({"botName": "Ada"})).await;
    server.say(&id, "Hello").await.expect(200);
    let messages = server.history(&id).await;
    assert_eq!(messages.len(), 2);
    assert_eq!(
        messages[0],
        json!({"id": "1", "role": "user", "content": "Hello", "timestamp": 1_769_860_800_000_i64})
    );
    assert_eq!(messages[1]["role"], "assistant");
    assert_eq!(messages[1]["provider"], "demo");
    assert!(messages[1]["usage"]["totalTokens"].is_u64());

    let path = format!("/api/chat/history/{id}");
    let cleared = server.delete(&path).await.expect(200);
    assert_eq!(cleared["sessionId"], id);
    assert_eq!(cleared["status"], "cleared");
    assert_eq!(cleared["messagesCleared"], 2);
    assert!(cleared["timestamp"].is_string());
    assert_eq!(server.history(&id).await.len(), 0);
    assert_eq!(server.delete(&path).await.expect(200)["messagesCleared"], 0);
    let session = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(session["config"]["botName"], "Ada", "the session stays");
    assert_eq!(server.say(&id, "Hello").await.expect(200)["messageCount"], 2);
}
