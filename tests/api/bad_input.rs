//! Every bad input gets its refusal, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Server};

async fn raw(server: &Server, path: &str, kind: Option<&str>, body: &[u8]) -> Answer {
    let mut request = server.request(Method::POST, path).body(body.to_vec());
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    server.send(request).await
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn broken_bodies() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let message = "/api/chat/message";
    let with = |text: &str| format!("{{\"sessionId\":\"{id}\",\"message\":{text}}}").into_bytes();
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let rows: Vec<(Vec<u8>, &str, &str)> = vec![
        (b"".to_vec(), "invalid_json", "no body"),
        (b"{".to_vec(), "invalid_json", "ends too early"),
        (b"hello".to_vec(), "invalid_json", "syntax error"),
        (b"[1]".to_vec(), "invalid_request", "must be a JSON object"),
        (b"\"text\"".to_vec(), "invalid_request", "must be a JSON object"),
        (with("1e999"), "invalid_json", "out of range"),
        (with("\"\\ud800\""), "invalid_json", "surrogate"),
        ([b"{\"a\":\"".as_slice(), b"\xff\xfe", b"\"}"].concat(), "invalid_json", "not UTF-8"),
        (with("\"a\\u0000b\""), "invalid_request", "NUL"),
        (with(&deep), "invalid_request", "64 levels"),
        (with("12"), "invalid_request", "`message` must be text."),
        (with("null"), "invalid_request", "`message` must be text."),
        (with("[\"a\"]"), "invalid_request", "`message` must be text."),
        (with("\"\""), "empty_message", "empty"),
        (with("\" \\n\\t \""), "empty_message", "empty"),
        (with("\"\\u200b\\ufeff\\u2060\""), "empty_message", "empty"),
        (b"{\"message\":\"x\"}".to_vec(), "invalid_request", "`sessionId` is missing."),
        (b"{\"sessionId\":5,\"message\":\"x\"}".to_vec(), "invalid_request", "must be text"),
        (b"{\"sessionId\":\"nope\",\"message\":\"x\"}".to_vec(), "invalid_session_id", "UUID"),
        (format!("{{\"sessionId\":\"{id}\"}}").into_bytes(), "invalid_request", "is missing"),
        (
            format!("{{\"sessionId\":\"{id}\",\"message\":\"x\",\"config\":[]}}").into_bytes(),
            "invalid_request",
            "`config` must be an object.",
        ),
    ];
    for (body, code, says) in rows {
        let sentence = raw(&server, message, JSON, &body).await.expect_error(400, code);
        assert!(sentence.contains(says), "{sentence}");
    }
    assert_eq!(server.history(&id).await.len(), 0);
}

#[tokio::test]
async fn other_types_than_json() {
    let server = Server::start().await;
    let id = server.session(json!({})).await;
    let body = json!({"sessionId": id, "message": "x"}).to_string();
    for kind in [Some("text/plain"), Some("multipart/form-data; boundary=x"), None] {
        raw(&server, "/api/chat/message", kind, body.as_bytes())
            .await
            .expect_error(415, "unsupported_media_type");
    }
    let encoded = server
        .request(Method::POST, "/api/chat/message")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(body.clone());
    server.send(encoded).await.expect_error(415, "unsupported_media_type");
    let charset = Some("application/json; charset=UTF-8");
    raw(&server, "/api/chat/message", charset, body.as_bytes()).await.expect(200);
}

#[tokio::test]
async fn too_much() {
    let server = Server::with(&["--max-message-chars", "20", "--max-body-bytes", "2000"]).await;
    let id = server.session(json!({})).await;
    let twenty = "ü".repeat(20);
    server.say(&id, &twenty).await.expect(200);
    let sentence = server.say(&id, &(twenty + "x")).await.expect_error(413, "message_too_long");
    assert_eq!(sentence, "The message is too long: at most 20 characters are allowed.");
    server.say(&id, &"x".repeat(3000)).await.expect_error(413, "body_too_large");
    // Without a declared length, and far more than any buffer holds.
    let chunks = (0..200).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
    let endless = server
        .request(Method::POST, "/api/chat/message")
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(chunks)));
    server.send(endless).await.expect_error(413, "body_too_large");
    let declared = server.request(Method::POST, "/api/chat/message").body(vec![b' '; 5_000_000]);
    server.send(declared).await.expect_error(413, "body_too_large");
    assert_eq!(server.history(&id).await.len(), 2);
    // Refused for another reason before any of it is read: the sender gets to know it all the same.
    for (method, path, status) in
        [(Method::POST, "/nowhere", 404), (Method::POST, "/", 405), (Method::PUT, "/docs", 405)]
    {
        let large = server.request(method, path).body(vec![b' '; 5_000_000]);
        assert_eq!(server.send(large).await.status, status);
    }
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
