//! `/health` and `/health/ready`.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn health_touches_no_store() {
    let server = Server::start().await;
    let health = server.get("/health").await.expect(200);
    assert_eq!(health["status"], "OK");
    assert!(health["version"].as_str().unwrap().starts_with(env!("CARGO_PKG_VERSION")));
    server.get("/health/ready").await.expect(200);
    server.app.close().await.unwrap();
    server.get("/health").await.expect(200);
    let unready = server.get("/health/ready").await;
    unready.expect_error(503, "storage_unavailable");
    assert!(unready.header("retry-after").is_some());
    let created = server.post("/api/sessions/create", json!({})).await;
    created.expect_error(503, "storage_unavailable");
}
