//! What every response carries.

use std::collections::HashSet;

use crate::support::Server;

#[tokio::test]
async fn every_answer_has_an_id_and_security_headers() {
    let server = Server::start().await;
    let mut ids = HashSet::new();
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
