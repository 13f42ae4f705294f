//! What HTTP itself asks of a server: methods, hosts, limits, headers.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Server;
use crate::support::raw::{exchange, status};

#[tokio::test]
async fn every_answer_has_an_id_and_security_headers() {
    let server = Server::start().await;
    let mut ids = std::collections::HashSet::new();
    for path in ["/health", "/nothing", "/", "/embed.js", "/openapi.json", "/api/sessions/x"] {
        let answer = server.get(path).await;
        assert!(ids.insert(answer.header("x-request-id").unwrap().to_owned()), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert!(answer.header("cache-control").is_some(), "{path}");
    }
    assert_eq!(server.get("/health").await.header("cache-control"), Some("no-store"));
}

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
async fn session_ids_must_be_uuids() {
    let server = Server::start().await;
    for path in ["/api/sessions/nope", "/api/chat/history/123", "/api/sessions/%00"] {
        server.get(path).await.expect_error(400, "invalid_session_id");
    }
    let path = "/api/chat/history/%3Cscript%3E";
    let sentence = server.get(path).await.expect_error(400, "invalid_session_id");
    assert!(!sentence.contains("script"));
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

#[tokio::test]
async fn exactly_one_sensible_host() {
    let server = Server::start().await;
    let get = async |hosts: &str| {
        let request = format!("GET /health HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        exchange(server.address, request.as_bytes()).await
    };
    assert_eq!(status(&get("Host: any.test\r\n").await), "200");
    assert_eq!(status(&get("Host: [::1]:8000\r\n").await), "200");
    for hosts in [
        "",
        "Host: a.test\r\nHost: b.test\r\n",
        "Host: a test\r\n",
        "Host: user@a.test\r\n",
        "Host: a.test/path\r\n",
        "Host: \r\n",
        "Host: \u{fc}.test\r\n",
    ] {
        let answer = get(hosts).await;
        assert_eq!(status(&answer), "400", "{hosts:?}: {answer}");
        assert!(answer.contains("\"invalid_host\""), "{hosts:?}: {answer}");
    }
    let ancient = exchange(server.address, b"GET /health HTTP/1.0\r\n\r\n").await;
    assert_eq!(status(&ancient), "200", "HTTP/1.0 knows no Host");
}

#[tokio::test]
async fn only_allowed_hosts_are_answered() {
    let server = Server::with(&["--allowed-hosts", "chat.test,.example.com"]).await;
    let get = async |host: &str, target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        status(&exchange(server.address, request.as_bytes()).await).to_owned()
    };
    for host in ["chat.test", "CHAT.test:8000", "example.com", "a.b.example.com"] {
        assert_eq!(get(host, "/health").await, "200", "{host}");
    }
    for host in ["evil.test", "xexample.com", "chat.test.evil.test", "127.0.0.1"] {
        assert_eq!(get(host, "/health").await, "421", "{host}");
    }
    assert_eq!(get("chat.test", "http://evil.test/health").await, "421");
    let request = server.request(Method::GET, "/health").header("host", "evil.test");
    server.send(request).await.expect_error(421, "unknown_host");
}

#[tokio::test]
async fn heads_that_are_too_large() {
    let server = Server::start().await;
    let long = format!("/health?{}", "x".repeat(9000));
    server.get(&long).await.expect_error(414, "address_too_long");
    let big = server.request(Method::GET, "/health").header("x-big", "x".repeat(70_000));
    server.send(big).await.expect_error(431, "headers_too_large");
    // Beyond that the HTTP library refuses by itself.
    for head in [format!("X-Huge: {}\r\n", "x".repeat(300_000)), "X-Many: 1\r\n".repeat(150)] {
        let request = format!("GET /health HTTP/1.1\r\nHost: a\r\n{head}\r\n");
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server may close before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = vec![0; 12];
        if stream.read_exact(&mut answer).await.is_ok() {
            assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
        }
    }
    server.get("/health").await.expect(200);
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
