//! Limits that hold per client and for the process.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::Server;
use crate::support::model::{Model, Script, claude_says};

/// A request that a trusted proxy passes on from `client`.
fn from(server: &Server, client: &str, path: &str) -> reqwest::RequestBuilder {
    server.request(Method::POST, path).header("x-forwarded-for", client)
}

#[tokio::test]
async fn each_client_has_its_rate_in_each_bucket_and_is_told_when_to_come_again() {
    let server = Server::with(&["--rate-limit", "3"]).await;
    let create = |client| from(&server, client, "/api/sessions/create").json(&json!({}));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let created = server.send(create("198.51.100.1")).await.expect(201);
        ids.push(created["sessionId"].as_str().unwrap().to_owned());
    }
    let refused = server.send(create("198.51.100.1")).await;
    refused.expect_error(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    server.send(create("198.51.100.2")).await.expect(201);
    // Another /64 is another client, another address of the same one is not.
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        server.send(create(address)).await.expect(201);
    }
    server.send(create("2001:db8::4")).await.expect_error(429, "rate_limited");
    server.send(create("2001:db8:0:1::4")).await.expect(201);

    let say = |path: &str| {
        let body = json!({"sessionId": ids[0], "message": "Hello"});
        from(&server, "198.51.100.1", path).json(&body)
    };
    for path in ["/api/chat/message", "/api/chat/stream", "/api/chat/message"] {
        assert_eq!(server.send(say(path)).await.status, 200, "the buckets are separate");
    }
    for path in ["/api/chat/message", "/api/chat/stream"] {
        server.send(say(path)).await.expect_error(429, "rate_limited");
    }
    // What one does with one's own session is not counted.
    for _ in 0..10 {
        server.get("/health").await.expect(200);
        server.get(&format!("/api/chat/history/{}", ids[0])).await.expect(200);
        server.put(&format!("/api/sessions/{}/config", ids[0]), json!({"config": {}})).await;
    }
    assert_eq!(server.history(&ids[0]).await.len(), 6, "what was refused has changed nothing");
}

/// Uploads that were never finished held their bytes for as long as they liked, all of them.
#[tokio::test]
async fn unfinished_uploads_hold_a_bounded_amount_of_memory() {
    const LENGTH: usize = 10 << 20;
    let server = Server::start().await;
    let open = async |client: String| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /api/files/upload HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\n\
             Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {LENGTH}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..60 {
        let mut stream = open(format!("203.0.113.{n}")).await;
        senders.spawn(async move {
            // All but one byte, as far as the server takes it.
            let _ = stream.write_all(&vec![b'x'; LENGTH - 1]).await;
            stream
        });
    }
    let refused = async || {
        let text = server.app.render_metrics().await;
        let line = "chatbot_widget_quota_refusals_total{resource=\"bodies\",reason=\"busy\"} ";
        text.lines().find_map(|it| it.strip_prefix(line)).map_or(0, |it| it.parse().unwrap())
    };
    let mut most = 0;
    loop {
        let used = server.app.quota.in_use();
        most = most.max(used.body_bytes);
        if used.body_clients + refused().await == 60 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(most <= 256 << 20, "{most}");
    assert!(most > 200 << 20, "and they had it: {most}");
    senders.shutdown().await;
    while server.app.quota.in_use().body_bytes > 0 {
        tokio::task::yield_now().await;
    }
    let id = server.session(json!({})).await;
    server.say(&id, "Hello").await.expect(200);
}

#[tokio::test]
async fn an_answer_to_a_history_that_was_cleared_meanwhile_is_stopped() {
    let model = Model::start([Script::Held(Box::new(claude_says("Too late.")))]).await;
    let server = std::sync::Arc::new(Server::asking(&model).await);
    let id = server.session(json!({})).await;
    let asked = tokio::spawn({
        let (server, id) = (std::sync::Arc::clone(&server), id.clone());
        async move { server.say(&id, "Hello?").await.expect(200) }
    });
    model.next_call().await;
    server.delete(&format!("/api/chat/history/{id}")).await.expect(200);
    model.release();
    let answer = asked.await.unwrap();
    assert_eq!((&answer["status"], answer.get("messageId")), (&json!("stopped"), None));
    assert_eq!(server.history(&id).await, Vec::<serde_json::Value>::new());
}
