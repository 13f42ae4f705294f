use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;

/// A listener for metrics, and what stops it.
async fn start() -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<io::Result<()>>) {
    let listener = bind_metrics(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve_metrics(
        listener,
        || std::future::ready("up 1\n".to_owned()).boxed(),
        async {
            let _ = stopped.await;
        },
    ));
    (address, stop, task)
}

async fn exchange(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn metrics_and_nothing_else() {
    let (address, stop, task) = start().await;
    let metrics = exchange(address, "GET /metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(metrics.contains(
        "\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
    ));
    assert!(metrics.ends_with("\r\n\r\nup 1\n"));
    assert!(exchange(address, "HEAD /metrics").await.starts_with("HTTP/1.1 200 "));
    assert!(exchange(address, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
    for path in ["/", "/metrics/", "/health"] {
        assert!(exchange(address, &format!("GET {path}")).await.starts_with("HTTP/1.1 404 "));
    }
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_seventeenth_connection_waits_until_one_has_ended() {
    let (address, _stop, _task) = start().await;
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 20]).await.unwrap();
        open.push(stream);
    }
    let waiting = tokio::spawn(exchange(address, "GET /metrics"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    open.pop();
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_occupied_address_names_the_setting() {
    let (address, _stop, _task) = start().await;
    let error = bind_metrics(address).await.unwrap_err();
    assert!(error.starts_with(&format!("METRICS_ADDR: cannot listen on {address}: ")), "{error}");
}
