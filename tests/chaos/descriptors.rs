//! More connections at a time than are accepted.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::probe::Seen;
use crate::report::{Row, Scale, print};
use crate::server::Server;

const CONNECTIONS: usize = 200;

/// 200 connections to a server that may open 64 files. It waits without spinning and serves again
/// when they are closed.
pub fn none_left(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_with_descriptors(folder.path(), 64);
    let client = Client::new(server.address);
    let session = client.session();
    let begun = Instant::now();
    let (mut spent, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let rounds = scale.pick(1, 5);
    for _ in 0..rounds {
        let held: Vec<_> =
            (0..CONNECTIONS).map(|_| TcpStream::connect(server.address).unwrap()).collect();
        let before = server.cpu_time();
        std::thread::sleep(Duration::from_secs(2));
        spent = spent.max(server.cpu_time() - before);
        assert!(spent < Duration::from_millis(500), "it spins: {spent:?} in 2 s");
        drop(held);
        let closed = Instant::now();
        client.get("/health").unwrap().expect(200);
        slowest = slowest.max(closed.elapsed());
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
        client.ask(&session, "What can you do?").unwrap().expect(200);
    }
    server.assert_is_running();
    Some(Row {
        name: "out of descriptors",
        elapsed: begun.elapsed(),
        requests: rounds * CONNECTIONS,
        outcomes: format!("{rounds} × {CONNECTIONS} connections, 64 descriptors"),
        seen: Seen::default(),
        peak_memory: server.peak_memory(),
        note: format!(
            "health {} ms after they are closed; {} ms of processor time in 2 s",
            slowest.as_millis(),
            spent.as_millis()
        ),
    })
}

/// Connections that arrive while the process does not run wait for it, instead of being dropped and
/// tried again a second later. It was 128 of them.
pub fn burst(scale: Scale) -> Option<Row> {
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    if allowed.trim().parse::<usize>().is_ok_and(|allowed| allowed < 1024) {
        print("skipped: this system lets fewer connections wait\n");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let begun = Instant::now();
    server.signal("STOP");
    let count = scale.pick(500, 1000);
    let timeout = Duration::from_millis(900);
    let connect = |_| TcpStream::connect_timeout(&server.address, timeout).ok();
    // To the first that is dropped.
    let waiting: Vec<_> = (0..count).map_while(connect).collect();
    server.signal("CONT");
    assert_eq!(waiting.len(), count);
    let elapsed = begun.elapsed();
    Client::new(server.address).get("/health").unwrap().expect(200);
    server.assert_is_running();
    Some(Row {
        name: "a burst of connections",
        elapsed,
        requests: count,
        outcomes: format!("{count} wait for a process that does not run"),
        seen: Seen::default(),
        peak_memory: server.peak_memory(),
        note: String::new(),
    })
}
