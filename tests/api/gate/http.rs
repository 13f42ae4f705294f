//! Methods, addresses, connections, errors.

use reqwest::Method;
use serde_json::json;

use crate::support::Server;
use crate::support::raw::{exchange, status};

#[tokio::test]
async fn unknown_addresses_and_methods() {
    let server = Server::start().await;
    for path in ["/nothing", "/api", "/api/sessions", "/api/chat/history", "/static/../Cargo.toml"]
    {
        server.get(path).await.expect_error(404, "not_found");
    }
    for (method, path, allow) in [
        (Method::GET, "/api/sessions/create", "POST, OPTIONS"),
        (Method::DELETE, "/api/chat/message", "POST, OPTIONS"),
        (Method::POST, "/health", "GET, HEAD, OPTIONS"),
        (Method::POST, "/", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/openapi.json", "GET, HEAD, OPTIONS"),
        (
            Method::PATCH,
            "/api/sessions/0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58/config",
            "PUT, OPTIONS",
        ),
    ] {
        let answer = server.send(server.request(method, path)).await;
        answer.expect_error(405, "method_not_allowed");
        let sorted = |text: &str| {
            let mut methods: Vec<String> = text.split(", ").map(str::to_owned).collect();
            methods.sort();
            methods
        };
        // GET of an id that could also be `create` is not offered there.
        assert_eq!(sorted(answer.header("allow").unwrap()), sorted(allow), "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = Server::start().await;
    for path in ["/health", "/", "/embed.js", "/docs", "/openapi.json"] {
        let head = server.send(server.request(Method::HEAD, path)).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.body.is_empty(), "{path}");
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        assert!(length > 0, "{path}");
    }
}

/// What the HTTP library refuses before we see it is an error of ours nevertheless.
#[tokio::test]
async fn malformed_requests_get_our_error() {
    let server = Server::start().await;
    let many = "X-Many: 1\r\n".repeat(100);
    let long = "x".repeat(70_000);
    for (request, expected, code) in [
        ("GET /health HTTP/1.2\r\nHost: a\r\n\r\n", "400", "malformed_request"),
        ("GET /hea\0lth HTTP/1.1\r\nHost: a\r\n\r\n", "400", "malformed_request"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "400", "malformed_request"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "400", "malformed_request"),
        (
            "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "400",
            "malformed_request",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", "400", "malformed_request"),
        ("\u{16}\u{3}\u{1}\u{2}", "400", "malformed_request"),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), "431", "headers_too_large"),
        (&format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), "414", "address_too_long"),
    ] {
        let answer = exchange(server.address, request.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{request:.60}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).expect(&answer);
        assert_eq!(body["code"], code);
        let id = format!("\r\nx-request-id: {}\r\n", body["requestId"].as_str().unwrap());
        assert!(head.contains(&id), "{head}");
        for header in ["x-content-type-options: nosniff", "content-type: application/json"] {
            assert!(head.contains(header), "{head}");
        }
    }
}

#[tokio::test]
async fn details_are_shown_only_when_debugging() {
    let closed = async |debug: &str| {
        let server = Server::with(&["--debug", debug]).await;
        server.app.close().await.unwrap();
        server.post("/api/sessions/create", json!({})).await.expect(503)
    };
    assert!(closed("true").await["details"].is_string());
    let server = Server::with(&["--debug", "true"]).await;
    let refused = server.get("/api/sessions/0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58").await;
    assert_eq!(refused.expect(404).get("details"), None, "nothing stands behind it");
    assert_eq!(closed("false").await.get("details"), None);
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::start().await;
    let request = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5)
        + "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(server.address, request.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 6);
}
