//! Settings: merged, checked, refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Server;

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
async fn settings_that_nobody_may_make() {
    let server = Server::with(&["--max-tokens-limit", "500", "--allowed-models", "a,b"]).await;
    let id = server.session(json!({"own": 1})).await;
    let before = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    let configs = [
        json!({"botColor": "red; background: url(x)"}),
        json!({"botMsgBgColor": "javascript:alert(1)"}),
        json!({"botIcon": "javascript:alert(1)"}),
        json!({"botIcon": "data:text/html,x"}),
        json!({"botIcon": "//evil.test/x.png"}),
        json!({"botName": 5}),
        json!({"aiProvider": "gemini"}),
        json!({"aiProvider": 1}),
        json!({"model": "a\nb"}),
        json!({"model": "c"}),
        json!({"maxTokens": 0}),
        json!({"maxTokens": -5}),
        json!({"maxTokens": 501}),
        json!({"maxTokens": "many"}),
        json!({"temperature": 2.1}),
        json!({"temperature": "hot"}),
        json!({"customInstructions": ["x"]}),
        json!({"pageContext": "text"}),
        json!({"pageData": 7}),
        json!({"apiKey": "sk-1"}),
        json!({"baseUrl": "http://evil.test"}),
        json!({"api_key": "sk-1"}),
        json!({"ANTHROPIC_API_KEY": "sk-1"}),
    ];
    for config in configs {
        let bodies: [(Method, String, Value); 3] = [
            (Method::POST, "/api/sessions/create".to_owned(), json!({"config": config})),
            (Method::PUT, format!("/api/sessions/{id}/config"), json!({"config": config})),
            (
                Method::POST,
                "/api/chat/message".to_owned(),
                json!({"sessionId": id, "message": "Hi", "config": config}),
            ),
        ];
        for (method, path, body) in bodies {
            let answer = server.send(server.request(method, &path).json(&body)).await;
            let said = answer.expect(400);
            assert!(said["code"].as_str().is_some_and(|code| code != "invalid_json"), "{config}");
            let text = said.to_string();
            assert!(!text.contains("evil") && !text.contains("sk-1"), "{text}");
        }
    }
    let after = server.get(&format!("/api/sessions/{id}")).await.expect(200);
    assert_eq!(after, before, "nothing has changed");
    let stats = server.get("/api/sessions/stats/summary").await.expect(200);
    assert_eq!(stats["totalSessions"], 1);
}

#[tokio::test]
async fn settings_that_anybody_may_make() {
    let server = Server::start().await;
    for config in [
        json!({"botColor": "rebeccapurple", "botMsgBgColor": "rgb(1 2 3 / 50%)"}),
        json!({"botIcon": "https://e.test/a.png"}),
        json!({"botIcon": "/a.png"}),
        json!({"botIcon": "data:image/png;base64,AAAA"}),
        json!({"botIcon": ""}),
        json!({"botName": null, "model": null, "maxTokens": null, "pageContext": null}),
        json!({"maxTokens": 1, "temperature": 0}),
        json!({"jsonData": [1, null, {"a": []}], "userIdentifier": "u-1"}),
    ] {
        let created = server.post("/api/sessions/create", json!({"config": config})).await;
        created.expect(201);
    }
}
