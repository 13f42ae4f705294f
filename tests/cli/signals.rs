//! SIGTERM and SIGINT.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process::Running;

#[test]
fn either_signal_ends_it_cleanly_and_data_survives() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for signal in ["TERM", "INT"] {
        let mut server = Running::start(folder.path(), &[]);
        let (status, body) = server.call("POST", "/api/sessions/create", "{}").unwrap();
        assert_eq!(status, 201);
        ids.push(
            body.split("\"sessionId\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned(),
        );
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "{signal}");
    }
    let server = Running::start(folder.path(), &[]);
    for id in ids {
        assert_eq!(server.call("GET", &format!("/api/sessions/{id}"), "").unwrap().0, 200);
    }
}

/// The server waits for a body that is still arriving, unless the operator signals again.
#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[]);
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = "POST /api/sessions/create HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    slow.write_all(head.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 25]).unwrap();
    server.signal("TERM");
    while !server.log.recv_timeout(Duration::from_secs(30)).unwrap().contains("stopping") {}
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(server.child.try_wait().unwrap(), None, "the request is still in progress");
    server.signal("TERM");
    assert_eq!(server.wait(), Some(1));
}

/// A request in progress gets its response, after which its connection is closed.
#[test]
fn a_request_in_progress_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[]);
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = "POST /api/sessions/create HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    slow.write_all(head.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 25]).unwrap();
    server.signal("TERM");
    // Until the port is closed.
    while TcpStream::connect(server.address).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    slow.write_all(b"{}").unwrap();
    let mut response = String::new();
    slow.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert_eq!(server.wait(), Some(0));
}

/// Whatever the connections: half-open, idle, in the middle of a head, HTTP/2.
#[test]
fn without_requests_in_progress_it_exits_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[]);
    let begin = |text: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let head = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let silent = begin("");
    let half_a_head = begin(&head[..20]);
    let http2 = begin("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0");
    let mut idle = begin(head);
    idle.read_exact(&mut [0; 20]).unwrap();
    let mut between = begin(&format!("{head}{}", &head[..20]));
    between.read_exact(&mut [0; 20]).unwrap();
    let signalled = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let elapsed = signalled.elapsed();
    // It takes 0.5 s; the rest allows for a machine that is busy with other tests.
    assert!(elapsed < Duration::from_millis(2500), "{elapsed:?}");
    drop((silent, half_a_head, http2, idle, between));
}
