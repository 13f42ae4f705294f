//! Bodies that are not what the API reads.

use reqwest::Method;
use serde_json::json;

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
