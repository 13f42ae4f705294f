//! Connections: how many, for how long, and by which version of HTTP.

use std::time::{Duration, Instant};

use chatbot_widget::server::{ServerLimits, ServerOptions};
use reqwest::Version;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chat::reader::{Reader, names, text};
use crate::support::Server;
use crate::support::model::{Model, Script, claude_start, claude_words};
use crate::support::raw::{exchange, status};

const HEAD: &str = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

async fn limited(limits: ServerLimits) -> Server {
    Server::with_options(&[], ServerOptions { limits, ..ServerOptions::default() }).await
}

async fn open(server: &Server, begin: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(begin.as_bytes()).await.unwrap();
    stream
}

/// Waits for the server to close `stream`.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest));
    // Reset or closed.
    let _ = read.await.expect("the server closes the connection");
}

#[tokio::test]
async fn a_third_connection_of_two_waits_until_one_has_ended() {
    let server = limited(ServerLimits { connections: 2, ..ServerLimits::default() }).await;
    let mut first = open(&server, HEAD).await;
    first.read_exact(&mut [0; 20]).await.unwrap();
    let _second = open(&server, "").await;
    let mut third = open(&server, HEAD).await;
    let mut buffer = [0; 20];
    let waiting = tokio::time::timeout(Duration::from_millis(100), third.read(&mut buffer));
    assert!(waiting.await.is_err(), "there is no place for it");
    drop(first);
    third.read_exact(&mut [0; 20]).await.unwrap();
}

/// A connection on which nothing arrives makes room for others.
#[tokio::test]
async fn silent_connections_do_not_keep_their_places() {
    let limits = ServerLimits {
        connections: 2,
        head: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let server = limited(limits).await;
    let mut silent = open(&server, "").await;
    let mut half = open(&server, &HEAD[..20]).await;
    for _ in 0..5 {
        let answer = exchange(server.address, HEAD.as_bytes()).await;
        assert_eq!(status(&answer), "200");
    }
    closed(&mut silent).await;
    closed(&mut half).await;
}

/// Without TLS, HTTP/2 begins with its preface.
async fn http2(server: &Server) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let health = client.get(format!("{}/health", server.base)).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.version()), (200, Version::HTTP_2));
    client
}

#[tokio::test]
async fn http2_without_tls_by_prior_knowledge() {
    let server = Server::start().await;
    let client = http2(&server).await;
    let post = async |path: &str, body: &str| {
        let request = client.post(format!("{}{path}", server.base)).body(body.to_owned());
        let response = request.header("content-type", "application/json").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, created) = post("/api/sessions/create", r#"{"config":{"botName":"Ada"}}"#).await;
    assert_eq!(status, 201, "{created}");
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    assert_eq!(created["config"]["botName"], "Ada");
    let (status, refused) = post("/api/sessions/create", "{").await;
    assert_eq!(status, 400, "{refused}");
    // A body whose length is not declared needs no Transfer-Encoding.
    let chunks = ["{\"config\":", "{\"botName\":\"Eve\"}}"].map(Ok::<_, std::io::Error>);
    let streamed = client
        .post(format!("{}/api/sessions/create", server.base))
        .header("content-type", "application/json")
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(chunks)));
    let streamed = streamed.send().await.unwrap();
    assert_eq!(streamed.status().as_u16(), 201);
    assert_eq!(streamed.json::<serde_json::Value>().await.unwrap()["config"]["botName"], "Eve");
    let empty = client.post(format!("{}/api/sessions/create", server.base)).send().await.unwrap();
    assert_eq!(empty.status().as_u16(), 201, "no body");
    let huge = "x".repeat(1024 * 1024 + 1);
    assert_eq!(post("/api/sessions/create", &huge).await.0, 413);
    let page = client.get(format!("{}/", server.base)).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("<html"));
}

#[tokio::test]
async fn http2_hosts_are_checked() {
    let server = Server::with(&["--allowed-hosts", "127.0.0.1"]).await;
    let client = http2(&server).await;
    let other = format!("http://localhost:{}/health", server.address.port());
    assert_eq!(client.get(other).send().await.unwrap().status().as_u16(), 421);
    let both = client.get(format!("{}/health", server.base)).header("host", "evil.test");
    assert_eq!(both.send().await.unwrap().status().as_u16(), 400);
}

/// Many answers at once over one connection, each as it is written.
#[tokio::test]
async fn http2_streams_side_by_side() {
    let words = [claude_start(), claude_words("The first words. ")].concat();
    let model =
        Model::start((0..20).map(|_| Script::Stalled(words.clone())).collect::<Vec<_>>()).await;
    let server = Server::asking(&model).await;
    let client = http2(&server).await;
    let mut readers = Vec::new();
    for _ in 0..20 {
        let id = server.session(json!({})).await;
        let asked = client.post(format!("{}/api/chat/stream", server.base));
        let asked = asked.json(&json!({"sessionId": id, "message": "Hi"})).send().await.unwrap();
        assert_eq!(asked.version(), Version::HTTP_2);
        readers.push((id, Reader::of(asked)));
    }
    for (id, mut reader) in readers {
        let mut seen = Vec::new();
        while text(&seen) != "The first words. " {
            seen.push(reader.next().await.unwrap());
        }
        server.post(&format!("/api/chat/stop/{id}"), json!({})).await.expect(200);
        assert_eq!(names(&reader.rest().await), ["done"]);
    }
}

/// Resetting streams as fast as they are opened costs the client its connection.
#[tokio::test]
async fn http2_rapid_resets_end_the_connection() {
    let server = Server::start().await;
    let mut stream = open(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await;
    // GET / by http, with an :authority of one byte (RFC 7541, static table: 2, 6, 4, 1).
    let head = [0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
    let mut flood = Vec::new();
    for id in (1_u32..20_001).step_by(2) {
        flood.extend([0, 0, 6, 1, 5]);
        flood.extend(id.to_be_bytes());
        flood.extend(head);
        flood.extend([0, 0, 4, 3, 0]);
        flood.extend(id.to_be_bytes());
        flood.extend(8_u32.to_be_bytes());
    }
    // It may be closed before all is written.
    let _ = stream.write_all(&flood).await;
    closed(&mut stream).await;
    server.get("/health").await.expect(200);
}

#[tokio::test]
async fn the_stop_is_seen_before_the_port_closes() {
    let mut server =
        limited(ServerLimits { stop_grace: Duration::from_secs(5), ..ServerLimits::default() })
            .await;
    server.get("/health/ready").await.expect(200);
    let _idle = open(&server, HEAD).await;
    server.begin_stop();
    let begun = Instant::now();
    // A connection that was waiting to be accepted is served, and learns that it is the last.
    loop {
        let answer =
            exchange(server.address, b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").await;
        if status(&answer) == "503" {
            assert!(
                answer.contains("\"stopping\"") && answer.contains("connection: close"),
                "{answer}"
            );
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{answer}");
    }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let server = Server::start().await;
    let client = http2(&server).await;
    let mut open_ones = Vec::new();
    for begin in [HEAD, "", &HEAD[..20], &[HEAD, &HEAD[..20]].concat()] {
        open_ones.push(open(&server, begin).await);
    }
    server.get("/health").await.expect(200);
    let begun = Instant::now();
    server.stop().await;
    // It takes 0.5 s; the rest is for a machine that is busy with other tests.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for mut stream in open_ones {
        closed(&mut stream).await;
    }
    drop(client);
}
