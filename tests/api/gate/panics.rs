//! Handlers that panic.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::store_double::StoreDouble;
use crate::support::Server;
use crate::support::raw::exchange;

#[tokio::test]
async fn a_panic_is_an_error_and_the_connection_lives() {
    let (server, store) = Server::over(&[], StoreDouble::new).await;
    store.panics.store(true, Ordering::Relaxed);
    let requests = "GET /api/sessions/stats/summary HTTP/1.1\r\nHost: a\r\n\r\n\
                    GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(server.address, requests.as_bytes()).await;
    let (first, second) = answers.split_once("HTTP/1.1 200 OK").expect(&answers);
    assert!(first.starts_with("HTTP/1.1 500 "), "{first}");
    assert!(second.contains("\"OK\""), "{second}");
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], "internal_error");
    assert!(!body.to_string().contains("purpose"), "{body}");
    let id = body["requestId"].as_str().unwrap();
    assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
    store.panics.store(false, Ordering::Relaxed);
    server.get("/api/sessions/stats/summary").await.expect(200);
}
