//! `/health`.

use super::assert_response;
use crate::support::Server;

#[tokio::test]
async fn live() {
    let server = Server::start().await;
    let mut health = server.get("/health").await.expect(200);
    // It holds the commit.
    health["version"] = "[version]".into();
    insta::assert_json_snapshot!(health, @r##"
    {
      "status": "OK",
      "timestamp": "2026-01-31T12:00:00.000Z",
      "version": "[version]"
    }
    "##);
}

#[tokio::test]
async fn ready() {
    let server = Server::start().await;
    server.get("/health/ready").await.expect(200);
    server.app.close().await.unwrap();
    assert_response!(server.get("/health/ready").await, 503, @r##"
    {
      "error": "The server's storage is not available. Please try again later.",
      "code": "storage_unavailable",
      "requestId": "[request]",
      "details": "the store is unavailable: the store is closed"
    }
    "##);
}
