//! Who may read our answers from another origin, and who may frame the widget.

use reqwest::Method;

use crate::support::{Answer, Server};

async fn from(server: &Server, method: Method, path: &str, origin: &str) -> Answer {
    let request = server
        .request(method, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    server.send(request).await
}

const ALLOW: &str = "access-control-allow-origin";

#[tokio::test]
async fn by_default_every_site_may() {
    let server = Server::start().await;
    let answer = from(&server, Method::GET, "/api/sessions/bot-config", "https://any.test").await;
    assert_eq!(answer.header(ALLOW), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("access-control-expose-headers"), Some("x-request-id, retry-after"));
    let page = server.get("/widget/chatbot.html").await;
    assert!(!page.header("content-security-policy").unwrap().contains("frame-ancestors"));
    let home = server.get("/").await;
    assert!(home.header("content-security-policy").unwrap().ends_with("frame-ancestors 'none'"));
    assert_eq!(server.get("/health").await.header(ALLOW), None, "only where one asks");
}

#[tokio::test]
async fn preflights_name_what_is_allowed() {
    let server = Server::start().await;
    let answer = from(&server, Method::OPTIONS, "/api/chat/message", "https://any.test").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header(ALLOW), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    let headers = answer.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("content-type") && headers.contains("idempotency-key"));
    let id = "0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58";
    let history = format!("/api/chat/history/{id}");
    let answer = from(&server, Method::OPTIONS, &history, "https://any.test").await;
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("GET") && methods.contains("DELETE"), "{methods}");
    from(&server, Method::OPTIONS, "/api/nothing", "https://any.test")
        .await
        .expect_error(404, "not_found");
}

#[tokio::test]
async fn with_a_list_only_those_on_it_may() {
    let server =
        Server::with(&["--allowed-origins", "https://good.test,https://shop.good.test:8443"]).await;
    for origin in ["https://good.test", "https://shop.good.test:8443"] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = from(&server, method, "/api/sessions/bot-config", origin).await;
            assert_eq!(answer.header(ALLOW), Some(origin));
            assert!(answer.header("vary").unwrap().contains("Origin"));
        }
    }
    for origin in [
        "https://good.test.evil.test",
        "https://evil.test",
        "http://good.test",
        "https://good.test:444",
        "https://shop.good.test",
        "https://GOOD.test.evil",
        "null",
        "https://göod.test",
        "https://good.test/",
        "file://",
    ] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = from(&server, method, "/api/sessions/bot-config", origin).await;
            assert_eq!(answer.header(ALLOW), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-methods"), None, "{origin}");
            assert!(answer.header("vary").unwrap().contains("Origin"), "caches must not mix them");
        }
    }
    let page = server.get("/widget/chatbot.html").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with("frame-ancestors 'self' https://good.test https://shop.good.test:8443"),
        "{policy}"
    );
}

#[tokio::test]
async fn the_servers_own_pages_may_always_post() {
    let server = Server::with(&["--allowed-origins", "https://good.test"]).await;
    let own = server.base.clone();
    let request = server
        .request(Method::POST, "/api/sessions/create")
        .header("origin", own)
        .json(&serde_json::json!({}));
    server.send(request).await.expect(201);
}

#[tokio::test]
async fn errors_can_be_read_from_allowed_origins_too() {
    let server = Server::with(&["--allowed-origins", "https://good.test"]).await;
    let answer = from(&server, Method::GET, "/api/sessions/nonsense", "https://good.test").await;
    answer.expect_error(400, "invalid_session_id");
    assert_eq!(answer.header(ALLOW), Some("https://good.test"));
}
