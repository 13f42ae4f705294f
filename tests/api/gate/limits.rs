//! Requests that are too large.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Server;

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
