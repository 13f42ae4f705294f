//! The `Host` header.

use reqwest::Method;

use crate::support::Server;
use crate::support::raw::{exchange, status};

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
